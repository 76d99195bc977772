import Foundation

/// How large a test is: as the environment says, or small enough for every day.
struct Size: Sendable {
    let value: Int

    /// - Parameters:
    ///   - name: Without the prefix `WELLSPRING_`.
    init(_ name: String, debug: Int, release: Int) {
        value = Self.asked(name) ?? (StoreCrashRun.isOptimized ? release : debug)
    }

    /// Where the seeds of tests of chance begin: `WELLSPRING_FIRST_SEED`, so that each night has its
    /// own.
    static let firstSeed = Size("FIRST_SEED", debug: 1, release: 1).value

    /// Whether the environment names a size.
    static func isAsked(_ name: String) -> Bool { asked(name) != nil }

    private static func asked(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment["WELLSPRING_\(name)"].flatMap(Int.init)
    }
}

/// What a test of chance did, for those who want to know how much that was.
enum Totals {
    static func print(_ test: String, since began: ContinuousClock.Instant, _ totals: String) {
        let seconds = Double((ContinuousClock.now - began) / .milliseconds(1)) / 1_000
        Swift.print("totals: \(test): \(totals), \(seconds) s")
    }
}

/// Does something for each number, on as many tasks as there are processors.
func inParallel<Outcome: Sendable>(
    _ numbers: Range<Int>, _ body: @escaping @Sendable (Int) async -> Outcome
) async -> [Outcome] {
    let tasks = ProcessInfo.processInfo.activeProcessorCount
    return await withTaskGroup(of: [Outcome].self) { group in
        for task in 0..<tasks {
            group.addTask {
                var outcomes: [Outcome] = []
                for number in stride(
                    from: numbers.lowerBound + task, to: numbers.upperBound, by: tasks)
                {
                    outcomes.append(await body(number))
                }
                return outcomes
            }
        }
        return await group.reduce(into: []) { $0 += $1 }
    }
}

/// Does something for each number, on as many threads as there are processors.
///
/// Not on the threads that tasks run on: what blocks these keeps tasks from running.
func onThreads<Outcome: Sendable>(
    _ numbers: Range<Int>, _ body: @escaping @Sendable (Int) -> Outcome
) async -> [Outcome] {
    let threads = ProcessInfo.processInfo.activeProcessorCount
    return await withTaskGroup(of: [Outcome].self) { group in
        for thread in 0..<threads {
            group.addTask {
                await withCheckedContinuation { continuation in
                    Thread.detachNewThread {
                        let mine = stride(
                            from: numbers.lowerBound + thread, to: numbers.upperBound, by: threads)
                        continuation.resume(returning: mine.map(body))
                    }
                }
            }
        }
        return await group.reduce(into: []) { $0 += $1 }
    }
}
