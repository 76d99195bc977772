/// A disk while its record is played: what is on it for sure, and what was written since the last
/// flush.
struct TornDisk {
    private var settled: DiskImage
    private var pending: [BlockWrite] = []

    init(_ image: DiskImage) { settled = image }

    /// What a loss of power takes at a write.
    enum Loss: CaseIterable {
        /// All of the write, and nothing else.
        case write
        /// A part of the write.
        case part
        /// Parts, or all, of what was written before it since the last flush.
        case earlier
    }

    /// Lets a write come to its end.
    mutating func add(_ write: BlockWrite) { pending.append(write) }

    /// Brings all that was written to the disk.
    mutating func flush() throws {
        for write in pending { try settled.apply(write) }
        pending = []
    }

    /// The disk with all that was written to it.
    func whole() throws -> DiskImage {
        var disk = self
        try disk.flush()
        return disk.settled
    }

    /// The disk after it lost its power at a write.
    ///
    /// - Returns: `nil` where there is nothing to lose in this way.
    func image(losing loss: Loss, at last: BlockWrite, _ dice: inout Dice) throws -> DiskImage? {
        switch loss {
        case .write: return try whole()
        case .part:
            guard last.sectorCount > 1 else { return nil }
            var image = try whole()
            try image.apply(last, Self.part(of: last, &dice))
            return image
        case .earlier:
            let weak = pending.indices.filter { !pending[$0].isForced }
            guard !weak.isEmpty else { return nil }
            let victim = weak[dice.below(weak.count)]
            var image = settled
            for (index, write) in pending.enumerated() {
                // One is missing, or there in part; the others as chance has it.
                let fate = write.isForced ? 0 : index == victim ? 2 + dice.below(2) : dice.below(4)
                switch fate {
                case 0, 1: try image.apply(write)
                case 2 where write.sectorCount > 1:
                    try image.apply(write, Self.part(of: write, &dice))
                default: break
                }
            }
            try image.apply(last)
            return image
        }
    }

    /// Some of the sectors of a write, and not all: the first, the last, or any.
    private static func part(of write: BlockWrite, _ dice: inout Dice) -> [Int] {
        let all = Array(0..<write.sectorCount)
        switch dice.below(3) {
        case 0: return Array(all.prefix(1 + dice.below(all.count - 1)))
        case 1: return Array(all.suffix(1 + dice.below(all.count - 1)))
        default:
            let missing = dice.below(all.count)
            return all.filter { $0 != missing && dice.below(2) == 0 }
        }
    }
}
