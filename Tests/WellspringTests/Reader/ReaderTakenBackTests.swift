import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// What a reader shows in the place of an event that it had seen, and that was taken back since.
final class ReaderTakenBackTests: XCTestCase {
    func test_what_comes_in_place_of_an_event_is_not_shown_in_its_stream() async throws {
        let disk = SimulatedDisk(seed: 11)
        disk.startRecording()
        var strict = FileEventStore.Configuration()
        strict.durability = .strict
        let store = try await FileEventStore(on: disk, configuration: strict)
        let start = disk.operationCount
        try await store.appendSample(1, to: "x")
        let writes = disk.operations.filter { $0.number >= start && $0.kind == .write }
        XCTAssertEqual(writes.count, 2, "a group and its mark")
        let toGroup = try XCTUnwrap(writes.first).number - start

        disk.setNote(1)
        disk.inject(.init(.noSpace, operations: [.write], from: disk.operationCount + toGroup + 1))
        let refused = await storeError { try await store.appendSample(2, to: "a") }
        XCTAssertNotNil(refused)
        disk.setNote(2)
        try await store.appendSample(3, to: "b")
        let moments = disk.takeRecording()
        await store.close()

        let shown = SimulatedDisk(seed: 11)
        shown.turn(
            to: try XCTUnwrap(moments.first { $0.note == 1 && $0.operation.kind == .write }))
        var configuration = FileEventReader.Configuration()
        configuration.includesUnproven = true
        let reader = try await FileEventReader(at: "store", in: shown, configuration: configuration)
        let seen = try await reader.wholeLog()
        XCTAssertEqual(seen.map(\.stream), [sampleStream("x"), sampleStream("a")])

        shown.turn(to: try XCTUnwrap(moments.last))
        let page = try await reader.read(LogRead())
        XCTAssertEqual(page.events.map(\.stream), [sampleStream("x"), sampleStream("b")])
        await reader.close()
    }
}
