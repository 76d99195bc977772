import Foundation
import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// A store with index runs, a hole, tags and records of every form, as version 1 wrote it.
///
/// It must open for ever, with the same events. `WELLSPRING_MAKE_GOLDEN=1` prints a new one, which is
/// for a new version of the format only.
final class GoldenFileStoreTests: XCTestCase {
    private func disk() throws -> SimulatedDisk { try GoldenFileStore.disk() }

    func test_a_store_of_version_1_opens_with_the_same_events() async throws {
        let disk = try disk()
        let store = try await FileEventStore(on: disk)
        XCTAssertTrue(store.report.wasClean)
        let log = try await store.wholeLog()
        XCTAssertEqual(log.map(GoldenFileStore.line), GoldenFileStore.events)
        let backward = try await store.read(LogRead(.backward(before: nil)))
        XCTAssertEqual(backward.events.map(GoldenFileStore.line), GoldenFileStore.events.reversed())
        let tagged = try await store.read(LogRead(.forward(after: .start), filter: .tagged("five")))
        XCTAssertEqual(
            tagged.events.map(\.position), log.filter { $0.tags.contains("five") }.map(\.position))
        for stream in Set(log.map(\.stream)) {
            let page = try await store.read(StreamRead(stream))
            XCTAssertEqual(
                page.events.map(\.position), log.filter { $0.stream == stream }.map(\.position))
        }
        let head = try XCTUnwrap(log.last?.position.rawValue)
        let receipt = try await store.appendSample(1)
        XCTAssertEqual(receipt.position.rawValue, head + 1)
        await store.close()
    }

    func test_its_index_is_used_as_it_is() async throws {
        let disk = try disk()
        let runs = GoldenFileStore.files.map(\.name).filter { $0.hasSuffix(".run") }
        XCTAssertGreaterThan(runs.count, 1)
        let store = try await FileEventStore(on: disk)
        for name in runs {
            XCTAssertEqual(
                disk.contents(of: name), GoldenFileStore.files.first { $0.name == name }?.bytes)
        }
        XCTAssertEqual(disk.runs, runs)
        await store.close()
    }

    func test_it_verifies_with_its_hole() async throws {
        let report = try await FileEventStore.verify(at: "store", in: try disk())
        XCTAssertEqual(report.problems, [])
        XCTAssertEqual(report.holes.count, 1)
    }

    func test_the_same_events_are_still_written_as_they_were() async throws {
        let made = try await GoldenFileStore.make()
        for file in GoldenFileStore.files where file.name.hasPrefix("log/") {
            XCTAssertTrue(made.contents(of: file.name) == file.bytes, file.name)
        }
    }

    func test_a_new_one_is_printed_on_request() async throws {
        guard ProcessInfo.processInfo.environment["WELLSPRING_MAKE_GOLDEN"] != nil else { return }
        let disk = try await GoldenFileStore.make()
        print(try await GoldenFileStore.source(of: disk))
    }
}
