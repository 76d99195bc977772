import Foundation
import Wellspring

/// A store with one fault, to see whether the checks notice.
struct WrongStore: EventStore {
    enum Fault {
        case skipsVersionCheck
        case checksVersionTooEarly
        case namesWrongVersionInConflict
        case appendsStreamByStream
        case writesSomethingWhenRefusing
        case addsEventToEmptyAppend
        case makesItsOwnIDs
        case forgetsHeaders
        case acceptsInvalidRequests
        case ignoresConditions
        case forgetsKeys
        case acknowledgesTooEarly
        case normalisesNames
        case losesAnEvent
        case doublesAnEvent
        case splitsAppends
        case ignoresLimits
        case ignoresFilters
        case confusesCategoriesWithPrefixes
        case endsFilteredPageAtLastEvent
        case reportsOldHead
        case readsBackwardForward
        case countsFromZero
        case invertsTime
        case losesStreamEvent
        case ignoresStreamLimits
        case knowsUnknownStreams
        case endsWaitingForNothing
        case neverEndsWaiting
        case isDeafToCancellation
        case waitsAfterClosing
    }

    let fault: Fault
    let base = InMemoryEventStore()

    func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        var request = request
        switch fault {
        case .skipsVersionCheck:
            for index in request.writes.indices { request.writes[index].expected = .any }
        case .checksVersionTooEarly:
            for write in request.writes {
                let actual = try await base.read(StreamRead(write.stream)).version
                guard write.expected.allows(actual) else {
                    throw .conflict(
                        StreamConflict(
                            stream: write.stream, expected: write.expected, actual: actual))
                }
            }
            await Task.yield()
            for index in request.writes.indices { request.writes[index].expected = .any }
        case .appendsStreamByStream:
            var receipt = AppendReceipt(versions: [], positions: 1..<1)
            for write in request.writes { receipt = try await base.append(AppendRequest([write])) }
            return receipt
        case .addsEventToEmptyAppend:
            if request.writes.first?.events.isEmpty == true {
                request.writes[0].events = [NewEvent(EncodedEvent(name: "empty", payload: []))]
            }
        case .makesItsOwnIDs:
            request.changeEvents { $0.id = nil }
        case .forgetsHeaders:
            request.changeEvents { $0.metadata.headers = [:] }
        case .ignoresConditions:
            request.condition = nil
        case .forgetsKeys:
            request.idempotencyKey = nil
        case .normalisesNames:
            for index in request.writes.indices {
                request.writes[index].stream = request.writes[index].stream.normalised
            }
        case .acknowledgesTooEarly:
            let head = try await base.read(LogRead(.backward(before: nil))).head.rawValue
            let late = request
            Task {
                for _ in 0..<5 { await Task.yield() }
                _ = try await base.append(late)
            }
            let count = UInt64(request.writes.reduce(0) { $0 + $1.events.count })
            return AppendReceipt(versions: [], positions: head + 1..<head + 1 + count)
        default: break
        }
        do {
            return try await base.append(request)
        } catch {
            throw try await failure(error, of: request)
        }
    }

    private func failure(
        _ error: EventStoreError, of request: AppendRequest
    ) async throws(EventStoreError) -> EventStoreError {
        switch (fault, error) {
        case (.namesWrongVersionInConflict, .conflict(let conflict)):
            return .conflict(
                StreamConflict(
                    stream: conflict.stream, expected: conflict.expected, actual: .start))
        case (.writesSomethingWhenRefusing, .conflict(let conflict)):
            let event = NewEvent(EncodedEvent(name: "left.over", payload: []))
            _ = try await base.append(
                AppendRequest([event], to: conflict.stream, expecting: .any))
        case (.acceptsInvalidRequests, .invalidRequest), (.acceptsInvalidRequests, .limitExceeded):
            return .closed
        default: break
        }
        return error
    }

    func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        var request = request
        switch fault {
        case .normalisesNames: request.stream = request.stream.normalised
        case .ignoresStreamLimits: request.limit = ReadLimit(events: .max, bytes: .max)
        default: break
        }
        let page = try await base.read(request)
        switch fault {
        case .losesStreamEvent:
            return StreamPage(
                events: page.events.filter { $0.version != StreamVersion(3) },
                version: page.version)
        case .knowsUnknownStreams where page.version == .start:
            return StreamPage(events: [], version: StreamVersion(1))
        default: return page
        }
    }

    func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        var request = request
        switch fault {
        case .ignoresFilters: request.filter = .all
        case .ignoresLimits: request.limit = ReadLimit(events: .max, bytes: .max)
        case .confusesCategoriesWithPrefixes where request.filter.categories == ["chec"]:
            request.filter = .category("check")
        case .readsBackwardForward:
            if case .backward(let before) = request.order {
                let page = try await base.read(request)
                _ = before
                return LogPage(events: page.events.reversed(), end: page.end, head: page.head)
            }
        default: break
        }
        return wrong(try await base.read(request), for: request)
    }

    private func wrong(_ page: LogPage, for request: LogRead) -> LogPage {
        switch fault {
        case .losesAnEvent:
            return page.with(page.events.filter { $0.position != LogPosition(3) })
        case .doublesAnEvent:
            guard let first = page.events.first else { return page }
            return page.with([first] + page.events)
        case .splitsAppends:
            guard page.events.count > request.limit.events, case .forward = request.order else {
                return page
            }
            let cut = Array(page.events.prefix(request.limit.events))
            return LogPage(
                events: cut, end: cut.last?.position ?? page.end, head: page.head)
        case .endsFilteredPageAtLastEvent:
            guard case .forward(let after) = request.order else { return page }
            return LogPage(
                events: page.events, end: page.events.last?.position ?? after, head: page.head)
        case .reportsOldHead:
            return LogPage(events: page.events, end: page.end, head: .start)
        case .countsFromZero:
            return page.with(page.events.map { $0.with(position: $0.position.rawValue - 1) })
        case .invertsTime:
            return page.with(
                page.events.map { $0.with(recordedAt: 0 - Int64($0.position.rawValue)) })
        default: return page
        }
    }

    func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        switch fault {
        case .endsWaitingForNothing: return
        case .neverEndsWaiting: try await base.waitForEvents(after: LogPosition(.max - 1))
        case .isDeafToCancellation:
            let wait = Task { try await base.waitForEvents(after: position) }
            _ = try? await wait.value
        case .waitsAfterClosing:
            do {
                try await base.waitForEvents(after: position)
            } catch {
                guard error == .closed else { throw error }
                try await InMemoryEventStore().waitForEvents(after: .start)
            }
        default: try await base.waitForEvents(after: position)
        }
    }
}

extension AppendRequest {
    fileprivate mutating func changeEvents(_ change: (inout NewEvent) -> Void) {
        for write in writes.indices {
            for event in writes[write].events.indices { change(&writes[write].events[event]) }
        }
    }
}

extension StreamID {
    fileprivate var normalised: StreamID {
        StreamID(category: category, key: key.precomposedStringWithCanonicalMapping)
    }
}

extension LogPage {
    fileprivate func with(_ events: [RecordedEvent]) -> LogPage {
        LogPage(events: events, end: end, head: head)
    }
}

extension RecordedEvent {
    fileprivate func with(position: UInt64? = nil, recordedAt: Int64? = nil) -> RecordedEvent {
        RecordedEvent(
            event: event, id: id, stream: stream, version: version,
            position: position.map(LogPosition.init) ?? self.position,
            recordedAt: recordedAt.map(Timestamp.init(nanoseconds:)) ?? self.recordedAt,
            tags: tags, metadata: metadata)
    }
}
