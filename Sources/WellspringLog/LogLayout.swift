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

    /// What may be among the segments then, besides the first one.
    ///
    /// A copy that was not finished has other names, and must not become an empty store.
    private static let segmentsBeforeCreation: Set = [
        nextSegment, segments + "/.DS_Store", segments + "/lost+found",
    ]

    /// Whether a file among the segments, which is none, is one that an attempt at making a store may
    /// have left, or that systems put there.
    package static func isLeftByCreation(_ name: String) -> Bool {
        segmentsBeforeCreation.contains(segments + "/" + name)
    }

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
        let text = name.utf8
        guard text.count == numberDigits + 1 + generationDigits + suffix.utf8.count,
            text.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
        else { return nil }
        let dash = text.index(text.startIndex, offsetBy: numberDigits)
        let generationStart = text.index(after: dash)
        let end = text.index(generationStart, offsetBy: generationDigits)
        guard text[dash] == UInt8(ascii: "-"), let number = number(text[..<dash]),
            let generation = self.number(text[generationStart..<end])
        else { return nil }
        return (number, generation)
    }

    /// The number that is written in digits, and in nothing but digits.
    private static func number(_ digits: Substring.UTF8View) -> UInt32? {
        let isNumber = digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return isNumber ? UInt32(Substring(digits)) : nil
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
