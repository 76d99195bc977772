/// An aggregate as it was at one version of its stream.
public struct Loaded<A: Aggregate>: Sendable {
    /// The fold of the events.
    public let state: A
    /// The version of the stream; ``StreamVersion/start`` when it was never written to.
    public let version: StreamVersion
}

extension EventSource {
    /// Loads an aggregate without sending it a command.
    ///
    /// Never skips what it cannot read. Redacted events are passed over: what is left of the
    /// aggregate is for the application to say.
    ///
    /// - Throws: ``LoadFailure`` when the store fails or an event cannot be decoded.
    public func load<A: Aggregate>(
        _ type: A.Type = A.self, _ id: A.ID
    ) async throws(LoadFailure) -> Loaded<A> {
        var state = A()
        var version = StreamVersion.start
        var first = StreamVersion(1)
        while true {
            let page: StreamPage
            do {
                page = try await read(StreamRead(id.stream, .forward(after: version)))
            } catch {
                throw .store(error)
            }
            if page.firstVersion != first {
                // The stream was truncated. What is folded of what is cut off counts no more.
                let isLate = version >= page.firstVersion
                (state, first) = (A(), page.firstVersion)
                version = first.predecessor
                if isLate { continue }
            }
            for recorded in page.events {
                if let event = try recorded.decodedEvent(as: A.Event.self) { state.apply(event) }
                version = recorded.version
            }
            if page.events.isEmpty || version >= page.version { break }
        }
        return Loaded(state: state, version: version)
    }
}

/// Why an aggregate could not be loaded.
@nonexhaustive
public enum LoadFailure: Error, Hashable, Sendable {
    /// The store failed.
    case store(EventStoreError)
    /// An event of the stream cannot be read. Loading stops: an aggregate without one of its
    /// events would decide wrongly.
    case undecodable(EventCodingError, stream: StreamID, version: StreamVersion)
}

extension LoadFailure: CustomStringConvertible {
    /// The failure in a sentence.
    public var description: String {
        switch self {
        case .store(let error): "\(error)"
        case .undecodable(let error, let stream, let version):
            "Event \(version) of \(stream) cannot be read: \(error)."
        }
    }
}

extension Recorded where Event == EncodedEvent {
    /// Decodes the event, saying where it is when that fails; `nil` for one that is redacted.
    func decodedEvent<E: ReadableEvent>(as type: E.Type) throws(LoadFailure) -> E? {
        guard !isRedacted else { return nil }
        do {
            return try E(decoding: event)
        } catch {
            throw .undecodable(error, stream: stream, version: version)
        }
    }
}
