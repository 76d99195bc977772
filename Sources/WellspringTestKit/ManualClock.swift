public import Wellspring
import WellspringLog

/// A clock whose time moves only when told to, for tests that would otherwise sleep.
///
/// ```swift
/// let clock = ManualClock()
/// let store = InMemoryEventStore(clock: { clock.time })
/// async let answer = runner.ask(query, after: position, timeout: .seconds(5))
/// await clock.waitForSleepers()
/// clock.advance(by: .seconds(5))       // the question times out now
/// ```
public final class ManualClock: Clock {
    /// A moment: how long after the clock was made.
    public struct Instant: InstantProtocol {
        /// The time since the clock was made.
        public let offset: Duration

        /// Returns the moment `duration` later.
        public func advanced(by duration: Duration) -> Instant {
            Instant(offset: offset + duration)
        }

        /// Returns how long it is from here to `other`.
        public func duration(to other: Instant) -> Duration { other.offset - offset }

        /// Whether `a` is before `b`.
        public static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
    }

    private let origin: Timestamp
    private let state = Guarded(State())

    fileprivate struct State {
        var now = Instant(offset: .zero)
        var sleepers: [UInt64: Sleeper] = [:]
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var lastTicket: UInt64 = 0
    }

    fileprivate struct Sleeper {
        let deadline: Instant
        /// Told whether the deadline came; `false` after a cancellation.
        let continuation: CheckedContinuation<Bool, Never>
    }

    /// Creates a clock that shows `origin` until it is advanced.
    public init(startingAt origin: Timestamp = Timestamp(nanoseconds: 1_767_225_600_000_000_000)) {
        self.origin = origin
    }

    /// The present moment.
    public var now: Instant { state.withLock { $0.now } }

    /// The present moment as a time of day, for stores and runners that ask for one.
    public var time: Timestamp {
        let (seconds, attoseconds) = now.offset.components
        return Timestamp(
            nanoseconds: origin.nanoseconds + seconds * 1_000_000_000
                + attoseconds / 1_000_000_000)
    }

    /// How many tasks sleep on this clock.
    public var sleepers: Int { state.withLock { $0.sleepers.count } }

    /// The smallest step of the clock.
    public var minimumResolution: Duration { .nanoseconds(1) }

    /// Moves the time on and wakes whose deadline has come, the earliest first.
    public func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            return state.takeDue()
        }
        for sleeper in due { sleeper.continuation.resume(returning: true) }
    }

    /// Returns once the clock is advanced to `deadline`.
    ///
    /// - Throws: `CancellationError` when the task is cancelled before.
    public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
        let isDue = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (answer, seen) = state.withLock { state in
                    state.park(
                        Sleeper(deadline: deadline, continuation: continuation), ticket: ticket)
                }
                if let answer { continuation.resume(returning: answer) }
                for watcher in seen { watcher.resume() }
            }
        } onCancel: {
            let sleeper = state.withLock { $0.sleepers.removeValue(forKey: ticket) }
            sleeper?.continuation.resume(returning: false)
        }
        if !isDue { throw CancellationError() }
    }

    /// Returns once at least `count` tasks sleep on this clock.
    ///
    /// Call it before ``advance(by:)``: a task that falls asleep afterwards counts from then.
    public func waitForSleepers(_ count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.sleepers.count >= count { return true }
                state.watchers.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }
}

extension ManualClock.State {
    fileprivate mutating func takeDue() -> [ManualClock.Sleeper] {
        let due = sleepers.filter { $0.value.deadline <= now }
        for ticket in due.keys { sleepers[ticket] = nil }
        return due.sorted { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }
            .map(\.value)
    }

    /// Lets a task sleep, or says at once how its sleep ends; returns who waited for sleepers.
    fileprivate mutating func park(
        _ sleeper: ManualClock.Sleeper, ticket: UInt64
    ) -> (answer: Bool?, seen: [CheckedContinuation<Void, Never>]) {
        if Task.isCancelled { return (false, []) }
        if sleeper.deadline <= now { return (true, []) }
        sleepers[ticket] = sleeper
        let seen = watchers.filter { $0.count <= sleepers.count }.map(\.continuation)
        watchers.removeAll { $0.count <= sleepers.count }
        return (nil, seen)
    }
}
