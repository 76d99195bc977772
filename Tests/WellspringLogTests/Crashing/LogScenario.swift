import WellspringLog
import WellspringTestKit

/// A small life of a log, always the same.
struct LogScenario: Sendable {
    var name: String
    var configure: @Sendable (inout LogConfiguration) -> Void = { _ in }
    var run: @Sendable (LogDriver) -> Void

    static let durabilities: [(name: String, durability: LogDurability)] = [
        ("everyCommit", .everyCommit), ("strict", .strict),
        ("interval", .interval(nanoseconds: 1_000_000_000, bytes: 4_096)),
        ("osManaged", .osManaged),
    ]

    func configuration(
        _ durability: LogDurability, plantedFault: PlantedFault? = nil
    ) -> LogConfiguration {
        var configuration = LogConfiguration()
        configuration.durability = durability
        configuration.idleMarkNanoseconds = nil
        configuration.plantedFault = plantedFault
        configure(&configuration)
        return configuration
    }

    /// Bytes that look random, and differ from commit to commit.
    static func bytes(_ count: Int, _ seed: UInt64) -> [UInt8] {
        var value = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        return (0..<count).map { _ in
            value ^= value << 13
            value ^= value >> 7
            value ^= value << 17
            return UInt8(truncatingIfNeeded: value >> 32)
        }
    }
}

extension LogDriver {
    func commit(size: Int, events: UInt32 = 1) {
        commit(LogScenario.bytes(size, UInt64(commits.count)), events: events)
    }

    /// Has the next operation of these kinds fail.
    func failNext(
        _ failure: SimulatedDisk.Fault.Failure, _ kinds: Set<SimulatedDisk.Operation.Kind>
    ) {
        disk.inject(.init(failure, operations: kinds, from: disk.operationCount))
    }

    /// Opens the log if it is closed, and once more if the disk spoilt that; a poisoned one anew.
    func openIfNeeded() {
        for _ in 0..<2 where log == nil || log?.poison != nil { open() }
    }
}

extension LogScenario {
    static let all: [LogScenario] = [
        create, sizes, marks, syncs, roll, bigAndSmall, cleanReopening, uncleanReopening,
        crashes, zeros, imitation, fullDisk, failedWrites, failedSync, clock, rewriting,
        rewritingWithoutRoom, failedRewriting,
    ]

    static let create = LogScenario(name: "create") { driver in
        driver.open()
        driver.close()
        driver.open()
    }

    static let sizes = LogScenario(name: "sizes") { driver in
        driver.open()
        for size in [1, 100, 0, 440, 449, 7, 1_500, 5_000] {
            driver.commit(size: size, events: UInt32(size % 5))
        }
    }

    static let marks = LogScenario(name: "marks") { driver in
        driver.open()
        driver.mark()
        driver.commit(size: 300)
        driver.mark()
        driver.commit(size: 10, events: 3)
        driver.commit(size: 700)
        driver.mark()
        driver.mark()
        driver.commit(size: 64)
    }

    static let syncs = LogScenario(name: "syncs") { driver in
        driver.open()
        driver.sync()
        for round in 0..<3 {
            driver.commit(size: 200 + round)
            driver.commit(size: 900)
            driver.sync()
        }
        driver.commit(size: 5)
    }

    static let roll = LogScenario(
        name: "roll", configure: { $0.segmentBytes = 8_192 }
    ) { driver in
        driver.open()
        for size in [1_000, 2_000, 2_500, 3_000, 100, 3_900, 50] { driver.commit(size: size) }
        driver.mark()
        driver.commit(size: 3_000)
        driver.commit(size: 1_000)
    }

    /// Frames that are larger than a segment is meant to be.
    static let bigAndSmall = LogScenario(
        name: "bigAndSmall", configure: { $0.segmentBytes = 16_384 }
    ) { driver in
        driver.open()
        driver.commit(size: 40_000, events: 100)
        driver.commit(size: 10)
        driver.commit(size: 16_000)
        driver.commit(size: 10)
        driver.close()
    }

    static let cleanReopening = LogScenario(
        name: "cleanReopening", configure: { $0.segmentBytes = 12_288 }
    ) { driver in
        for round in 0..<3 {
            driver.open()
            driver.commit(size: 1_000 * round + 600)
            driver.commit(size: 3_000)
            driver.close()
        }
        driver.open()
    }

    static let uncleanReopening = LogScenario(
        name: "uncleanReopening", configure: { $0.segmentBytes = 12_288 }
    ) { driver in
        for round in 0..<4 {
            driver.open()
            driver.commit(size: 900 * round + 300)
            if round == 2 { driver.mark() }
            driver.commit(size: 2_000)
            driver.abandon()
        }
        driver.open()
    }

    /// A log that loses power again and again, now and then while it recovers.
    static let crashes = LogScenario(
        name: "crashes", configure: { $0.segmentBytes = 12_288 }
    ) { driver in
        driver.open()
        for round in 0..<6 {
            driver.commit(size: 700)
            driver.commit(size: 600 * round)
            driver.disk.inject(.powerCut(at: driver.disk.operationCount + [1, 0, 2][round % 3]))
            driver.commit(size: 1_100)
            driver.crash()
            driver.disk.inject(.powerCut(at: driver.disk.operationCount + 5 + 4 * round))
            driver.open()
            driver.crash()
            driver.open()
        }
    }

    /// Bodies that cannot be told from space that was never written.
    static let zeros = LogScenario(name: "zeros") { driver in
        driver.open()
        for size in [600, 8, 2_000, 5_000] {
            driver.commit([UInt8](repeating: 0, count: size))
        }
        driver.abandon()
        driver.open()
        driver.commit([UInt8](repeating: 0, count: 700))
    }

    /// Bodies that are copies of the log itself.
    static let imitation = LogScenario(name: "imitation") { driver in
        driver.open()
        driver.commit(size: 500)
        driver.mark()
        for _ in 0..<3 {
            let segment = driver.disk.fileNames.first { $0.hasSuffix(".seg") }
            let bytes = segment.flatMap { driver.disk.contents(of: $0) } ?? []
            driver.commit(Array(bytes.dropFirst(4_096).prefix(3_000)))
            driver.commit(Array(bytes.prefix(4_096 + 800)))
        }
        driver.abandon()
        driver.open()
    }

    static let fullDisk = LogScenario(
        name: "fullDisk", configure: { $0.segmentBytes = 16_384 }
    ) { driver in
        driver.open()
        driver.commit(size: 100)
        let used = driver.disk.fileNames.reduce(0) {
            $0 + (driver.disk.contents(of: $1)?.count ?? 0)
        }
        driver.disk.capacity = used + 9_000
        for size in [4_000, 9_000, 12_000, 300, 12_000, 20] { driver.commit(size: size) }
        driver.mark()
        driver.disk.capacity = nil
        driver.commit(size: 12_000)
        driver.commit(size: 30)
        driver.abandon()
        driver.open()
    }

    static let failedWrites = LogScenario(name: "failedWrites") { driver in
        driver.open()
        for round in 0..<4 {
            driver.commit(size: 600)
            driver.disk.inject(
                .init(
                    round % 2 == 0 ? .noSpace : .inputOutput, operations: [.write],
                    from: driver.disk.operationCount))
            driver.commit(size: 400 * round + 20)
            if round == 3 { driver.mark() }
        }
        driver.commit(size: 50)
    }

    static let failedSync = LogScenario(name: "failedSync") { driver in
        driver.open()
        for round in 0..<3 {
            driver.commit(size: 600)
            driver.disk.inject(
                .init(.inputOutput, operations: [.sync], from: driver.disk.operationCount))
            driver.commit(size: 900)
            driver.sync()
            driver.commit(size: 40 * round)
            driver.disk.heal()
            driver.open()
            driver.commit(size: 70)
            driver.commit(size: 70)
        }
    }

    /// A wall clock that jumps back and forth.
    static let clock = LogScenario(name: "clock") { driver in
        driver.open()
        for jump: Int64 in [1_000, -5_000_000_000, 315_360_000_000_000_000, -1, 7] {
            driver.disk.advanceClock(nanoseconds: jump)
            driver.commit(size: 30)
        }
        driver.abandon()
        driver.disk.advanceClock(nanoseconds: -1_000_000_000_000_000_000)
        driver.open()
        driver.commit(size: 30)
    }

    /// One step of a life, from which all short lives are made.
    private static let steps: [(name: String, step: @Sendable (LogDriver) -> Void)] = [
        ("small", { $0.commit(size: 100) }),
        ("large", { $0.commit(size: 3_000, events: 2) }),
        ("mark", { $0.mark() }),
        ("sync", { $0.sync() }),
        ("close", { $0.close() }),
        ("kill", { $0.abandon() }),
        ("rewrite", { $0.rewriteAll() }),
        ("crash", { $0.crash() }),
        ("loss", { $0.crash(keeping: .nothing) }),
        ("full", { $0.failNext(.noSpace, [.write]) }),
        ("unsynced", { $0.failNext(.inputOutput, [.sync]) }),
        ("unnamed", { $0.failNext(.inputOutput, [.create, .rename, .syncDirectory]) }),
    ]

    /// Every sequence of one to `length` steps, between two commits.
    static func sequences(upTo length: Int) -> [LogScenario] {
        var sequences: [[Int]] = []
        var longest: [[Int]] = [[]]
        for _ in 0..<length {
            longest = longest.flatMap { sequence in steps.indices.map { sequence + [$0] } }
            sequences += longest
        }
        return sequences.map { sequence in
            LogScenario(
                name: sequence.map { steps[$0].name }.joined(separator: "-"),
                configure: { $0.segmentBytes = 8_192 }
            ) { driver in
                driver.open()
                driver.commit(size: 1_500)
                for index in sequence {
                    steps[index].step(driver)
                    driver.openIfNeeded()
                }
                driver.commit(size: 1_200)
                driver.openIfNeeded()
                driver.commit(size: 1_200)
            }
        }
    }

    /// A life by chance.
    static func random(_ seed: UInt64) -> LogScenario {
        LogScenario(
            name: "random-\(seed)",
            configure: { $0.segmentBytes = [8_192, 12_288, 40_000, 1 << 20][Int(seed % 4)] }
        ) { driver in
            var numbers = LogScenario.bytes(400, seed &+ 77).makeIterator()
            func next(_ count: Int) -> Int { Int(numbers.next() ?? 0) % count }
            driver.open()
            for _ in 0..<14 {
                switch next(18) {
                case 0: driver.mark()
                case 1: driver.sync()
                case 2: driver.close()
                case 3: driver.abandon()
                case 4: driver.crash()
                case 5:
                    driver.disk.inject(
                        .init(
                            next(2) == 0 ? .noSpace : .inputOutput,
                            from: driver.disk.operationCount + next(12)))
                case 7: driver.sealActive()
                case 8: driver.rewriteAll()
                case 6: driver.disk.advanceClock(nanoseconds: Int64(next(256)) - 100)
                default: driver.commit(size: next(40) * next(100), events: UInt32(next(4)))
                }
                driver.openIfNeeded()
            }
        }
    }
}
