import Foundation

/// Opens a store in a process of its own, so that neither time nor memory is that of something
/// that was measured before.
enum OpeningProbe {
    /// The word that makes this program such a process.
    static let option = "--open-only"

    static func measureInChild(_ row: String, directory: String) throws -> [Workload.Figure] {
        let process = Process()
        process.executableURL = Bundle.main.executableURL
        process.arguments = [option, row, directory]
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
        return figures
    }

    /// What the child does: opens, loads, and says how long that took and what is resident.
    static func run(_ row: any Contender.Type, directory: String) async throws -> String {
        let start = now()
        let store = try await row.init(at: directory, isDurable: true)
        _ = try await store.load(stream: 0)
        let milliseconds = seconds(since: start) * 1_000
        let resident = residentMegabytes().map { " \($0)" } ?? ""
        try await store.close()
        return "\(milliseconds)\(resident)"
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
