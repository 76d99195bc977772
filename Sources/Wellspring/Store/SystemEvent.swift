/// What a store is asked to do with events that it holds, as events of its own.
///
/// They are in streams of reserved categories, so they are durable, ordered and copied like any
/// other event. <doc:truncation-is-an-event> says why.
enum SystemEvent: DomainEvent {
    /// Reads of a stream begin at the version `before`.
    case truncated(stream: String, before: UInt64)
    /// The content of the events at these positions is to be removed.
    case redactionRequested(positions: [UInt64])

    enum CodingKeys: String, EventNames {
        case truncated = "$stream.truncated"
        case redactionRequested = "$redaction.requested"
    }

    var tags: [Tag] { [.scavenge] }
}

extension StreamCategory {
    /// Holds one stream for each stream that was truncated.
    package static let truncation: StreamCategory = "$truncation"
    /// Holds one stream with all requests to redact events.
    package static let redaction: StreamCategory = "$redaction"

    /// Whether the category is one of the store's own, which nobody else may write to.
    package var isReserved: Bool { exact.value.utf8.first == UInt8(ascii: "$") }
}

extension StreamID {
    /// All requests to redact events.
    package static let redactions = StreamID(category: .redaction, key: "log")

    /// Whether the stream is one of the store's own.
    package var isReserved: Bool { exact.value.utf8.first == UInt8(ascii: "$") }
}

extension Tag {
    /// On every request that a scavenge has to find.
    package static let scavenge: Tag = "$scavenge"
}

/// A request to truncate a stream, as it is in the log.
package struct StreamTruncation: Hashable, Sendable {
    /// The stream that is truncated.
    package let stream: StreamID
    /// Its first version that reads still show.
    package let before: StreamVersion

    package init(_ stream: StreamID, before: StreamVersion) {
        self.stream = stream
        self.before = before
    }

    /// The stream with the requests about `stream`, the last of which counts.
    package static func requests(about stream: StreamID) -> StreamID {
        StreamID(category: .truncation, key: stream.exact.value)
    }

    /// How many bytes longer the name of that stream is.
    static let prefixLength = StreamCategory.truncation.rawValue.utf8.count + 1

    /// Reads a request.
    ///
    /// - Throws: ``EventStoreError/unsupportedFormat(file:reason:)`` when a later version of the
    ///   library wrote it.
    package init(_ recorded: RecordedEvent) throws(EventStoreError) {
        guard case .truncated(let name, let before) = try SystemEvent(stored: recorded),
            let stream = StreamID(name), recorded.stream == Self.requests(about: stream)
        else { throw recorded.isNoRequest("it does not truncate this stream") }
        self.init(stream, before: StreamVersion(before))
    }

    /// The event that asks for it.
    package func event(_ metadata: EventMetadata) throws(EventStoreError) -> NewEvent {
        try SystemEvent.truncated(stream: stream.exact.value, before: before.rawValue)
            .newEvent(metadata)
    }
}

extension RedactionRequest {
    /// So many positions are in one event at most.
    private static let positionsPerEvent = 10_000

    /// Reads a part of a request.
    ///
    /// - Throws: ``EventStoreError/unsupportedFormat(file:reason:)`` when a later version of the
    ///   library wrote it.
    package init(_ recorded: RecordedEvent) throws(EventStoreError) {
        guard recorded.stream == .redactions,
            case .redactionRequested(let positions) = try SystemEvent(stored: recorded)
        else { throw recorded.isNoRequest("it redacts nothing") }
        self.init(positions.map { LogPosition($0) }, metadata: recorded.metadata)
    }

    /// The events that ask for it.
    package func events() throws(EventStoreError) -> [NewEvent] {
        var events: [NewEvent] = []
        var rest = positions[...]
        while !rest.isEmpty {
            let part = rest.prefix(Self.positionsPerEvent).map(\.rawValue)
            events.append(try SystemEvent.redactionRequested(positions: part).newEvent(metadata))
            rest = rest.dropFirst(part.count)
        }
        return events
    }
}

/// What a scavenge finds by the tag ``Tag/scavenge``.
package enum ScavengeRequest: Hashable, Sendable {
    case truncation(StreamTruncation)
    case redaction(RedactionRequest)

    /// Reads a request; `nil` for an event that merely has the same tag.
    package init?(_ recorded: RecordedEvent) throws(EventStoreError) {
        switch recorded.stream.category {
        case .truncation: self = .truncation(try StreamTruncation(recorded))
        case .redaction: self = .redaction(try RedactionRequest(recorded))
        default: return nil
        }
    }
}

extension SystemEvent {
    fileprivate func newEvent(_ metadata: EventMetadata) throws(EventStoreError) -> NewEvent {
        do {
            return NewEvent(try encoded(), tags: tags, metadata: metadata)
        } catch {
            throw .invalidRequest(reason: "\(error)")
        }
    }

    fileprivate init(stored: RecordedEvent) throws(EventStoreError) {
        guard stored.event.schemaVersion <= Self.schemaVersion else {
            throw stored.isNoRequest("its shape is \(stored.event.schemaVersion)")
        }
        do {
            self = try Self(decoding: stored.event)
        } catch {
            throw stored.isNoRequest("\(error)")
        }
    }
}

extension Recorded where Event == EncodedEvent {
    /// Says that the store cannot do what it is asked to.
    fileprivate func isNoRequest(_ reason: String) -> EventStoreError {
        .unsupportedFormat(
            file: "\(stream)", reason: "the request at position \(position) is unknown: \(reason)")
    }
}
