import Wellspring

extension EventStoreChecks {
    /// What a store must do that offers to truncate streams.
    ///
    /// ``run(limit:_:closing:)`` makes these checks too when the store is a `TruncatingEventStore`.
    public static let truncating: [EventStoreCheck] = [
        EventStoreCheck("a truncated stream is read from where it begins, in both directions") {
            probe in
            let (store, stream) = try await probe.sixEventsAmongOthers()
            for first: UInt64 in [1, 3, 4, 6, 7] {
                let receipt = try await store.truncate(stream, before: StreamVersion(first))
                try probe.requireEqual(
                    receipt.firstVersion, StreamVersion(first), "first version of the receipt")
                try await probe.requireVersions(Array(first..<7), of: stream)
                try await probe.requireVersions(Array(1...6), of: .check("another"))
            }
        },
        EventStoreCheck("a truncated stream keeps its version, and appends go on behind it") {
            probe in
            let (store, stream) = try await probe.sixEventsAmongOthers()
            try await store.truncate(stream, before: StreamVersion(5))
            let page = try await store.read(StreamRead(stream))
            try probe.requireEqual(page.version, StreamVersion(6), "version")
            let receipt = try await probe.append(
                to: stream, expecting: .exactly(StreamVersion(6)))
            try probe.requireEqual(receipt.version, StreamVersion(7), "version after an append")
            try await probe.requireVersions([5, 6, 7], of: stream)
        },
        EventStoreCheck("a deleted stream reads as empty and is not new") { probe in
            let (store, stream) = try await probe.sixEventsAmongOthers()
            try await store.delete(stream)
            try await probe.requireVersions([], of: stream)
            let conflict = try await probe.requireConflict("a second creation") {
                try await probe.append(to: stream, expecting: .noStream)
            }
            try probe.requireEqual(conflict.actual, StreamVersion(6), "version")
            try await probe.append(to: stream, expecting: .exists)
            try await probe.requireVersions([7], of: stream)
        },
        EventStoreCheck("a page says where its stream begins") { probe in
            let (store, stream) = try await probe.sixEventsAmongOthers()
            for first: UInt64 in [1, 4, 7] {
                try await store.truncate(stream, before: StreamVersion(first))
                for order: ReadOrder<StreamVersion> in [
                    .forward(after: .start), .forward(after: StreamVersion(6)),
                    .backward(before: nil),
                ] {
                    let page = try await store.read(StreamRead(stream, order))
                    try probe.requireEqual(
                        page.firstVersion, StreamVersion(first), "first version of a page")
                }
            }
        },
        EventStoreCheck("a stream is only truncated further") { probe in
            let (store, stream) = try await probe.sixEventsAmongOthers()
            try await store.truncate(stream, before: StreamVersion(5))
            let receipt = try await store.truncate(stream, before: StreamVersion(2))
            try probe.requireEqual(receipt.firstVersion, StreamVersion(5), "first version")
            try await probe.requireVersions([5, 6], of: stream)
        },
        EventStoreCheck("of truncations at the same time the furthest counts") { probe in
            let (store, stream) = try await probe.sixEventsAmongOthers()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for first: UInt64 in 1...6 {
                    group.addTask {
                        try await store.truncate(stream, before: StreamVersion(first))
                    }
                }
                try await group.waitForAll()
            }
            try await probe.requireVersions([6], of: stream)
        },
        EventStoreCheck("a stream does not begin where it has not come to") { probe in
            let (store, stream) = try await probe.sixEventsAmongOthers()
            let error = try await probe.requireFailure("a truncation beyond the end") {
                try await store.truncate(stream, before: StreamVersion(8))
            }
            guard case .invalidRequest = error else {
                throw Mismatch("expected an invalid request, got \(error)")
            }
            try await probe.requireVersions(Array(1...6), of: stream)
        },
        EventStoreCheck("a truncation on a wrong belief is a conflict") { probe in
            let (store, stream) = try await probe.sixEventsAmongOthers()
            let expected = ExpectedVersion.exactly(StreamVersion(5))
            let conflict = try await probe.requireConflict("a deletion expecting 5") {
                try await store.delete(stream, expecting: expected)
            }
            try probe.requireEqual(
                conflict,
                StreamConflict(stream: stream, expected: expected, actual: StreamVersion(6)),
                "conflict")
            try await probe.requireVersions(Array(1...6), of: stream)
            try await store.delete(stream, expecting: .exactly(StreamVersion(6)))
            try await probe.requireVersions([], of: stream)
        },
        EventStoreCheck("the log shows what was cut off") { probe in
            let (store, stream) = try await probe.sixEventsAmongOthers()
            let before = try await probe.wholeLog(filter: .category("check"))
            try await store.delete(stream)
            try probe.requireEqual(
                try await probe.wholeLog(filter: .category("check")), before, "events")
        },
        EventStoreCheck("a command decides on what is left of its aggregate") { probe in
            let (store, _) = try await probe.sixEventsAmongOthers()
            let bus = CommandBus(store)
            for count in 1...3 {
                let receipt = try await bus.send(Note(), to: "noted")
                try probe.requireEqual(receipt.state.count, count, "events that were folded")
            }
            let stream = Notes.ID("noted").stream
            try await store.truncate(stream, before: StreamVersion(3))
            var receipt = try await bus.send(Note(), to: "noted")
            try probe.requireEqual(receipt.state.count, 2, "events folded after a truncation")
            try await store.delete(stream)
            receipt = try await bus.send(Note(), to: "noted")
            try probe.requireEqual(receipt.state.count, 1, "events folded after a deletion")
            try probe.requireEqual(receipt.version, StreamVersion(5), "version")
        },
        EventStoreCheck("a redaction of what is not in the log is refused") { probe in
            let (store, _) = try await probe.sixEventsAmongOthers()
            let head = try await store.read(LogRead(.backward(before: nil))).head
            let positions = [LogPosition(1), LogPosition(head.rawValue + 1)]
            for wrong in [[], [.start], positions] {
                let error = try await probe.requireFailure("a redaction of \(wrong)") {
                    try await store.requestRedaction(of: wrong)
                }
                guard case .invalidRequest = error else {
                    throw Mismatch("expected an invalid request, got \(error)")
                }
            }
            try await store.requestRedaction(of: [LogPosition(1), head])
        },
        EventStoreCheck("nobody else writes to the streams of the store") { probe in
            let stream = StreamID(category: "$check", key: "1")
            let error = try await probe.requireFailure("an append to a reserved category") {
                try await probe.append(to: stream)
            }
            guard case .invalidRequest = error else {
                throw Mismatch("expected an invalid request, got \(error)")
            }
        },
    ]
}

extension Probe {
    /// The store, as one that truncates, with six events in a stream and six in another.
    fileprivate func sixEventsAmongOthers() async throws -> (
        store: any TruncatingEventStore, stream: StreamID
    ) {
        guard let store = store as? any TruncatingEventStore else {
            throw Mismatch("the store does not offer to truncate streams")
        }
        let stream = StreamID.check("six")
        for size in 1...3 {
            try await append(size, to: .check("another"))
            try await append(size, to: stream)
        }
        return (store, stream)
    }

    /// Fails the check unless exactly these versions of a stream are read.
    fileprivate func requireVersions(_ versions: [UInt64], of stream: StreamID) async throws {
        try requireEqual(
            try await wholeStream(stream, limit: ReadLimit(events: 2)).map(\.version.rawValue),
            versions, "versions of \(stream)")
        let page = try await store.read(StreamRead(stream, .backward(before: nil)))
        try requireEqual(
            page.events.map(\.version.rawValue), versions.reversed(), "versions from the end")
        let last = try await store.lastEvent(of: stream)
        try requireEqual(last?.version.rawValue, versions.last, "version of the last event")
    }
}

/// Counts its events.
private struct Notes: Aggregate {
    static let category: StreamCategory = "notes"
    var count = 0

    enum Event: DomainEvent {
        case noted
        enum CodingKeys: String, EventNames { case noted = "notes.noted" }
    }

    mutating func apply(_ event: Event) { count += 1 }
}

private struct Note: AggregateCommand {
    func decide(given notes: Notes) -> [Notes.Event] { [.noted] }
}
