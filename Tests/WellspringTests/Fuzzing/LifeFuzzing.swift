@testable import Wellspring
@testable import WellspringLog
@testable import WellspringTestKit

/// Whole stores, whose steps and whose faults are the bytes of an input.
///
/// The first two bytes choose the mode and the disk's chance; each of the others is a step or says
/// more about one. The steps are those of a program (append, read, truncate, close), those of an
/// operator (scavenge, verify, go on with a salvage or a backup), those of another process that reads,
/// those of a disk (an operation that fails once or for ever, a power cut in the midst of one, no room) and
/// those of a process that ends. What was acknowledged is written down, and held against what the
/// store shows. The fuzzer of `.ci/fuzz` calls this, and so does a test with all that the fuzzer found
/// worth keeping.
enum LifeFuzzing {
    /// What may come of a step; together the inputs that are kept reach all of it.
    enum Deed: CaseIterable, Hashable, Sendable {
        case stored, conflicted, invalid, notStored, stopped
        /// An append with an unknown outcome was there at the next opening, or was not.
        case foundStored, foundMissing
        /// A power cut or a failed sync took what the mode had not promised to keep.
        case lost
        case read, followed, truncated, redacted, scavenged, saved, verified, rolled
        case salvaged, backedUp, readBeside
        case closed, dropped, crashed, refusedToOpen
    }

    /// What came of an input.
    struct Outcome: Sendable {
        var deeds: Set<Deed> = []
        /// What the store did that it must not do; `nil` for nothing.
        var problem: String?
    }

    /// More steps than that only take longer.
    private static let stepLimit = 80

    /// Lives the life that an input describes.
    ///
    /// - Parameter fault: A protection of the store that is switched off.
    static func run(_ input: [UInt8], planting fault: PlantedFault? = nil) -> Outcome {
        let outcome = OwnThread().run {
            let life = StoreLife(Script(input), planting: fault)
            do {
                for _ in 0..<stepLimit {
                    guard let step = life.script.step() else { break }
                    try await life.take(step)
                }
                try await life.end()
            } catch {
                life.outcome.problem = "\(error)"
            }
            return life.outcome
        }
        return outcome ?? Outcome(problem: "everybody waits, and nobody works")
    }

    /// The bytes of an input; without end, because zeros follow them.
    struct Script {
        private var rest: ArraySlice<UInt8>

        init(_ input: [UInt8]) { rest = input[...] }

        mutating func next() -> UInt8 { rest.popFirst() ?? 0 }

        mutating func next(below bound: Int) -> Int { Int(next()) % bound }

        /// The step that the next byte stands for; `nil` at the end.
        mutating func step() -> Step? {
            let all = Step.allCases
            return rest.popFirst().map { all[Int($0) % all.count] }
        }
    }

    /// The steps, in the order in which bytes stand for them.
    enum Step: CaseIterable, Sendable {
        case append, appendSeveral, appendToTwo, appendTogether, repeatLast
        case readStream, readLog, truncate, redact, scavenge, save, verify
        case sync, timers, clock, close, drop, crash
        case failOnce, failForEver, cutPower, fillDisk, heal
        case salvage, backup, follow
    }

    /// What went wrong, as a sentence.
    struct Problem: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}

/// Runs a task and all that it waits for on the calling thread.
private final class OwnThread: TaskExecutor {
    private let ready = Guarded<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        ready.withLock { $0.append(job) }
    }

    /// Returns what `body` returns; `nil` when everybody waits for each other.
    func run<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Value? {
        let value = Guarded<Value?>(nil)
        Task(executorPreference: self) {
            let result = await body()
            value.withLock { $0 = result }
        }
        while let job = ready.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
        return value.withLock { $0 }
    }
}
