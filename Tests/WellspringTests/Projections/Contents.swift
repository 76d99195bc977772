import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// What is in every purse.
struct Contents: Projection, Codable, Hashable {
    static let name: ProjectionName = "contents"
    private(set) var cents: [String: Int] = [:]
    private(set) var positions: [UInt64] = []

    mutating func apply(_ recorded: Recorded<Purse.Event>) {
        positions.append(recorded.position.rawValue)
        switch recorded.event {
        case .filled(let added): cents[recorded.stream.key, default: 0] += added
        case .spent(let taken, _): cents[recorded.stream.key, default: 0] -= taken
        }
    }
}

struct ContentOf: Query {
    let purse: String
    func answer(from contents: Contents) -> Int { contents.cents[purse] ?? 0 }
}

struct PositionsSeen: Query {
    func answer(from contents: Contents) -> [UInt64] { contents.positions }
}

/// Refuses to believe in debts, and is half changed when it says so.
struct Believer: Projection, Codable {
    static let name: ProjectionName = "believer"
    private(set) var sum = 0
    private(set) var count = 0

    struct Debt: Error, Hashable {}

    mutating func apply(_ recorded: Recorded<Purse.Event>) throws(Debt) {
        count += 1
        switch recorded.event {
        case .filled(let added): sum += added
        case .spent(let taken, _):
            sum -= taken
            if sum < 0 { throw Debt() }
        }
    }
}

struct SumBelieved: Query {
    func answer(from believer: Believer) -> Int { believer.sum }
}

/// Collects what runners say.
final class Notices: Sendable {
    private let list = Guarded<[ProjectionNotice]>([])
    var all: [ProjectionNotice] { list.withLock { $0 } }
    func add(_ notice: ProjectionNotice) { list.withLock { $0.append(notice) } }

    /// Their first words.
    var kinds: [String] {
        all.map { String("\($0)".prefix { $0 != "(" }) }
    }

    func count(of kind: String) -> Int { kinds.count { $0 == kind } }
}

extension InMemoryEventStore {
    /// Appends the events in one append.
    @discardableResult
    func add(_ events: Purse.Event..., to purse: Purse.ID) async throws -> LogPosition {
        let new = try events.map { NewEvent(try $0.encoded()) }
        return try await append(AppendRequest(new, to: purse.stream, expecting: .any)).position
    }

    /// Appends an event that no purse knows.
    @discardableResult
    func addNoise() async throws -> LogPosition {
        let noise = NewEvent(EncodedEvent(name: "noise", payload: []))
        return try await append(
            AppendRequest(
                [noise], to: StreamID(category: "noise", key: "1"), expecting: .any)
        ).position
    }
}

extension ProjectionState {
    var stop: ProjectionStop? {
        if case .stopped(let stop) = self { stop } else { nil }
    }

    /// Its first word.
    var kind: String { String("\(self)".prefix { $0 != "(" }) }
}

/// Runs until the projection has caught up, then ends it.
func runOnce<P: Projection>(_ runner: ProjectionRunner<P>) async throws {
    let run = Task { try await runner.run() }
    while runner.state.kind == "starting" || runner.state.kind == "catchingUp" {
        await Task.yield()
    }
    run.cancel()
    try await run.value
}

extension ProjectionRunner {
    /// Whether a question waits for its answer.
    var hasQuestion: Bool { progress.withLock { $0.waiting > 0 } }

    /// Returns once a question waits for its answer.
    func waitForQuestion() async {
        while !hasQuestion { await Task.yield() }
    }
}
