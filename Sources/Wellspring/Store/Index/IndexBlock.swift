import WellspringLog

/// A block of a run as it was read: chunks of the lists of some keys, in the order of the keys.
struct IndexBlock {
    static let length = 4096
    /// Number of chunks, width of a key, base segment.
    static let headLength = 8
    static let checksumLength = 4

    let firstKey: UInt64
    let chunkCount: Int
    private let bytes: [UInt8]
    private let keyWidth: Int
    private let baseSegment: UInt32
    /// Where the chunks begin and end.
    private let body: Range<Int>

    /// Takes over the bytes of a block after checking them.
    ///
    /// - Parameter seed: Depends on the run and on the place of the block in it, so a block that
    ///   belongs elsewhere is noticed.
    init(_ bytes: [UInt8], firstKey: UInt64, seed: UInt32) throws(MalformedBody) {
        self.bytes = bytes
        self.firstKey = firstKey
        let end = bytes.count - Self.checksumLength
        let (checksum, expected, head) = bytes.withUnsafeBytes { all in
            guard end >= Self.headLength else { return (0 as UInt32, 1 as UInt32, 0 as UInt64) }
            return (
                crc32c(seed, UnsafeRawBufferPointer(rebasing: all[..<end])),
                UInt32(littleEndian: all.loadUnaligned(fromByteOffset: end, as: UInt32.self)),
                UInt64(littleEndian: all.loadUnaligned(as: UInt64.self))
            )
        }
        guard checksum == expected else {
            throw MalformedBody(offset: 0, reason: "a block whose checksum does not match")
        }
        chunkCount = Int(head & 0xFFFF)
        keyWidth = Int(head >> 16 & 0xFF)
        baseSegment = UInt32(truncatingIfNeeded: head >> 32)
        let start = Self.headLength + chunkCount * (keyWidth + 2)
        guard chunkCount > 0, keyWidth <= 8, start <= end else {
            throw MalformedBody(offset: 0, reason: "a block whose table does not fit into it")
        }
        body = start..<end
    }

    /// The key of a chunk.
    func key(at chunk: Int) -> UInt64 { firstKey &+ keyDistance(at: chunk) }

    /// The chunk of `key`, if there is one.
    func chunk(of key: UInt64) -> Int? {
        guard key >= firstKey else { return nil }
        let distance = key - firstKey
        var (low, high) = (0, chunkCount)
        while low < high {
            let middle = (low + high) / 2
            if keyDistance(at: middle) < distance { low = middle + 1 } else { high = middle }
        }
        return low < chunkCount && keyDistance(at: low) == distance ? low : nil
    }

    /// Hands over the entries of a chunk in order, until `body` has enough and returns false.
    @inline(__always)
    func forEachEntry(
        of chunk: Int, _ body: (IndexEntry) -> Bool
    ) throws(MalformedBody) {
        let range = try self.range(of: chunk)
        try bytes.withUnsafeBufferPointer { (all) throws(MalformedBody) in
            var reader = VariableReader(UnsafeRawBufferPointer(all), range)
            var coder = IndexEntryCoder(baseSegment: baseSegment)
            while !reader.isAtEnd {
                guard body(try coder.decode(&reader)) else { return }
            }
        }
    }

    /// Where the bytes of a chunk are.
    private func range(of chunk: Int) throws(MalformedBody) -> Range<Int> {
        let start = chunk == 0 ? body.lowerBound : end(of: chunk - 1)
        let end = end(of: chunk)
        guard start >= body.lowerBound, start < end, end <= body.upperBound else {
            throw MalformedBody(offset: start, reason: "a chunk that cannot be")
        }
        return start..<end
    }

    private func end(of chunk: Int) -> Int {
        let place = Self.headLength + chunk * (keyWidth + 2) + keyWidth
        return Int(bytes[place]) | Int(bytes[place + 1]) << 8
    }

    @inline(__always)
    private func keyDistance(at chunk: Int) -> UInt64 {
        var place = Self.headLength + chunk * (keyWidth + 2) + keyWidth
        var distance: UInt64 = 0
        for _ in 0..<keyWidth {
            place -= 1
            distance = distance << 8 | UInt64(bytes[place])
        }
        return distance
    }
}

/// Collects chunks until they fill a block.
struct IndexBlockBuilder {
    private(set) var firstKey: UInt64 = 0
    private(set) var baseSegment: UInt32 = 0
    /// The numbers of all entries lie in here.
    private(set) var numbers: ClosedRange<UInt64> = 0...0
    private var keys: [UInt64] = []
    private var ends: [Int] = []
    private var chunks: [UInt8] = []

    var isEmpty: Bool { keys.isEmpty }

    /// How many bytes a chunk of `key` may have; less than zero when not even the key fits.
    func room(for key: UInt64) -> Int {
        let width = isEmpty ? 0 : Self.width(of: key &- firstKey)
        let table = (keys.count + 1) * (width + 2)
        return IndexBlock.length - IndexBlock.headLength - IndexBlock.checksumLength
            - table - chunks.count
    }

    /// Adds a chunk for which there is room, of a key above all that are in the block.
    mutating func add(_ chunk: IndexChunk, of key: UInt64) {
        if isEmpty {
            firstKey = key
            baseSegment = chunk.baseSegment
            numbers = chunk.numbers
        } else {
            numbers =
                min(
                    numbers.lowerBound, chunk.numbers.lowerBound)...max(
                    numbers.upperBound, chunk.numbers.upperBound)
        }
        keys.append(key)
        chunks += chunk.bytes
        ends.append(chunks.count)
    }

    /// Returns the bytes of the block and begins the next one.
    mutating func finish(isLast: Bool, seed: UInt32) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(IndexBlock.length)
        let width = Self.width(of: (keys.last ?? firstKey) &- firstKey)
        let body = IndexBlock.headLength + keys.count * (width + 2)
        output.appendLittleEndian(UInt64(keys.count), bytes: 2)
        output.appendLittleEndian(UInt64(width), bytes: 2)
        output.appendLittleEndian(UInt64(baseSegment), bytes: 4)
        for (key, end) in zip(keys, ends) {
            output.appendLittleEndian(key &- firstKey, bytes: width)
            output.appendLittleEndian(UInt64(body + end), bytes: 2)
        }
        output += chunks
        if !isLast {
            let end = IndexBlock.length - IndexBlock.checksumLength
            output.append(contentsOf: repeatElement(0, count: end - output.count))
        }
        let checksum = crc32c(seed, output)
        output.appendLittleEndian(UInt64(checksum), bytes: 4)
        keys.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        chunks.removeAll(keepingCapacity: true)
        return output
    }

    /// How many bytes it takes to write `distance`.
    private static func width(of distance: UInt64) -> Int {
        (64 - distance.leadingZeroBitCount + 7) / 8
    }
}

/// A part of the list of one key, while it is being written.
struct IndexChunk {
    private(set) var bytes: [UInt8] = []
    private(set) var baseSegment: UInt32 = 0
    private(set) var numbers: ClosedRange<UInt64> = 0...0
    private var coder = IndexEntryCoder(baseSegment: 0)

    var isEmpty: Bool { bytes.isEmpty }

    mutating func begin(baseSegment: UInt32) {
        bytes.removeAll(keepingCapacity: true)
        self.baseSegment = baseSegment
        coder = IndexEntryCoder(baseSegment: baseSegment)
    }

    /// Appends `entry`, unless that makes the chunk longer than `limit`.
    mutating func append(_ entry: IndexEntry, limit: Int) -> Bool {
        let (length, before) = (bytes.count, coder)
        coder.encode(entry, into: &bytes)
        guard bytes.count <= limit else {
            bytes.removeLast(bytes.count - length)
            coder = before
            return false
        }
        if length == 0 {
            numbers = entry.number...entry.number
        } else if !numbers.contains(entry.number) {
            numbers =
                min(numbers.lowerBound, entry.number)...max(numbers.upperBound, entry.number)
        }
        return true
    }
}

extension [UInt8] {
    /// Appends the lowest `bytes` bytes of a number, the lowest first.
    mutating func appendLittleEndian(_ number: UInt64, bytes: Int) {
        for shift in 0..<bytes { append(UInt8(truncatingIfNeeded: number >> UInt64(8 * shift))) }
    }
}
