import Foundation
import Wellspring
import WellspringLog
import XCTest

/// The tools as an application calls them: with paths of the file system.
final class MaintenanceByPathTests: XCTestCase {
    func test_each_tool_works_on_paths_and_tells_how_far_it_is() async throws {
        let folder = try temporaryDirectory(self)
        let path = folder + "/store"
        let store = try await FileEventStore(at: path)
        for number in 1...20 { try await store.appendSample(number) }
        let log = try await store.wholeLog()
        await store.close()

        let told = Guarded<[MaintenanceProgress]>([])
        let tell: @Sendable (MaintenanceProgress) -> Void = { step in
            told.withLock { $0.append(step) }
        }
        let tools: [(String, () async throws -> Void)] = [
            ("verify", { _ = try await FileEventStore.verify(at: path, progress: tell) }),
            (
                "backup",
                {
                    try await FileEventStore.backup(
                        at: path, to: folder + "/backup", progress: tell)
                }
            ),
            (
                "salvage",
                {
                    try await FileEventStore.salvage(
                        from: path, to: folder + "/salvage", progress: tell)
                }
            ),
            ("repair", { try await FileEventStore.repair(at: path, progress: tell) }),
        ]
        for (name, use) in tools {
            told.withLock { $0 = [] }
            try await use()
            let steps = told.withLock { $0 }
            // Of a store that was closed there is nothing to read for a repair.
            XCTAssertEqual(steps.isEmpty, name == "repair", name)
            for step in steps { XCTAssertLessThanOrEqual(step.bytes, step.totalBytes, name) }
        }
        for copy in ["store", "backup", "salvage"] {
            let reader = try await FileEventReader(at: folder + "/" + copy)
            let found = try await reader.wholeLog()
            XCTAssertEqual(found, log, copy)
            await reader.close()
        }
    }

    func test_where_there_is_nothing_each_tool_says_so_and_makes_nothing() async throws {
        let path = try temporaryDirectory(self) + "/nothing"
        let tools: [(String, () async throws -> Void)] = [
            ("verify", { _ = try await FileEventStore.verify(at: path) }),
            ("backup", { try await FileEventStore.backup(at: path, to: path + "-copy") }),
            ("salvage", { try await FileEventStore.salvage(from: path, to: path + "-copy") }),
            ("repair", { try await FileEventStore.repair(at: path) }),
            ("scavenge", { try await FileEventStore.scavenge(at: path) }),
            ("read", { _ = try await FileEventReader(at: path) }),
        ]
        for (name, use) in tools {
            do {
                try await use()
                XCTFail("\(name) works on nothing")
            } catch EventStoreError.notAStore(let found) {
                XCTAssertEqual(found, path, name)
                XCTAssertTrue("\(EventStoreError.notAStore(path: found))".contains(path), name)
            }
            for made in [path, path + "-copy"] {
                XCTAssertFalse(FileManager.default.fileExists(atPath: made), "\(name) made \(made)")
            }
        }
    }
}
