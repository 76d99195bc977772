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
