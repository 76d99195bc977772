import ExampleSupport
import Wellspring

extension ToolCommand {
    static let stats = ToolCommand(
        Subcommand(
            "stats", arguments: ["DIR"], summary: "Says what a store holds.",
            options: [Examining.unproven])
    ) { arguments in
        let head = try StoreExamination(at: arguments.directory)
        var statistics = Statistics()
        defer { statistics.write(arguments.directory, head) }
        try Examining.read(arguments) { item in
            statistics.note(item)
            return true
        }
    }
}

/// What a store holds, counted.
struct Statistics {
    fileprivate struct Count {
        var events: UInt64 = 0
        var bytes: UInt64 = 0
    }

    private var types: [String: Count] = [:]
    private var categories: [String: Count] = [:]
    private var streams: [StreamID: UInt64] = [:]
    private var segments = 0
    private var bytes: UInt64 = 0
    private var appends: UInt64 = 0
    private var events: UInt64 = 0
    private var payload: UInt64 = 0
    private var holes: [Range<UInt64>] = []
    private var unfinished: UInt64 = 0
    private var first: RecordedEvent?
    private var last: RecordedEvent?

    mutating func note(_ item: StoreExamination.Item) {
        switch item {
        case .segment(_, let size, _):
            segments += 1
            bytes += size
        case .append(let found, _):
            appends += 1
            for event in found { note(event) }
        case .hole(let positions): holes.append(positions)
        case .unfinished(let size): unfinished += size
        case .problem: break
        }
    }

    private mutating func note(_ event: RecordedEvent) {
        let size = UInt64(event.event.payload.count)
        events += 1
        payload += size
        streams[event.stream, default: 0] += 1
        types[event.event.name.rawValue, default: Count()].add(size)
        categories[event.stream.category.rawValue, default: Count()].add(size)
        if first == nil { first = event }
        last = event
    }

    /// Writes everything, and gives up if that fails: there is nobody to tell.
    func write(_ directory: String, _ head: StoreExamination) {
        var lines = [
            ("store", directory.printable),
            ("created", head.createdAt.map { "\($0)" } ?? "unknown"),
            ("state", Self.state(head)),
            ("segments", "\(segments.grouped), \(Shown.size(bytes))"),
            ("appends", appends.grouped),
            ("events", "\(events.grouped), \(Shown.size(payload)) of contents"),
            ("streams", streams.count.grouped),
        ]
        if let first, let last {
            lines.append(("positions", "\(first.position) to \(last.position)"))
            lines.append(("first", "\(first.recordedAt)"))
            lines.append(("last", "\(last.recordedAt)"))
        }
        if !holes.isEmpty { lines.append(("holes", Shown.positions(holes))) }
        if unfinished > 0 { lines.append(("unfinished", "\(unfinished) bytes at the end")) }
        let width = lines.map { $0.0.count }.max() ?? 0
        var text = lines.map { $0.0.padding(to: width) + "  " + $0.1 + "\n" }.joined()
        text += Self.table("category", categories) + Self.table("type", types)
        try? StandardOutput.write(text)
    }

    private static func state(_ head: StoreExamination) -> String {
        switch head.wasClosed {
        case true?: "closed"
        case false?: "open, or not closed properly"
        case nil: "unknown: the MANIFEST cannot be read"
        }
    }

    /// The most frequent, with how many events and bytes each has.
    private static func table(_ title: String, _ counts: [String: Count]) -> String {
        guard !counts.isEmpty else { return "" }
        let rows = counts.sorted { ($0.value.events, $1.key) > ($1.value.events, $0.key) }
        let shown = rows.prefix(20)
        let width = max(title.count, shown.map { $0.key.printable.count }.max() ?? 0)
        var text = "\n\(title.padding(to: width))  \("events".leftPadding(to: 14))  size\n"
        for (name, count) in shown {
            text += name.printable.padding(to: width) + "  "
            text += count.events.grouped.leftPadding(to: 14) + "  \(Shown.size(count.bytes))\n"
        }
        return rows.count > 20 ? text + "and \(rows.count - 20) more\n" : text
    }
}

extension Statistics.Count {
    fileprivate mutating func add(_ size: UInt64) {
        events += 1
        bytes += size
    }
}
