import WellspringLog

/// When a subscriber was called with which event.
final class SubscriberCalls: Sendable {
    private let state = Guarded(State())

    private struct State {
        var last: (position: UInt64, time: UInt64) = (0, 0)
        var waiter: (position: UInt64, continuation: CheckedContinuation<UInt64, Never>)?
    }

    /// Called by the subscriber.
    @Sendable func note(_ position: UInt64) {
        let time = now()
        let waiter = state.withLock { state -> CheckedContinuation<UInt64, Never>? in
            state.last = (position, time)
            guard let waiter = state.waiter, waiter.position <= position else { return nil }
            state.waiter = nil
            return waiter.continuation
        }
        waiter?.resume(returning: time)
    }

    /// Returns when the subscriber was called with the event at `position`.
    func time(of position: UInt64) async -> UInt64 {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state -> UInt64? in
                if state.last.position >= position { return state.last.time }
                state.waiter = (position, continuation)
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }
}
