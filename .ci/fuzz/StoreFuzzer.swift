// A program for libFuzzer: whatever a file of a store holds, it is read or refused.
//
// The first byte chooses what the rest is taken for. Checksums are put right first, for chance never
// gets past them and an attacker does.

@testable import Wellspring
@testable import WellspringLog
@testable import WellspringTestKit

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = UnsafeBufferPointer(start: start, count: count)
    guard let first = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    switch first % 8 {
    case 0: readBody(bytes)
    case 1: scan(bytes)
    case 2: bytes.withUnsafeBytes { _ = try? LogAnchor(decoding: $0) }
    case 3: bytes.withUnsafeBytes { _ = try? SegmentFooter(decoding: $0) }
    case 4: readCheckpoint(bytes)
    case 5: readManifest(bytes)
    case 6: readIdentity(bytes)
    default: openRun(bytes)
    }
    return 0
}

/// Records and definitions, as the body of a frame that is intact.
func readBody(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { body in
        var reader = BodyReader(body, at: 4_160)
        while let item = try? reader.next() {
            guard case .entry(let count) = item else { continue }
            for _ in 0..<count { guard (try? reader.nextRecord(isChecked: true)) != nil else { return } }
        }
    }
}

/// Frames whose headers say anything, with checksums that are right.
func scan(_ bytes: [UInt8]) {
    let salt = Salt(value: 7)
    let header = SegmentHeader(
        storeID: StoreUUID(high: 1, low: 2), number: 1, basePosition: 1, baseSequence: 1,
        salt: salt, created: 0, previousRecordedAt: 0)
    var file = header.encoded()
    var reader = bytes[...]
    var chain = header.firstChain
    var sequence: UInt64 = 1
    while reader.count >= 12 {
        let spec = Array(reader.prefix(12))
        reader = reader.dropFirst(12)
        let body = Array(reader.prefix(Int(spec[0])))
        reader = reader.dropFirst(body.count)
        let padded = body + [UInt8](repeating: 0, count: (8 - body.count % 8) % 8)
        var frame = FrameHeader(
            bodyLength: UInt32(body.count) &+ (spec[1] > 250 ? UInt32(spec[2]) << 20 : 0),
            sequence: spec[1] == 250 ? .max : sequence,
            firstPosition: spec[3] == 255 ? .max - 1 : UInt64(spec[3]),
            eventCount: spec[4] == 255 ? .max : UInt32(spec[4]),
            kind: FrameKind(rawValue: spec[5]), recordedAt: Int64(spec[6]) - 100,
            durableSequence: spec[7] == 255 ? .max : UInt64(spec[7]), bodyChecksum: 0,
            chain: chain, offset: UInt64(file.count))
        frame.flags = spec[8]
        frame.extraPadding = UInt16(spec[9])
        frame.bodyChecksum = padded.withUnsafeBytes { crc32c(salt.body, $0) }
        var head = [UInt8](repeating: 0, count: FrameHeader.length)
        head.withUnsafeMutableBytes { frame.encode(into: $0, salt: salt) }
        chain = frame.checksum
        sequence += 1
        file += head + padded
    }
    let disk = SimulatedDisk()
    guard let directory = try? disk.openStore(at: "store", create: true) else { return }
    disk.replaceContents(of: "f", with: file)
    guard let opened = try? directory.open("f", .read), let window = try? ReadWindow(opened) else {
        return
    }
    var scanner = FrameScanner(header, in: window)
    while let frame = try? scanner.next() {
        guard frame.header.kind == .group else { continue }
        readBody(Array(frame.body))
    }
    _ = try? scanner.strongestClaim(from: 1)
}

func sign(_ bytes: inout [UInt8], from start: Int = 0) {
    guard bytes.count >= start + 4 else { return }
    let end = bytes.count - 4
    let sum = bytes[start..<end].withUnsafeBytes { crc32c(0, $0) }
    for place in 0..<4 { bytes[end + place] = UInt8(truncatingIfNeeded: sum >> UInt32(place * 8)) }
}

func readCheckpoint(_ input: [UInt8]) {
    var bytes = [0x89, 0x57, 0x53, 0x43, 0x4B, 0x50, 0x0D, 0x0A, 1, 0] + input
    sign(&bytes)
    _ = try? CheckpointFile.decode(bytes, of: "p", storeID: StoreUUID(high: 1, low: 2))
    bytes.withUnsafeBytes { _ = try? CheckpointFile.decodeHead($0) }
}

/// A first page with whatever is wanted in it, signed, and the rest signed too.
func page(_ magic: FilePreamble.Magic, _ input: [UInt8], length: Int) -> [UInt8] {
    var writer = ByteWriter()
    FilePreamble.begin(
        &writer, magic: magic, fileLength: UInt32(length), storeID: StoreUUID(high: 1, low: 2))
    writer.append(Array(input.prefix(FilePreamble.ownFields.count)))
    FilePreamble.end(&writer)
    return writer.bytes
}

func readManifest(_ input: [UInt8]) {
    let rest = Array(input.dropFirst(FilePreamble.ownFields.count))
    var bytes = page(.manifest, input, length: FilePreamble.length + rest.count + 4) + rest
    bytes += [0, 0, 0, 0]
    sign(&bytes)
    bytes.withUnsafeBytes { _ = try? Manifest(decoding: $0) }
}

func readIdentity(_ input: [UInt8]) {
    var bytes = page(.store, input, length: StoreIdentity.fileLength)
    bytes += [UInt8](repeating: 0, count: max(0, StoreIdentity.fileLength - bytes.count))
    bytes.withUnsafeBytes { _ = try? StoreIdentity(decoding: $0) }
}

func openRun(_ bytes: [UInt8]) {
    let disk = SimulatedDisk()
    guard let directory = try? disk.openStore(at: "store", create: true) else { return }
    try? directory.makeDirectory("idx")
    let name = IndexRunName.run(IndexRange(first: 1, last: 9))
    disk.replaceContents(of: name, with: bytes)
    let run = try? IndexRun.open(directory, name: name, storeID: StoreUUID(high: 1, low: 2))
    try? run?.verify()
}
