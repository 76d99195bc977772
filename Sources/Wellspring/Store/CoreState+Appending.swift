extension CoreState {
    /// The first stream of an append that is not where the caller believes, queued events included.
    func conflict(with request: AppendRequest) -> StreamConflict? {
        for write in request.writes {
            let actual = StreamVersion(
                number(of: write.stream).map { streams[$0].queuedVersion } ?? 0)
            guard write.expected.allows(actual) else {
                return StreamConflict(
                    stream: write.stream, expected: write.expected, actual: actual)
            }
        }
        return nil
    }

    /// Accepts an append without a conflict: gives out its versions and positions.
    mutating func accept(
        _ request: AppendRequest, bytes: Int, now: Timestamp, ids: inout MessageIDGenerator
    ) -> AppendTicket {
        let first = queued + 1
        var versions: [StreamVersion] = []
        var events: [QueuedEvent] = []
        for write in request.writes {
            guard !write.events.isEmpty else {
                versions.append(
                    StreamVersion(number(of: write.stream).map { streams[$0].queuedVersion } ?? 0))
                continue
            }
            let stream = numberMakingRoom(for: write.stream)
            for new in write.events {
                queued += 1
                let event = QueuedEvent(
                    new, stream: stream, id: write.stream,
                    version: streams[stream].queuedVersion + 1, position: queued, now: now,
                    madeID: { ids.next(at: now.nanoseconds) })
                streams[stream].queue(event.recorded)
                events.append(event)
            }
            versions.append(StreamVersion(streams[stream].queuedVersion))
        }

        let ticket = AppendTicket()
        pending.append(
            QueuedAppend(
                ticket: ticket,
                receipt: AppendReceipt(versions: versions, positions: first..<queued + 1),
                events: events, bytes: bytes))
        return ticket
    }

    /// Moves the next group from the queue into flight; empty when nothing is pending.
    mutating func takeGroup(bytes limit: Int, appends most: Int) -> [QueuedAppend] {
        var bytes = 0
        var count = 0
        for append in pending {
            bytes += append.bytes
            guard count == 0 || bytes <= limit && count < most else { break }
            count += 1
        }
        inFlight = Array(pending.prefix(count))
        pending.removeFirst(count)
        return inFlight
    }

    /// Makes the group in flight visible.
    mutating func publish() -> [Wakeup] {
        var wakeups: [Wakeup] = []
        for append in inFlight {
            for (index, event) in append.events.enumerated() {
                add(event, isLastOfAppend: index == append.events.count - 1)
            }
            if let wakeup = append.ticket.settle(.success(append.receipt)) {
                wakeups.append(wakeup)
            }
        }
        inFlight = []
        return wakeups + waiters.takeDue(visible: visible)
    }

    private mutating func add(_ event: QueuedEvent, isLastOfAppend: Bool) {
        visible += 1
        streams[event.stream].publishNext(at: visible)
        events.append(
            stream: event.stream, name: event.recorded.event.name, isLastOfAppend: isLastOfAppend)
    }

    /// Learns of an event that was found on disk.
    mutating func replay(stream: Int, name: EventName, isLastOfAppend: Bool) {
        visible += 1
        queued = visible
        streams[stream].replay(at: visible)
        events.append(stream: stream, name: name, isLastOfAppend: isLastOfAppend)
    }

    /// Takes everything back that is not visible: the heads fall to what is durable.
    mutating func takeBack(
        inFlight error: EventStoreError, pending other: EventStoreError
    ) -> [Wakeup] {
        var wakeups: [Wakeup] = []
        for (appends, error) in [(inFlight, error), (pending, other)] {
            for append in appends {
                for event in append.events { streams[event.stream].takeBackQueued() }
                if let wakeup = append.ticket.settle(.failure(error)) { wakeups.append(wakeup) }
            }
        }
        inFlight = []
        pending = []
        queued = visible
        epoch += 1
        for index in syncRequests.indices { syncRequests[index].position = 0 }
        return wakeups + waiters.takeDue(visible: visible, epochChanged: true)
    }

    /// Stops the store for good.
    mutating func fail(_ failure: StoreFailure) -> [Wakeup] {
        end = .poisoned(failure)
        let wakeups = takeBack(inFlight: .outcomeUnknown(failure), pending: .poisoned(failure))
        return wakeups + waiters.takeAll(.poisoned(failure))
    }
}

extension QueuedEvent {
    fileprivate init(
        _ new: NewEvent, stream: Int, id: StreamID, version: UInt64, position: UInt64,
        now: Timestamp, madeID: () -> MessageID
    ) {
        self.stream = stream
        recordedAt = new.recordedAt
        occurredAt = new.occurredAt
        recorded = RecordedEvent(
            event: new.event, id: new.id ?? madeID(), stream: id, version: StreamVersion(version),
            position: LogPosition(position), recordedAt: new.recordedAt ?? now,
            occurredAt: new.occurredAt, tags: new.tags, metadata: new.metadata)
    }
}
