@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// A store on a network file system is written to only by who allows it.
final class StoreOnNetworkFileSystemTests: XCTestCase {
    private let refusal = EventStoreError.networkFileSystem(path: "store", kind: "nfs4")

    private func networkDisk() -> SimulatedDisk {
        let disk = SimulatedDisk()
        disk.networkFileSystem = "nfs4"
        return disk
    }

    private func allowing() -> FileEventStore.Configuration {
        var configuration = FileEventStore.Configuration()
        configuration.allowsNetworkFileSystem = true
        return configuration
    }

    func test_no_store_is_made_there_unless_that_is_allowed() async throws {
        let disk = networkDisk()
        let error = await storeError { _ = try await FileEventStore(on: disk) }
        XCTAssertEqual(error, refusal)
        XCTAssertEqual(disk.fileNames, [])
        let store = try await FileEventStore(on: disk, configuration: allowing())
        try await store.appendSample(1)
        await store.close()
    }

    func test_a_store_that_lies_there_is_left_untouched() async throws {
        let store = try await MaintainedStore(appends: 20, closes: false)
        store.disk.networkFileSystem = "nfs4"
        let before = store.disk.allContents
        let error = await storeError { _ = try await FileEventStore(on: store.disk) }
        XCTAssertEqual(error, refusal)
        XCTAssertTrue(store.disk.allContents == before)
    }

    func test_it_can_be_read_and_copied_from_and_to() async throws {
        let store = try await MaintainedStore(appends: 20)
        store.disk.networkFileSystem = "nfs4"
        let reader = try await FileEventReader(at: "store", in: store.disk, configuration: .init())
        let read = try await reader.wholeLog()
        await reader.close()
        XCTAssertTrue(read == store.events)
        let report = try await store.verify()
        XCTAssertEqual(report.problems, [])

        let (backup, salvaged) = (networkDisk(), networkDisk())
        try await FileEventStore.backup(at: "store", in: store.disk, to: "store", in: backup)
        try await FileEventStore.salvage(from: "store", in: store.disk, to: "store", in: salvaged)
        for copy in [backup, salvaged] {
            let checked = try await FileEventStore.verify(at: "store", in: copy)
            XCTAssertEqual(checked.problems, [])
            XCTAssertEqual(checked.eventCount, UInt64(store.events.count))
        }
    }

    func test_scavenge_and_repair_are_refused_there_unless_that_is_allowed() async throws {
        let store = try await MaintainedStore(appends: 20)
        store.disk.networkFileSystem = "nfs4"
        let scavenge = await storeError {
            _ = try await FileEventStore.scavenge(at: "store", in: store.disk)
        }
        XCTAssertEqual(scavenge, refusal)
        _ = try await FileEventStore.scavenge(
            at: "store", in: store.disk, allowsNetworkFileSystem: true)
        store.disk.replaceContents(of: Manifest.fileName, with: nil)
        let repair = await storeError {
            _ = try await FileEventStore.repair(at: "store", in: store.disk)
        }
        XCTAssertEqual(repair, refusal)
        let report = try await FileEventStore.repair(
            at: "store", in: store.disk, allowsNetworkFileSystem: true)
        XCTAssertTrue(report.isRepaired)
    }
}
