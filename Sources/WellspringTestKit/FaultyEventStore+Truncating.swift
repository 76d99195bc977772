public import Wellspring

extension FaultyEventStore: TruncatingEventStore {
    /// Has reads of a stream begin at a later version, or not, or so it says.
    @discardableResult
    public func truncate(
        _ request: TruncationRequest
    ) async throws(EventStoreError) -> TruncationReceipt {
        let base = try truncatingBase()
        let believed = AppendRequest([], to: request.stream, expecting: request.expected)
        return try await write(.truncate, believed) { () throws(EventStoreError) in
            try await base.truncate(request)
        } first: {
            $0.position.rawValue
        }
    }

    /// Asks for the content of events to be removed, or not, or so it says.
    @discardableResult
    public func requestRedaction(
        _ request: RedactionRequest
    ) async throws(EventStoreError) -> AppendReceipt {
        let base = try truncatingBase()
        return try await write(.redact, AppendRequest([])) { () throws(EventStoreError) in
            try await base.requestRedaction(request)
        } first: {
            $0.positions.lowerBound
        }
    }

    private func truncatingBase() throws(EventStoreError) -> any TruncatingEventStore {
        guard let base = base as? any TruncatingEventStore else {
            throw .unsupported(feature: "truncating streams and redacting events")
        }
        return base
    }
}
