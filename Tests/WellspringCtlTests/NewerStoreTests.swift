import ExampleTestSupport
import Foundation
import Wellspring
import WellspringLog
import XCTest

/// A store that only a newer version may write to.
final class NewerStoreTests: XCTestCase {
    func test_commands_that_read_show_it_and_those_that_write_refuse_it() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore(appends: 20)
        try forbidWriting(to: fixture.store + "/STORE")
        let before = try fixture.files()
        let path = fixture.store
        for call in [
            ["stats", path], ["verify", path], ["streams", path], ["show", path, "sample/1"],
            ["tail", path], ["export", path], ["salvage", path, fixture.path("saved")],
        ] {
            let outcome = try fixture.program.run(call)
            XCTAssertEqual(outcome.status, 0, "\(call): \(outcome.errors)")
            XCTAssertFalse(outcome.output.isEmpty, "\(call)")
        }
        for call in [
            ["delete", path, "sample/1"], ["truncate", path, "sample/1", "--before", "2"],
            ["redact", path, "sample/1", "1"], ["backup", path, fixture.path("copy")],
        ] {
            let outcome = try fixture.program.run(call)
            XCTAssertEqual(outcome.status, 1, "\(call)")
            XCTAssertTrue(outcome.errors.contains("Use that version."), outcome.errors)
        }
        XCTAssertTrue(try fixture.files() == before)
    }

    private func forbidWriting(to file: String) throws {
        let url = URL(fileURLWithPath: file)
        var bytes = try [UInt8](Data(contentsOf: url))
        bytes[116] = 0x40
        let checksum = crc32c(0, Array(bytes[..<124]))
        for index in 0..<4 {
            bytes[124 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * index))
        }
        try Data(bytes).write(to: url)
    }
}
