import Wellspring

extension EventStoreChecks {
    static let expectedVersions: [EventStoreCheck] = [
        EventStoreCheck("noStream is right only before the first event") { probe in
            let stream = StreamID.check("new")
            let receipt = try await probe.append(to: stream, expecting: .noStream)
            try probe.requireEqual(receipt.version, StreamVersion(1), "version")
            let conflict = try await probe.requireConflict("a second creation") {
                try await probe.append(to: stream, expecting: .noStream)
            }
            try probe.requireEqual(
                conflict, StreamConflict(stream, .noStream, at: 1), "conflict")
            try probe.requireEqual(try await probe.length(of: stream), 1, "events")
        },
        EventStoreCheck("exactly is right only at that version") { probe in
            let stream = StreamID.check("exact")
            try await probe.append(2, to: stream, expecting: .exactly(.start))
            let receipt = try await probe.append(
                to: stream, expecting: .exactly(StreamVersion(2)))
            try probe.requireEqual(receipt.version, StreamVersion(3), "version")
            for wrong: UInt64 in [0, 2, 4, .max] {
                let expected = ExpectedVersion.exactly(StreamVersion(wrong))
                let conflict = try await probe.requireConflict("an append expecting \(wrong)") {
                    try await probe.append(to: stream, expecting: expected)
                }
                try probe.requireEqual(
                    conflict, StreamConflict(stream, expected, at: 3), "conflict")
            }
            try probe.requireEqual(try await probe.length(of: stream), 3, "events")
        },
        EventStoreCheck("exists is right only after the first event") { probe in
            let stream = StreamID.check("existing")
            let conflict = try await probe.requireConflict("an append to nothing") {
                try await probe.append(to: stream, expecting: .exists)
            }
            try probe.requireEqual(conflict, StreamConflict(stream, .exists, at: 0), "conflict")
            try probe.requireEqual(try await probe.length(of: stream), 0, "events")
            try await probe.append(to: stream, expecting: .noStream)
            let receipt = try await probe.append(to: stream, expecting: .exists)
            try probe.requireEqual(receipt.version, StreamVersion(2), "version")
        },
        EventStoreCheck("any is always right") { probe in
            let stream = StreamID.check("any")
            for version: UInt64 in 1...3 {
                let receipt = try await probe.append(to: stream, expecting: .any)
                try probe.requireEqual(receipt.version, StreamVersion(version), "version")
            }
        },
        EventStoreCheck("of sixteen racing writers exactly one wins") { probe in
            for round: UInt64 in 0..<20 {
                try await race(
                    probe, to: .check("race"), expecting: .exactly(StreamVersion(round)))
            }
            try probe.requireEqual(
                try await probe.length(of: .check("race")), 20, "events after 20 races")
        },
        EventStoreCheck("of sixteen racing creators exactly one wins") { probe in
            for round in 0..<20 {
                try await race(probe, to: .check("birth \(round)"), expecting: .noStream)
            }
        },
        EventStoreCheck("writers that try again all land, without gaps and doubles") { probe in
            let stream = StreamID.check("busy")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<8 {
                    group.addTask { try await appendTenTimes(probe, stream, writer) }
                }
                try await group.waitForAll()
            }
            let events = try await probe.wholeStream(stream)
            try probe.requireEqual(
                events.map(\.version.rawValue), Array(1...80), "versions in order")
            try probe.requireEqual(Set(events.map(\.event.payload)).count, 80, "contents")
        },
    ]

    /// Sixteen writers believe the same, half of them a little later than the others.
    private static func race(
        _ probe: Probe, to stream: StreamID, expecting expected: ExpectedVersion
    ) async throws {
        let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
            for writer in 0..<16 {
                group.addTask {
                    if writer.isMultiple(of: 2) { await Task.yield() }
                    do throws(EventStoreError) {
                        try await probe.append(to: stream, expecting: expected)
                        return true
                    } catch {
                        guard case .conflict = error else { throw error }
                        return false
                    }
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        try probe.requireEqual(wins, 1, "winners")
    }

    private static func appendTenTimes(
        _ probe: Probe, _ stream: StreamID, _ writer: Int
    ) async throws {
        for number in 0..<10 {
            while true {
                let version = try await probe.store.read(
                    StreamRead(stream, .backward(before: nil), limit: ReadLimit(events: 1))
                ).version
                let request = AppendRequest(
                    [probe.event("\(writer) \(number)")], to: stream,
                    expecting: .exactly(version))
                do throws(EventStoreError) {
                    _ = try await probe.store.append(request)
                    break
                } catch {
                    guard case .conflict = error else { throw error }
                    await Task.yield()
                }
            }
        }
    }
}

extension StreamConflict {
    fileprivate init(_ stream: StreamID, _ expected: ExpectedVersion, at actual: UInt64) {
        self.init(stream: stream, expected: expected, actual: StreamVersion(actual))
    }
}
