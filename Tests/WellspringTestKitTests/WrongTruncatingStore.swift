import Wellspring
import WellspringLog

/// A store that truncates streams with one fault, to see whether the checks notice.
struct WrongTruncatingStore: TruncatingEventStore {
    enum Fault {
        case forgetsToTruncate
        case readsBackwardBeyondTheBeginning
        case truncatesAllStreams
        case countsAnew
        case takesDeletedForNew
        case hidesWhereStreamsBegin
        case goesBack
        case beginsAnywhere
        case believesAnything
        case hidesFromTheLog
        case redactsAnything
        case letsOthersWrite
    }

    let fault: Fault
    let base = InMemoryEventStore()
    /// What this store believes to be cut off.
    private let firsts = Guarded<[StreamID: StreamVersion]>([:])

    init(fault: Fault) { self.fault = fault }

    func truncate(
        _ request: TruncationRequest
    ) async throws(EventStoreError) -> TruncationReceipt {
        var request = request
        switch fault {
        case .believesAnything: request.expected = .any
        case .forgetsToTruncate, .goesBack:
            let page = try await base.read(StreamRead(request.stream))
            let end = StreamVersion(page.version.rawValue + 1)
            let first = request.before ?? end
            guard first <= end, request.expected.allows(page.version) else { break }
            if fault == .goesBack { firsts.withLock { $0[request.stream] = first } }
            return TruncationReceipt(firstVersion: first, position: .start)
        case .beginsAnywhere:
            let version = try await base.read(StreamRead(request.stream)).version
            let end = StreamVersion(version.rawValue + 1)
            request.before = request.before.map { min($0, end) }
        case .truncatesAllStreams:
            let others = StreamID(category: request.stream.category, key: "another")
            _ = try? await base.truncate(TruncationRequest(others, before: request.before))
        default: break
        }
        let receipt = try await base.truncate(request)
        firsts.withLock { $0[request.stream] = receipt.firstVersion }
        return receipt
    }

    func requestRedaction(
        _ request: RedactionRequest
    ) async throws(EventStoreError) -> AppendReceipt {
        guard fault == .redactsAnything else { return try await base.requestRedaction(request) }
        return AppendReceipt(versions: [], positions: 1..<1)
    }

    func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        var request = request
        for index in request.writes.indices {
            let write = request.writes[index]
            if fault == .letsOthersWrite, write.stream.category.rawValue.hasPrefix("$") {
                request.writes[index].stream = StreamID(category: "check", key: "1")
            }
            if fault == .takesDeletedForNew, write.expected == .noStream,
                try await base.read(StreamRead(write.stream)).events.isEmpty
            {
                request.writes[index].expected = .any
            }
        }
        return try await base.append(request)
    }

    func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        let page = try await base.read(request)
        let first = firsts.withLock { $0[request.stream] } ?? page.firstVersion
        switch fault {
        case .goesBack:
            return StreamPage(
                events: page.events.filter { $0.version >= first }, version: page.version,
                firstVersion: first)
        case .countsAnew:
            let cut = first.rawValue - 1
            return StreamPage(
                events: page.events, version: StreamVersion(page.version.rawValue - cut),
                firstVersion: first)
        case .hidesWhereStreamsBegin:
            return StreamPage(events: page.events, version: page.version)
        case .readsBackwardBeyondTheBeginning:
            guard case .backward = request.order else { return page }
            let log = try await base.read(LogRead(.backward(before: nil)))
            return StreamPage(
                events: log.events.filter { $0.stream == request.stream }, version: page.version,
                firstVersion: first)
        default: return page
        }
    }

    func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        let page = try await base.read(request)
        guard fault == .hidesFromTheLog else { return page }
        let firsts = firsts.withLock { $0 }
        return LogPage(
            events: page.events.filter { $0.version >= firsts[$0.stream] ?? .start },
            end: page.end, head: page.head)
    }

    func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        try await base.waitForEvents(after: position)
    }
}
