import WellspringLog

/// Tells how far long work on a log has come, and ends it when that is asked for.
struct ProgressTracker {
    private let report: (@Sendable (MaintenanceProgress) -> Void)?
    private let isCancelled: @Sendable () -> Bool
    private let totalBytes: UInt64
    /// The bytes of the segments before the one that is read, and of that one.
    private var before: UInt64 = 0
    private var current: UInt64 = 0
    private var told: UInt64 = 0

    /// How many bytes lie between two reports.
    private static let step: UInt64 = 1 << 20

    init(
        _ directory: any StoreDirectory, isCancelled: @escaping @Sendable () -> Bool,
        _ report: (@Sendable (MaintenanceProgress) -> Void)?
    ) {
        let total = report == nil ? 0 : Self.totalBytes(of: directory)
        self.init(totalBytes: total, isCancelled: isCancelled, report)
    }

    /// Counts on so many bytes in all.
    init(
        totalBytes: UInt64, isCancelled: @escaping @Sendable () -> Bool,
        _ report: (@Sendable (MaintenanceProgress) -> Void)?
    ) {
        self.report = report
        self.isCancelled = isCancelled
        self.totalBytes = totalBytes
    }

    /// The size of all segments together; files that cannot be asked count as nothing.
    private static func totalBytes(of directory: any StoreDirectory) -> UInt64 {
        let names = (try? directory.list(LogLayout.segments)) ?? []
        return names.filter { LogLayout.parse($0) != nil }.reduce(0) { sum, name in
            guard let file = try? directory.open(LogLayout.segments + "/" + name, .read) else {
                return sum
            }
            defer { file.close() }
            return sum + ((try? file.size()) ?? 0)
        }
    }

    /// One that tells nothing and ends when this one does.
    var quiet: ProgressTracker { ProgressTracker(totalBytes: 0, isCancelled: isCancelled, nil) }

    func check() throws {
        guard !isCancelled() else { throw CancellationError() }
    }

    mutating func begin(fileSize: UInt64) {
        before += current
        current = fileSize
    }

    mutating func advance(to offset: UInt64, _ so: VerificationReport) {
        advance(to: offset, events: so.eventCount)
    }

    mutating func advance(to offset: UInt64, events: UInt64) {
        guard let report, before + offset >= told + Self.step else { return }
        told = before + offset
        report(MaintenanceProgress(bytes: told, totalBytes: max(told, totalBytes), events: events))
    }

    func finish(events: UInt64) {
        let done = before + current
        report?(MaintenanceProgress(bytes: done, totalBytes: done, events: events))
    }
}
