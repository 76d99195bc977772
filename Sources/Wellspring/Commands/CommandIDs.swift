import WellspringLog

/// Makes the ids of commands that come without one, and of events that the bus must know again.
///
/// A class, so that copies of a bus draw from one sequence.
@usableFromInline
final class CommandIDs: Sendable {
    private let generator = Guarded(MessageIDGenerator(seed: .random(in: .min ... .max)))

    @usableFromInline
    func next() -> MessageID {
        let now = Timestamp.now
        return generator.withLock { $0.next(at: now.nanoseconds) }
    }
}
