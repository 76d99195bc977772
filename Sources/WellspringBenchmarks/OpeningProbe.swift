import Foundation

/// Opens a store in a process of its own, so that neither time nor memory is that of something
/// that was measured before.
enum OpeningProbe {
    /// The word that makes this program such a process.
    static let option = "--open-only"

    /// - Parameter streams: How many streams there are to load one by chance from; 0 for none.
    static func measureInChild(
        _ row: String, directory: String, streams: Int = 0
    ) throws -> [Workload.Figure] {
        let process = Process()
        process.executableURL = Bundle.main.executableURL
        process.arguments = [option, row, directory, "\(streams)"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let numbers = text.split(separator: " ").compactMap { Double($0) }
        guard process.terminationStatus == 0, let milliseconds = numbers.first else {
            throw NotMeasured()
        }
        var figures = [Workload.Figure("open_ms", milliseconds, "ms")]
        if numbers.count > 1 { figures.append(.init("rss_mb", numbers[1], "MB")) }
        if numbers.count > 3 {
            figures.append(.init("p50_us", numbers[2], "us"))
            figures.append(.init("p99_us", numbers[3], "us"))
        }
        return figures
    }

    /// What the child does: opens, reads the version of a stream, and says how long that took and
    /// what is resident.
    static func run(
        _ row: any Contender.Type, directory: String, streams: Int
    ) async throws -> String {
        let start = now()
        let store = try await row.init(at: directory, isDurable: true)
        _ = try await store.version(of: 0)
        let milliseconds = seconds(since: start) * 1_000
        let resident = residentMegabytes().map { " \($0)" } ?? ""
        let loads = try await loadByChance(store, streams: streams)
        try await store.close()
        return "\(milliseconds)\(resident)\(loads)"
    }

    /// How long it takes to load a stream that nobody has used lately.
    private static func loadByChance(
        _ store: some Contender, streams: Int
    ) async throws -> String {
        guard streams > 0 else { return "" }
        var latencies = Latencies()
        for _ in 0..<2_000 {
            let start = now()
            _ = try await store.load(stream: .random(in: 0..<streams))
            latencies.add(UInt64(seconds(since: start) * 1e9))
        }
        return " \(latencies.percentile(0.5)) \(latencies.percentile(0.99))"
    }

    /// Linux tells in a file; elsewhere the figure is left out.
    private static func residentMegabytes() -> Double? {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first
        else { return nil }
        return Double(kilobytes).map { $0 / 1_024 }
    }
}
