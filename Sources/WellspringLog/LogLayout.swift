/// The names of the files in a store.
///
/// They are made from numbers only.
package enum LogLayout {
    package static let lockFile = "LOCK"
    package static let segments = "log"
    package static let quarantine = "quarantine"
    /// The segment that comes next, before it holds anything.
    package static let nextSegment = "log/next.tmp"
    /// A segment that is rewritten, before all of it is there.
    package static let rewrittenSegment = "log/rewrite.tmp"

    /// What may be in a directory that becomes a store: the remains of an earlier attempt, and what
    /// systems put into every volume or folder.
    static let namesBeforeCreation: Set = [
        lockFile, segments, Manifest.fileName + ".tmp", StoreIdentity.fileName + ".tmp",
        "lost+found", ".DS_Store",
    ]

    private static let suffix = ".seg"
    private static let numberDigits = 10
    private static let generationDigits = 4
    /// A segment is not rewritten more often than its name can tell.
    static let generationLimit: UInt32 = 9_999

    /// The name of a segment: `log/0000000001-0000.seg`.
    ///
    /// It carries the number and not a position, because a segment need not hold any events.
    package static func segment(_ number: UInt32, generation: UInt32 = 0) -> String {
        segments + "/" + padded(UInt64(number), numberDigits) + "-"
            + padded(UInt64(generation), generationDigits) + suffix
    }

    /// The number and generation of a segment whose file is called `name` in its directory.
    package static func parse(_ name: String) -> (number: UInt32, generation: UInt32)? {
        guard name.hasSuffix(suffix) else { return nil }
        let parts = name.dropLast(suffix.count).split(
            separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == numberDigits,
            parts[1].utf8.count == generationDigits, let number = UInt32(parts[0]),
            let generation = UInt32(parts[1]),
            segment(number, generation: generation).hasSuffix("/" + name)
        else { return nil }
        return (number, generation)
    }

    /// Where the bytes that were cut off a segment at `offset` are kept.
    ///
    /// The checksum of the bytes is part of the name, so that a recovery which is interrupted and
    /// run again keeps them once.
    package static func tail(of number: UInt32, at offset: UInt64, checksum: UInt32) -> String {
        quarantine + "/" + padded(UInt64(number), numberDigits) + "-"
            + padded(offset, 12) + "-" + padded(UInt64(checksum), numberDigits) + ".tail"
    }

    private static func padded(_ number: UInt64, _ digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}

extension Manifest.Segment {
    /// The name of the file that lives.
    package var fileName: String { LogLayout.segment(number, generation: generation) }
}

extension SegmentHeader {
    /// The name of the file that begins with the header.
    package var fileName: String { LogLayout.segment(number, generation: generation) }
}
