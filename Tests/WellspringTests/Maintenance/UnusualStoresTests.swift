import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// What tools say of ends of files and of saved states that are rarely seen.
final class UnusualStoresTests: XCTestCase {
    private func storeID(_ store: MaintainedStore) throws -> StoreUUID {
        let bytes = try XCTUnwrap(store.disk.contents(of: StoreIdentity.fileName))
        return try bytes.withUnsafeBytes { try StoreIdentity(decoding: $0) }.storeID
    }

    private func save(
        _ store: MaintainedStore, as owner: StoreUUID, at position: UInt64
    ) throws {
        try store.disk.openStore(at: "store", create: false)
            .makeDirectory(CheckpointFile.directory)
        let checkpoint = Checkpoint(
            projection: "p", revision: 1, position: LogPosition(position), state: [1])
        store.disk.replaceContents(
            of: CheckpointFile.name(of: "p"),
            with: CheckpointFile.encode(
                checkpoint, lastEvent: store.events[Int(position) - 1].id, storeID: owner))
    }

    func test_a_part_of_the_index_of_another_store_is_no_damage() async throws {
        let store = try await MaintainedStore(appends: 10)
        let other = SimulatedDisk(seed: 77)
        let stranger = try await FileEventStore(
            on: other, configuration: MaintainedStore.configuration)
        for number in 0..<20 { try await stranger.appendSample(number) }
        await stranger.close()
        let name = try XCTUnwrap(other.runs.first { !store.disk.runs.contains($0) })
        store.disk.replaceContents(of: name, with: other.contents(of: name))
        let report = try await store.verify()
        XCTAssertEqual(report.problems.map(\.kind), [.unusable])
        XCTAssertEqual(report.problems.map(\.reason), ["it belongs to another store"])
        XCTAssertTrue(report.isSound)
    }

    func test_an_index_and_a_saved_state_that_are_read_wrong_once_are_no_damage() async throws {
        let store = try await MaintainedStore(appends: 10)
        try save(store, as: storeID(store), at: 3)
        for number in 0..<20 {
            let disk = store.disk.afterCrash(keeping: .everything, seed: UInt64(number))
            disk.inject(.init(.inputOutput, operations: [.read], from: number, .once))
            let report = try await FileEventStore.verify(at: "store", in: disk)
            XCTAssertEqual(report.problems, [], "read \(number)")
        }
    }

    func test_what_a_saved_state_says_is_of_bytes_that_were_checked() async throws {
        let store = try await MaintainedStore(appends: 10)
        try save(store, as: storeID(store), at: 3)
        // The store, the position and the event that it names.
        for byte in [16, 40, 48] {
            for number in 0..<6 {
                let reads = Guarded(0)
                var files = HookedFiles(store.disk)
                files.change = { name, bytes in
                    guard name.hasSuffix(".ckpt"), bytes.count > byte else { return }
                    let read = reads.withLock { reads in
                        defer { reads += 1 }
                        return reads
                    }
                    if read == number { bytes[byte] ^= 1 }
                }
                let report = try await FileEventStore.verify(at: "store", in: files)
                XCTAssertEqual(report.problems, [], "byte \(byte), read \(number)")
            }
        }
    }

    func test_a_saved_state_of_another_store_is_told() async throws {
        let store = try await MaintainedStore(appends: 10)
        try save(store, as: StoreUUID(high: 1, low: 2), at: 3)
        let report = try await store.verify()
        XCTAssertEqual(report.problems.map(\.reason), ["it belongs to another store"])
    }

    func test_a_saved_state_that_is_too_short_is_told() async throws {
        let store = try await MaintainedStore(appends: 10)
        try save(store, as: storeID(store), at: 3)
        store.disk.replaceContents(of: CheckpointFile.name(of: "p"), with: [1, 2, 3])
        let report = try await store.verify()
        XCTAssertEqual(report.problems.map(\.reason), ["the file ends inside its header"])
        XCTAssertEqual(report.problems.map(\.offset), [3])
    }

    func test_a_saved_state_whose_event_is_lost_is_told_with_the_loss() async throws {
        let store = try await MaintainedStore()
        let place = try store.places(in: 2)[4]
        try save(store, as: storeID(store), at: place.firstPosition)
        store.disk.flipBit(2, ofByte: Int(place.bodyOffset) + 40, in: LogLayout.segment(2))
        let report = try await store.verify()
        XCTAssertEqual(report.problems.map(\.kind), [.commits, .unusable])
        XCTAssertEqual(
            report.problems.last?.reason,
            "it is of position \(place.firstPosition), whose event is lost")
    }

    func test_a_saved_state_in_a_hole_that_is_known_is_no_problem() async throws {
        let store = try await MaintainedStore()
        let last = store.segmentCount
        let gone = try store.places(in: last).suffix(2)
        try store.overwrite(
            Int(gone.first?.offset ?? 0)..<Int.max, of: LogLayout.segment(last), with: 0)
        let target = SimulatedDisk(seed: 9)
        let report = try await FileEventStore.salvage(
            from: "store", in: store.disk, to: "new", in: target)
        let opened = try await FileEventStore(on: target)
        try await opened.checkpoints.save(
            Checkpoint(
                projection: "p", revision: 1, position: report.lastPosition, state: [1]))
        let saved = try await opened.checkpoints.load("p")
        XCTAssertEqual(saved?.position, report.lastPosition)
        let id = opened.storeID
        await opened.close()
        let verified = try await FileEventStore.verify(at: "new", in: target)
        XCTAssertEqual(verified.problems, [])

        // One that knows an event where the log has none is of another history.
        let foreign = Checkpoint(
            projection: "p", revision: 1, position: report.lastPosition, state: [1])
        target.replaceContents(
            of: CheckpointFile.name(of: "p"),
            with: CheckpointFile.encode(foreign, lastEvent: store.events[0].id, storeID: id))
        let other = try await FileEventStore.verify(at: "new", in: target)
        XCTAssertEqual(
            other.problems.map(\.reason),
            ["the log holds no event at position \(report.lastPosition)"])
    }

    func test_bytes_after_the_end_of_a_sealed_segment_are_told() async throws {
        let store = try await MaintainedStore()
        let name = LogLayout.segment(1)
        let whole = try XCTUnwrap(store.disk.contents(of: name))
        store.disk.replaceContents(of: name, with: whole + [1, 2, 3])
        let report = try await store.verify()
        XCTAssertTrue(
            report.problems.contains {
                $0.kind == .footer && $0.offset == UInt64(whole.count)
                    && $0.reason == "bytes after the end of the segment"
            }, "\(report.problems)")
    }

    func test_a_manifest_that_knows_another_end_of_a_segment_is_told() async throws {
        let store = try await MaintainedStore()
        let bytes = try XCTUnwrap(store.disk.contents(of: Manifest.fileName))
        var manifest = try bytes.withUnsafeBytes { try Manifest(decoding: $0) }
        manifest.segments[0].seal?.checksum ^= 1
        store.disk.replaceContents(of: Manifest.fileName, with: manifest.encoded())
        let report = try await store.verify()
        XCTAssertEqual(
            report.problems.map(\.reason), ["the MANIFEST knows another end of the segment"])
    }

    func test_an_unfinished_write_is_counted_by_verifying_and_by_salvage() async throws {
        let store = try await MaintainedStore(appends: 3, closes: false)
        let name = LogLayout.segment(store.segmentCount)
        let contents = try XCTUnwrap(store.disk.contents(of: name))
        let end = try XCTUnwrap(contents.lastIndex { $0 != 0 })
        try store.overwrite(end + 100..<end + 140, of: name, with: 7)
        let report = try await store.verify()
        XCTAssertGreaterThan(report.unfinishedBytes, 39)
        let salvage = try await FileEventStore.salvage(
            from: "store", in: store.disk, to: "new", in: SimulatedDisk(seed: 3))
        XCTAssertEqual(salvage.unfinishedBytes, report.unfinishedBytes)
        XCTAssertEqual(salvage.eventCount, UInt64(store.events.count))
    }

    func test_a_forged_version_is_left_out_of_a_salvaged_store_and_told() async throws {
        let store = try await MaintainedStore()
        let position = try store.forgeVersion(inSegment: 2, commit: 3)
        let report = try await FileEventStore.salvage(
            from: "store", in: store.disk, to: "new", in: SimulatedDisk(seed: 3))
        XCTAssertTrue(
            report.problems.contains {
                $0.kind == .versions && $0.positions == position..<position + 1
            }, "\(report.problems)")
    }

    func test_a_small_file_that_is_too_long_is_not_taken_for_what_it_was() async throws {
        let store = try await MaintainedStore(appends: 3)
        let whole = try XCTUnwrap(store.disk.contents(of: StoreIdentity.fileName))
        store.disk.replaceContents(of: StoreIdentity.fileName, with: whole + [0])
        let error = await storeError { _ = try await FileEventStore(on: store.disk) }
        guard case .damaged(let damage)? = error else { return XCTFail("\(error as Any)") }
        XCTAssertEqual(damage.file, StoreIdentity.fileName)
    }

    func test_a_store_whose_segments_have_a_volume_of_their_own_is_made_and_has_no_stray_file()
        async throws
    {
        let disk = SimulatedDisk()
        try disk.openStore(at: "store", create: true).makeDirectory(LogLayout.segments)
        for name in ["lost+found", ".DS_Store"] {
            disk.replaceContents(of: LogLayout.segments + "/" + name, with: [])
        }
        let store = try await FileEventStore(
            on: disk, configuration: MaintainedStore.configuration)
        try await store.appendSample(1)
        await store.close()
        let report = try await FileEventStore.verify(at: "store", in: disk)
        XCTAssertEqual(report.problems, [])
    }

    func test_a_segment_that_was_to_be_the_next_one_is_no_stray_file() async throws {
        let store = try await MaintainedStore(appends: 3)
        store.disk.replaceContents(of: LogLayout.nextSegment, with: [0])
        let report = try await store.verify()
        XCTAssertEqual(report.problems, [])
    }
}
