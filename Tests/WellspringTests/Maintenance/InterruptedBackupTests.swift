@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// What is left of the making of a copy must not become an empty store by being opened.
final class InterruptedBackupTests: XCTestCase {
    /// Opens what is there as somebody does who expects a store, and returns what that says.
    private func refusal(_ disk: SimulatedDisk, _ what: String) async -> EventStoreError? {
        let before = disk.allContents
        do {
            let store = try await FileEventStore(on: disk)
            let count = try await store.wholeLog().count
            await store.close()
            XCTFail("\(what): opened, with \(count) events")
            return nil
        } catch let error as EventStoreError {
            XCTAssertTrue(disk.allContents == before, "\(what): something was changed")
            return error
        } catch {
            XCTFail("\(what): \(error)")
            return nil
        }
    }

    func test_what_an_interrupted_backup_leaves_is_not_made_into_an_empty_store() async throws {
        let store = try await MaintainedStore(appends: 60)
        let whole = SimulatedDisk()
        try await FileEventStore.backup(at: "store", in: store.disk, to: "copy", in: whole)
        var refused = 0
        for cut in 1..<whole.operationCount {
            let copy = SimulatedDisk(seed: UInt64(cut))
            copy.inject(.powerCut(at: cut))
            _ = try? await FileEventStore.backup(
                at: "store", in: store.disk, to: "copy", in: copy)
            copy.crash(keeping: .everything)
            guard copy.fileNames.contains(where: { $0.hasSuffix(".part") }),
                copy.contents(of: StoreIdentity.fileName) == nil
            else { continue }
            refused += 1
            switch await refusal(copy, "cut \(cut)") {
            case .notEmpty?, .damaged?: break
            case let other: XCTFail("cut \(cut): \(other as Any)")
            }
        }
        XCTAssertGreaterThan(refused, 5)
    }

    func test_somebody_elses_files_in_a_directory_called_log_are_left_alone() async throws {
        let disk = SimulatedDisk()
        let directory = try disk.openStore(at: "store", create: true)
        try directory.makeDirectory("log")
        disk.replaceContents(of: "log/access.log", with: [1, 2, 3])
        guard case .notEmpty? = await refusal(disk, "log") else { return XCTFail("not empty") }
        XCTAssertEqual(disk.fileNames, ["log/access.log"])
    }
}
