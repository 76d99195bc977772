import XCTest

@testable import Wellspring

/// What references mean is looked up without a lock.
final class NameTableTests: XCTestCase {
    private func table(_ references: some Sequence<UInt32>) -> NameTable {
        references.reduce(.empty) { $0.adding(.stream(stream($1)), as: $1) }
    }

    func test_each_of_many_names_is_found_and_no_other() {
        let table = table(stride(from: 3, through: 30_000, by: 3))
        XCTAssertEqual(table.count, 10_000)
        for reference in UInt32(0)...30_003 {
            let isThere = reference > 0 && reference <= 30_000 && reference % 3 == 0
            XCTAssertEqual(table.stream(reference), isThere ? stream(reference) : nil)
            XCTAssertEqual(table.knows(reference), isThere)
        }
    }

    func test_no_name_is_known_for_the_beginning_of_a_file() {
        XCTAssertEqual(NameTable.empty.adding(.stream(stream(1)), as: 0).count, 0)
        XCTAssertFalse(NameTable.empty.knows(0))
    }

    func test_a_stream_is_no_event_type_and_a_type_no_stream() {
        let type = StoredType(name: "account.opened", codec: .json, schemaVersion: 1)
        let table = table([7]).adding(.type(type), as: 9)
        XCTAssertNil(table.type(7))
        XCTAssertEqual(table.type(9), type)
        XCTAssertNil(table.stream(9))
    }

    func test_a_name_that_was_learned_before_changes_nothing() {
        let known = table([7])
        XCTAssertTrue(known.adding(.stream(stream(7)), as: 7) === known)
    }

    func test_a_name_that_has_changed_is_replaced_for_those_who_ask_from_now_on() {
        let known = table([7, 8])
        let changed = known.adding(.stream(stream(1)), as: 7)
        XCTAssertEqual(changed.stream(7), stream(1))
        XCTAssertEqual(changed.stream(8), stream(8))
        XCTAssertEqual(changed.count, 2)
        XCTAssertEqual(known.stream(7), stream(7))
    }

    func test_who_looks_up_beside_one_who_adds_finds_the_right_name_or_none() async {
        let cache = NameCache()
        let last: UInt32 = 5_000
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    while !cache.names(of: 1).knows(last) {
                        let names = cache.names(of: 1)
                        for reference in 1...last {
                            guard let found = names.stream(reference) else { continue }
                            XCTAssertEqual(found, stream(reference))
                        }
                        await Task.yield()
                    }
                }
            }
            group.addTask {
                for reference in 1...last {
                    cache.learn([(reference, .stream(stream(reference)))], in: 1)
                    if reference % 64 == 0 { await Task.yield() }
                }
            }
        }
        XCTAssertEqual(cache.names(of: 1).count, Int(last))
    }
}

private func stream(_ reference: UInt32) -> StreamID {
    StreamID(category: "account", key: "with a name that is not short \(reference)")
}
