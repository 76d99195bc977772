import Foundation
import Wellspring

/// One thing that is timed.
struct Workload: Sendable {
    /// As PERFORMANCE figures are quoted: `W2-64`.
    let id: String
    let summary: String
    /// Whether the form of the payload matters, so that there are rows for the other ones too.
    var mindsForm = false
    /// Measures one row in a fresh directory.
    let measure: @Sendable (_ row: any Contender.Type, Setting) async throws -> [Figure]

    struct Setting: Sendable {
        let directory: String
        let effort: Effort
    }

    struct Figure: Sendable {
        let metric: String
        let value: Double
        let unit: String

        init(_ metric: String, _ value: Double, _ unit: String) {
            self.metric = metric
            self.value = value
            self.unit = unit
        }
    }

    static let all: [Workload] = [
        appending("W1", "durable append, one writer", writers: 1),
        appending("W2-64", "durable append, 64 writers, each its own stream", writers: 64),
        appending("W2-1000", "durable append, 1000 writers, each its own stream", writers: 1000),
        appending(
            "W3-1", "append without a sync, 1000 streams in turn", writers: 1, isDurable: false,
            streams: 1000),
        appending(
            "W3-100", "100 events an append, without a sync", writers: 1, isDurable: false,
            streams: 1000, events: 100),
        appending(
            "W4", "append into memory, 1000 streams in turn", writers: 1, isDurable: false,
            streams: 1000, inMemory: true),
        loading("W5-10", "load and fold a stream of 10 events", length: 10),
        loading("W5-1000", "load and fold a stream of 1000 events", length: 1000),
        replaying(
            "W6", "replay the whole log, decode, and sum up for each customer", decodes: true),
        replaying("W6-raw", "replay the whole log, payload bytes only", decodes: false),
        commanding("W7", "command on an aggregate of 20 events, durable", isDurable: true),
        commanding(
            "W7-buffered", "the same, without a sync; bus_us: what it takes beyond an append",
            isDurable: false),
        opening, sizing, subscribing,
        contending(
            "W11", "16 writers on one stream: read its version, append expecting it, until it fits",
            overBus: false),
        contending(
            "W11-bus", "the same as commands to one aggregate, where the row has a command bus",
            overBus: true),
        coding,
    ]

    /// Takes minutes, and is measured only when it is named.
    static let large: [Workload] = [growing, growingAndKilled]
}

// MARK: - Writing

extension Workload {
    private static func appending(
        _ id: String, _ summary: String, writers: Int, isDurable: Bool = true,
        streams: Int? = nil, events: Int = 1, inMemory: Bool = false
    ) -> Workload {
        Workload(id: id, summary: summary, mindsForm: !isDurable) { row, setting in
            guard row.persists != inMemory else { throw NotMeasured() }
            let store = try await row.init(at: setting.directory, isDurable: isDurable)
            let result = try await Crowd.run(
                store.append, writers: writers, seconds: setting.effort.seconds, events: events
            ) { writer, turn in
                streams.map { turn % $0 } ?? writer
            }
            try await store.close()
            return figures(of: result, eventsAnOperation: events)
        }
    }

    private static func figures(
        of result: CrowdResult, eventsAnOperation events: Int
    ) -> [Figure] {
        let rate = Double(result.operations) / result.elapsed
        return [
            events == 1
                ? Figure("ops_s", rate, "1/s") : Figure("events_s", rate * Double(events), "1/s"),
            Figure("p50_us", result.latencies.percentile(0.50), "us"),
            Figure("p99_us", result.latencies.percentile(0.99), "us"),
        ]
    }

    private static func commanding(
        _ id: String, _ summary: String, isDurable: Bool
    ) -> Workload {
        Workload(id: id, summary: summary) { row, setting in
            guard row.hasStreams, row.persists || !isDurable else { throw NotMeasured() }
            // So many that streams hardly grow meanwhile, and a bus keeps all of them.
            let streams = 1_000
            let store = try await row.init(at: setting.directory, isDurable: isDurable)
            try await fill(store, events: streams * 20, streams: streams)
            guard let command = store.command(counting: nil) else { throw NotMeasured() }
            let result = try await Crowd.run(
                command, writers: 1, seconds: setting.effort.seconds
            ) { _, turn in turn % streams }
            // The same event in the same streams, appended by hand.
            let appends =
                isDurable || !row.hasBus
                ? nil
                : try await Crowd.run(
                    store.append, writers: 1, seconds: setting.effort.seconds
                ) { _, turn in turn % streams }
            try await store.close()
            var taken = figures(of: result, eventsAnOperation: 1)
            if let appends {
                let beyond = result.latencies.percentile(0.50) - appends.latencies.percentile(0.50)
                taken.append(Figure("bus_us", beyond, "us"))
            }
            return taken
        }
    }

    private static func contending(
        _ id: String, _ summary: String, overBus: Bool
    ) -> Workload {
        Workload(id: id, summary: summary) { row, setting in
            guard row.persists else { throw NotMeasured() }
            let store = try await row.init(at: setting.directory, isDurable: true)
            let tries = Tally()
            let operation =
                overBus && row.hasBus
                ? store.command(counting: tries) : store.claim(counting: tries)
            guard let operation else { throw NotMeasured() }
            let result = try await Crowd.run(
                operation, writers: 16, seconds: setting.effort.seconds
            ) { _, _ in 0 }
            guard try await store.version(of: 0) == result.operations else {
                throw WrongAnswer(row: row.row, id: id)
            }
            try await store.close()
            return [
                Figure("ops_s", Double(result.operations) / result.elapsed, "1/s"),
                Figure(
                    "tries_per_ok", Double(tries.count) / Double(max(1, result.operations)),
                    "tries"),
            ]
        }
    }
}

// MARK: - Reading

extension Workload {
    private static func loading(_ id: String, _ summary: String, length: Int) -> Workload {
        Workload(id: id, summary: summary, mindsForm: true) { row, setting in
            guard row.hasStreams else { throw NotMeasured() }
            let streams = max(10, 20_000 / length)
            let store = try await row.init(at: setting.directory, isDurable: false)
            try await fill(store, events: streams * length, streams: streams)
            let start = now()
            var loaded = 0
            while seconds(since: start) < setting.effort.seconds {
                let totals = try await store.load(stream: loaded / length % streams)
                guard totals.count == length else { throw WrongAnswer(row: row.row, id: id) }
                loaded += length
            }
            let rate = Double(loaded) / seconds(since: start)
            try await store.close()
            return [Figure("events_s", rate, "1/s")]
        }
    }

    private static func replaying(_ id: String, _ summary: String, decodes: Bool) -> Workload {
        Workload(id: id, summary: summary, mindsForm: decodes) { row, setting in
            guard row.hasStreams || !decodes else { throw NotMeasured() }
            let events = setting.effort.events
            let store = try await row.init(at: setting.directory, isDurable: false)
            try await fill(store, events: events, streams: max(1, events / 20))
            let right = try answer(events: events, decodes: decodes)
            let start = now()
            var replayed = 0
            repeat {
                guard try await store.replay(decodes: decodes) == right else {
                    throw WrongAnswer(row: row.row, id: id)
                }
                replayed += events
            } while seconds(since: start) < setting.effort.seconds
            let rate = Double(replayed) / seconds(since: start)
            try await store.close()
            return [Figure("events_s", rate, "1/s")]
        }
    }

    /// What a replay of the first so many events has to see.
    private static func answer(events: Int, decodes: Bool) throws -> Replayed {
        let samples = SampleEvents(of: CartEvent.self)
        var right = Replayed()
        if decodes {
            for number in 0..<events { right.apply(samples[number]) }
        } else {
            let sizes = try samples.all.map { try $0.encoded().payload.count }
            right.events = events
            right.bytes = (0..<events).reduce(0) { $0 + sizes[$1 % sizes.count] }
        }
        return right
    }

    private static let opening = Workload(
        id: "W8", summary: "open a store until a stream's version is known, in a process of its own"
    ) { row, setting in
        guard row.persists, row.hasStreams else { throw NotMeasured() }
        let store = try await row.init(at: setting.directory, isDurable: false)
        try await fill(store, events: setting.effort.events, streams: setting.effort.events / 20)
        try await store.close()
        return try OpeningProbe.measureInChild(row.row, directory: setting.directory)
    }

    private static let sizing = Workload(
        id: "W9", summary: "blocks on disk an event, after closing; up to 1000 appends a commit",
        mindsForm: true
    ) { row, setting in
        guard row.persists else { throw NotMeasured() }
        // Without syncs to wait for, it would be chance how many appends share the header of a
        // frame: the quicker the log, the fewer.
        let store = try await row.init(at: setting.directory, isDurable: row.isAsynchronous)
        try await fill(store, events: setting.effort.events, streams: setting.effort.events / 20)
        try await store.close()
        let size = try allocatedBytes(in: setting.directory)
        return [Figure("bytes_event", Double(size) / Double(setting.effort.events), "B")]
    }

    private static let subscribing = Workload(
        id: "W10", summary: "from the start of an append to the call of a subscriber, no sync"
    ) { row, setting in
        let store = try await row.init(at: setting.directory, isDurable: false)
        let calls = SubscriberCalls()
        guard let subscription = store.subscribe(calls.note) else { throw NotMeasured() }
        let append = store.append
        var latencies = Latencies()
        let start = now()
        var number = 0
        while seconds(since: start) < setting.effort.seconds {
            let began = now()
            switch append {
            case .tasks(let append): try await append(number..<number + 1, 0)
            case .threads(let append): try append(number..<number + 1, 0)
            }
            number += 1
            latencies.add(await calls.time(of: UInt64(number)) - began)
        }
        subscription.cancel()
        await subscription.value
        try await store.close()
        return [
            Figure("p50_us", latencies.percentile(0.50), "us"),
            Figure("p99_us", latencies.percentile(0.99), "us"),
        ]
    }

    /// Fills a store with numbered events, round robin, so that the events of a stream lie apart as
    /// they do in life.
    ///
    /// Where appends share a commit, a thousand of them are under way at a time.
    static func fill(_ store: some Contender, events: Int, streams: Int) async throws {
        // One append to a stream at a time, so that its events are in order.
        let atOnce = min(streams, 1_000)
        let batches = stride(from: 0, to: events, by: atOnce).map {
            $0..<min($0 + atOnce, events)
        }
        try await store.fill(batches, streams: streams)
    }

    /// What the files of a directory take of the disk.
    private static func allocatedBytes(in path: String) throws -> Int {
        var size = 0
        for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
            var info = stat()
            guard stat(path + "/" + name, &info) == 0 else { throw NotMeasured() }
            // Blocks of this field have 512 bytes, whatever the file system's have.
            if info.st_mode & S_IFMT == S_IFREG { size += Int(info.st_blocks) * 512 }
        }
        return size
    }
}

/// A row computed something else than the events say.
struct WrongAnswer: Error {
    let row: String
    let id: String
}
