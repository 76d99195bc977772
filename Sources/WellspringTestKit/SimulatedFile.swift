import WellspringLog

/// One file of the simulated disk: what a reader sees, and what may be left of it after a crash.
///
/// The unit in which a disk keeps or loses what was written is a sector of 512 bytes. Until a sync
/// the disk may hold, for every sector by itself, what the last sync left there or anything that
/// was written since; and the file may have any size between those that it had.
///
/// Sectors of zeros are not stored, so a file that is written ahead with zeros costs nothing, and a
/// copy of a file shares its sectors with the original.
struct SimulatedFile {
    /// The bytes of a sector; `nil` stands for zeros.
    typealias Sector = [UInt8]?
    static let sectorLength = 512

    /// The size that a reader sees.
    private(set) var size = 0
    /// The size that a crash leaves when nothing that was not synced survives.
    private(set) var durableSize = 0
    /// Every size since the last sync lies in here; `nil` when the size is durable.
    private(set) var unsyncedSizes: ClosedRange<Int>?
    /// What a reader sees.
    ///
    /// Sectors beyond the end are zeros.
    private(set) var live: [Sector] = []
    /// What the disk surely has of the sectors that were not written since the last sync.
    private(set) var durable: [Sector] = []
    /// What was written to a sector since the last sync, oldest first.
    private(set) var unsynced: [Int: [Sector]] = [:]
    /// Sectors whose content never reached the disk although the system calls them clean: a sync
    /// failed, or the disk lied.
    private(set) var lost: Set<Int> = []

    init() {}

    /// A file as a disk at rest has it.
    init(contents: [UInt8]) {
        contents.withUnsafeBytes { write($0, at: 0) }
        sync()
    }

    var contents: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: size)
        _ = bytes.withUnsafeMutableBytes { read(into: $0, at: 0) }
        return bytes
    }

    // MARK: - What a process does

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        let count = min(buffer.count, max(0, size - offset))
        var done = 0
        while done < count {
            let index = (offset + done) / Self.sectorLength
            guard index < live.count else {
                UnsafeMutableRawBufferPointer(rebasing: buffer[done..<count]).fillWithZeros()
                break
            }
            let start = (offset + done) % Self.sectorLength
            let part = min(Self.sectorLength - start, count - done)
            let target = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + part])
            if let sector = live[index] {
                sector.withUnsafeBytes {
                    target.copyMemory(from: .init(rebasing: $0[start..<start + part]))
                }
            } else {
                target.fillWithZeros()
            }
            done += part
        }
        return count
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        // Writing nothing changes nothing, not even the size.
        guard bytes.count > 0 else { return }
        var done = 0
        while done < bytes.count {
            let index = (offset + done) / Self.sectorLength
            let start = (offset + done) % Self.sectorLength
            if index >= touchedEnd, UnsafeRawBufferPointer(rebasing: bytes[done...]).isZero {
                break
            }
            let part = min(Self.sectorLength - start, bytes.count - done)
            patch(index, from: start, with: .init(rebasing: bytes[done..<done + part]))
            done += part
        }
        setSize(max(size, offset + bytes.count))
    }

    mutating func truncate(to newSize: Int) {
        if newSize < size {
            let (index, start) = newSize.quotientAndRemainder(dividingBy: Self.sectorLength)
            if start > 0, let sector = sector(index, of: live) {
                put(sector[..<start] + zeros(Self.sectorLength - start), at: index)
            }
            let firstWhole = start > 0 ? index + 1 : index
            for index in firstWhole..<max(firstWhole, live.count) { put(nil, at: index) }
        }
        setSize(newSize)
    }

    mutating func sync() {
        for (index, versions) in unsynced {
            Self.set(versions[versions.count - 1], at: index, in: &durable)
        }
        unsynced = [:]
        durableSize = size
        unsyncedSizes = nil
    }

    /// A sync that gets to the bytes at places that the file had already, and not to a new size.
    mutating func syncContents() {
        let known = durableSize / Self.sectorLength
        for (index, versions) in unsynced where index < known && index * Self.sectorLength < size {
            Self.set(versions[versions.count - 1], at: index, in: &durable)
            unsynced[index] = nil
        }
    }

    /// A sync that fails, as Linux does it.
    ///
    /// Whatever the disk has by now, it keeps; the pages count as clean from now on, so that readers
    /// go on seeing the new bytes and a later sync writes nothing.
    ///
    /// - Parameter bytes: A place to which nothing can be written.
    mutating func failSync(_ dice: Dice, sparing bytes: Range<Int> = 0..<0) {
        let bad = Self.sectors(of: bytes)
        let mode = dice.choice(among: 3, 0)
        for (index, versions) in unsynced {
            let kept: Int =
                switch mode {
                case _ where bad.contains(index): 0
                case 0: 0
                case 1: dice.choice(among: versions.count + 1, UInt64(index))
                default: dice.choice(among: 2, UInt64(index)) * versions.count
                }
            if kept > 0 { Self.set(versions[kept - 1], at: index, in: &durable) }
            if sector(index, of: durable) != sector(index, of: live) { lost.insert(index) }
        }
        unsynced = [:]
    }

    /// Has the disk never get what was just written to `bytes`, although the system takes it for
    /// synced.
    ///
    /// - Parameter distance: By how many sectors the bytes missed their place on the disk; `nil` if
    ///   they went nowhere.
    mutating func lose(_ bytes: Range<Int>, strayingBy distance: Int? = nil) {
        let written = Self.sectors(of: bytes).filter { unsynced[$0] != nil }
        for index in written { unsynced[index] = nil }
        if let distance {
            for target in written.map({ $0 + distance })
            where (0..<size).contains(target * Self.sectorLength) {
                Self.set(sector(target - distance, of: live), at: target, in: &durable)
                touchedEnd = max(touchedEnd, target + 1)
                lost.insert(target)
            }
        }
        lost.formUnion(written)
    }

    /// Has readers see what the disk has, where nothing waits to be written: of all such sectors,
    /// some or none, because a system takes it as advice.
    mutating func dropCache(_ dice: Dice) {
        let mode = dice.choice(among: 3, 0)
        for index in lost where unsynced[index] == nil {
            let isDropped = mode == 0 || mode == 1 && dice.choice(among: 2, UInt64(index)) == 0
            guard isDropped else { continue }
            Self.set(sector(index, of: durable), at: index, in: &live)
            lost.remove(index)
        }
    }

    // MARK: - What a crash does

    /// Whether a crash changes nothing, because the disk has all that readers see.
    var isSettled: Bool { unsynced.isEmpty && lost.isEmpty && unsyncedSizes == nil }

    /// The number of sectors that a crash may or may not keep.
    var unsyncedSectors: Dictionary<Int, [Sector]>.Keys { unsynced.keys }

    /// What the disk has after a crash: of each unsynced sector the version that `version` names,
    /// from 0 (the synced one) to the number of later ones.
    func afterCrash(size: Int, version: (_ sector: Int, _ count: Int) -> Int) -> SimulatedFile {
        var result = SimulatedFile()
        result.durable = durable
        for (index, versions) in unsynced {
            let kept = version(index, versions.count)
            if kept > 0 { Self.set(versions[kept - 1], at: index, in: &result.durable) }
        }
        Self.cut(&result.durable, to: size)
        result.live = result.durable
        result.touchedEnd = result.durable.count
        result.size = size
        result.durableSize = size
        return result
    }

    /// Forgets what is beyond an end.
    private static func cut(_ sectors: inout [Sector], to size: Int) {
        let (last, rest) = size.quotientAndRemainder(dividingBy: sectorLength)
        let end = rest > 0 ? last + 1 : last
        if end < sectors.count { sectors.removeSubrange(end...) }
        guard rest > 0, last < sectors.count, let kept = sectors[last] else { return }
        let isCut = kept.withUnsafeBytes { !UnsafeRawBufferPointer(rebasing: $0[rest...]).isZero }
        if isCut { sectors[last] = kept[..<rest] + zeros(sectorLength - rest) }
    }

    /// Puts other bytes in the place of a sector, on the disk and in memory.
    private mutating func replace(_ index: Int, with bytes: [UInt8]) {
        touchedEnd = max(touchedEnd, index + 1)
        Self.set(bytes, at: index, in: &durable)
        Self.set(bytes, at: index, in: &live)
    }

    /// Puts other bytes in the place of a sector, of which those behind the end of the file do not count.
    mutating func overwrite(_ index: Int, with bytes: [UInt8]) {
        let inside = min(max(size - index * Self.sectorLength, 0), Self.sectorLength)
        replace(index, with: bytes.prefix(inside) + zeros(Self.sectorLength - inside))
    }

    /// Fills the page that a sector lies in with noise, as a disk may that loses power while it
    /// writes it: many have sectors of that size.
    mutating func garble(_ index: Int, _ dice: Dice) {
        let noise = (0..<Self.sectorLength).map {
            UInt8(truncatingIfNeeded: dice.roll(UInt64($0), 0xBAD))
        }
        let first = index - index % Self.sectorsInPage
        for sector in first..<first + Self.sectorsInPage
        where sector == index || sector * Self.sectorLength < size {
            overwrite(sector, with: noise)
        }
    }

    private static let sectorsInPage = 4096 / sectorLength

    mutating func flip(bit: Int, ofByte offset: Int) {
        let (index, byte) = offset.quotientAndRemainder(dividingBy: Self.sectorLength)
        var sector = sector(index, of: durable) ?? zeros(Self.sectorLength)
        sector[byte] ^= 1 << UInt8(bit)
        replace(index, with: sector)
    }

    // MARK: - Sectors

    /// The numbers of the sectors that have any of these bytes.
    static func sectors(of bytes: Range<Int>) -> Range<Int> {
        guard !bytes.isEmpty else { return 0..<0 }
        return bytes.lowerBound / sectorLength..<(bytes.upperBound - 1) / sectorLength + 1
    }

    /// From here on, no sector was ever anything but zeros.
    private var touchedEnd = 0

    /// What a reader sees in a sector, with zeros behind the end of the file.
    func content(ofSector index: Int) -> [UInt8] {
        sector(index, of: live) ?? zeros(Self.sectorLength)
    }

    private func sector(_ index: Int, of sectors: [Sector]) -> Sector {
        index < sectors.count ? sectors[index] : nil
    }

    private static func set(_ sector: Sector, at index: Int, in sectors: inout [Sector]) {
        if index >= sectors.count {
            if sector == nil { return }
            sectors.append(contentsOf: repeatElement(nil, count: index + 1 - sectors.count))
        }
        sectors[index] = sector
    }

    private mutating func patch(_ index: Int, from start: Int, with bytes: UnsafeRawBufferPointer) {
        if bytes.count == Self.sectorLength {
            put(bytes.isZero ? nil : [UInt8](bytes), at: index)
            return
        }
        var sector = sector(index, of: live) ?? zeros(Self.sectorLength)
        sector.withUnsafeMutableBytes {
            UnsafeMutableRawBufferPointer(rebasing: $0[start..<start + bytes.count])
                .copyMemory(from: bytes)
        }
        let isZero = sector.withUnsafeBytes { $0.isZero }
        put(isZero ? nil : sector, at: index)
    }

    private mutating func put(_ new: Sector, at index: Int) {
        if unsynced[index] != nil {
            if sector(index, of: live) == new { return }
            unsynced[index]?.append(new)
        } else {
            let isThere = sector(index, of: durable) == new && sector(index, of: live) == new
            // The same bytes once more are written all the same: a disk may lose power amid them. Of
            // zeros there are too many, and nobody relies on them.
            if isThere, new == nil { return }
            unsynced[index] = [new]
        }
        lost.remove(index)
        Self.set(new, at: index, in: &live)
        touchedEnd = max(touchedEnd, index + 1)
    }

    private mutating func setSize(_ new: Int) {
        guard new != size || new != durableSize else { return }
        size = new
        let known = unsyncedSizes ?? min(durableSize, new)...max(durableSize, new)
        unsyncedSizes = min(known.lowerBound, new)...max(known.upperBound, new)
    }
}

private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
