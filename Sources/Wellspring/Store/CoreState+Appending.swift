import WellspringLog

extension CoreState {
    /// The heads of the streams of an append, in its order; `nil` when one is not known.
    mutating func heads(of request: AppendRequest) -> [StreamHead]? {
        var found: [StreamHead] = []
        found.reserveCapacity(request.writes.count)
        for index in request.writes.indices {
            guard let head = heads.find(request.writes[index].stream) else { return nil }
            found.append(head)
        }
        return found
    }

    /// All streams of an append whose versions have to be looked up.
    mutating func unknownStreams(of request: AppendRequest) -> [UnknownStream] {
        request.writes.map(\.stream).filter { heads.find($0) == nil }.map(unknown)
    }

    /// A stream whose version has to be looked up.
    func unknown(_ stream: StreamID) -> UnknownStream {
        UnknownStream(stream: stream, visible: visible, sweeps: heads.sweeps)
    }

    /// Takes in what was looked up, as far as it must still be so, and forgets nothing for it.
    ///
    /// A stream that is not known here cannot have been appended to, unless it was known in the
    /// meantime and forgotten again.
    ///
    /// An append may name more streams than are held. Were others forgotten for each, the first
    /// would be gone before the last is known.
    mutating func learn(_ found: [(stream: UnknownStream, extent: StreamExtent)]) {
        for (unknown, extent) in found
        where unknown.sweeps == heads.sweeps || plantedFault == .learnStaleVersion {
            heads.add(unknown.stream, extent)
        }
    }

    /// The first stream of an append that is not where the caller believes, queued events included.
    func conflict(with request: AppendRequest, _ heads: [StreamHead]) -> StreamConflict? {
        for index in heads.indices {
            let actual = StreamVersion(heads[index].queuedVersion)
            let expected = request.writes[index].expected
            guard expected.allows(actual) else {
                return StreamConflict(stream: heads[index].id, expected: expected, actual: actual)
            }
        }
        return nil
    }

    /// Accepts an append without a conflict: gives out its versions and positions.
    mutating func accept(
        _ request: AppendRequest, _ heads: [StreamHead], for purpose: AppendPurpose, bytes: Int,
        now: Timestamp, ids: inout MessageIDGenerator
    ) -> AppendTicket {
        let first = queued + 1
        var versions: [StreamVersion] = []
        var events: [QueuedEvent] = []
        versions.reserveCapacity(heads.count)
        events.reserveCapacity(request.writes.reduce(0) { $0 + $1.events.count })
        for (place, head) in heads.enumerated() {
            let news = request.writes[place].events
            for index in news.indices {
                queued += 1
                let event = QueuedEvent(
                    news[index], to: head, position: queued, now: now,
                    madeID: { ids.next(at: now.nanoseconds) })
                head.queue(event)
                events.append(event)
            }
            versions.append(StreamVersion(head.queuedVersion))
        }

        var truncates: StreamHead?
        if case .truncating(let truncation) = purpose {
            truncates = heads.first { $0.id == truncation.stream }
            truncates?.queueTruncation(before: truncation.before.rawValue)
        }

        let append = QueuedAppend(
            receipt: AppendReceipt(versions: versions, positions: first..<queued + 1),
            events: events, truncates: truncates, bytes: bytes)
        pending.append(append)
        return append
    }

    /// Moves the next group from the queue into flight; empty when nothing is pending.
    mutating func takeGroup(bytes limit: Int, appends most: Int) -> [QueuedAppend] {
        var bytes = 0
        var count = 0
        while count < pending.count {
            bytes += pending[count].bytes
            guard count == 0 || bytes <= limit && count < most else { break }
            count += 1
        }
        inFlight.removeAll(keepingCapacity: true)
        if count == pending.count {
            swap(&inFlight, &pending)
        } else {
            inFlight += pending.prefix(count)
            pending.removeFirst(count)
        }
        return inFlight
    }

    /// Makes the group in flight visible.
    mutating func publish() -> [Wakeup] {
        var wakeups: [Wakeup] = []
        for append in inFlight {
            for event in append.events { event.stream.publishNext() }
            if plantedFault != .forgetTruncation { append.truncates?.publishNextTruncation() }
            visible += UInt64(append.events.count)
            if let wakeup = append.settle(.success(append.receipt)) { wakeups.append(wakeup) }
        }
        inFlight.removeAll(keepingCapacity: true)
        if plantedFault == .loseWakeups { return wakeups }
        return wakeups + waiters.takeDue(visible: visible)
    }

    /// Takes everything back that is not visible: the heads fall to what is durable.
    mutating func takeBack(
        inFlight error: EventStoreError, pending other: EventStoreError
    ) -> [Wakeup] {
        var wakeups: [Wakeup] = []
        for (appends, error) in [(inFlight, error), (pending, other)] {
            for append in appends {
                for event in append.events where plantedFault != .keepQueuedEvents {
                    event.stream.takeBackQueued()
                }
                append.truncates?.takeBackQueued()
                if let wakeup = append.settle(.failure(error)) { wakeups.append(wakeup) }
            }
        }
        inFlight = []
        pending = []
        if plantedFault != .keepQueuedPositions { queued = visible }
        if plantedFault != .keepEpoch { epoch += 1 }
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

/// A stream whose version nobody in memory knows, and the moment at which that was so.
struct UnknownStream: Error {
    let stream: StreamID
    let visible: UInt64
    let sweeps: UInt64
}

extension QueuedEvent {
    fileprivate convenience init(
        _ new: NewEvent, to head: StreamHead, position: UInt64, now: Timestamp,
        madeID: () -> MessageID
    ) {
        self.init(
            stream: head,
            recorded: RecordedEvent(
                event: new.event, id: new.id ?? madeID(), stream: head.id,
                version: StreamVersion(head.queuedVersion + 1), position: LogPosition(position),
                recordedAt: new.recordedAt ?? now, occurredAt: new.occurredAt, tags: new.tags,
                metadata: new.metadata),
            recordedAt: new.recordedAt, occurredAt: new.occurredAt)
    }
}
