import WellspringLog

// The entries of a chunk, as FileFormat.md lays them down under "Blocks": each as what changed
// since the one before, in integers of variable length.

/// Writes and reads the entries of one chunk, in order.
struct IndexEntryCoder {
    private static let changesNumber: UInt64 = 1
    private static let changesSegment: UInt64 = 2
    /// Frames begin at multiples of 8, so this is none.
    private static let noFrame: UInt32 = 1

    private var number: UInt64 = 0
    private var segment: UInt32
    private var offset: UInt32 = 0
    private var frame = noFrame
    private var index: UInt32 = 0

    /// Begins a chunk as if after an entry at the start of `baseSegment`.
    init(baseSegment: UInt32) {
        segment = baseSegment
    }

    /// Appends `entry`.
    mutating func encode(_ entry: IndexEntry, into bytes: inout [UInt8]) {
        let place = entry.place
        // TRAPS: who reads an entry, of a log or of a run, refuses such a place.
        precondition(
            place.frame % 8 == 0 && place.frame < place.offset,
            "a frame at \(place.frame) cannot hold a record at \(place.offset)")
        let numberChange = entry.number &- (number &+ 1)
        let segmentChange = place.segment &- segment
        if segmentChange != 0 { beginSegment(place.segment) }
        var head = UInt64(place.offset &- offset) << 2
        if numberChange != 0 { head |= Self.changesNumber }
        if segmentChange != 0 { head |= Self.changesSegment }
        bytes.appendVariable(head)
        if numberChange != 0 {
            bytes.appendVariable(Int64(bitPattern: numberChange).folded)
        }
        if segmentChange != 0 {
            bytes.appendVariable(Int64(Int32(bitPattern: segmentChange)).folded)
        }
        encodeFrame(of: place, into: &bytes)
        number = entry.number
        offset = place.offset
        (frame, index) = (place.frame, place.index)
    }

    private func encodeFrame(of place: EventPlace, into bytes: inout [UInt8]) {
        if place.frame == frame {
            let step = place.index &- index
            bytes.append(step == 1 ? 0 : 1)
            if step != 1 { bytes.appendVariable(UInt64(step)) }
        } else {
            let distance = UInt64((place.offset - 1) / 8 - place.frame / 8)
            bytes.appendVariable((distance + 1) * 2 + (place.index == 0 ? 0 : 1))
            if place.index != 0 { bytes.appendVariable(UInt64(place.index)) }
        }
    }

    private mutating func beginSegment(_ number: UInt32) {
        segment = number
        offset = 0
        frame = Self.noFrame
    }

    /// Reads the entry that was encoded next.
    @inline(__always)
    mutating func decode(_ reader: inout VariableReader) throws(MalformedBody) -> IndexEntry {
        let head = try reader.read()
        number &+= 1
        if head & Self.changesNumber != 0 {
            number &+= UInt64(bitPattern: Int64(folded: try reader.read()))
        }
        if head & Self.changesSegment != 0 {
            guard let change = Int32(exactly: Int64(folded: try reader.read())) else {
                throw reader.malformed("a segment that cannot be")
            }
            beginSegment(segment &+ UInt32(bitPattern: change))
        }
        guard let step = UInt32(exactly: head >> 2) else {
            throw reader.malformed("an offset that cannot be")
        }
        offset &+= step
        try decodeFrame(&reader)
        return IndexEntry(
            number: number,
            place: EventPlace(segment: segment, offset: offset, frame: frame, index: index))
    }

    @inline(__always)
    private mutating func decodeFrame(_ reader: inout VariableReader) throws(MalformedBody) {
        let code = try reader.read()
        guard code > 1 else {
            index &+= code == 0 ? 1 : try reader.readUInt32()
            guard frame != Self.noFrame, frame < offset else {
                throw reader.malformed("a frame that cannot be")
            }
            return
        }
        let distance = code / 2 - 1
        guard offset > 0, distance <= UInt64((offset - 1) / 8) else {
            throw reader.malformed("a frame that cannot be")
        }
        frame = ((offset - 1) / 8 - UInt32(truncatingIfNeeded: distance)) * 8
        index = code & 1 == 0 ? 0 : try reader.readUInt32()
    }
}

/// Reads integers of variable length from memory that may hold anything.
struct VariableReader {
    private let bytes: UnsafeRawBufferPointer
    private let end: Int
    private(set) var offset: Int

    /// Reads the part `range` of `bytes`, which lies inside them.
    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        self.bytes = bytes
        offset = range.lowerBound
        end = min(range.upperBound, bytes.count)
    }

    var isAtEnd: Bool { offset >= end }

    @inline(__always)
    mutating func read() throws(MalformedBody) -> UInt64 {
        guard offset < end else { throw malformed("a number that runs over the end") }
        let byte = bytes[offset]
        guard byte < 0x80 else { return try readBytes() }
        offset &+= 1
        return UInt64(byte)
    }

    private mutating func readBytes() throws(MalformedBody) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end, shift < 64 {
            let byte = bytes[offset]
            guard shift < 63 || byte <= 1 else { break }
            offset &+= 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift &+= 7
        }
        throw malformed("a number that does not end")
    }

    mutating func readUInt32() throws(MalformedBody) -> UInt32 {
        guard let number = UInt32(exactly: try read()) else {
            throw malformed("a number that is too large")
        }
        return number
    }

    func malformed(_ reason: String) -> MalformedBody {
        MalformedBody(offset: offset, reason: reason)
    }
}

extension [UInt8] {
    /// Appends seven bits a byte, the lowest first; all bytes but the last have the high bit set.
    @inline(__always)
    fileprivate mutating func appendVariable(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }
}

extension Int64 {
    /// Puts numbers of small size first, whatever their sign: 0, -1, 1, -2.
    fileprivate var folded: UInt64 { UInt64(bitPattern: self << 1 ^ self >> 63) }

    fileprivate init(folded: UInt64) {
        self = Int64(bitPattern: folded >> 1) ^ -Int64(bitPattern: folded & 1)
    }
}
