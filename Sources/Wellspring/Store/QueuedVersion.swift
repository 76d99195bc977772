import WellspringLog

extension StoreCore {
    /// The head of one stream, queued events included, without reading any; `nil` where the stream
    /// is not in memory.
    func queuedVersion(
        of stream: StreamID
    ) throws(EventStoreError) -> (version: StreamVersion, mark: QueueMark)? {
        try state.withLock { state throws(EventStoreError) in
            if let end = state.end { throw end.error }
            guard let head = state.heads.find(stream) else { return nil }
            return (StreamVersion(head.queuedVersion), state.mark)
        }
    }
}

extension InMemoryEventStore {
    package func queuedVersion(
        of stream: StreamID
    ) throws(EventStoreError) -> (version: StreamVersion, mark: QueueMark)? {
        try core.queuedVersion(of: stream)
    }
}

extension FileEventStore {
    package func queuedVersion(
        of stream: StreamID
    ) throws(EventStoreError) -> (version: StreamVersion, mark: QueueMark)? {
        try core.queuedVersion(of: stream)
    }
}
