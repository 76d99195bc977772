import Foundation
import Wellspring
import WellspringLog
import WellspringTestKit

/// One life of a store on a simulated disk, made by chance, with everything written down that the
/// store has promised meanwhile.
final class StoreCrashRun {
    /// An append that was asked for, and what the store said.
    struct Submission {
        let number: Int
        var outcome = Outcome.unknown
        /// The position of its last event.
        var end: UInt64 = 0
    }

    enum Outcome: Equatable {
        case stored, unknown
        /// The store said that nothing was stored.
        case failed
    }

    /// What must hold at any later time, whatever happens to the disk.
    struct Promise: Equatable {
        /// Everything up to here is durable.
        var durable: UInt64 = 0
        /// The position of the newest saved projection.
        var saved: UInt64 = 0
    }

    let disk: SimulatedDisk
    let configuration: FileEventStore.Configuration
    private let files: @Sendable (SimulatedDisk) -> any FileSystem
    private(set) var store: FileEventStore?
    private(set) var submissions: [Submission] = []
    /// How many submissions there were at each note on the disk, and what was promised then.
    private(set) var notes: [(submissions: Int, promise: Promise)] = [(0, Promise())]
    private(set) var errors: [EventStoreError] = []
    private(set) var complaints: [String] = []
    private(set) var isPoisoned = false
    private var dice: SmallDice

    /// Whether the library was built to be quick, and tests may use that to do more.
    ///
    /// `WELLSPRING_SIZES=small` makes them as small as in a debug build, for a sanitizer: it sees
    /// the same code run, only slower.
    static var isOptimized: Bool {
        #if DEBUG
        false
        #else
        ProcessInfo.processInfo.environment["WELLSPRING_SIZES"] != "small"
        #endif
    }

    init(
        _ disk: SimulatedDisk, durability: Durability, seed: UInt64, fault: PlantedFault? = nil,
        files: @escaping @Sendable (SimulatedDisk) -> any FileSystem = { $0 }
    ) {
        self.disk = disk
        self.files = files
        var configuration = FileEventStore.Configuration()
        configuration.durability = durability
        configuration.segmentBytes = 64 << 10
        configuration.plantedFault = fault
        configuration.syncsOnCallingTask = seed % 2 == 0
        self.configuration = configuration
        dice = SmallDice(seed: seed)
    }

    var promise: Promise { notes.last?.promise ?? Promise() }

    // MARK: - Living

    /// Does `count` things one after the other.
    func live(_ count: Int) async {
        for _ in 0..<count {
            let choice = dice.below(32)
            guard let store else {
                await open()
                continue
            }
            switch choice {
            case 0: await close(store)
            case 1: drop()
            case 2: await sync(store)
            case 3, 4: disk.fireTimers()
            case 5, 6: await save(store)
            case 7: await read(store)
            case 8...12: await append(2 + dice.below(5), to: store)
            default: await append(1, to: store)
            }
            disk.advanceClock(nanoseconds: Int64(dice.below(20_000_000)))
            note()
        }
    }

    func open() async {
        do throws(EventStoreError) {
            store = try await FileEventStore(
                at: "store", in: files(disk), configuration: configuration)
            forgetWhatASyncMayHaveLost()
            isPoisoned = false
        } catch {
            errors.append(error)
        }
        note()
    }

    /// A sync that failed may have lost what the mode had not promised to be durable yet.
    ///
    /// The store stopped for that reason, and goes on from what is left.
    private func forgetWhatASyncMayHaveLost() {
        guard disk.operations.contains(where: { $0.kind == .sync && $0.hasFailed }) else { return }
        for index in submissions.indices
        where submissions[index].outcome == .stored && submissions[index].end > promise.durable {
            submissions[index].outcome = .unknown
        }
    }

    func close(_ store: FileEventStore) async {
        await store.close()
        self.store = nil
    }

    func drop() { store = nil }

    private func append(_ count: Int, to store: FileEventStore) async {
        var pending: [(index: Int, append: PendingAppend)] = []
        for _ in 0..<count {
            let index = submissions.count
            submissions.append(Submission(number: index + 1))
            do throws(EventStoreError) {
                let request = CrashEvent.request(index + 1)
                pending.append((index, try store.enqueue(request, basedOn: nil)))
            } catch {
                take(error, of: index)
            }
        }
        note()
        for (index, append) in pending {
            do throws(EventStoreError) {
                let receipt = try await append.receipt()
                submissions[index].outcome = .stored
                submissions[index].end = receipt.position.rawValue
                if receipt.position > store.durablePosition, configuration.isDurableAtOnce {
                    complaints.append("append \(index + 1) is acknowledged before it is durable")
                }
            } catch {
                take(error, of: index)
            }
        }
    }

    /// What an append may fail with, and what that means.
    private func take(_ error: EventStoreError, of index: Int) {
        errors.append(error)
        submissions[index].outcome = .failed
        switch error {
        case .outcomeUnknown:
            submissions[index].outcome = .unknown
            isPoisoned = true
        case .poisoned: isPoisoned = true
        case .notStored, .storageFull:
            if isPoisoned { complaints.append("a poisoned store said \(error)") }
        default: complaints.append("append \(index + 1) failed with \(error)")
        }
    }

    private func sync(_ store: FileEventStore) async {
        do throws(EventStoreError) {
            try await store.sync()
        } catch {
            errors.append(error)
            guard case .poisoned = error else { return complaints.append("sync: \(error)") }
            isPoisoned = true
        }
    }

    private func save(_ store: FileEventStore) async {
        do throws(EventStoreError) {
            let head = try await store.read(LogRead(.backward(before: nil))).head
            try await store.checkpoints.save(
                Checkpoint(
                    projection: "p", revision: 1, position: head,
                    state: CrashEvent.bytes(500, seed: head.rawValue)))
            var promise = promise
            promise.saved = head.rawValue
            notes.append((submissions.count, promise))
        } catch {
            errors.append(error)
            switch error {
            case .notStored, .storageFull, .poisoned, .io: break
            default: complaints.append("save: \(error)")
            }
        }
    }

    private func read(_ store: FileEventStore) async {
        do {
            complaints += judge(try await store.wholeLog(), isEnd: false)
        } catch EventStoreError.io(let call, let file, let code) {
            errors.append(.io(call: call, file: file, code: code))
        } catch {
            complaints.append("read: \(error)")
        }
    }

    /// Writes on the disk's slip how far the promises go.
    private func note() {
        var promise = promise
        if let store { promise.durable = max(promise.durable, store.durablePosition.rawValue) }
        notes.append((submissions.count, promise))
        disk.setNote(notes.count - 1)
    }
}

extension FileEventStore.Configuration {
    fileprivate var isDurableAtOnce: Bool { durability == .everyCommit || durability == .strict }
}

// MARK: - Judging

extension StoreCrashRun {
    /// What is wrong with a log that was found after this run had come to `note`.
    ///
    /// - Parameter isEnd: Whether the log holds everything that was stored.
    func judge(_ log: [RecordedEvent], note: Int? = nil, isEnd: Bool) -> [String] {
        let (count, promise) = note.map { notes[$0] } ?? (submissions.count, promise)
        var found: [String] = []
        var versions: [StreamID: UInt64] = [:]
        var next = 0
        var isOver = false
        // What was submitted while the note was on the disk may be there too.
        let later = note.map { $0 + 1 < notes.count ? notes[$0 + 1].submissions : count } ?? count
        for submission in submissions.prefix(max(count, later)) {
            let expected = CrashEvent.events(submission.number)
            let isThere =
                next < log.count && log[next].id.high == UInt64(submission.number)
            guard isThere else {
                if submission.outcome == .stored { isOver = true }
                continue
            }
            if isOver { found.append("append \(submission.number) without those before it") }
            if submission.outcome == .failed {
                found.append("append \(submission.number) failed and is there")
            }
            let facts = log[next..<min(log.count, next + expected.count)]
            if facts.count < expected.count { found.append("append \(submission.number) is torn") }
            for (place, (event, (stream, new))) in zip(facts, expected).enumerated() {
                versions[stream, default: 0] += 1
                if event.stream != stream || event.event != new.event || event.tags != new.tags
                    || event.metadata != new.metadata || event.id != new.id
                    || event.version.rawValue != versions[stream]
                    || event.position.rawValue != UInt64(next + place + 1)
                {
                    found.append("event \(event.position) of append \(submission.number) differs")
                }
            }
            next += facts.count
        }
        if next < log.count { found.append("event \(next + 1) was never submitted") }
        if isOver, isEnd { found.append("an acknowledged append is lost") }
        if UInt64(log.count) < promise.durable {
            found.append("\(log.count) events of \(promise.durable) durable ones")
        }
        return found
    }
}

/// The events of an append, which follow from its number.
enum CrashEvent {
    static func request(_ number: Int) -> AppendRequest {
        var request = AppendRequest([])
        for (stream, event) in events(number) {
            if let last = request.writes.last, last.stream == stream {
                request.writes[request.writes.count - 1].events.append(event)
            } else {
                request.writes.append(StreamWrite([event], to: stream, expecting: .any))
            }
        }
        return request
    }

    private static let made = Guarded<[Int: [(StreamID, NewEvent)]]>([:])

    static func events(_ number: Int) -> [(StreamID, NewEvent)] {
        made.withLock { made in
            if let events = made[number] { return events }
            let events = make(number)
            made[number] = events
            return events
        }
    }

    private static func make(_ number: Int) -> [(StreamID, NewEvent)] {
        var dice = SmallDice(seed: UInt64(number) &* 77)
        var events: [(StreamID, NewEvent)] = []
        let first = dice.below(12)
        for offset in 0..<(dice.below(3) == 0 ? 2 : 1) {
            let stream = sampleStream("\((first + offset) % 12)")
            for _ in 0..<1 + dice.below(4) {
                events.append((stream, event(number, place: events.count, &dice)))
            }
        }
        return events
    }

    private static func event(_ number: Int, place: Int, _ dice: inout SmallDice) -> NewEvent {
        let sizes = [0, 1, 40, 200, 600, 1_500, 5_000]
        let size = sizes[dice.below(sizes.count)]
        let payload = bytes(size, seed: dice.next())
        return NewEvent(
            EncodedEvent(name: EventName("crash.\(dice.below(9))"), payload: payload),
            id: MessageID(high: UInt64(number), low: UInt64(place)),
            tags: dice.below(3) == 0 ? ["a", Tag("n:\(number)")] : [],
            metadata: dice.below(4) == 0 ? EventMetadata(headers: ["user": "ada"]) : .init())
    }

    static func bytes(_ count: Int, seed: UInt64) -> EventPayload {
        var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: seed >> 9), count: count)
        for index in stride(from: 0, to: count, by: 500) {
            bytes[index] = UInt8(truncatingIfNeeded: index / 500 + Int(seed % 7))
        }
        return EventPayload(sharing: bytes[...])
    }
}
