/// What Wellspring set out to reach, as far as one run of this program can tell.
struct Aim: Sendable {
    let workload: String
    private let metric: String
    private let row: String
    private let bound: Bound
    /// The row that the figure is divided by; `nil` for a figure that counts by itself.
    private let peer: String?

    enum Bound {
        case atLeast(Double)
        case atMost(Double)
    }

    init(
        _ workload: String, _ metric: String, _ bound: Bound, times peer: String? = nil,
        row: String = "wellspring"
    ) {
        self.workload = workload
        self.metric = metric
        self.bound = bound
        self.peer = peer
        self.row = row
    }

    static let all: [Aim] = [
        Aim("W1", "ops_s", .atLeast(0.9), times: "floor"),
        Aim("W1", "p99_us", .atMost(1.2), times: "floor"),
        Aim("W1", "ops_s", .atLeast(1.1), times: "sqlite-group"),
        Aim("W2-64", "ops_s", .atLeast(1.2), times: "floor"),
        Aim("W2-64", "ops_s", .atLeast(3.5), times: "sqlite-group"),
        Aim("W2-1000", "ops_s", .atLeast(8), times: "sqlite-group"),
        Aim("W2-1000", "p99_us", .atMost(0.25), times: "sqlite-group"),
        Aim("W3-1", "ops_s", .atLeast(8), times: "sqlite"),
        Aim("W3-100", "events_s", .atLeast(4), times: "sqlite"),
        Aim("W5-10", "events_s", .atLeast(0.7), times: "sqlite"),
        Aim("W5-10", "events_s", .atLeast(1.5), times: "sqlite", row: "wellspring-selfcoded"),
        Aim("W5-1000", "events_s", .atLeast(0.45), times: "sqlite"),
        Aim("W5-1000", "events_s", .atLeast(1.5), times: "sqlite", row: "wellspring-selfcoded"),
        Aim("W6", "events_s", .atLeast(1.2), times: "sqlite"),
        Aim("W6-raw", "events_s", .atLeast(0.6), times: "floor"),
        Aim("W6-raw", "events_s", .atLeast(4), times: "sqlite"),
        Aim("W7", "ops_s", .atLeast(1.15), times: "sqlite"),
        Aim("W7-buffered", "ops_s", .atLeast(10), times: "sqlite"),
        Aim("W7-buffered", "bus_us", .atMost(0.3), row: "wellspring-memory"),
        Aim("W8", "open_ms", .atMost(5)),
        Aim("W8", "rss_mb", .atMost(20)),
        Aim("W9", "bytes_event", .atMost(0.85), times: "sqlite"),
        Aim("W9", "bytes_event", .atMost(0.6), times: "sqlite", row: "wellspring-binary"),
        Aim("W10", "p50_us", .atMost(1), times: "floor"),
        Aim("W11", "ops_s", .atLeast(5), times: "sqlite"),
        Aim("W11", "tries_per_ok", .atMost(1.5)),
        Aim("W11-bus", "ops_s", .atLeast(5), times: "sqlite"),
        Aim("W11-bus", "tries_per_ok", .atMost(1.5)),
    ]

    /// The aims beside what was measured, for a page of the documentation; those of workloads or rows
    /// that were not measured are left out.
    static func markdown(_ aims: [Aim], _ measurements: [Measurement]) -> String {
        let head = """
            | workload | metric | row | aim | measured | reached |
            | --- | --- | --- | --- | ---: | --- |

            """
        return aims.reduce(into: head) { text, aim in text += aim.line(measurements) ?? "" }
    }

    private func line(_ measurements: [Measurement]) -> String? {
        guard let own = measurements.value(workload, metric, of: row) else { return nil }
        var measured = own
        if let peer {
            guard let theirs = measurements.value(workload, metric, of: peer), theirs > 0 else {
                return nil
            }
            measured /= theirs
        }
        let words = [
            workload, metric, "`\(row)`", aimInWords,
            peer == nil ? Table.short(measured) : Table.ratio(measured),
            isReached(by: measured) ? "yes" : "no",
        ]
        return "| " + words.joined(separator: " | ") + " |\n"
    }

    private var aimInWords: String {
        let (words, value) =
            switch bound {
            case .atLeast(let value): ("at least", value)
            case .atMost(let value): ("at most", value)
            }
        guard let peer else { return "\(words) \(Table.short(value))" }
        return "\(words) \(Table.ratio(value)) of `\(peer)`"
    }

    private func isReached(by measured: Double) -> Bool {
        switch bound {
        case .atLeast(let value): measured >= value
        case .atMost(let value): measured <= value
        }
    }
}
