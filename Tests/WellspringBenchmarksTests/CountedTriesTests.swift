import Wellspring
import XCTest

@testable import WellspringBenchmarks

/// What the program calls a try.
final class CountedTriesTests: XCTestCase {
    func test_an_append_that_comes_first_is_tried_once() async throws {
        let store = InMemoryEventStore()
        let tries = Tally()
        try await CartEvent.claiming(in: store, counting: tries).run(0, in: 0)
        try await CartEvent.claiming(in: store, counting: tries).run(1, in: 0)
        XCTAssertEqual(tries.count, 2)
        let contender = MemoryContender(store)
        let version = try await contender.version(of: 0)
        XCTAssertEqual(version, 2)
    }

    func test_each_append_that_loses_to_another_writer_counts() async throws {
        let store = RivalStore(wins: 3)
        let tries = Tally()
        try await CartEvent.claiming(in: store, counting: tries).run(0, in: 0)
        XCTAssertEqual(tries.count, 4)
        let version = try await MemoryContender(store.inner).version(of: 0)
        XCTAssertEqual(version, 4)
    }

    func test_each_decision_of_a_command_that_loses_counts() async throws {
        let store = RivalStore(wins: 3)
        let tries = Tally()
        try await CartEvent.sending(over: CommandBus(store), counting: tries).run(0, in: 0)
        XCTAssertEqual(tries.count, 4)
    }

    func test_sixteen_writers_on_one_stream_try_at_least_once_for_each_success() async throws {
        for id in ["W11", "W11-bus"] {
            let workload = try XCTUnwrap(Workload.all.first { $0.id == id })
            let directory = NSTemporaryDirectory() + "wellspring-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let figures = try await workload.measure(
                FileContender.self,
                .init(directory: directory, effort: Effort(seconds: 0.05)))
            let tries = try XCTUnwrap(figures.first { $0.metric == "tries_per_ok" })
            XCTAssertGreaterThanOrEqual(tries.value, 1)
        }
    }
}

extension StoreOperation {
    fileprivate func run(_ number: Int, in stream: Int) async throws {
        switch self {
        case .tasks(let body): try await body(number..<number + 1, stream)
        case .threads(let body): try body(number..<number + 1, stream)
        }
    }
}

/// A store on which another writer is quicker a few times.
private final class RivalStore: EventStore {
    let inner = InMemoryEventStore()
    private let wins: Tally
    private let limit: Int

    init(wins limit: Int) {
        wins = Tally()
        self.limit = limit
    }

    func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        if wins.count < limit {
            wins.add()
            var rival = request
            for index in rival.writes.indices { rival.writes[index].expected = .any }
            try await inner.append(rival)
        }
        return try await inner.append(request)
    }

    func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        try await inner.read(request)
    }

    func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        try await inner.read(request)
    }

    func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        try await inner.waitForEvents(after: position)
    }
}
