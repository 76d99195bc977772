import Foundation
import Wellspring
import WellspringLog

/// Has the system take a part of a write and no more, again and again: the writer is told, goes on once
/// there is room, and loses nothing.
///
/// usage: CrashTrials limit --store DIR [--cycles N] [--seed N] [--fault NAME]
///
/// Makes a store for each cycle in `DIR`.
///
/// For that the files of this process are not let grow beyond a size (`RLIMIT_FSIZE`). Of a write across
/// that size the system takes what is below it, and says only how much that was; what is left is refused
/// when it is handed over again. A disk that is just becoming full does the same.
struct LimitTrial {
    private let cycles: Int
    private let directory: String
    private let fault: PlantedFault?
    private var dice: Dice
    /// What was acknowledged of the store of this cycle, in the order of the log.
    private var acknowledged: [EncodedEvent] = []
    private var (refusals, eventCount) = (0, 0)

    init(_ settings: Settings) throws {
        cycles = try settings.number("cycles", default: 20)
        directory = try settings.text("store")
        fault = try settings.sabotage().fault
        dice = Dice(seed: UInt64(try settings.number("seed", default: 1)))
    }

    mutating func run() async throws {
        // Otherwise the process is ended where a file would become too large.
        signal(SIGXFSZ, SIG_IGN)
        try writeFile()
        for cycle in 1...cycles {
            do {
                acknowledged = []
                try await live(
                    at: "\(directory)/\(cycle)", cycle % 2 == 0 ? .strict : .everyCommit)
                eventCount += acknowledged.count
            } catch {
                try? limitFiles(to: nil)
                throw Wrong("cycle \(cycle): \(error)")
            }
        }
        print(
            "totals: limited files: \(refusals) appends written in part, \(eventCount) events "
                + "acknowledged and none lost")
    }

    // MARK: - A file

    /// A write that the system takes in part is no success, and what was taken is there.
    private func writeFile() throws {
        let directory = try PosixFileSystem().openStore(at: directory + "/file", create: true)
        let file = try directory.open("file", .create)
        let bytes = (0..<30_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try limitFiles(to: 10_000)
        let result = Result { try bytes.withUnsafeBytes { try file.write($0, at: 0) } }
        try limitFiles(to: nil)
        switch result {
        case .success: throw Wrong("a write of which the system took a part was called done")
        case .failure(let error as SystemError) where error.code == EFBIG: break
        case .failure(let error): throw error
        }
        guard try file.size() == 10_000 else {
            throw Wrong("of a write across the limit \(try file.size()) bytes are there")
        }
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        var found = [UInt8](repeating: 0, count: bytes.count)
        let count = try found.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        guard count == bytes.count, found == bytes else { throw Wrong("other bytes are read") }
    }

    // MARK: - A store

    private mutating func live(at path: String, _ durability: Durability) async throws {
        var configuration = FileEventStore.Configuration()
        configuration.durability = durability
        configuration.plantedFault = fault
        var store = try await FileEventStore(at: path, configuration: configuration)
        try await append(1 + dice.below(4), to: store)
        for _ in 0...dice.below(3) {
            let (events, isInDoubt) = try await appendUpToLimit(store, at: path)
            if isInDoubt {
                guard durability == .strict else { throw Wrong("a refused append is in doubt") }
                await store.close()
                store = try await FileEventStore(at: path, configuration: configuration)
                if try await read(store).count > acknowledged.count { acknowledged += events }
            } else {
                try await check(store)
                try await append(events, to: store)
            }
        }
        try await append(1 + dice.below(4), to: store)
        try await check(store)
        await store.close()
        let report = try await FileEventStore.verify(at: path)
        guard report.isSound else { throw Wrong("not sound: \(report.problems.prefix(3))") }
        let again = try await FileEventStore(at: path, configuration: configuration)
        try await check(again)
        await again.close()
    }

    /// Appends until the system takes only a part.
    ///
    /// - Returns: The events of which it took a part, and whether they may be there: where only the mark
    ///   of the strict mode could not be written, nobody knows.
    private mutating func appendUpToLimit(
        _ store: FileEventStore, at path: String
    ) async throws -> (events: [EncodedEvent], isInDoubt: Bool) {
        try limitFiles(to: try usedBytes(in: path + "/log") + 2_000 + dice.below(30_000))
        defer { try? limitFiles(to: nil) }
        for _ in 0..<1_000 {
            let events = events()
            do {
                try await append(events, to: store)
            } catch EventStoreError.notStored {
                refusals += 1
                return (events, false)
            } catch EventStoreError.outcomeUnknown {
                refusals += 1
                return (events, true)
            }
        }
        throw Wrong("files became larger than they may, and nobody says so")
    }

    private mutating func events() -> [EncodedEvent] {
        (0...dice.below(3)).map { _ in
            let text = dice.letters(dice.below(4_000))
            return EncodedEvent(name: "grown", payload: EventPayload(utf8: text))
        }
    }

    private mutating func append(_ count: Int, to store: FileEventStore) async throws {
        for _ in 0..<count { try await append(events(), to: store) }
    }

    private mutating func append(_ events: [EncodedEvent], to store: FileEventStore) async throws {
        let stream = StreamID(category: "grown", key: "1")
        let version = StreamVersion(UInt64(acknowledged.count))
        try await store.append(
            AppendRequest(
                events.map { NewEvent($0) }, to: stream, expecting: .exactly(version)))
        acknowledged += events
    }

    /// Compares all there is with what was acknowledged.
    private func check(_ store: FileEventStore) async throws {
        let found = try await read(store)
        guard found == acknowledged else {
            throw Wrong("\(acknowledged.count) events are acknowledged, \(found.count) are there")
        }
    }

    private func read(_ store: FileEventStore) async throws -> [EncodedEvent] {
        var found: [EncodedEvent] = []
        var position = LogPosition.start
        while true {
            let page = try await store.read(LogRead(.forward(after: position)))
            guard page.end > position else { return found }
            found += page.events.map(\.event)
            position = page.end
        }
    }

    /// How far the newest segment is written; what comes behind are zeros.
    private func usedBytes(in folder: String) throws -> Int {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        let newest = names.filter { $0.hasSuffix(".seg") }.max() ?? ""
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + newest))
        return (bytes.lastIndex { $0 != 0 } ?? 0) + 1
    }

    /// Lets no file of this process become larger; `nil` lets all.
    private func limitFiles(to bytes: Int?) throws {
        #if canImport(Glibc)
        let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
        #else
        let resource = RLIMIT_FSIZE
        #endif
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { throw Wrong("getrlimit: \(errno)") }
        limit.rlim_cur = bytes.map { rlim_t($0) } ?? limit.rlim_max
        guard setrlimit(resource, &limit) == 0 else { throw Wrong("setrlimit: \(errno)") }
    }
}
