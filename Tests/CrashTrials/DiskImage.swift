import Foundation

/// The content of a disk, in pieces: what was never written takes up no room.
struct DiskImage {
    private let size: Int
    private var pieces: [Int: [UInt8]] = [:]

    private static let pieceSize = 64 << 10

    init(contentsOf path: String) throws {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        var size = 0
        // Not all at once: a file may be far larger than what it holds.
        while let bytes = try file.read(upToCount: Self.pieceSize), !bytes.isEmpty {
            let piece = Array(bytes)
            if !Self.isZero(piece) { pieces[size / Self.pieceSize] = piece }
            size += bytes.count
        }
        self.size = size
    }

    private static func isZero(_ piece: [UInt8]) -> Bool {
        piece.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, bytes.first == 0 else { return bytes.isEmpty }
            // Each byte is as the one before it.
            return memcmp(start, start + 1, bytes.count - 1) == 0
        }
    }

    /// Writes some sectors of a write, counted from its beginning.
    mutating func apply(_ write: BlockWrite, _ sectors: some Sequence<Int>) throws {
        for sector in sectors {
            let place = (write.sector + sector) * BlockLog.sectorSize
            guard place >= 0, place + BlockLog.sectorSize <= size else {
                throw Wrong("sector \(write.sector + sector) is not on the disk")
            }
            let (piece, offset) = place.quotientAndRemainder(dividingBy: Self.pieceSize)
            let length = min(Self.pieceSize, size - piece * Self.pieceSize)
            let start = sector * BlockLog.sectorSize
            pieces[piece, default: [UInt8](repeating: 0, count: length)].replaceSubrange(
                offset..<(offset + BlockLog.sectorSize),
                with: write.bytes[start..<(start + BlockLog.sectorSize)])
        }
    }

    mutating func apply(_ write: BlockWrite) throws { try apply(write, 0..<write.sectorCount) }

    /// Makes a file of it, in the place of another one.
    func save(to path: String) throws {
        try? FileManager.default.removeItem(atPath: path)
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.truncate(atOffset: UInt64(size))
        for (index, piece) in pieces where !Self.isZero(piece) {
            try file.seek(toOffset: UInt64(index * Self.pieceSize))
            try file.write(contentsOf: piece)
        }
        try file.close()
    }
}
