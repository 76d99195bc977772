/// An event store whose streams can be cut off at their beginning, and whose events can lose their
/// content for good.
///
/// Both are requests, and cheap: the store writes the request down as an event of its own, and that
/// is all. What has to go is removed from the medium later, when the store is scavenged.
///
/// ```swift
/// try await store.truncate(stream, before: StreamVersion(100))  // keeps version 100 and later
/// try await store.delete(stream)                                // keeps none
/// try await store.requestRedaction(of: [event.position])        // keeps all but the content
/// ```
///
/// A store that does not conform does not offer it, and the calls do not compile.
public protocol TruncatingEventStore: EventStore {
    /// Has reads of a stream begin at a later version.
    ///
    /// When this returns, the request is as durable as an append would be, and reads of the stream,
    /// in either direction, show nothing before that version. Versions and positions stay: the
    /// stream is at the same version as before, and the next append goes on behind it. A stream
    /// that was truncated further already stays so.
    ///
    /// Reads of the log show the events until the store is scavenged, so that no projection is
    /// surprised on its way.
    ///
    /// - Throws: ``EventStoreError/conflict(_:)`` when the stream is not where the caller believes,
    ///   ``EventStoreError/invalidRequest(reason:)`` when it does not go so far.
    @discardableResult
    func truncate(
        _ request: TruncationRequest
    ) async throws(EventStoreError) -> TruncationReceipt

    /// Asks for the content of events to be removed for good when the store is scavenged next.
    ///
    /// Until then nothing changes. Afterwards an event has lost payload and headers, and kept its
    /// place: position, stream, version, name, id, times and tags. Events of the store itself, in
    /// categories that begin with `$`, stay as they are.
    ///
    /// - Throws: ``EventStoreError/invalidRequest(reason:)`` when a position is not in the log.
    @discardableResult
    func requestRedaction(
        _ request: RedactionRequest
    ) async throws(EventStoreError) -> AppendReceipt
}

/// Where a stream is to begin from now on.
public struct TruncationRequest: Hashable, Sendable {
    /// The stream.
    public var stream: StreamID
    /// The first version that reads are to show; `nil` for none of those there are.
    ///
    /// At most one more than the version of the stream.
    public var before: StreamVersion?
    /// What the caller believes about the stream.
    public var expected: ExpectedVersion
    /// Who asks for it and why; kept with the request.
    public var metadata: EventMetadata

    /// Creates a request to cut off `stream` before a version.
    public init(
        _ stream: StreamID, before: StreamVersion?, expecting expected: ExpectedVersion = .any,
        metadata: EventMetadata = EventMetadata()
    ) {
        self.stream = stream
        self.before = before
        self.expected = expected
        self.metadata = metadata
    }
}

/// What became of a request to truncate a stream.
public struct TruncationReceipt: Hashable, Sendable {
    /// The first version that reads of the stream show.
    public let firstVersion: StreamVersion
    /// The place of the request in the log: this one, or the earlier one that went as far already.
    ///
    /// ``LogPosition/start`` when there was nothing to be done and never was.
    public let position: LogPosition

    /// Creates a receipt.
    ///
    /// Stores do this.
    public init(firstVersion: StreamVersion, position: LogPosition) {
        self.firstVersion = firstVersion
        self.position = position
    }
}

/// The events whose content is to be removed.
public struct RedactionRequest: Hashable, Sendable {
    /// Where they are in the log; at least one.
    public var positions: [LogPosition]
    /// Who asks for it and why; kept with the request.
    public var metadata: EventMetadata

    /// Creates a request to redact the events at `positions`.
    public init(_ positions: [LogPosition], metadata: EventMetadata = EventMetadata()) {
        self.positions = positions
        self.metadata = metadata
    }
}

extension TruncatingEventStore {
    /// Has reads of `stream` begin at `version`.
    ///
    /// - Parameters:
    ///   - stream: The stream.
    ///   - version: The first version to be kept, at most one more than there are.
    ///   - metadata: Who asks for it and why.
    /// - Throws: As ``truncate(_:)``.
    @discardableResult
    public func truncate(
        _ stream: StreamID, before version: StreamVersion,
        metadata: EventMetadata = EventMetadata()
    ) async throws(EventStoreError) -> TruncationReceipt {
        try await truncate(TruncationRequest(stream, before: version, metadata: metadata))
    }

    /// Has `stream` read as empty.
    ///
    /// Its version stays. An append that expects ``ExpectedVersion/noStream`` is refused as before,
    /// and one that expects the version goes through and is read.
    ///
    /// - Parameters:
    ///   - stream: The stream.
    ///   - expected: What the caller believes about it.
    ///   - metadata: Who asks for it and why.
    /// - Throws: As ``truncate(_:)``.
    @discardableResult
    public func delete(
        _ stream: StreamID, expecting expected: ExpectedVersion = .any,
        metadata: EventMetadata = EventMetadata()
    ) async throws(EventStoreError) -> TruncationReceipt {
        try await truncate(
            TruncationRequest(stream, before: nil, expecting: expected, metadata: metadata))
    }

    /// Asks for the content of the events at `positions` to be removed for good.
    ///
    /// - Parameters:
    ///   - positions: Where they are in the log.
    ///   - metadata: Who asks for it and why.
    /// - Throws: As ``requestRedaction(_:)``.
    @discardableResult
    public func requestRedaction(
        of positions: [LogPosition], metadata: EventMetadata = EventMetadata()
    ) async throws(EventStoreError) -> AppendReceipt {
        try await requestRedaction(RedactionRequest(positions, metadata: metadata))
    }
}
