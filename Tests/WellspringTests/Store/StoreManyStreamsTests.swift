import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// Appends to more streams than a store holds in memory.
final class StoreManyStreamsTests: XCTestCase {
    private func request(
        _ numbers: Range<Int>, _ expected: ExpectedVersion
    ) -> AppendRequest {
        AppendRequest(
            numbers.map {
                StreamWrite([sampleEvent($0)], to: sampleStream("\($0)"), expecting: expected)
            })
    }

    private func store() async throws -> FileEventStore {
        var configuration = FileEventStore.Configuration()
        configuration.streamLimit = 4
        return try await FileEventStore(on: SimulatedDisk(), configuration: configuration)
    }

    func test_an_append_may_name_more_streams_than_are_held() async throws {
        let store = try await store()
        for round in 1...3 as ClosedRange<UInt64> {
            let receipt = try await store.append(request(0..<40, .exactly(.init(round - 1))))
            XCTAssertEqual(receipt.versions, Array(repeating: StreamVersion(round), count: 40))
        }
        let log = try await store.wholeLog()
        XCTAssertEqual(log.map(\.stream.key), (0..<120).map { "\($0 % 40)" })
        await store.close()
    }

    func test_a_conflict_in_the_last_of_many_streams_is_found() async throws {
        let store = try await store()
        try await store.appendSample(1, to: "39")
        let error = await storeError { try await store.append(request(0..<40, .noStream)) }
        guard case .conflict(let conflict)? = error else { return XCTFail("\(error as Any)") }
        XCTAssertEqual(conflict.stream, sampleStream("39"))
        let log = try await store.wholeLog()
        XCTAssertEqual(log.count, 1)
        await store.close()
    }

    func test_many_streams_do_not_stay_in_memory_once_they_are_stored() async throws {
        let store = try await store()
        try await store.append(request(0..<40, .noStream))
        for number in 0..<3 { try await store.appendSample(number, to: "40") }
        XCTAssertLessThanOrEqual(store.core.state.withLock { $0.heads.count }, 5)
        await store.close()
    }
}
