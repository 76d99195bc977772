import Wellspring

extension EventStoreChecks {
    static let streamReads: [EventStoreCheck] = [
        EventStoreCheck("a stream that was never written to reads as empty") { probe in
            try await probe.append(to: .check("other"))
            for order: ReadOrder<StreamVersion> in [
                .forward(after: .start), .forward(after: StreamVersion(9)), .backward(before: nil),
                .backward(before: StreamVersion(9)),
            ] {
                let page = try await probe.store.read(StreamRead(.check("nothing"), order))
                try probe.require(page.events.isEmpty, "got \(page.events.count) events")
                try probe.requireEqual(page.version, .start, "version")
            }
            let last = try await probe.store.lastEvent(of: .check("nothing"))
            try probe.require(last == nil, "got a last event")
        },
        EventStoreCheck("a stream is read forward from any version") { probe in
            let stream = try await tenEventsAmongOthers(probe)
            for after: UInt64 in 0...10 {
                let page = try await probe.store.read(
                    StreamRead(stream, .forward(after: StreamVersion(after))))
                try probe.requireEqual(
                    page.events.map(\.version.rawValue), Array((after..<10).map { $0 + 1 }),
                    "versions after \(after)")
                try probe.requireEqual(page.version, StreamVersion(10), "version of the stream")
            }
            for beyond: UInt64 in [11, .max] {
                let page = try await probe.store.read(
                    StreamRead(stream, .forward(after: StreamVersion(beyond))))
                try probe.require(page.events.isEmpty, "events after version \(beyond)")
                try probe.requireEqual(page.version, StreamVersion(10), "version of the stream")
            }
        },
        EventStoreCheck("a stream is read backward from any version") { probe in
            let stream = try await tenEventsAmongOthers(probe)
            for before: UInt64 in 0...12 {
                let page = try await probe.store.read(
                    StreamRead(stream, .backward(before: StreamVersion(before))))
                try probe.requireEqual(
                    page.events.map(\.version.rawValue),
                    (1...10).filter { $0 < before }.reversed(), "versions before \(before)")
            }
            let page = try await probe.store.read(StreamRead(stream, .backward(before: nil)))
            try probe.requireEqual(
                page.events.map(\.version.rawValue), (1...10).reversed(), "versions from the end")
        },
        EventStoreCheck("a page of a stream keeps its limits, and pages chain") { probe in
            let stream = try await tenEventsAmongOthers(probe)
            let whole = try await probe.wholeStream(stream)
            for limit in [
                ReadLimit(events: 1), ReadLimit(events: 3), ReadLimit(events: 10),
                ReadLimit(events: 11), ReadLimit(bytes: 1), ReadLimit(bytes: 40),
            ] {
                let page = try await probe.store.read(StreamRead(stream, limit: limit))
                try probe.require(!page.events.isEmpty, "an empty page with \(limit)")
                try probe.require(page.events.count <= limit.events, "too much for \(limit)")
                let size = page.events.dropLast().reduce(0) { $0 + $1.event.payload.count }
                try probe.require(size < limit.bytes, "\(page.events.count) events for \(limit)")
                try probe.requireEqual(
                    try await probe.wholeStream(stream, limit: limit), whole,
                    "all pages with \(limit)")
            }
        },
        EventStoreCheck("the last event of a stream is found") { probe in
            let stream = try await tenEventsAmongOthers(probe)
            let last = try await probe.store.lastEvent(of: stream)
            try probe.requireEqual(last?.version, StreamVersion(10), "its version")
            try probe.requireEqual(last, try await probe.wholeStream(stream).last, "the event")
        },
        EventStoreCheck("an aggregate is loaded to its end, however long its stream") { probe in
            let ticks = try (1...99).map { NewEvent(try Ticks.Event.ticked(number: $0).encoded()) }
            for _ in 0..<7 {
                _ = try await probe.store.append(
                    AppendRequest(ticks, to: .check("long"), expecting: .any))
            }
            let loaded = try await probe.store.load(Ticks.self, "long")
            try probe.requireEqual(loaded.version, StreamVersion(693), "version")
            try probe.requireEqual(loaded.state.count, 693, "events folded")
        },
        EventStoreCheck("the events of a stream are a sequence") { probe in
            let stream = try await tenEventsAmongOthers(probe)
            var versions: [UInt64] = []
            for try await event in probe.store.events(
                in: stream, after: StreamVersion(2), limit: ReadLimit(events: 3))
            {
                versions.append(event.version.rawValue)
            }
            try probe.requireEqual(versions, Array(3...10), "versions after 2")
        },
    ]

    private static func tenEventsAmongOthers(_ probe: Probe) async throws -> StreamID {
        let stream = StreamID.check("ten")
        for size in [1, 2, 3, 4] {
            try await probe.append(2, to: .check("another"))
            try await probe.append(size, to: stream)
        }
        return stream
    }
}

/// Counts its events.
private struct Ticks: Aggregate {
    static let category: StreamCategory = "check"
    var count = 0

    enum Event: DomainEvent {
        case ticked(number: Int)
        enum CodingKeys: String, EventNames { case ticked = "check.ticked" }
    }

    mutating func apply(_ event: Event) { count += 1 }
}
