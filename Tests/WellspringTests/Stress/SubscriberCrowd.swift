import Foundation
import Wellspring
@testable import WellspringTestKit

/// Many subscribers of one store: a few follow, most have stopped asking for more.
struct SubscriberCrowd: Sendable {
    var events: Int
    var stalled: Int
    var live: Int
    /// What stands between the store and its subscribers.
    var spoil: @Sendable (any EventSource) -> any EventSource = { $0 }
    /// Whether those that have stopped keep what comes, as one with a queue of its own would.
    var hoards = false

    struct Outcome {
        /// What subscribers saw that is not so.
        var problems: [String]
        /// How much more memory the process holds with the stalled subscribers; `nil` where the
        /// system does not say.
        var growth: Int?
    }

    /// Appends a tenth of the events, lets the subscribers begin, and then appends the others.
    func run(on store: FileEventStore) async throws -> Outcome {
        let source = spoil(store)
        let gate = Gate()
        try await append(1...events / 10, to: store)
        let before = Self.residentBytes()
        return try await withThrowingTaskGroup(of: [String].self) { group in
            for number in 0..<stalled {
                group.addTask { try await stall(number, source, at: gate) }
            }
            await gate.waitForHeld(stalled)
            let following = Task {
                await withThrowingTaskGroup(of: [String].self) { group in
                    for _ in 0..<live { group.addTask { try await follow(source) } }
                    return await group.all()
                }
            }
            try await append(events / 10 + 1...events, to: store)
            let problems = await following.value
            let after = Self.residentBytes()
            gate.open(stalled)
            return Outcome(
                problems: problems + (await group.all()),
                growth: before.flatMap { before in after.map { $0 - before } })
        }
    }

    private func append(_ numbers: ClosedRange<Int>, to store: FileEventStore) async throws {
        for first in stride(from: numbers.lowerBound, through: numbers.upperBound, by: 10) {
            let batch = (first...min(first + 9, numbers.upperBound)).map { sampleEvent($0) }
            let stream = sampleStream("\(first / 10 % 1_000)")
            try await store.append(AppendRequest(batch, to: stream, expecting: .any))
        }
    }

    /// Takes some pages, asks for no more until all is written, and then goes on a little way; the
    /// first few go to the end.
    private func stall(
        _ number: Int, _ source: any EventSource, at gate: Gate
    ) async throws -> [String] {
        var log = SubscriberLog(name: "stalled subscriber \(number)")
        var pages = source.subscribe(limit: ReadLimit(events: 16)).makeAsyncIterator()
        var hoard: [LogPage] = []
        for _ in 0...(number % 3) {
            if let page = try await pages.next() { log.take(page) }
        }
        while hoards, log.last < events / 10, let page = try await pages.next() {
            log.take(page)
            hoard.append(page)
        }
        await gate.holdWithoutEnd()
        let goal = number < 3 ? events : log.last + 200
        while log.last < min(goal, events), let page = try await pages.next() { log.take(page) }
        return withExtendedLifetime(hoard) { log.problems }
    }

    private func follow(_ source: any EventSource) async throws -> [String] {
        var log = SubscriberLog(name: "live subscriber")
        var pages = source.subscribe().makeAsyncIterator()
        while log.last < events, let page = try await pages.next() { log.take(page) }
        return log.problems
    }

    /// The memory that the process holds; Linux tells in a file.
    private static func residentBytes() -> Int? {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first
        else { return nil }
        return Int(kilobytes).map { $0 << 10 }
    }
}

/// Where a subscriber is, and what was wrong on the way.
private struct SubscriberLog {
    let name: String
    var last = 0
    var problems: [String] = []

    /// Every event once, in order, with its own content.
    mutating func take(_ page: LogPage) {
        for recorded in page.events {
            let position = Int(recorded.position.rawValue)
            if position != last + 1, problems.count < 3 {
                problems.append("\(name): \(position) follows \(last)")
            }
            if recorded.event != sampleEvent(position).event, problems.count < 3 {
                problems.append("\(name): another event at \(position)")
            }
            last = position
        }
        last = max(last, Int(page.end.rawValue))
    }
}

extension ThrowingTaskGroup where ChildTaskResult == [String] {
    /// Everything that is left, with an error as one problem more.
    fileprivate mutating func all() async -> [String] {
        var problems: [String] = []
        while let result = await nextResult() {
            switch result {
            case .success(let found): problems += found
            case .failure(let error): problems.append("\(error)")
            }
        }
        return problems
    }
}
