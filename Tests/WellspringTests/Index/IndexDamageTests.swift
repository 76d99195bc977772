import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// Whatever is in a file, a run answers rightly or says that it is damaged.
final class IndexDamageTests: XCTestCase {
    /// A small run with two blocks, and what it holds.
    private func smallRun(
        seed: UInt64 = 31
    ) throws -> (name: String, bytes: [UInt8], lists: IndexLists) {
        var generator = IndexGenerator(seed: seed)
        var lists = generator.log(1_100, streams: 6, hot: 60)
        lists[generator.key()] = generator.noise(20)
        let fixture = try IndexFixture()
        let run = try IndexFixture.write(
            lists, IndexRange(first: 1, last: 9), in: fixture.directory,
            salt: Salt(value: generator.key()))
        let bytes = try XCTUnwrap(fixture.disk.contents(of: run.name))
        XCTAssertEqual(try run.readDirectory().entries.count, 2)
        return (run.name, bytes, lists)
    }

    /// Opens the file and asks for everything; returns what is wrong, apart from errors.
    private func examine(
        _ bytes: [UInt8], as name: String, _ lists: IndexLists
    ) throws -> (wrongAnswers: Int, errors: [IndexError], verifies: Bool) {
        var (wrongAnswers, errors) = (0, [IndexError]())
        do {
            let run = try IndexFixture.open(bytes, as: name)
            for (key, list) in lists.lists {
                do throws(IndexError) {
                    let found = try run.entries(
                        of: key, numbers: 0...UInt64.max, limit: .max, newestFirst: false)
                    if found != list { wrongAnswers += 1 }
                } catch {
                    errors.append(error)
                }
            }
            do throws(IndexError) {
                try run.verify()
                return (wrongAnswers, errors, true)
            } catch {
                errors.append(error)
            }
        } catch let error as IndexError {
            errors.append(error)
        }
        return (wrongAnswers, errors, false)
    }

    func test_a_run_that_is_whole_is_found_to_be() throws {
        let (name, bytes, lists) = try smallRun()
        let found = try examine(bytes, as: name, lists)
        XCTAssertEqual(found.wrongAnswers, 0)
        XCTAssertEqual(found.errors, [])
        XCTAssertTrue(found.verifies)
    }

    func test_every_changed_byte_is_noticed_and_gives_no_wrong_answer() throws {
        let (name, bytes, lists) = try smallRun()
        for offset in bytes.indices {
            var damaged = bytes
            damaged[offset] ^= [1, 0x80, 0xFF][offset % 3]
            let found = try examine(damaged, as: name, lists)
            XCTAssertEqual(found.wrongAnswers, 0, "byte \(offset)")
            XCTAssertFalse(found.verifies, "byte \(offset)")
            for error in found.errors {
                guard case .damaged(name, _, _) = error else { return XCTFail("\(error)") }
            }
        }
    }

    func test_every_cut_is_noticed() throws {
        let (name, bytes, _) = try smallRun()
        for length in 0..<bytes.count {
            XCTAssertThrowsError(
                try IndexFixture.open(Array(bytes[..<length]), as: name), "\(length)")
        }
    }

    func test_bytes_behind_the_end_are_noticed() throws {
        let (name, bytes, _) = try smallRun()
        XCTAssertThrowsError(try IndexFixture.open(bytes + [0], as: name))
        XCTAssertThrowsError(try IndexFixture.open(bytes + bytes.suffix(128), as: name))
    }

    func test_a_file_that_is_cut_while_it_is_open_is_noticed() throws {
        var generator = IndexGenerator(seed: 32)
        let lists = generator.log(1_500, streams: 6)
        for length in [0, 100, 2_000, 4_300] {
            var fixture = try IndexFixture()
            let run = try fixture.write(lists)
            let bytes = try XCTUnwrap(fixture.disk.contents(of: run.name))
            fixture.disk.replaceContents(of: run.name, with: Array(bytes[..<length]))
            XCTAssertThrowsError(try check(run, lists))
            XCTAssertThrowsError(try run.verify())
        }
    }

    func test_blocks_that_changed_places_are_noticed() throws {
        let (name, bytes, lists) = try smallRun()
        let run = try IndexFixture.open(bytes, as: name)
        let first = Int(run.blockOffset(0))
        let blocks = bytes[first..<Int(run.trailer.directoryOffset)]
        // A block of full length in the place of the other, with the checksum that it had.
        var swapped = bytes
        swapped.replaceSubrange(
            first..<first + blocks.count,
            with: Array(blocks[(first + 4096)...]) + Array(blocks[..<(first + 4096)]))
        let found = try examine(swapped, as: name, lists)
        XCTAssertEqual(found.wrongAnswers, 0)
        XCTAssertFalse(found.errors.isEmpty)
        XCTAssertFalse(found.verifies)
    }

    func test_a_block_in_another_place_has_another_checksum() throws {
        var generator = IndexGenerator(seed: 33)
        let lists = generator.log(6_000, streams: 40)
        var fixture = try IndexFixture()
        let run = try fixture.write(lists)
        let directory = try run.readDirectory()
        var bytes = try XCTUnwrap(fixture.disk.contents(of: run.name))
        let (first, second) = (Int(run.blockOffset(1)), Int(run.blockOffset(2)))
        let block = Array(bytes[first..<second])
        bytes.replaceSubrange(first..<second, with: bytes[second..<second + 4096])
        bytes.replaceSubrange(second..<second + 4096, with: block)
        fixture.disk.replaceContents(of: run.name, with: bytes)
        let opened = try fixture.open(run)
        for number in 0..<directory.entries.count {
            let isSwapped = number == 1 || number == 2
            XCTAssertEqual(
                (try? opened.readBlock(number, directory)) == nil, isSwapped, "block \(number)")
        }
    }

    func test_a_part_of_another_run_is_noticed() throws {
        let (name, bytes, lists) = try smallRun()
        let (_, other, _) = try smallRun(seed: 34)
        let parts = zip(try partsOfEqualLength(bytes, name), try partsOfEqualLength(other, name))
        for (part, otherPart) in parts {
            var mixed = bytes
            mixed.replaceSubrange(part, with: other[otherPart])
            XCTAssertEqual(mixed.count, bytes.count)
            let found = try examine(mixed, as: name, lists)
            XCTAssertEqual(found.wrongAnswers, 0, "\(part)")
            XCTAssertFalse(found.errors.isEmpty, "\(part)")
            XCTAssertFalse(found.verifies, "\(part)")
        }
    }

    /// The first block, directory, filter and trailer of a run with two blocks.
    private func partsOfEqualLength(_ bytes: [UInt8], _ name: String) throws -> [Range<Int>] {
        let run = try IndexFixture.open(bytes, as: name)
        let (directory, filter) = (Int(run.trailer.directoryOffset), Int(run.trailer.filterOffset))
        let trailer = Int(run.trailer.offset)
        return [
            Int(run.blockOffset(0))..<Int(run.blockOffset(1)), directory..<filter,
            filter..<trailer, trailer..<bytes.count,
        ]
    }

    func test_verifying_finds_what_checksums_do_not() throws {
        let (name, bytes, _) = try smallRun()
        let run = try IndexFixture.open(bytes, as: name)
        let (directory, filter) = (Int(run.trailer.directoryOffset), Int(run.trailer.filterOffset))
        let trailer = Int(run.trailer.offset)
        let firstBits = try XCTUnwrap(bytes[filter..<trailer].firstIndex { $0 != 0 })
        let changes: [(place: Int, change: UInt8, reason: String)] = [
            (trailer + 32, 1, "it holds another number of entries"),
            (trailer + 40, 1, "it holds another number of entries"),
            (directory + 8, 0xFF, "a number that the directory does not know"),
            (directory + 24 + 23, 0xFF, "a number that the directory does not know"),
            (firstBits, 0xFF, "a filter that misses a key"),
        ]
        for (place, change, reason) in changes {
            var wrong = bytes
            wrong[place] = place == firstBits ? 0 : wrong[place] ^ change
            run.signAgain(&wrong)
            XCTAssertThrowsError(try IndexFixture.open(wrong, as: name).verify(), reason) {
                guard case .damaged(_, _, let found)? = $0 as? IndexError else {
                    return XCTFail("\($0)")
                }
                XCTAssertEqual(found, reason)
            }
        }
    }

    func test_keys_that_do_not_ascend_are_noticed() throws {
        let (name, bytes, _) = try smallRun()
        let run = try IndexFixture.open(bytes, as: name)
        let start = Int(run.blockOffset(0))
        XCTAssertEqual(bytes[start + 2], 8, "the width of a key")
        var wrong = bytes
        // The second key of the block is greater than all others now.
        for place in 18..<26 { wrong[start + place] = 0xFF }
        run.signAgain(&wrong)
        let turned = try IndexFixture.open(wrong, as: name)
        XCTAssertThrowsError(try turned.verify())
        let directory = try SimulatedDisk().openStore(at: "store", create: true)
        XCTAssertThrowsError(try IndexRun.merge([turned], in: directory, level: 1)) {
            guard case .damaged(_, _, let reason)? = $0 as? IndexError else {
                return XCTFail("\($0)")
            }
            XCTAssertEqual(reason, "keys that do not ascend")
        }
    }

    func test_a_run_of_another_store_is_refused() throws {
        var fixture = try IndexFixture()
        let run = try fixture.write(IndexLists())
        XCTAssertThrowsError(
            try IndexRun.open(
                fixture.directory, name: run.name, storeID: StoreUUID(high: 0x1111, low: 0x2223))
        ) {
            XCTAssertEqual(
                $0 as? IndexError,
                .misplaced(file: run.name, offset: 16, reason: "it belongs to another store"))
        }
    }

    func test_a_run_under_the_name_of_another_is_refused() throws {
        let (_, bytes, _) = try smallRun()
        XCTAssertThrowsError(
            try IndexFixture.open(
                bytes, as: IndexRunName.run(IndexRange(first: 1, last: 10))))
    }

    func test_a_run_that_is_not_there_is_the_machines_failure() throws {
        let fixture = try IndexFixture()
        XCTAssertThrowsError(
            try IndexRun.open(
                fixture.directory, name: "idx/1.run", storeID: IndexFixture.owner)
        ) {
            guard case .system(let error)? = $0 as? IndexError else { return XCTFail("\($0)") }
            XCTAssertEqual(error.kind, .notFound)
        }
    }
}
