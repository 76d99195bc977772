import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// Numbers that no log reaches, in files whose checksums hold all the same.
extension MaintainedStore {
    func manifest() throws -> Manifest {
        let bytes = try XCTUnwrap(disk.contents(of: Manifest.fileName))
        return try bytes.withUnsafeBytes { try Manifest(decoding: $0) }
    }

    func forgeManifest(_ change: (inout Manifest) -> Void) throws {
        var manifest = try manifest()
        change(&manifest)
        disk.replaceContents(of: Manifest.fileName, with: manifest.encoded())
    }

    /// Writes a number over the trailer of a sealed segment, from an offset in it on.
    func forgeTrailer(of segment: UInt32, _ number: UInt64, at offset: Int) throws {
        var bytes = try XCTUnwrap(disk.contents(of: LogLayout.segment(segment)))
        let trailer = bytes.count - SegmentTrailer.length
        bytes.put(number, at: trailer + offset)
        signTrailer(in: &bytes)
        disk.replaceContents(of: LogLayout.segment(segment), with: bytes)
    }

    private func signTrailer(in bytes: inout [UInt8]) {
        let trailer = bytes.count - SegmentTrailer.length
        let sum = crc32c(salt(of: bytes).header, Array(bytes[trailer..<trailer + 124]))
        bytes.put(sum, at: trailer + 124)
    }

    private func salt(of segment: [UInt8]) -> Salt {
        segment.withUnsafeBytes { Salt(value: $0.loadLittleEndian(UInt64.self, at: 56)) }
    }

    /// Writes a number over the footer of a sealed segment, and has trailer and MANIFEST agree with it.
    ///
    /// - Parameter choose: Says at which offset, of so many bytes.
    func forgeFooter(
        of segment: UInt32, _ number: UInt64, at choose: (_ length: Int) -> Int
    ) throws {
        var bytes = try XCTUnwrap(disk.contents(of: LogLayout.segment(segment)))
        let salt = salt(of: bytes)
        let trailer = bytes.count - SegmentTrailer.length
        let (seal, length) = bytes.withUnsafeBytes { all in
            let seal = Int(all.loadLittleEndian(UInt64.self, at: trailer + 16))
            return (seal, Int(all.loadLittleEndian(UInt32.self, at: seal + 4)))
        }
        let body = seal + FrameHeader.length
        for (index, byte) in littleEndian(number).enumerated() {
            let place = choose(length) + index
            if place < length { bytes[body + place] = byte }
        }
        bytes.put(crc32c(salt.body, Array(bytes[body..<trailer])), at: seal + 48)
        let checksum = crc32c(salt.header, Array(bytes[seal..<seal + 60]))
        bytes.put(checksum, at: seal + 60)
        bytes.put(checksum, at: trailer + 80)
        signTrailer(in: &bytes)
        disk.replaceContents(of: LogLayout.segment(segment), with: bytes)
        try forgeManifest { manifest in
            manifest.segments[Int(segment) - 1].seal?.checksum = checksum
        }
    }

    /// Has a run of the index end at another place of the log, and the MANIFEST agree with it.
    ///
    /// - Returns: False when the run does not end with a segment.
    @discardableResult
    func forgeEnd(ofRun name: String, _ change: (inout LogEnd) -> Void) throws -> Bool {
        var bytes = try XCTUnwrap(disk.contents(of: name))
        let (salt, length, first) = bytes.withUnsafeBytes {
            (
                Salt(value: $0.loadLittleEndian(UInt64.self, at: 48)),
                Int($0.loadLittleEndian(UInt32.self, at: 12)),
                $0.loadLittleEndian(UInt64.self, at: 32)
            )
        }
        let place = FilePreamble.length
        var anchor = try bytes[place..<length - 4].withUnsafeBytes { try LogAnchor(decoding: $0) }
        guard
            let index = try manifest().segments.firstIndex(where: {
                $0.number == anchor.end.segment && $0.seal?.lastSequence == anchor.end.sequence
            })
        else { return false }
        change(&anchor.end)
        let end = anchor.end
        var writer = ByteWriter()
        anchor.encode(into: &writer)
        bytes.replaceSubrange(place..<place + writer.count, with: writer.bytes)
        bytes.put(crc32c(salt.body, Array(bytes[place..<length - 4])), at: length - 4)
        bytes.put(end.sequence, at: 40)
        bytes.put(crc32c(0, Array(bytes[..<124])), at: 124)
        disk.replaceContents(of: name, with: nil)
        let range = IndexRange(first: first, last: end.sequence)
        disk.replaceContents(of: IndexRunName.run(range), with: bytes)
        try forgeManifest { manifest in
            manifest.segments[index].seal?.lastSequence = end.sequence
            manifest.segments[index].seal?.nextPosition = end.nextPosition
        }
        return true
    }

    private func littleEndian(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (UInt64($0) * 8)) }
    }
}
