import Foundation

/// What the device mapper (dm-log-writes) recorded of a disk.
///
/// A write comes where it was surely on the disk: before the flush that was asked for after it, or, if
/// it was forced, where it ended. A mark comes where it was made. So what lies before a mark was on the
/// disk when the mark was made, and of the writes between two flushes that were not forced any may be
/// missing until the second.
struct BlockLog {
    /// What came after what.
    let entries: [Entry]

    enum Entry: Equatable {
        case write(BlockWrite)
        case flush
        case mark(String)
    }

    static let sectorSize = 512

    /// Reads the record: a sector that says how many entries there are, and each entry from the
    /// beginning of a sector.
    init(contentsOf path: String) throws {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        let head = try Self.sectors(1, of: file)
        guard head.number(at: 0) == 0x6A_7366_7773_6872, head.number(at: 8) == 1 else {
            throw Wrong("this is no record of a disk")
        }
        guard head.number(at: 24) & 0xFFFF_FFFF == Self.sectorSize else {
            throw Wrong("the record is of other sectors")
        }
        var entries: [Entry] = []
        for _ in 0..<head.number(at: 16) { entries += try Self.entry(of: file) }
        self.entries = entries
    }

    private static func entry(of file: FileHandle) throws -> [Entry] {
        let head = try sectors(1, of: file)
        let flags = Flags(rawValue: head.number(at: 16))
        guard !flags.contains(.discard) else { throw Wrong("the record has a discard in it") }
        if flags.contains(.mark) {
            let text = head.dropFirst(32).prefix(max(0, head.number(at: 24)))
            return [.mark(String(decoding: text, as: UTF8.self))]
        }
        let write = BlockWrite(
            sector: head.number(at: 0), bytes: try sectors(head.number(at: 8), of: file),
            isForced: flags.contains(.forced))
        return (flags.contains(.flush) ? [.flush] : [])
            + (write.bytes.isEmpty ? [] : [.write(write)])
    }

    private static func sectors(_ count: Int, of file: FileHandle) throws -> [UInt8] {
        guard count > 0 else { return [] }
        let bytes = try file.read(upToCount: count * sectorSize) ?? Data()
        guard bytes.count == count * sectorSize else { throw Wrong("the record is cut off") }
        return Array(bytes)
    }

    private struct Flags: OptionSet {
        let rawValue: Int

        static let flush = Self(rawValue: 1)
        static let forced = Self(rawValue: 2)
        static let discard = Self(rawValue: 4)
        static let mark = Self(rawValue: 8)
    }
}

extension [UInt8] {
    fileprivate func number(at offset: Int) -> Int {
        let bytes = self[offset..<(offset + 8)]
        return Int(truncatingIfNeeded: bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
}

/// A write to a disk.
struct BlockWrite: Equatable {
    let sector: Int
    let bytes: [UInt8]
    /// Whether it was on the disk when it ended, and not only after the next flush.
    let isForced: Bool

    var sectorCount: Int { bytes.count / BlockLog.sectorSize }
}
