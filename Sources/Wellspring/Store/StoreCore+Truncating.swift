import WellspringLog

extension StoreCore {
    /// Writes down where a stream begins, unless it begins there or later already.
    func truncate(
        _ request: TruncationRequest
    ) async throws(EventStoreError) -> TruncationReceipt {
        try request.stream.validate()
        let requests = StreamTruncation.requests(about: request.stream)
        let newest = ReadLimit(events: 1)
        while true {
            // In this order: a request that comes in between is noticed by the append.
            let earlier = try read(StreamRead(requests, .backward(before: nil), limit: newest))
            let stream = try read(
                StreamRead(request.stream, .backward(before: nil), limit: newest))
            let first = try request.firstVersion(at: stream.version)
            var append = AppendRequest([], to: request.stream, expecting: request.expected)
            guard first > stream.firstVersion else {
                // Only what the caller believes is left to be checked.
                if request.expected != .any { _ = try await self.append(append) }
                // The request that went so far may have come after those that were read above.
                let requests = try read(StreamRead(requests, .backward(before: nil), limit: newest))
                return TruncationReceipt(
                    firstVersion: stream.firstVersion,
                    position: requests.events.first?.position ?? .start)
            }
            let truncation = StreamTruncation(request.stream, before: first)
            append.writes.append(
                StreamWrite(
                    [try truncation.event(request.metadata)], to: requests,
                    expecting: .exactly(earlier.version)))
            do {
                let receipt = try await self.append(append, for: .truncating(truncation))
                return TruncationReceipt(firstVersion: first, position: receipt.position)
            } catch {
                guard case .conflict(let conflict) = error, conflict.stream == requests else {
                    throw error
                }
            }
        }
    }

    /// Writes down which events are to lose their content.
    func requestRedaction(
        _ request: RedactionRequest
    ) async throws(EventStoreError) -> AppendReceipt {
        try checkNotClosed()
        let visible = state.withLock { $0.visible }
        guard !request.positions.isEmpty else {
            throw .invalidRequest(reason: "it names no position")
        }
        for position in request.positions
        where position == .start || position.rawValue > visible {
            throw .invalidRequest(
                reason: "position \(position) is not in the log, which ends at \(visible)")
        }
        let append = AppendRequest(try request.events(), to: .redactions, expecting: .any)
        return try await self.append(append, for: .redacting)
    }
}

extension TruncationRequest {
    /// The first version to be kept of a stream at `version`.
    fileprivate func firstVersion(
        at version: StreamVersion
    ) throws(EventStoreError) -> StreamVersion {
        var last = version
        // The stream may have come there with events that are not visible yet; the append tells.
        if case .exactly(let version) = expected { last = max(last, version) }
        let end = StreamVersion(last.rawValue == .max ? .max : last.rawValue + 1)
        guard let before else { return end }
        guard before <= end else {
            throw .invalidRequest(
                reason: "\(stream) is at version \(last) and cannot begin at \(before)")
        }
        return before
    }
}

extension InMemoryEventStore: TruncatingEventStore {
    /// Has reads of a stream begin at a later version.
    @discardableResult
    public func truncate(
        _ request: TruncationRequest
    ) async throws(EventStoreError) -> TruncationReceipt {
        try await core.truncate(request)
    }

    /// Asks for the content of events to be removed.
    ///
    /// The request is kept, and nothing comes of it: this store is forgotten on exit anyway.
    @discardableResult
    public func requestRedaction(
        _ request: RedactionRequest
    ) async throws(EventStoreError) -> AppendReceipt {
        try await core.requestRedaction(request)
    }
}

extension FileEventStore: TruncatingEventStore {
    /// Has reads of a stream begin at a later version.
    @discardableResult
    public func truncate(
        _ request: TruncationRequest
    ) async throws(EventStoreError) -> TruncationReceipt {
        try await core.truncate(request)
    }

    /// Asks for the content of events to be removed for good when the store is scavenged next.
    @discardableResult
    public func requestRedaction(
        _ request: RedactionRequest
    ) async throws(EventStoreError) -> AppendReceipt {
        try await core.requestRedaction(request)
    }
}
