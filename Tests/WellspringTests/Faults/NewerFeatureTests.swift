@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Features that only a newer version knows: some keep this one from reading a store, others from
/// writing to it.
final class NewerFeatureTests: XCTestCase {
    private var headed: [String] {
        GoldenFileStore.files.map(\.name).filter {
            $0 == StoreIdentity.fileName || $0 == Manifest.fileName || $0.hasPrefix("log/")
        }
    }

    /// The golden store, with one bit set in the preamble of a file.
    private func disk(bitAt place: Int, of file: String) throws -> SimulatedDisk {
        let disk = try GoldenFileStore.disk()
        try disk.rewritePreamble(of: file) { $0[place] = 0x40 }
        return disk
    }

    private func assertUnsupported(
        _ error: EventStoreError?, _ file: String, line: UInt = #line
    ) {
        guard case .unsupportedFormat(file, _)? = error else {
            return XCTFail("\(file): \(error as Any)", line: line)
        }
    }

    func test_a_store_that_must_not_be_written_to_is_read_and_left_as_it_is() async throws {
        XCTAssertEqual(headed.count, 3)
        for file in headed {
            let disk = try disk(bitAt: 116, of: file)
            let before = disk.allContents
            let reader = try await FileEventReader(at: "store", in: disk, configuration: .init())
            let log = try await reader.wholeLog()
            await reader.close()
            XCTAssertEqual(log.map(GoldenFileStore.line), GoldenFileStore.events, file)
            let report = try await FileEventStore.verify(at: "store", in: disk)
            XCTAssertEqual(report.problems, [], file)
            var examination = try StoreExamination(at: "store", in: disk)
            var count = 0
            try examination.read { item in
                if case .append(let events, _) = item { count += events.count }
                return true
            }
            XCTAssertEqual(count, GoldenFileStore.events.count, file)
            assertUnsupported(await storeError { _ = try await FileEventStore(on: disk) }, file)
            XCTAssertTrue(disk.allContents == before, file)
        }
    }

    func test_nothing_that_writes_loses_the_features_of_a_newer_version() async throws {
        for file in headed {
            let disk = try disk(bitAt: 116, of: file)
            let saved = SimulatedDisk(seed: 3)
            let salvage = try await FileEventStore.salvage(
                from: "store", in: disk, to: "store", in: saved)
            XCTAssertEqual(salvage.eventCount, UInt64(GoldenFileStore.events.count), file)

            let copy = SimulatedDisk(seed: 2)
            if file.hasPrefix("log/") {
                try await FileEventStore.backup(at: "store", in: disk, to: "store", in: copy)
                assertUnsupported(await storeError { _ = try await FileEventStore(on: copy) }, file)
            } else {
                let error = await storeError {
                    try await FileEventStore.backup(at: "store", in: disk, to: "store", in: copy)
                }
                assertUnsupported(error, file)
            }
            guard file != Manifest.fileName else { continue }
            disk.replaceContents(of: Manifest.fileName, with: nil)
            let repair = await storeError {
                try await FileEventStore.repair(at: "store", in: disk)
            }
            assertUnsupported(repair, file)
        }
    }

    func test_a_store_that_must_not_be_read_is_opened_by_nobody() async throws {
        for file in headed {
            let disk = try disk(bitAt: 112, of: file)
            let before = disk.allContents
            assertUnsupported(await storeError { _ = try await FileEventStore(on: disk) }, file)
            let reading = await storeError {
                _ = try await FileEventReader(at: "store", in: disk, configuration: .init())
            }
            assertUnsupported(reading, file)
            let verifying = await storeError {
                _ = try await FileEventStore.verify(at: "store", in: disk)
            }
            assertUnsupported(verifying, file)
            XCTAssertTrue(disk.allContents == before, file)
        }
    }

    func test_features_that_may_be_ignored_are_ignored() async throws {
        for file in headed {
            let disk = try disk(bitAt: 120, of: file)
            let store = try await FileEventStore(on: disk)
            let log = try await store.wholeLog()
            XCTAssertEqual(log.map(GoldenFileStore.line), GoldenFileStore.events, file)
            await store.close()
        }
    }
}

extension SimulatedDisk {
    /// Changes the first bytes of a file, with checksums that hold.
    func rewritePreamble(of file: String, _ change: (inout [UInt8]) -> Void) throws {
        var bytes = try XCTUnwrap(contents(of: file))
        change(&bytes)
        bytes.put(crc32c(0, Array(bytes[..<124])), at: 124)
        if file == Manifest.fileName {
            let end = bytes.count - 4
            bytes.put(crc32c(0, Array(bytes[..<end])), at: end)
        }
        replaceContents(of: file, with: bytes)
    }
}
