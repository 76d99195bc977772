import WellspringTestKit
import XCTest

@testable import WellspringLog

/// A file of which parts cannot be read, as an inspection sees it.
final class PatchyFileTests: XCTestCase {
    private let disk = SimulatedDisk()

    private func open(_ contents: [UInt8]) throws -> PatchyFile {
        disk.replaceContents(of: "f", with: contents)
        return PatchyFile(
            try disk.openStore(at: "store", create: true).open("f", .readWrite))
    }

    private func read(_ count: Int, of file: PatchyFile) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 9, count: count)
        let filled = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        return Array(bytes[..<filled])
    }

    func test_an_inspection_changes_nothing() throws {
        let file = try open([1, 2, 3])
        let refusals: [() throws -> Void] = [
            { try [7].withUnsafeBytes { try file.write($0, at: 0) } }, { try file.sync() },
            { try file.truncate(to: 1) },
        ]
        for refusal in refusals {
            XCTAssertThrowsError(try refusal()) {
                XCTAssertEqual(($0 as? SystemError)?.kind, .readOnly)
            }
        }
        file.dropCache()
        XCTAssertEqual(try file.linkCount(), 1)
        file.close()
        XCTAssertEqual(disk.contents(of: "f"), [1, 2, 3])
    }

    func test_a_page_that_cannot_be_read_reads_as_zeros_and_the_others_as_they_are() throws {
        let file = try open([UInt8](repeating: 5, count: 3 * 4_096))
        // The read of all, and then that of the second page.
        disk.inject(.init(.inputOutput, operations: [.read], from: disk.operationCount))
        disk.inject(.init(.inputOutput, operations: [.read], from: disk.operationCount + 2))
        let bytes = try read(4 * 4_096, of: file)
        XCTAssertEqual(bytes.count, 3 * 4_096)
        XCTAssertEqual(Set(bytes[..<4_096]), [5])
        XCTAssertEqual(Set(bytes[4_096..<8_192]), [0])
        XCTAssertEqual(Set(bytes[8_192...]), [5])
        XCTAssertNil(file.failure(at: 4_095))
        XCTAssertEqual(file.failure(at: 4_096)?.kind, .io)
        XCTAssertNil(file.failure(at: 8_192))
    }

    func test_only_a_medium_that_cannot_be_read_is_passed_over() throws {
        for operation in 0...1 {
            let file = try open([1, 2, 3])
            if operation == 1 { disk.inject(.init(.inputOutput, from: disk.operationCount)) }
            disk.inject(.init(.accessDenied, from: disk.operationCount + operation))
            XCTAssertThrowsError(try read(3, of: file)) {
                XCTAssertEqual(($0 as? SystemError)?.kind, .accessDenied)
            }
            disk.heal()
        }
    }
}
