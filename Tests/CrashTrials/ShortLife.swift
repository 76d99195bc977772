import Wellspring
import WellspringLog

/// One short life of a store, in which it does everything that it can do with its files: it is made,
/// appended to, begins new segments, flushes the index, saves a projection, is closed, scavenged,
/// opened again and closed.
///
/// One client after the other appends, so the same seed makes the same operations. Between the
/// clients' appends are events that pass: they fill the segments and are what the scavenge removes.
struct ShortLife {
    let path: String
    let seed: Int
    let configuration: FileEventStore.Configuration
    let files: any FileSystem
    let lie: Sabotage.Lie?
    let voice: Voice

    func run() async throws {
        try voice.say("begin")
        var writing = Writing(seed: seed, lie: lie, voice: voice)
        let first = try await open()
        try voice.say("open")
        for round in 0..<14 {
            if round % 5 == 0 { try await writing.appendDeeds(to: first) }
            try await writing.appendPassing(to: first)
        }
        try await writing.askForScavenge(of: first)
        try await first.checkpoints.save(
            Checkpoint(
                projection: "p", revision: 1, position: first.durablePosition,
                state: EventPayload(utf8: "state")))
        await first.close()
        try voice.say("closed")
        try await FileEventStore.scavenge(at: path, in: files)
        let second = try await open()
        try await writing.appendDeeds(to: second)
        await second.close()
        try voice.say("closed")
    }

    private func open() async throws -> FileEventStore {
        try await FileEventStore(at: path, in: files, configuration: configuration)
    }
}

/// What was written so far.
private struct Writing {
    let seed: Int
    let lie: Sabotage.Lie?
    let voice: Voice
    private var next = 0
    private var versions: [Int: StreamVersion] = [:]
    private var passed = 0

    init(seed: Int, lie: Sabotage.Lie?, voice: Voice) {
        self.seed = seed
        self.lie = lie
        self.voice = voice
    }

    /// Has two clients append: each of 496 seeds in a row has another pair.
    mutating func appendDeeds(to store: FileEventStore) async throws {
        let (first, distance) = (seed * 2 % Deed.clientCount, 1 + seed / 16 % 31)
        for client in [first, (first + distance) % Deed.clientCount] {
            let deed = Deed(client: client, number: next)
            let request = deed.request(at: versions[client] ?? .start)
            if lie == .early { try acknowledge(deed, at: 0) }
            let receipt = try await store.append(request)
            versions[client] = receipt.versions[0]
            if lie != .early { try acknowledge(deed, at: receipt.positions.lowerBound) }
        }
        next += 1
    }

    private func acknowledge(_ deed: Deed, at position: UInt64) throws {
        try voice.say("ack \(deed.client) \(deed.number) \(position)")
    }

    mutating func appendPassing(to store: FileEventStore) async throws {
        let passing = PassingEvent(number: passed)
        let request = AppendRequest(
            [NewEvent(passing.event)], to: passing.stream, expecting: .any)
        try pass(await store.append(request).position)
        passed += 1
    }

    /// Has one stream cut off, and an event of another one redacted.
    func askForScavenge(of store: FileEventStore) async throws {
        let cut = PassingEvent(number: 0).stream
        try pass(await store.truncate(TruncationRequest(cut, before: nil)).position)
        let page = try await store.read(StreamRead(PassingEvent(number: 1).stream))
        let request = RedactionRequest(page.events.prefix(1).map(\.position))
        try pass(await store.requestRedaction(request).position)
    }

    private func pass(_ position: LogPosition) throws {
        try voice.say("pass \(position.rawValue)")
    }
}

/// An event that is there to take up room, and may lose its content.
struct PassingEvent {
    let number: Int

    var stream: StreamID { StreamID(category: "passing", key: "\(number % 2)") }

    var event: EncodedEvent {
        var dice = Dice(seed: UInt64(number))
        let text = "\(number)|" + dice.letters(12_000)
        return EncodedEvent(name: "passed", payload: EventPayload(utf8: text))
    }

    /// Whether an event of the log is this one, with its content or without.
    func matches(_ recorded: RecordedEvent) -> Bool {
        recorded.stream == stream && (recorded.isRedacted || recorded.event == event)
    }
}
