import WellspringLog
import WellspringTestKit

/// A program that uses a log, remembers what it was promised, and notices when that is broken.
///
/// It never fails a test itself: it collects what was broken in `violations`, so that tests can also
/// show that something *is* noticed.
final class LogDriver {
    /// Something that was to be stored.
    struct Commit {
        var body: [UInt8]
        var eventCount: UInt32
        /// Where it went; a rewriting changes segment offsets and length, and nothing else.
        var place: FramePlace?
        /// What one rewriting makes of the body, two and so on, as far as that was worked out.
        var rewritten: [[UInt8]] = []
    }

    /// What a log must hold when it is opened.
    struct Promise {
        /// The commits that may be there, by number, in the order in which they were submitted.
        var order: [Int] = []
        /// How many of them must be there after the power was cut.
        var durable = 0
        /// How many must be there when only the process ended.
        var written = 0
        /// How often a segment was rewritten; more than one answer while nobody can know.
        var rounds: [UInt32: ClosedRange<Int>] = [:]
    }

    let disk: SimulatedDisk
    var configuration: LogConfiguration
    private(set) var log: CommitLog?
    private(set) var client = CollectingClient()
    /// The frames that can be read: those that were found, and those that were written since.
    var frames: [CollectingClient.Frame] = []
    private(set) var commits: [Commit]
    /// What was promised at each step; the number of the step is noted with the disk's moments.
    private(set) var promises: [Promise]
    private(set) var violations: [String] = []
    private var hasCrashed = false

    init(
        _ disk: SimulatedDisk, _ configuration: LogConfiguration, commits: [Commit] = [],
        promise: Promise = Promise()
    ) {
        self.disk = disk
        self.configuration = configuration
        self.commits = commits
        promises = [promise]
        hasCrashed = true
        disk.setNote(0)
    }

    deinit { log?.abandon() }

    var promise: Promise { promises[promises.count - 1] }

    func promise(_ change: (inout Promise) -> Void) {
        var next = promise
        change(&next)
        promises.append(next)
        disk.setNote(promises.count - 1)
    }

    func report(_ violation: String) { violations.append(violation) }

    // MARK: - Opening and closing

    /// Opens the log and holds what is in it against what was promised.
    ///
    /// - Returns: The error, when it was not opened. An error that the disk did not make is a
    ///   violation.
    @discardableResult
    func open() -> LogError? {
        log?.abandon()
        log = nil
        let hasFailedBefore = hasFaults
        let client = CollectingClient()
        do {
            let directory = try disk.openStore(at: "store", create: true)
            let log = try CommitLog.open(directory, configuration: configuration, client: client)
            self.log = log
            self.client = client
            frames = client.frames
            settle(hasFaults: hasFailedBefore)
            checkNothingIsLeftOver()
            return nil
        } catch let error as LogError {
            let isExcused = if case .system = error { hasFaults } else { false }
            if !isExcused { report("the log was not opened: \(error)") }
            return error
        } catch {
            report("the directory was not opened: \(error)")
            return nil
        }
    }

    var hasFaults: Bool { disk.operations.contains(where: \.hasFailed) }

    /// Compares what was found with what was promised.
    ///
    /// What an opening has shown must stay.
    private func settle(hasFaults: Bool) {
        let required = hasCrashed || hasFaults ? promise.durable : promise.written
        if let violation = Self.compare(frames, promise, required: required, commits) {
            report(violation)
        }
        if let log {
            let position = frames.reduce(0) { $0 + UInt64($1.place.eventCount) }
            if log.writtenPosition != position || log.durablePosition != position {
                report(
                    "\(position) events were found, the log says \(log.writtenPosition) written, "
                        + "\(log.durablePosition) durable")
            }
        }
        hasCrashed = false
        promise {
            $0.order = Array($0.order.prefix(frames.count))
            $0.durable = $0.order.count
            $0.written = $0.order.count
        }
        settleRounds()
    }

    func close() {
        guard let log else { return }
        let wasPoisoned = log.poison != nil
        do {
            try log.close()
            if wasPoisoned { return abandon() }
            promise { $0.durable = $0.order.count }
        } catch {
            noteFailure(error)
        }
        abandon()
    }

    /// Lets go of the log, as a process does that is killed.
    func abandon() {
        log?.abandon()
        log = nil
    }

    /// Cuts the power.
    func crash(keeping survival: SimulatedDisk.Survival = .chance) {
        abandon()
        disk.crash(keeping: survival)
        hasCrashed = true
        disk.setNote(promises.count - 1)
    }

    // MARK: - Writing

    @discardableResult
    func commit(_ body: [UInt8], events: UInt32 = 1) -> CommitFailure? {
        guard let log else { return .closed }
        let number = commits.count
        commits.append(Commit(body: body, eventCount: events))
        promise { $0.order.append(number) }
        var given: FrameContext?
        do {
            let place = try log.commit(
                client: client, eventCount: events, sizeHint: body.count
            ) { context, writer in
                given = context
                body.withUnsafeBytes { writer.append($0) }
            }
            check(place, given, number)
            commits[number].place = place
            frames.append(.init(place: place, body: body))
            promise {
                $0.written = $0.order.count
                $0.durable = durableCount(of: $0, log)
            }
            return nil
        } catch {
            noteFailure(error, of: number)
            return error
        }
    }

    func sync() {
        guard let log else { return }
        do {
            try log.sync()
            promise { $0.durable = $0.order.count }
            if log.durablePosition != log.writtenPosition {
                report("after a sync something written is not durable")
            }
        } catch {
            noteFailure(error)
        }
    }

    func mark() {
        guard let log else { return }
        do {
            try log.writeMark()
            promise { $0.durable = $0.order.count }
        } catch {
            noteFailure(error)
        }
    }

    func noteFailure(_ failure: CommitFailure, of number: Int? = nil) {
        promise {
            switch failure {
            case .poisoned:
                $0.written = $0.durable
            default:
                // Whoever is told that nothing was stored must never meet it again.
                if number != nil { $0.order.removeLast() }
            }
        }
        if !hasFaults, disk.capacity == nil {
            report("a commit failed without a cause: \(failure)")
        }
    }

    /// How many of the commits the log claims, or its mode promises, to be safe from a power cut.
    private func durableCount(of promise: Promise, _ log: CommitLog) -> Int {
        switch configuration.durability {
        case .everyCommit, .strict: return promise.order.count
        case .interval, .osManaged:
            var position: UInt64 = 0
            var count = promise.durable
            for (index, number) in promise.order.enumerated() {
                position += UInt64(commits[number].eventCount)
                guard position <= log.durablePosition else { break }
                if commits[number].eventCount > 0 { count = max(count, index + 1) }
            }
            return count
        }
    }

    private func check(_ place: FramePlace, _ context: FrameContext?, _ number: Int) {
        let position = promise.order.dropLast().reduce(1) { $0 + UInt64(commits[$1].eventCount) }
        guard let context else { return report("the body of a commit was never asked for") }
        let isRight =
            place.bodyOffset == context.bodyOffset && place.segment == context.segment
            && place.recordedAt == context.recordedAt && context.bodyOffset % 8 == 0
            && context.firstPosition == position && place.bodyLength == commits[number].body.count
            && place.eventCount == commits[number].eventCount
            && (place.eventCount == 0 || place.firstPosition == position)
        if !isRight { report("a commit at position \(position) went to \(place), \(context)") }
    }

    // MARK: - What must hold

    static func compare(
        _ frames: [CollectingClient.Frame], _ promise: Promise, required: Int, _ commits: [Commit]
    ) -> String? {
        guard frames.count >= required else {
            return "LOST: \(frames.count) commits are there, \(required) were promised"
        }
        guard frames.count <= promise.order.count else {
            return "INVENTED: \(frames.count) commits are there, \(promise.order.count) can be"
        }
        let rounds = Self.rounds(of: frames, promise, commits)
        var position: UInt64 = 1
        var last: FramePlace?
        for (frame, number) in zip(frames, promise.order) {
            let expected = commits[number]
            let sure = promise.rounds[frame.place.segment] ?? 0...0
            guard let round = sure.count == 1 ? sure.first : rounds[frame.place.segment] else {
                return "MIXED: segment \(frame.place.segment) is of no one rewriting"
            }
            guard frame.body == expected.body(rewritten: round),
                frame.place.eventCount == expected.eventCount
            else { return "CHANGED: commit \(number) is not what was stored" }
            if let moved = expected.place.flatMap({ frame.place.misfit(with: $0) }) {
                return "MOVED: \(moved)"
            }
            guard frame.place.eventCount == 0 || frame.place.firstPosition == position
            else { return "GAP: \(frame.place) begins not at \(position)" }
            position += UInt64(expected.eventCount)
            if let last {
                guard frame.place.sequence > last.sequence,
                    frame.place.recordedAt >= last.recordedAt
                else { return "ORDER: \(frame.place) follows \(last)" }
            }
            last = frame.place
        }
        return nil
    }

    /// Reads everything through the log's other doors.
    func readBack() {
        guard let log else { return }
        for frame in frames {
            let bytes = try? log.read(
                segment: frame.place.segment, at: frame.place.bodyOffset,
                count: frame.place.bodyLength)
            if bytes != frame.body { report("READ: \(frame.place) reads otherwise") }
        }
        var seen: [CollectingClient.Frame] = []
        do {
            try log.forEachFrame(from: nil, throughSequence: .max) { place, body in
                seen.append(.init(place: place, body: [UInt8](body)))
                return true
            }
        } catch {
            report("ITERATED: \(error)")
        }
        // Whether marks are shown is the log's affair; what has events or a body is not.
        seen.removeAll { $0.place.eventCount == 0 && $0.body.isEmpty }
        let expected = frames.filter { $0.place.eventCount > 0 || !$0.body.isEmpty }
        if seen != expected { report("ITERATED: \(seen.count) frames of \(expected.count)") }
    }
}

/// A client that keeps every frame it is shown.
final class CollectingClient: LogClient {
    struct Frame: Equatable {
        var place: FramePlace
        var body: [UInt8]
    }

    private(set) var frames: [Frame] = []
    private(set) var segments: [UInt32] = []

    func segmentBegan(_ segment: UInt32) { segments.append(segment) }

    func replay(_ place: FramePlace, body: UnsafeRawBufferPointer) throws(MalformedBody) {
        frames.append(Frame(place: place, body: [UInt8](body)))
    }

    func footerContent(of segment: UInt32) -> [UInt8] {
        [UInt8](repeating: UInt8(truncatingIfNeeded: segment), count: 37)
    }
}
