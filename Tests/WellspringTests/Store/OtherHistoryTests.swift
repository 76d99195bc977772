import Wellspring
import WellspringTestKit
import XCTest

@testable import WellspringLog

/// A MANIFEST of one history of a store beside the segments of another: somebody restored one file.
final class OtherHistoryTests: XCTestCase {
    func test_a_manifest_of_another_history_is_refused_though_the_index_ends_behind_its_known_end()
        async throws
    {
        // Frames as long as those there, and of another length.
        for number in [3, 12_345_678_901] {
            let (left, other) = try await twoHistories(
                { try await $0.appendSample(number) },
                { store in for number in 4...9 { try await store.appendSample(number) } })
            other.replaceContents(of: Manifest.fileName, with: left)
            try await assertRefused(
                other,
                because: "no frame follows the end that the MANIFEST tells of: it is damaged, or "
                    + "the log is another one")
        }
    }

    func test_a_manifest_of_another_history_is_refused_though_that_has_more_commits_in_less_room()
        async throws
    {
        let (left, other) = try await twoHistories(
            { try await $0.append(bytes: 8_000) },
            { store in for number in 4...9 { try await store.appendSample(number) } })
        other.replaceContents(of: Manifest.fileName, with: left)
        try await assertRefused(
            other, because: "the log is not the one that the MANIFEST tells of")
    }

    func test_a_manifest_of_another_history_is_refused_though_its_known_end_is_behind_the_seal()
        async throws
    {
        // The segment goes on to a greater offset here; there it ended with fewer commits, and the next
        // one has more than are missing.
        let (left, other) = try await twoHistories(
            { store in for _ in 1...40 { try await store.append(bytes: 2_200) } },
            { store in
                for _ in 1...3 { try await store.append(bytes: 18_000) }
                try await store.append(bytes: 25_000)
                for _ in 1...60 { try await store.append(bytes: 100) }
            })
        XCTAssertEqual(other.segments.count, 2)
        other.replaceContents(of: Manifest.fileName, with: left)
        for name in other.runs { other.replaceContents(of: name, with: nil) }
        try await assertRefused(
            other, because: "the log is not the one that the MANIFEST tells of")
    }

    // MARK: - Support

    /// The MANIFEST of a store that is in use after it went on one way, and the files of the same store
    /// that went on another way, with smaller segments, and was closed.
    private func twoHistories(
        _ one: (FileEventStore) async throws -> Void,
        _ another: (FileEventStore) async throws -> Void
    ) async throws -> (manifest: [UInt8], other: SimulatedDisk) {
        let disk = SimulatedDisk()
        let first = try await FileEventStore(on: disk)
        try await first.appendSample(1)
        await first.close()
        let backup = disk.afterCrash(keeping: .everything, seed: 1)

        let left = try await FileEventStore(on: disk)
        try await one(left)
        await left.close()
        let store = try await FileEventStore(on: disk)
        let manifest = try XCTUnwrap(disk.contents(of: Manifest.fileName))
        await store.close()

        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = 64 << 10
        let other = try await FileEventStore(on: backup, configuration: configuration)
        try await another(other)
        await other.close()
        return (manifest, backup)
    }

    /// Readers, `verify` and a writer refuse the store; it is left as it was.
    private func assertRefused(
        _ disk: SimulatedDisk, because reason: String, line: UInt = #line
    ) async throws {
        let verification = try await FileEventStore.verify(at: "store", in: disk)
        XCTAssertFalse(verification.isSound, line: line)
        let errors = [
            await storeError { _ = try await FileEventReader(on: disk) },
            await storeError { _ = try await FileEventStore(on: disk) },
        ]
        for error in errors {
            guard case .damaged(let damage)? = error else {
                XCTFail("\(errors)", line: line)
                continue
            }
            XCTAssertEqual(damage.reason, reason, line: line)
        }
    }
}

extension EventStore {
    /// Appends one event of about so many bytes.
    fileprivate func append(bytes: Int) async throws {
        let event = NewEvent(
            EncodedEvent(name: "e", payload: EventPayload([UInt8](repeating: 7, count: bytes))))
        try await append(AppendRequest([event], to: sampleStream("1"), expecting: .any))
    }
}
