/// Reads a file from front to back in large pieces, and lends the bytes.
///
/// Memory is allocated once and grows only for a request that is larger than a piece, after the
/// request was found to lie inside the file.
final class ReadWindow {
    static let pieceLength = 256 << 10

    private let file: any StoreFile
    /// The size of the file when reading began.
    let fileSize: UInt64
    private var memory: UnsafeMutableRawBufferPointer
    /// Which part of the file the memory holds.
    private var start: UInt64 = 0
    private var held = 0

    init(_ file: any StoreFile) throws(SystemError) {
        self.file = file
        fileSize = try file.size()
        memory = .allocate(byteCount: Self.pieceLength, alignment: 8)
    }

    deinit {
        memory.deallocate()
    }

    /// Lends `count` bytes from `offset` on, until the next call; `nil` when the file ends before.
    func bytes(at offset: UInt64, count: Int) throws(SystemError) -> UnsafeRawBufferPointer? {
        guard offset <= fileSize, UInt64(count) <= fileSize - offset else { return nil }
        if offset < start || offset - start + UInt64(count) > UInt64(held) {
            try fill(from: offset, count: count)
        }
        let begin = Int(offset - start)
        guard held - begin >= count else { return nil }
        return UnsafeRawBufferPointer(rebasing: memory[begin..<begin + count])
    }

    /// Lends what is held from `offset` on: at least `minimum` bytes, or all up to the file's end.
    func piece(
        at offset: UInt64, atLeast minimum: Int
    ) throws(SystemError) -> UnsafeRawBufferPointer {
        guard offset < fileSize else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let needed = min(UInt64(minimum), fileSize - offset)
        if offset < start || offset - start + needed > UInt64(held) {
            try fill(from: offset, count: minimum)
        }
        let begin = Int(offset - start)
        return UnsafeRawBufferPointer(rebasing: memory[min(begin, held)..<held])
    }

    /// The offset after the last byte from `offset` on that is not zero; `nil` if all are.
    func endOfContent(from offset: UInt64) throws(SystemError) -> UInt64? {
        var end: UInt64?
        var place = offset
        while true {
            let piece = try piece(at: place, atLeast: 1)
            if piece.isEmpty { return end }
            let length = piece.lengthWithoutZeros
            if length > 0 { end = place + UInt64(length) }
            place += UInt64(piece.count)
        }
    }

    private func fill(from offset: UInt64, count: Int) throws(SystemError) {
        if count > memory.count {
            memory.deallocate()
            memory = .allocate(byteCount: count, alignment: 8)
        }
        start = offset
        held = 0
        let wanted = Int(min(UInt64(memory.count), fileSize - offset))
        held = try file.read(
            into: UnsafeMutableRawBufferPointer(rebasing: memory[0..<wanted]), at: offset)
    }
}
