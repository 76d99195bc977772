@testable import Wellspring
@testable import WellspringLog
@testable import WellspringTestKit

/// Whatever a file of a store holds, it is read or refused.
///
/// The first byte of an input chooses what the rest is taken for. Checksums are put right first, for
/// chance never gets past them and an attacker does. The fuzzer of `.ci/fuzz` calls this, and so
/// does a test with all that the fuzzer found worth keeping.
enum StoreFuzzing {
    /// What the rest of an input is taken for.
    enum Subject: UInt8, CaseIterable {
        case body, frames, anchor, footer, checkpoint, manifest, identity, run, builtRun, log
        case segment

        /// What `.ci/fuzz/run` gives time of its own.
        var target: String {
            switch self {
            case .body: "Record"
            case .frames, .log: "Frame"
            case .segment, .anchor, .footer: "Segment"
            case .manifest, .identity, .checkpoint: "Manifest"
            case .run, .builtRun: "Run"
            }
        }
    }

    static let storeID = StoreUUID(high: 1, low: 2)

    static func subject(of input: [UInt8]) -> Subject? {
        let all = Subject.allCases
        return input.first.map { all[Int($0) % all.count] }
    }

    /// What came of an input.
    enum Outcome { case refused, read, ranAway }

    /// So many operations on the disk are more than any input takes; then the disk fails, so that
    /// what goes round in circles comes to an end.
    private static let operationLimit = 20_000

    /// Takes an input in.
    static func run(_ input: [UInt8]) -> Outcome {
        let disk = SimulatedDisk()
        disk.inject(.init(.inputOutput, from: operationLimit, .untilHealed))
        let hasRead = read(input, on: disk)
        if disk.operationCount > operationLimit { return .ranAway }
        return hasRead ? .read : .refused
    }

    /// Returns whether anything of an input could be read.
    private static func read(_ input: [UInt8], on disk: SimulatedDisk) -> Bool {
        guard let subject = subject(of: input) else { return false }
        let bytes = Array(input.dropFirst())
        return switch subject {
        case .body: readBody(bytes)
        case .frames: scan(bytes, on: disk)
        case .anchor: bytes.withUnsafeBytes { (try? LogAnchor(decoding: $0)) != nil }
        case .footer: bytes.withUnsafeBytes { (try? SegmentFooter(decoding: $0)) != nil }
        case .checkpoint: readCheckpoint(bytes)
        case .manifest: readManifest(bytes)
        case .identity: readIdentity(bytes)
        case .run: openRun(changedRun(bytes), on: disk)
        case .builtRun: openRun(builtRun(bytes), on: disk)
        case .log: readLog(bytes, on: disk)
        case .segment: openSegment(bytes, on: disk)
        }
    }

    // MARK: - Small files

    private static func sign(_ bytes: inout [UInt8], _ part: Range<Int>, seed: UInt32 = 0) {
        let sum = bytes[part].withUnsafeBytes { crc32c(seed, $0) }
        bytes.put(sum, at: part.upperBound)
    }

    private static func readCheckpoint(_ input: [UInt8]) -> Bool {
        var bytes = [0x89, 0x57, 0x53, 0x43, 0x4B, 0x50, 0x0D, 0x0A, 1, 0] + input
        if bytes.count >= 4 { sign(&bytes, 0..<bytes.count - 4) }
        let head = bytes.withUnsafeBytes { try? CheckpointFile.decodeHead($0) }
        let whole = try? CheckpointFile.decode(bytes, of: "p", storeID: storeID)
        return head != nil || whole != nil
    }

    /// A first page with whatever is wanted in it, signed.
    private static func page(
        _ magic: FilePreamble.Magic, _ input: [UInt8], length: Int
    ) -> [UInt8] {
        var writer = ByteWriter()
        FilePreamble.begin(
            &writer, magic: magic, fileLength: UInt32(length), storeID: storeID)
        writer.append(Array(input.prefix(FilePreamble.ownFields.count)))
        FilePreamble.end(&writer)
        return writer.bytes
    }

    private static func readManifest(_ input: [UInt8]) -> Bool {
        let rest = Array(input.dropFirst(FilePreamble.ownFields.count))
        var bytes = page(.manifest, input, length: FilePreamble.length + rest.count + 4) + rest
        bytes += [0, 0, 0, 0]
        sign(&bytes, 0..<bytes.count - 4)
        return bytes.withUnsafeBytes { (try? Manifest(decoding: $0)) != nil }
    }

    private static func readIdentity(_ input: [UInt8]) -> Bool {
        var bytes = page(.store, input, length: StoreIdentity.fileLength)
        bytes += [UInt8](repeating: 0, count: max(0, StoreIdentity.fileLength - bytes.count))
        return bytes.withUnsafeBytes { (try? StoreIdentity(decoding: $0)) != nil }
    }

    // MARK: - Bodies and frames

    /// Records and definitions, as the body of a frame that is intact.
    private static func readBody(_ bytes: [UInt8], at start: UInt64 = 4_160) -> Bool {
        bytes.withUnsafeBytes { body in
            var reader = BodyReader(body, at: start)
            var hasRead = false
            while let item = try? reader.next() {
                hasRead = true
                guard case .entry(let count) = item else { continue }
                for _ in 0..<count {
                    guard (try? reader.nextRecord(isChecked: true)) != nil else { return hasRead }
                }
            }
            return hasRead
        }
    }

    static let header = SegmentHeader(
        storeID: storeID, number: 1, basePosition: 1, baseSequence: 1, salt: Salt(value: 7),
        created: 0, previousRecordedAt: 0)

    /// A segment of frames whose headers say anything, with checksums that are right; and those of
    /// the headers that are any.
    static func segment(_ input: [UInt8]) -> (file: [UInt8], frames: [FrameHeader]) {
        var file = header.encoded()
        var frames: [FrameHeader] = []
        var reader = input[...]
        var chain = header.firstChain
        var sequence: UInt64 = 0
        while reader.count >= 12 {
            let spec = Array(reader.prefix(12))
            reader = reader.dropFirst(12)
            var body = Array(reader.prefix(Int(spec[0])))
            reader = reader.dropFirst(body.count)
            if spec[10] & 1 == 0 { signItems(of: &body, at: UInt64(file.count + 64)) }
            body += [UInt8](repeating: 0, count: (8 - body.count % 8) % 8)
            sequence += 1
            var frame = frameHeader(spec, sequence, body, chain, file.count)
            var head = [UInt8](repeating: 0, count: FrameHeader.length)
            head.withUnsafeMutableBytes { frame.encode(into: $0, salt: header.salt) }
            chain = frame.checksum
            let decoded = head.withUnsafeBytes {
                FrameHeader(decoding: $0, at: frame.offset, salt: header.salt)
            }
            if let decoded { frames.append(decoded) }
            file += head + body
        }
        return (file, frames)
    }

    private static func frameHeader(
        _ spec: [UInt8], _ sequence: UInt64, _ body: [UInt8], _ chain: UInt32, _ offset: Int
    ) -> FrameHeader {
        var frame = FrameHeader(
            bodyLength: UInt32(body.count) &+ (spec[1] > 250 ? UInt32(spec[2]) << 20 : 0),
            sequence: spec[1] == 250 ? .max : sequence,
            firstPosition: telling(spec[3]), eventCount: spec[4] == 255 ? .max : UInt32(spec[4]),
            kind: FrameKind(rawValue: spec[5]), recordedAt: Int64(spec[6]) - 100,
            durableSequence: telling(spec[7]),
            bodyChecksum: body.withUnsafeBytes { crc32c(header.salt.body, $0) },
            chain: chain, offset: UInt64(offset))
        frame.flags = spec[8]
        frame.extraPadding = UInt16(spec[9])
        return frame
    }

    /// A small number, or one of those at which parsers break.
    static func telling(_ byte: UInt8) -> UInt64 {
        switch byte {
        case 255: .max
        case 254: .max - 1
        case 253: UInt64(Int64.max)
        case 252: UInt64(Int64.max) - 1
        case 251: 1 << 32
        case 250: UInt64(UInt32.max)
        default: UInt64(byte)
        }
    }

    /// Puts the checksums of definitions and records right, as far as the items of a body go.
    private static func signItems(of body: inout [UInt8], at start: UInt64) {
        var place = 0
        while place + 12 <= body.count {
            switch body[place] {
            case RecordFormat.streamDefinition, RecordFormat.typeDefinition:
                let end = place + 12 + Int(body[place + 4]) + Int(body[place + 5]) << 8
                guard end <= body.count else { return }
                let sum = body[place..<end].withUnsafeBytes {
                    definitionChecksum($0, at: start + UInt64(place))
                }
                body.put(sum, at: place + 8)
                place = end
            case RecordFormat.entry:
                let count = body[place + 4]
                place += body[place + 1] & 1 == 1 ? 24 + Int(body[place + 2]) : 8
                for _ in 0..<count { signRecord(in: &body, &place, start) }
            default: place += 1
            }
        }
    }

    private static func signRecord(in body: inout [UInt8], _ place: inout Int, _ start: UInt64) {
        guard place + 8 <= body.count else { return }
        let end = place + Int(body[place]) + Int(body[place + 1]) << 8
        guard end >= place + 8, end <= body.count else { return }
        let sum = body[place + 8..<end].withUnsafeBytes {
            crc32c(RecordFormat.seed(at: start + UInt64(place)), $0)
        }
        body.put(sum, at: place + 4)
        place = end
    }

    static func opened(_ file: [UInt8], on disk: SimulatedDisk) -> (any StoreFile)? {
        guard let directory = try? disk.openStore(at: "store", create: true) else { return nil }
        disk.replaceContents(of: "f", with: file)
        return try? directory.open("f", .read)
    }

    private static func scan(_ bytes: [UInt8], on disk: SimulatedDisk) -> Bool {
        let (contents, _) = segment(bytes)
        guard let file = opened(contents, on: disk), let window = try? ReadWindow(file) else {
            return false
        }
        var scanner = FrameScanner(header, in: window)
        var hasRead = false
        while let frame = try? scanner.next() {
            hasRead = true
            guard frame.header.kind == .group else { continue }
            let start = frame.header.offset + UInt64(FrameHeader.length)
            _ = readBody(Array(frame.body), at: start)
            readAppends(frame)
        }
        _ = try? scanner.strongestClaim(from: 1)
        return hasRead
    }

    /// What the tools for damaged stores make of a frame.
    private static func readAppends(_ frame: FrameScanner.Frame) {
        let inspected = InspectedFrame(
            header: frame.header, place: FramePlace(frame.header, segment: 1), body: frame.body,
            isProven: true)
        var reading = AppendReading()
        _ = try? reading.appends(in: inspected)
        _ = reading.remains(of: inspected)
    }
}

extension [UInt8] {
    /// Writes a number over the bytes at an offset, the lowest byte first.
    mutating func put(_ number: some FixedWidthInteger, at offset: Int) {
        for byte in 0..<number.bitWidth / 8 where offset + byte < count {
            self[offset + byte] = UInt8(truncatingIfNeeded: number >> (byte * 8))
        }
    }
}
