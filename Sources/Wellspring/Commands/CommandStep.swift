/// How far a look at an aggregate has come.
enum Look<C: AggregateCommand>: Sendable {
    /// What the look led to, and what is left for the next command.
    typealias End = (step: Step<C>, handOver: Baton?)

    case over(End)
    /// The aggregate has to be read first.
    case unloaded
    /// Decided, and the store has to be waited for.
    case undone(Decision<C>, on: KeptBasis<C.Target>, QueueMark)
}

/// What one look at an aggregate led to.
///
/// What is of another size for each command lies elsewhere, so that a step is passed on in no time.
enum Step<C: AggregateCommand>: Sendable {
    /// An answer without an append.
    indirect case answered(Result<C.Receipt, C.Failure>, restingOn: QueueMark)
    /// The events are in the store's queue, or already durable.
    case appended(Decision<C>, PendingAppend)
    /// Another writer was quicker.
    case outrun(StreamConflict, restingOn: QueueMark)
    /// Events that the decision rested on are gone again.
    case takenBack
    /// A failure that no further look would change.
    indirect case failed(C.Failure)
}

/// What an aggregate made of a command, ready to be appended.
///
/// An object, so that passing it on costs the same whatever the aggregate holds.
final class Decision<C: AggregateCommand>: Sendable {
    let events: [C.Target.Event]
    let state: C.Target
    let request: AppendRequest
    let commandID: MessageID

    init(
        _ delivery: Delivery<C>, id: MessageID, given kept: KeptBasis<C.Target>,
        eventIDs: CommandIDs?
    ) throws(C.Failure) {
        do {
            events = try delivery.command.decide(given: kept.basis.state)
        } catch {
            throw .rejected(error)
        }
        let context = delivery.context
        let metadata = EventMetadata(
            correlation: context.correlation ?? id, causation: context.causation ?? id,
            headers: context.headers)
        var state = kept.basis.state
        var new: [NewEvent] = []
        for event in events {
            let encoded: EncodedEvent
            do {
                encoded = try event.encoded()
            } catch {
                throw .unencodable(error)
            }
            new.append(
                NewEvent(
                    encoded, id: eventIDs?.next(), occurredAt: context.occurredAt,
                    tags: event.tags, metadata: metadata))
            state.apply(event)
        }
        self.state = state
        request = AppendRequest(new, to: delivery.stream, expecting: .exactly(kept.basis.version))
        commandID = id
    }

    /// What the next command may start from once the events are accepted.
    func basis(after earlier: KeptBasis<C.Target>) -> KeptBasis<C.Target> {
        KeptBasis(
            Basis(after: earlier.basis, state: state, events: request.writes.first?.events ?? []))
    }

    func receipt(at version: StreamVersion, _ position: LogPosition) -> C.Receipt {
        CommandReceipt(
            state: state, events: events, version: version, position: position,
            commandID: commandID)
    }
}
