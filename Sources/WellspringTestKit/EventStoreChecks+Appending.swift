import Wellspring

extension EventStoreChecks {
    static let appending: [EventStoreCheck] = [
        EventStoreCheck("positions run from 1 without gaps, in the order of the request") { probe in
            let (a, b) = (StreamID.check("a"), StreamID.check("b"))
            let first = try await probe.append(to: a)
            try probe.requireEqual(first.positions, 1..<2, "positions of the first append")
            let second = try await probe.store.append(
                AppendRequest([
                    StreamWrite([probe.event("b1"), probe.event("b2")], to: b, expecting: .any),
                    StreamWrite([probe.event("a2")], to: a, expecting: .any),
                ]))
            try probe.requireEqual(second.positions, 2..<5, "positions of the second append")
            try probe.requireEqual(
                second.versions, [StreamVersion(2), StreamVersion(2)], "versions")
            try probe.requireEqual(second.position, LogPosition(4), "last position")
            let log = try await probe.wholeLog()
            try probe.requireEqual(log.map(\.stream), [a, b, b, a], "streams in the log")
            try probe.requireEqual(
                log.map(\.version.rawValue), [1, 1, 2, 2], "versions in the log")
            try probe.requireEqual(log.map(\.position.rawValue), [1, 2, 3, 4], "positions")
        },
        EventStoreCheck("a refused append leaves no trace and costs no position") { probe in
            try await probe.append(to: .check("other"))
            _ = try await probe.requireConflict("a stale append") {
                try await probe.append(3, to: .check("stale"), expecting: .exists)
            }
            let receipt = try await probe.append(to: .check("next"))
            try probe.requireEqual(receipt.positions, 2..<3, "positions of the next append")
            try probe.requireEqual(
                try await probe.wholeLog().map(\.stream),
                [.check("other"), .check("next")], "streams in the log")
        },
        EventStoreCheck("an append to several streams is all or nothing") { probe in
            let (good, bad) = (StreamID.check("good"), StreamID.check("bad"))
            try await probe.append(to: bad)
            for order in [[good, bad], [bad, good]] {
                let conflict = try await probe.requireConflict("an append with one stale stream") {
                    try await probe.store.append(
                        AppendRequest(
                            order.map {
                                StreamWrite([probe.event()], to: $0, expecting: .noStream)
                            }))
                }
                try probe.requireEqual(conflict.stream, bad, "the stream of the conflict")
                try probe.requireEqual(try await probe.length(of: good), 0, "events of one")
                try probe.requireEqual(try await probe.length(of: bad), 1, "events of the other")
            }
        },
        EventStoreCheck("an append without events checks its belief and adds nothing") { probe in
            let stream = StreamID.check("empty")
            try await probe.append(2, to: stream)
            let receipt = try await probe.append(
                0, to: stream, expecting: .exactly(StreamVersion(2)))
            try probe.require(receipt.positions.isEmpty, "got positions \(receipt.positions)")
            try probe.requireEqual(receipt.version, StreamVersion(2), "version")
            try probe.requireEqual(receipt.position, LogPosition(2), "position")
            _ = try await probe.requireConflict("a wrong belief without events") {
                try await probe.append(0, to: stream, expecting: .noStream)
            }
            try probe.requireEqual(try await probe.wholeLog().count, 2, "events")
        },
        EventStoreCheck("everything about an event comes back as it was given") { probe in
            let id = MessageID(high: 1, low: 2)
            let new = NewEvent(
                EncodedEvent(
                    name: "check.full", payload: [0, 255, 10], codec: .opaque, schemaVersion: 7),
                id: id, occurredAt: Timestamp(nanoseconds: -1_234_567_891),
                recordedAt: Timestamp(nanoseconds: 1_600_000_000_123_456_789),
                tags: ["course:c1", "student:s1"],
                metadata: EventMetadata(
                    correlation: MessageID(high: 3, low: 4),
                    causation: MessageID(high: 5, low: 6), headers: ["user": "Ada é", "": ""]))
            let stream = StreamID.check("full")
            _ = try await probe.store.append(AppendRequest([new], to: stream, expecting: .any))
            let expected = RecordedEvent(
                event: new.event, id: id, stream: stream, version: StreamVersion(1),
                position: LogPosition(1),
                recordedAt: Timestamp(nanoseconds: 1_600_000_000_123_456_789),
                occurredAt: Timestamp(nanoseconds: -1_234_567_891), tags: new.tags,
                metadata: new.metadata)
            try probe.requireEqual(try await probe.wholeStream(stream), [expected], "the stream")
            try probe.requireEqual(try await probe.wholeLog(), [expected], "the log")
        },
        EventStoreCheck("ids and times that are not given are made") { probe in
            for _ in 0..<50 { try await probe.append(2, to: .check("made")) }
            let log = try await probe.wholeLog()
            try probe.requireEqual(Set(log.map(\.id)).count, 100, "different ids")
            for event in log {
                try probe.requireEqual(
                    event.occurredAt, event.recordedAt, "the time it happened, when not said")
            }
        },
        EventStoreCheck("recorded times never go back") { probe in
            for round in 0..<50 { try await probe.append(to: .check("time \(round % 3)")) }
            let times = try await probe.wholeLog().map(\.recordedAt)
            for (earlier, later) in zip(times, times.dropFirst()) {
                try probe.require(earlier <= later, "\(later) was recorded after \(earlier)")
            }
        },
        EventStoreCheck("a request that breaks a rule is refused") { probe in
            let long = String(repeating: "x", count: 2_000)
            let wrong: [(String, AppendRequest)] = [
                ("no stream", AppendRequest([])),
                (
                    "a stream twice",
                    AppendRequest([
                        StreamWrite([probe.event()], to: .check("twice"), expecting: .any),
                        StreamWrite([probe.event()], to: .check("twice"), expecting: .any),
                    ])
                ),
                ("an empty key", AppendRequest([probe.event()], to: .check(""), expecting: .any)),
                (
                    "a NUL in the key",
                    AppendRequest([probe.event()], to: .check("a\0b"), expecting: .any)
                ),
                (
                    "a slash in the category",
                    AppendRequest(
                        [probe.event()], to: StreamID(category: "a/b", key: "c"), expecting: .any)
                ),
                (
                    "an empty category",
                    AppendRequest(
                        [probe.event()], to: StreamID(category: "", key: "c"), expecting: .any)
                ),
                ("a long key", AppendRequest([probe.event()], to: .check(long), expecting: .any)),
                (
                    "an empty name",
                    AppendRequest([probe.event(name: "")], to: .check("n"), expecting: .any)
                ),
                (
                    "a long name",
                    AppendRequest(
                        [probe.event(name: EventName(long))], to: .check("n"), expecting: .any)
                ),
                (
                    "an empty tag",
                    AppendRequest([probe.event(tags: [""])], to: .check("t"), expecting: .any)
                ),
                (
                    "too many tags",
                    AppendRequest(
                        [probe.event(tags: (0...64).map { Tag("tag \($0)") })], to: .check("t"),
                        expecting: .any)
                ),
            ]
            for (what, request) in wrong {
                let error = try await probe.requireFailure("an append with \(what)") {
                    try await probe.store.append(request)
                }
                switch error {
                case .invalidRequest, .limitExceeded: break
                default: throw Mismatch("an append with \(what) failed as \(error)")
                }
            }
            try probe.requireEqual(try await probe.wholeLog().count, 0, "events")
        },
        EventStoreCheck("a feature that is not offered is refused, not ignored") { probe in
            try await probe.append(to: .check("one"))
            let condition = AppendCondition(noneMatching: .all, after: .start)
            let request = AppendRequest(
                [StreamWrite([probe.event()], to: .check("two"), expecting: .any)],
                condition: condition)
            // A store that offers conditions has to refuse this one as well: it does not hold.
            _ = try await probe.requireFailure("an append whose condition does not hold") {
                try await probe.store.append(request)
            }
            var keyed = AppendRequest([probe.event()], to: .check("two"), expecting: .any)
            keyed.idempotencyKey = "once"
            for _ in 0..<2 {
                do throws(EventStoreError) {
                    _ = try await probe.store.append(keyed)
                } catch {
                    guard case .unsupported = error else {
                        throw Mismatch("an append with a key failed as \(error)")
                    }
                }
            }
            let count = try await probe.length(of: .check("two"))
            try probe.require(count <= 1, "an append with a key was stored \(count) times")
        },
        EventStoreCheck("a cancelled task appends wholly or not at all") { probe in
            let stream = StreamID.check("cancelled")
            let task = Task {
                try await probe.append(3, to: stream)
            }
            task.cancel()
            let isStored: Bool
            do {
                _ = try await task.value
                isStored = true
            } catch {
                try probe.require(
                    error as? EventStoreError == .cancelled, "the append failed as \(error)")
                isStored = false
            }
            try probe.requireEqual(
                try await probe.length(of: stream), isStored ? 3 : 0, "events")
        },
    ]
}
