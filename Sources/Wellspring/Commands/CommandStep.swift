/// What the bus has to know of a command to carry it out; the rest is its sender's.
@usableFromInline
struct Errand: Sendable {
    let stream: StreamID
    /// What the sender believes about the stream.
    let expected: ExpectedVersion

    @usableFromInline
    init(to stream: StreamID, expecting expected: ExpectedVersion) {
        self.stream = stream
        self.expected = expected
    }
}

/// What became of an errand.
@usableFromInline
enum Outcome: Sendable {
    /// What was decided is recorded, or there was nothing to do; where the stream stands now.
    case stands(version: StreamVersion, position: LogPosition)
    /// The last answer was a refusal.
    case refused
}

/// What an aggregate answered to a command, as far as the bus has to know.
@usableFromInline
enum Verdict: Sendable {
    /// These shall be appended, and the next command starts from `next` once they are accepted.
    case events([NewEvent], next: KeptBasis)
    /// There is nothing to do.
    case nothing
    /// A rule said no, or an event cannot be written.
    case refused
    /// What was kept is an aggregate of another type.
    case isOfAnotherType
}

/// Why an errand failed, where the reason has nothing to do with the command.
@usableFromInline
typealias ErrandFailure = CommandFailure<Never>

/// How far a look at an aggregate has come.
enum Look: Sendable {
    /// What the look led to, and what is left for the next command.
    typealias End = (step: Step, handOver: KeptBasis?)

    case over(End)
    /// The aggregate has to be read first.
    case unloaded
    /// To be appended to a store without a queue.
    case unappended(AppendRequest, on: KeptBasis, next: KeptBasis)
    /// There is nothing to do at a place that only the store knows.
    case unplaced(KeptBasis, QueueMark)
}

/// What one look at an aggregate led to.
enum Step: Sendable {
    /// The events are durable.
    case appended(Outcome)
    /// The events are in the store's queue.
    case enqueued(@Sendable () async throws(EventStoreError) -> AppendReceipt)
    /// An answer without an append.
    indirect case answered(Result<Outcome, ErrandFailure>, restingOn: QueueMark)
    /// Another writer was quicker.
    indirect case outrun(StreamConflict, restingOn: QueueMark)
    /// Events that the decision rested on are gone again.
    case takenBack
    /// A failure that no further look would change.
    indirect case failed(ErrandFailure)
}
