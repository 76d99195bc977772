@testable import Wellspring
@testable import WellspringTestKit

// What a program does with an open store, and what must come of it.

extension StoreLife {
    // MARK: - Appending

    func append(_ step: LifeFuzzing.Step, to store: FileEventStore) async throws {
        var request = request(step)
        lastRequest = request
        var refusal = ledger.refusal(of: request)
        if step == .repeatLast, script.next(below: 4) == 3 {
            request.idempotencyKey = "again"
            refusal = .unsupported(feature: "idempotency keys")
        }
        let result: Result<AppendReceipt, EventStoreError>
        do throws(EventStoreError) {
            result = .success(try await store.append(request))
        } catch {
            result = .failure(error)
        }
        try settle(result, of: request, refusal, store)
    }

    /// Several appends that share a commit, and of which the later ones build on the earlier ones.
    func appendTogether(to store: FileEventStore) async throws {
        var pending: [(request: AppendRequest, append: PendingAppend)] = []
        var queued: [LifeLedger.Entry] = []
        for _ in 0..<2 + script.next(below: 4) {
            let request = request(.append, behind: queued)
            let refusal = ledger.refusal(of: request, behind: queued)
            do throws(EventStoreError) {
                pending.append((request, try store.enqueue(request, basedOn: nil)))
                guard refusal == nil else { throw .storage(reason: "accepted, and not refused") }
                queued += ledger.entries(of: request, behind: queued)
            } catch {
                try settle(.failure(error), of: request, refusal, store)
            }
        }
        for (request, append) in pending {
            let result: Result<AppendReceipt, EventStoreError>
            do throws(EventStoreError) {
                result = .success(try await append.receipt())
            } catch {
                result = .failure(error)
            }
            try settle(result, of: request, nil, store)
        }
    }

    /// Writes down what came of an append.
    ///
    /// - Parameter refusal: The error with which it must have been refused, if it must.
    private func settle(
        _ result: Result<AppendReceipt, EventStoreError>, of request: AppendRequest,
        _ refusal: EventStoreError?, _ store: FileEventStore
    ) throws {
        let wanted = ledger.entries(of: request, behind: ledger.doubtful)
        switch result {
        case .success(let receipt):
            guard refusal == nil, !isPoisoned else {
                throw Problem("accepted, though \(refusal.map { "\($0)" } ?? "it stopped")")
            }
            let first = UInt64(ledger.head + 1)
            ledger.store(wanted)
            let versions = request.writes.map { StreamVersion(ledger.version(of: $0.stream)) }
            guard receipt.versions == versions,
                wanted.isEmpty
                    ? receipt.positions.isEmpty
                    : receipt.positions == first..<first + UInt64(wanted.count)
            else { throw Problem("a wrong receipt at \(first): \(receipt)") }
            if promisesAll, receipt.position > store.durablePosition {
                throw Problem("acknowledged at \(first), before it is durable")
            }
            did(.stored)
        case .failure(let error):
            switch error {
            case .conflict where error == refusal: did(.conflicted)
            case .unsupported where error == refusal: did(.invalid)
            default: try take(error, ofEvents: wanted)
            }
        }
    }

    /// Writes down the failure of a disk, or calls it one that must not be.
    private func take(
        _ error: EventStoreError, ofEvents wanted: [LifeLedger.Entry]
    ) throws {
        guard isDisturbed else { throw error }
        switch error {
        case .notStored where !isPoisoned, .storageFull where !isPoisoned: did(.notStored)
        case .outcomeUnknown:
            isPoisoned = true
            ledger.doubt(wanted)
        case .poisoned:
            isPoisoned = true
            did(.stopped)
        default: throw error
        }
    }

    private func request(
        _ step: LifeFuzzing.Step, behind queued: [LifeLedger.Entry] = []
    ) -> AppendRequest {
        if step == .repeatLast, let lastRequest { return lastRequest }
        let number = script.next(below: 4)
        var streams = [LifeLedger.streams[number]]
        if step == .appendToTwo { streams.append(LifeLedger.streams[(number + 1) % 4]) }
        return AppendRequest(
            streams.map { stream in
                let version = ledger.version(of: stream, behind: queued)
                let expected = expected(of: version)
                let count = step == .appendSeveral ? script.next(below: 7) : 1
                return StreamWrite(
                    (0..<count).map { _ in event() }, to: stream, expecting: expected)
            })
    }

    private func expected(of version: UInt64) -> ExpectedVersion {
        switch script.next(below: 9) {
        case 0, 1, 2: .any
        case 3, 4: .exactly(StreamVersion(version))
        case 5: .exactly(StreamVersion(version + 1))
        case 6: .exactly(StreamVersion(version == 0 ? 1 : version - 1))
        case 7: .noStream
        default: .exists
        }
    }

    private func event() -> NewEvent {
        eventCount += 1
        var form = script.next(below: 5 * 3 * 2 * 2)
        func choice(_ count: Int) -> Int {
            defer { form /= count }
            return form % count
        }
        let size = min([2, 40, 700, 6_000, 30_000][choice(5)], bytesLeft / 2)
        bytesLeft -= size
        let tags: [Tag] = [[], ["t"], ["other", "t"]][choice(3)]
        let hasID = choice(2) == 1
        let hasHeaders = choice(2) == 1
        var payload = [UInt8](repeating: UInt8(truncatingIfNeeded: eventCount), count: size)
        if size > 1 { payload[0] = UInt8(truncatingIfNeeded: eventCount >> 8) }
        return NewEvent(
            EncodedEvent(
                name: eventCount % 3 == 0 ? "red" : "blue", payload: EventPayload(payload)),
            id: hasID ? MessageID(high: 0xABCD, low: UInt64(eventCount)) : nil, tags: tags,
            metadata: hasHeaders ? EventMetadata(headers: ["user": "ada"]) : EventMetadata())
    }

    // MARK: - Truncating

    func truncate(_ store: FileEventStore) async throws {
        let stream = LifeLedger.streams[script.next(below: 4)]
        let (version, first) = (ledger.version(of: stream), ledger.first(of: stream))
        let kept = script.next(below: 8) - 1
        let before = kept > Int(version) ? 0 : UInt64(Int(version) + 1 - kept)
        let expected = expected(of: version)
        let request = TruncationRequest(
            stream, before: kept == 0 ? nil : StreamVersion(before), expecting: expected)
        let end: UInt64 =
            if case .exactly(let believed) = expected {
                max(version, believed.rawValue)
            } else { version }
        let first2 = kept == 0 ? end + 1 : before
        let isThere = first2 <= end + 1
        let goesFurther = first2 > first
        let wanted = goesFurther ? ledger.truncation(of: stream, before: first2) : []
        do throws(EventStoreError) {
            let receipt = try await store.truncate(request)
            guard expected.allows(StreamVersion(version)), isThere,
                receipt.firstVersion.rawValue == max(first2, first),
                (receipt.position.rawValue == UInt64(ledger.head + 1)) == goesFurther
            else { throw .storage(reason: "a wrong receipt: \(receipt)") }
            ledger.store(wanted)
            did(.truncated)
        } catch {
            switch error {
            case .conflict where !expected.allows(StreamVersion(version)): did(.conflicted)
            case .invalidRequest where !isThere: did(.invalid)
            case .io where isDisturbed: break
            default: try take(error, ofEvents: wanted)
            }
        }
    }

    func redact(_ store: FileEventStore) async throws {
        let position = UInt64(script.next(below: ledger.head + 2))
        let isThere = (1...UInt64(max(ledger.head, 1))).contains(position) && ledger.head > 0
        let wanted = ledger.redaction(of: position)
        do throws(EventStoreError) {
            let receipt = try await store.requestRedaction(of: [LogPosition(position)])
            guard isThere, receipt.position.rawValue == UInt64(ledger.head + 1) else {
                throw .storage(reason: "a wrong receipt: \(receipt)")
            }
            ledger.store(wanted)
            did(.redacted)
        } catch {
            switch error {
            case .invalidRequest where !isThere: did(.invalid)
            default: try take(error, ofEvents: wanted)
            }
        }
    }

    // MARK: - Reading

    func readStream(of store: FileEventStore) async throws {
        let stream = LifeLedger.streams[script.next(below: 4)]
        let (version, first) = (ledger.version(of: stream), ledger.first(of: stream))
        let limit = 1 + script.next(below: 40)
        let point = UInt64(script.next(below: Int(version) + 2))
        let isBackward = script.next() & 1 == 1
        var wanted = ledger.entries.indices.filter {
            ledger.entries[$0].stream == stream && ledger.entries[$0].version >= first
        }
        if isBackward {
            wanted = wanted.reversed().filter { ledger.entries[$0].version < point || point == 0 }
        } else {
            wanted = wanted.filter { ledger.entries[$0].version > point }
        }
        let read = StreamRead(
            stream,
            isBackward
                ? .backward(before: point == 0 ? nil : StreamVersion(point))
                : .forward(after: StreamVersion(point)), limit: ReadLimit(events: limit))
        let page: StreamPage
        do throws(EventStoreError) {
            page = try await store.read(read)
        } catch {
            guard isDisturbed, case .io = error else { throw error }
            return
        }
        guard page.version.rawValue == version, page.firstVersion.rawValue == first else {
            throw Problem("\(stream) is at \(version), and is said to be at \(page.version)")
        }
        try ledger.check(page.events, being: Array(wanted.prefix(limit)))
        did(.read)
    }

    func readLog(of store: FileEventStore) async throws {
        let filters: [EventFilter] = [
            .all, .tagged("t"), .named(["red"]), .category("a"), .tagged("nowhere"),
        ]
        let filter = filters[script.next(below: filters.count)]
        let limit = ReadLimit(events: 1 + script.next(below: 40))
        let point = script.next(below: ledger.head + 2)
        let isBackward = script.next() & 1 == 1
        let page: LogPage
        do throws(EventStoreError) {
            if point < ledger.head, !isPoisoned {
                try await store.waitForEvents(after: LogPosition(UInt64(point)))
                did(.followed)
            }
            let order: ReadOrder<LogPosition> =
                isBackward
                ? .backward(before: LogPosition(UInt64(point + 1)))
                : .forward(after: LogPosition(UInt64(point)))
            page = try await store.read(LogRead(order, filter: filter, limit: limit))
        } catch {
            guard isDisturbed, case .io = error else { throw error }
            return
        }
        let end = Int(page.end.rawValue)
        guard page.head.rawValue == UInt64(ledger.head) else {
            throw Problem("the log ends at \(ledger.head), and is said to end at \(page.head)")
        }
        let seen: [Int]
        if isBackward {
            let start = min(point, ledger.head)
            guard start == 0 ? page.events.isEmpty : (1...start).contains(end) else {
                throw Problem("the page up to \(point) ends at \(end)")
            }
            seen = start == 0 ? [] : (end - 1..<start).reversed()
        } else {
            guard point >= ledger.head ? end == point : (point + 1...ledger.head).contains(end)
            else { throw Problem("the page behind \(point) ends at \(end)") }
            seen = Array(point..<end)
        }
        try ledger.check(page.events, being: seen.filter { passes(ledger.entries[$0], filter) })
        did(.read)
    }

    private func passes(_ entry: LifeLedger.Entry, _ filter: EventFilter) -> Bool {
        if let names = filter.names, !names.contains(entry.new.event.name) { return false }
        if let categories = filter.categories, !categories.contains(entry.stream.category) {
            return false
        }
        return filter.tags.isSubset(of: entry.new.tags)
    }
}
