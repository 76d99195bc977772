import WellspringLog
import WellspringTestKit
import XCTest

/// Stores that were written by released versions stay readable, and the format does not change
/// unnoticed.
final class GoldenStoreTests: XCTestCase {
    private func disk() throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        let directory = try disk.openStore(at: "/store", create: true)
        try directory.makeDirectory(LogLayout.segments)
        for file in GoldenStore.files {
            disk.replaceContents(of: file.name, with: file.bytes)
        }
        return disk
    }

    private func file(_ name: String) throws -> [UInt8] {
        try XCTUnwrap(GoldenStore.files.first { $0.name == name }).bytes
    }

    func test_a_store_of_version_1_opens_with_everything_in_it() throws {
        let fixture = LogFixture(try disk())
        let recovery = try fixture.open()
        XCTAssertTrue(recovery.wasClean)
        XCTAssertEqual(recovery.segmentCount, 2)
        XCTAssertEqual(recovery.eventCount, 7)
        let client = fixture.client
        XCTAssertEqual(
            client.bodies.map { String(decoding: $0, as: UTF8.self) }, GoldenStore.bodies)
        XCTAssertEqual(client.places.map(\.firstPosition), GoldenStore.positions)
        XCTAssertEqual(client.places.map(\.segment), [1, 1, 1, 2, 2])
        XCTAssertEqual(client.places.first?.recordedAt, GoldenStore.firstTime)
        XCTAssertEqual(try fixture.commit([1]).firstPosition, 8)
    }

    func test_the_small_files_are_still_written_as_they_were() throws {
        let store = try file(StoreIdentity.fileName)
        let identity = try store.withUnsafeBytes { try StoreIdentity(decoding: $0) }
        XCTAssertEqual(identity.encoded(), store)
        let manifest = try file(Manifest.fileName)
        let decoded = try manifest.withUnsafeBytes { try Manifest(decoding: $0) }
        XCTAssertEqual(decoded.encoded(), manifest)
        XCTAssertEqual(decoded.storeID, identity.storeID)
    }

    func test_segments_are_still_written_as_they_were() throws {
        for number in [UInt32(1), 2] {
            let bytes = try file(LogLayout.segment(number))
            let header = try bytes.withUnsafeBytes { try SegmentHeader(decoding: $0) }
            XCTAssertEqual(header.encoded(), Array(bytes[..<SegmentHeader.length]))
            var offset = SegmentHeader.length
            var frames = 0
            while offset + FrameHeader.length <= bytes.count {
                let rest = Array(bytes[offset...])
                let frame = rest.withUnsafeBytes {
                    FrameHeader(decoding: $0, at: UInt64(offset), salt: header.salt)
                }
                guard var frame else { break }
                var again = [UInt8](repeating: 0, count: FrameHeader.length)
                again.withUnsafeMutableBytes { frame.encode(into: $0, salt: header.salt) }
                XCTAssertEqual(again, Array(rest[..<FrameHeader.length]))
                offset += frame.frameLength
                frames += 1
            }
            XCTAssertEqual(frames, number == 1 ? 5 : 3)
        }
    }

    func test_a_footer_is_still_written_as_it_was() throws {
        let bytes = try file(LogLayout.segment(1))
        let header = try bytes.withUnsafeBytes { try SegmentHeader(decoding: $0) }
        let end = Array(bytes.suffix(SegmentTrailer.length))
        let trailer = try XCTUnwrap(
            end.withUnsafeBytes { SegmentTrailer(decoding: $0, salt: header.salt) })
        var writer = ByteWriter()
        trailer.encode(into: &writer, salt: header.salt)
        XCTAssertEqual(writer.bytes, end)

        let body = Array(bytes[Int(trailer.sealOffset) + FrameHeader.length..<bytes.count - 128])
        let footer = try body[..<35].withUnsafeBytes { try SegmentFooter(decoding: $0) }
        XCTAssertEqual(footer.clientContent, [1, 2, 3])
        writer.removeAll()
        footer.encode(into: &writer)
        writer.pad(to: 8)
        XCTAssertEqual(writer.bytes, body)
    }

    /// Turns every body into capitals, with a mark before it.
    private final class Capitals: RewritingClient {
        func rewrite(
            _ place: FramePlace, body: UnsafeRawBufferPointer, for context: FrameContext,
            into writer: inout ByteWriter
        ) throws(MalformedBody) {
            let text = String(decoding: body, as: UTF8.self)
            writer.append(utf8: "! " + text.uppercased())
        }

        func footerContent(ofRewritten segment: UInt32) -> [UInt8] { [4, 5] }
    }

    func test_a_segment_is_still_rewritten_as_it_was_and_the_other_keeps_its_bytes() throws {
        let fixture = LogFixture(try disk())
        try fixture.open()
        try fixture.log.rewrite(1, with: Capitals(), client: fixture.client)
        let rewritten = try XCTUnwrap(
            fixture.disk.contents(of: LogLayout.segment(1, generation: 1)))
        let checksum = rewritten.withUnsafeBytes { crc32c(0, $0) }
        XCTAssertEqual(rewritten.count, GoldenStore.rewrittenLength)
        XCTAssertEqual(checksum, GoldenStore.rewrittenChecksum)
        let other = try file(LogLayout.segment(2))
        XCTAssertEqual(fixture.disk.contents(of: LogLayout.segment(2)), other)
        try fixture.close()
        try fixture.open()
        XCTAssertEqual(
            fixture.client.bodies.map { String(decoding: $0, as: UTF8.self) },
            GoldenStore.bodies.enumerated().map { $0 < 3 ? "! " + $1.uppercased() : $1 })
        XCTAssertEqual(fixture.client.places.map(\.firstPosition), GoldenStore.positions)
    }
}
