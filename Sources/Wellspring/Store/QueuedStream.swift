import WellspringLog

extension StoreCore {
    /// The head of one stream, queued events included, without reading any; `nil` where the stream
    /// is not in memory.
    func queuedStream(_ stream: StreamID) throws(EventStoreError) -> QueuedStream? {
        try state.withLock { state throws(EventStoreError) in
            if let end = state.end { throw end.error }
            guard let head = state.heads.find(stream) else { return nil }
            let extent = head.queuedExtent
            return QueuedStream(
                version: StreamVersion(extent.last), firstVersion: StreamVersion(extent.first),
                mark: state.mark)
        }
    }

    /// The receipt of an append that is durable by now.
    func receiptAtOnce(for ticket: AppendTicket) -> AppendReceipt? {
        state.withLock { _ in
            if case .settled(.success(let receipt)) = ticket.state { receipt } else { nil }
        }
    }
}

extension InMemoryEventStore {
    package func queuedStream(_ stream: StreamID) throws(EventStoreError) -> QueuedStream? {
        try core.queuedStream(stream)
    }
}

extension FileEventStore {
    package func queuedStream(_ stream: StreamID) throws(EventStoreError) -> QueuedStream? {
        try core.queuedStream(stream)
    }
}
