import Wellspring

/// A store under a check, with the words that the checks are written in.
struct Probe: Sendable {
    typealias Close = @Sendable () async throws -> Void

    let store: any EventStore
    let close: Close

    /// Fails the check unless `condition` holds.
    func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(Mismatch) {
        if !condition { throw Mismatch(message()) }
    }

    /// Fails the check unless both are equal.
    func requireEqual<T: Equatable>(
        _ actual: T, _ expected: T, _ what: @autoclosure () -> String
    ) throws(Mismatch) {
        if actual != expected {
            throw Mismatch("\(what()): expected \(expected), got \(actual)")
        }
    }

    /// Fails the check unless `body` fails; returns the error.
    func requireFailure<T>(
        _ what: String, of body: () async throws -> T
    ) async throws -> EventStoreError {
        let result: T
        do {
            result = try await body()
        } catch let error as EventStoreError {
            return error
        }
        throw Mismatch("\(what) succeeded with \(result)")
    }

    /// Fails the check unless `body` meets a conflict; returns it.
    func requireConflict<T>(
        _ what: String, of body: () async throws -> T
    ) async throws -> StreamConflict {
        let error = try await requireFailure(what, of: body)
        guard case .conflict(let conflict) = error else {
            throw Mismatch("\(what): expected a conflict, got \(error)")
        }
        return conflict
    }

    // MARK: Writing

    /// An event whose content says which one it is.
    func event(
        _ text: String = "content", name: EventName = "check.happened", tags: [Tag] = []
    ) -> NewEvent {
        NewEvent(
            EncodedEvent(name: name, payload: EventPayload(utf8: "\"\(text)\"")), tags: tags)
    }

    /// Appends `count` events to one stream.
    @discardableResult
    func append(
        _ count: Int = 1, to stream: StreamID, expecting expected: ExpectedVersion = .any,
        name: EventName = "check.happened", tags: [Tag] = []
    ) async throws(EventStoreError) -> AppendReceipt {
        let events = (0..<count).map { event("\(stream) \($0)", name: name, tags: tags) }
        return try await store.append(AppendRequest(events, to: stream, expecting: expected))
    }

    // MARK: Reading

    /// How many events the stream has.
    func length(of stream: StreamID) async throws(EventStoreError) -> Int {
        try await wholeStream(stream).count
    }

    /// Everything in the stream, page by page.
    func wholeStream(
        _ stream: StreamID, limit: ReadLimit = ReadLimit()
    ) async throws(EventStoreError) -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        while true {
            let after = events.last?.version ?? .start
            let page = try await store.read(
                StreamRead(stream, .forward(after: after), limit: limit))
            events += page.events
            // A page that goes nowhere must not hang the check.
            guard let last = page.events.last, last.version > after else { return events }
        }
    }

    /// The pages from the beginning of the log to its end.
    func pages(
        filter: EventFilter = .all, limit: ReadLimit = ReadLimit()
    ) async throws(EventStoreError) -> [LogPage] {
        var pages: [LogPage] = []
        var position = LogPosition.start
        while true {
            let page = try await store.read(
                LogRead(.forward(after: position), filter: filter, limit: limit))
            guard page.end > position else { return pages }
            pages.append(page)
            position = page.end
        }
    }

    /// The pages from the end of the log to its beginning.
    func pagesBackward(
        filter: EventFilter = .all, limit: ReadLimit = ReadLimit()
    ) async throws(EventStoreError) -> [LogPage] {
        var pages: [LogPage] = []
        var before: LogPosition?
        while true {
            let page = try await store.read(
                LogRead(.backward(before: before), filter: filter, limit: limit))
            if let before, page.end >= before { return pages }
            pages.append(page)
            guard page.end.rawValue > 1 else { return pages }
            before = page.end
        }
    }

    /// Everything in the log.
    func wholeLog(
        filter: EventFilter = .all
    ) async throws(EventStoreError) -> [RecordedEvent] {
        try await pages(filter: filter).flatMap(\.events)
    }
}

extension StreamID {
    /// A stream for a check.
    static func check(_ key: String) -> StreamID { StreamID(category: "check", key: key) }
}
