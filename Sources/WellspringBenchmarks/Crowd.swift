import Foundation
import WellspringLog

/// How long, or how often, a workload runs.
struct Effort: Sendable {
    /// The time for one measured stretch.
    var seconds = 1.5
    /// How many events the stores hold that are replayed, opened and weighed.
    var events = 1_000_000
    /// How often each figure is taken; the median counts.
    var rounds = 1
    /// How many events the large stores hold.
    var largeEvents = 10_000_000
}

/// What a crowd of writers got done.
struct CrowdResult {
    var operations = 0
    var elapsed = 0.0
    var latencies = Latencies()
}

/// Runs `writers` at once until the time is over, as tasks or threads, whichever the store needs.
enum Crowd {
    static func run(
        _ operation: StoreOperation, writers: Int, seconds: Double, events: Int = 1,
        streams: @escaping @Sendable (_ writer: Int, _ turn: Int) -> Int
    ) async throws -> CrowdResult {
        @Sendable func numbers(_ writer: Int, _ turn: Int) -> Range<Int> {
            let first = (turn * writers + writer) * events
            return first..<first + events
        }
        return switch operation {
        case .tasks(let body):
            try await tasks(writers, seconds) { writer, turn in
                try await body(numbers(writer, turn), streams(writer, turn))
            }
        case .threads(let body):
            try await threads(writers, seconds) { writer, turn in
                try body(numbers(writer, turn), streams(writer, turn))
            }
        }
    }

    private static func tasks(
        _ count: Int, _ time: Double,
        _ body: @escaping @Sendable (_ writer: Int, _ turn: Int) async throws -> Void
    ) async throws -> CrowdResult {
        let start = now()
        let end = start + UInt64(time * 1e9)
        return try await withThrowingTaskGroup(of: CrowdResult.self) { group in
            for writer in 0..<count {
                group.addTask {
                    var result = CrowdResult()
                    var turn = 0
                    var began = now()
                    while began < end {
                        try await body(writer, turn)
                        let finished = now()
                        result.latencies.add(finished - began)
                        began = finished
                        turn += 1
                    }
                    return result
                }
            }
            var total = CrowdResult()
            for try await result in group { total.add(result) }
            total.elapsed = seconds(since: start)
            return total
        }
    }

    private static func threads(
        _ count: Int, _ time: Double,
        _ body: @escaping @Sendable (_ writer: Int, _ turn: Int) throws -> Void
    ) async throws -> CrowdResult {
        let start = now()
        let end = start + UInt64(time * 1e9)
        let results = Guarded<(left: Int, total: CrowdResult, failure: (any Error)?)>(
            (count, CrowdResult(), nil))
        return try await withCheckedThrowingContinuation { continuation in
            for writer in 0..<count {
                let thread = Thread {
                    var result = CrowdResult()
                    var failure: (any Error)?
                    var turn = 0
                    do {
                        var began = now()
                        while began < end {
                            try body(writer, turn)
                            let finished = now()
                            result.latencies.add(finished - began)
                            began = finished
                            turn += 1
                        }
                    } catch { failure = error }
                    let finished = results.withLock { all -> Bool in
                        all.total.add(result)
                        all.failure = all.failure ?? failure
                        all.left -= 1
                        return all.left == 0
                    }
                    guard finished else { return }
                    let (total, failed) = results.withLock { ($0.total, $0.failure) }
                    if let failed { return continuation.resume(throwing: failed) }
                    var whole = total
                    whole.elapsed = seconds(since: start)
                    continuation.resume(returning: whole)
                }
                thread.stackSize = 256 << 10
                thread.start()
            }
        }
    }
}

extension CrowdResult {
    fileprivate mutating func add(_ other: CrowdResult) {
        operations += other.latencies.count
        latencies.add(other.latencies)
    }
}
