import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// Readers of stores whose small files, or the ends of whose segments, are not what they should be.
final class ReaderDamageTests: XCTestCase {
    private let disk = SimulatedDisk(seed: 5)
    private let newest = "log/0000000001-0000.seg"

    private func fill(_ count: Int = 6) async throws {
        let store = try await FileEventStore(on: disk)
        for number in 1...count { try await store.appendSample(number) }
        await store.close()
    }

    private func manifest() throws -> Manifest {
        let bytes = try XCTUnwrap(disk.contents(of: Manifest.fileName))
        return try bytes.withUnsafeBytes { try Manifest(decoding: $0) }
    }

    private func changeManifest(_ change: (inout Manifest) -> Void) throws {
        var manifest = try manifest()
        change(&manifest)
        disk.replaceContents(of: Manifest.fileName, with: manifest.encoded())
    }

    /// What a new reader finds to be damaged.
    private func damage(line: UInt = #line) async -> StoreDamage? {
        let error = await storeError(line: line) { _ = try await FileEventReader(on: self.disk) }
        guard case .damaged(let damage)? = error else {
            XCTFail("\(error as Any)", line: line)
            return nil
        }
        return damage
    }

    // MARK: - The known end

    func test_a_log_that_ends_before_the_known_end_is_damaged_and_not_merely_short() async throws {
        try await fill()
        let whole = try XCTUnwrap(disk.contents(of: newest))
        let known = try manifest().knownEnd
        let frames = try frames()
        // Cut behind each frame: what is left is a perfectly good shorter log.
        for (index, frame) in frames.enumerated() {
            let end = Int(frame.offset) + frame.frameLength
            disk.replaceContents(of: newest, with: Array(whole[..<end]))
            if index == frames.count - 1 {
                let count = try await FileEventReader(on: disk).wholeLog().count
                XCTAssertEqual(count, 6)
            } else {
                let damage = await damage()
                XCTAssertEqual(damage?.file, newest)
                XCTAssertEqual(damage?.offset, UInt64(end))
            }
        }
        XCTAssertEqual(frames.last?.sequence, known.sequence)
    }

    func test_a_known_end_beyond_the_log_is_damage() async throws {
        try await fill()
        try changeManifest { $0.knownEnd.sequence += 1 }
        let end = try manifest().knownEnd.offset
        let damage = await damage()
        XCTAssertEqual(
            damage,
            StoreDamage(
                file: newest, offset: end,
                reason: "the log is not the one that the MANIFEST tells of"))
    }

    func test_a_known_end_that_the_log_does_not_meet_is_damage() async throws {
        try await fill()
        let changes: [(inout LogEnd) -> Void] = [
            { $0.offset += 8 }, { $0.nextPosition += 1 }, { $0.recordedAt += 1 }, { $0.chain ^= 1 },
        ]
        for change in changes {
            let contents = disk.contents(of: Manifest.fileName)
            try changeManifest { change(&$0.knownEnd) }
            let found = await damage()
            XCTAssertEqual(found?.reason, "the log is not the one that the MANIFEST tells of")
            disk.replaceContents(of: Manifest.fileName, with: contents)
        }
        let count = try await FileEventReader(on: disk).wholeLog().count
        XCTAssertEqual(count, 6)
    }

    func test_a_known_end_that_moved_beyond_the_log_is_noticed_by_an_open_reader() async throws {
        var store: FileEventStore? = try await FileEventStore(on: disk)
        for number in 1...6 { try await store?.appendSample(number) }
        let reader = try await FileEventReader(on: disk)
        // Dies without having marked its last event.
        store = nil
        let shown = try await reader.wholeLog().count
        XCTAssertEqual(shown, 5)
        try changeManifest { $0.knownEnd.sequence = 99 }
        let error = await storeError { _ = try await reader.read(LogRead(.backward(before: nil))) }
        guard case .damaged(let damage)? = error else { return XCTFail("\(error as Any)") }
        XCTAssertEqual(damage.file, newest)
    }

    private func frames() throws -> [FrameHeader] {
        var frames: [FrameHeader] = []
        try LogInspection(disk.openStore(at: "store", create: false)).run { item in
            if case .frame(let frame) = item { frames.append(frame.header) }
            return true
        }
        return frames
    }

    // MARK: - Small files

    func test_a_missing_small_file_is_damage_where_the_other_tells_of_a_store() async throws {
        try await fill()
        for name in [StoreIdentity.fileName, Manifest.fileName] {
            let contents = disk.contents(of: name)
            disk.replaceContents(of: name, with: nil)
            let damage = await damage()
            XCTAssertEqual(
                damage, StoreDamage(file: name, offset: 0, reason: "the file is missing"))
            disk.replaceContents(of: name, with: contents)
        }
    }

    func test_a_manifest_of_another_store_is_damage() async throws {
        try await fill()
        try changeManifest { $0.storeID = StoreUUID(high: 1, low: 2) }
        let damage = await damage()
        XCTAssertEqual(
            damage,
            StoreDamage(file: Manifest.fileName, offset: 16, reason: "it belongs to another store"))
    }

    func test_a_small_file_that_makes_no_sense_is_damage() async throws {
        try await fill()
        for name in [StoreIdentity.fileName, Manifest.fileName] {
            disk.flipBit(1, ofByte: 40, in: name)
            let damage = await damage()
            XCTAssertEqual(damage?.file, name)
            disk.flipBit(1, ofByte: 40, in: name)
        }
    }

    func test_a_store_that_is_taken_for_another_one_is_replaced() async throws {
        let store = try await FileEventStore(on: disk)
        let reader = try await FileEventReader(on: disk)
        try await store.appendSample(1)
        for name in [StoreIdentity.fileName, Manifest.fileName] {
            var bytes = try XCTUnwrap(disk.contents(of: name))
            bytes[16] ^= 1
            bytes.put(crc32c(0, Array(bytes[..<124])), at: 124)
            if name == Manifest.fileName {
                bytes.put(crc32c(0, Array(bytes.dropLast(4))), at: bytes.count - 4)
            }
            disk.replaceContents(of: name, with: bytes)
        }
        let error = await storeError { _ = try await reader.read(LogRead(.backward(before: nil))) }
        XCTAssertEqual(
            error,
            .replaced(path: "store", reason: "the directory holds another store now"))
        await store.close()
    }

    // MARK: - Segments

    func test_a_segment_that_the_manifest_does_not_know_is_damage() async throws {
        try await fill()
        let changes: [(inout Manifest) -> Void] = [
            { $0.segments[0].basePosition += 1 }, { $0.segments[0].baseSequence += 1 },
        ]
        for change in changes {
            let contents = disk.contents(of: Manifest.fileName)
            try changeManifest(change)
            let found = await damage()
            XCTAssertEqual(found?.file, newest)
            XCTAssertEqual(found?.offset, 16)
            disk.replaceContents(of: Manifest.fileName, with: contents)
        }
    }

    func test_a_missing_segment_is_damage() async throws {
        try await fill()
        disk.replaceContents(of: newest, with: nil)
        let damage = await damage()
        XCTAssertEqual(damage, StoreDamage(file: newest, offset: 0, reason: "the file is missing"))
    }

    func test_a_sealed_segment_of_another_length_or_with_another_end_is_damage() async throws {
        let store = try await MaintainedStore()
        let first = LogLayout.segment(1)
        let whole = try XCTUnwrap(store.disk.contents(of: first))
        for wrong in [Array(whole.dropLast(8)), whole + [0]] {
            store.disk.replaceContents(of: first, with: wrong)
            let error = await storeError { _ = try await FileEventReader(on: store.disk) }
            XCTAssertEqual(
                error,
                .damaged(
                    StoreDamage(
                        file: first, offset: UInt64(whole.count),
                        reason: "the end of the segment is not the one that the MANIFEST knows")))
        }
        store.disk.replaceContents(of: first, with: whole)
        store.disk.flipBit(0, ofByte: whole.count - 100, in: first)
        let error = await storeError { _ = try await FileEventReader(on: store.disk) }
        guard case .damaged(let damage)? = error else { return XCTFail("\(error as Any)") }
        XCTAssertEqual(damage.offset, UInt64(whole.count))
    }

    func test_a_frame_of_a_newer_version_is_told_from_damage() async throws {
        try await fill()
        let frame = try XCTUnwrap(frames().first)
        var bytes = try XCTUnwrap(disk.contents(of: newest))
        let salt = bytes.withUnsafeBytes { $0.loadLittleEndian(UInt64.self, at: 56) }
        let header = Int(frame.offset)
        bytes[header + 28] = 9
        let sum = crc32c(UInt32(truncatingIfNeeded: salt >> 32), Array(bytes[header..<header + 60]))
        bytes.put(sum, at: header + 60)
        disk.replaceContents(of: newest, with: bytes)
        for name in disk.fileNames where name.hasPrefix("idx/") {
            disk.replaceContents(of: name, with: nil)
        }
        let error = await storeError { _ = try await FileEventReader(on: self.disk) }
        XCTAssertEqual(error, .unsupportedFormat(file: newest, reason: "frames of kind 9"))
    }
}
