import WellspringLog

/// Counts for all who share it.
final class Tally: Sendable {
    private let state = Guarded(0)

    var count: Int { state.withLock { $0 } }

    func add() { state.withLock { $0 += 1 } }
}
