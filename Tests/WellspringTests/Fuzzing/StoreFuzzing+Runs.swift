@testable import Wellspring
@testable import WellspringLog
@testable import WellspringTestKit

// Index runs whose checksums are right and whose numbers are anything.

/// Where the parts of a run's file are.
struct IndexRunParts {
    var headerLength: Int
    var directory: Int
    var filter: Int
    var trailer: Int

    /// Makes all checksums of a file right, as far as its parts are in it.
    func sign(_ bytes: inout [UInt8]) {
        guard bytes.count >= 56 else { return }
        let salt = bytes.withUnsafeBytes { Salt(value: $0.loadLittleEndian(UInt64.self, at: 48)) }
        sign(&bytes, 0..<124, seed: 0, at: 124)
        sign(&bytes, 128..<headerLength - 4, seed: salt.body, at: headerLength - 4)
        var start = headerLength
        while start < min(directory, bytes.count) {
            let end = min(start + IndexBlock.length, directory) - 4
            sign(&bytes, start..<end, seed: salt.seed(ofBlockAt: UInt64(start)), at: end)
            start = end + 4
        }
        sign(&bytes, directory..<filter, seed: salt.body, at: trailer + 48)
        sign(&bytes, filter..<trailer, seed: salt.body, at: trailer + 52)
        sign(&bytes, trailer..<trailer + 124, seed: salt.header, at: trailer + 124)
    }

    private func sign(_ bytes: inout [UInt8], _ part: Range<Int>, seed: UInt32, at place: Int) {
        guard part.lowerBound >= 0, part.upperBound <= bytes.count else { return }
        bytes.put(bytes[part].withUnsafeBytes { crc32c(seed, $0) }, at: place)
    }
}

extension IndexRunParts {
    /// The parts as a file names them itself; `nil` where they cannot be.
    init?(of bytes: [UInt8]) {
        guard bytes.count >= FilePreamble.length + IndexRunTrailer.length else { return nil }
        trailer = bytes.count - IndexRunTrailer.length
        let (length, first, second) = bytes.withUnsafeBytes { all in
            (
                all.loadLittleEndian(UInt32.self, at: 12),
                all.loadLittleEndian(UInt64.self, at: bytes.count - 120),
                all.loadLittleEndian(UInt64.self, at: bytes.count - 112)
            )
        }
        headerLength = Int(length)
        directory = Int(clamping: first)
        filter = Int(clamping: second)
        guard headerLength >= 132, headerLength <= directory, directory <= filter,
            filter <= trailer
        else { return nil }
    }
}

extension StoreFuzzing {
    /// A run in which a few bytes anywhere are others, counted from its beginning or from its end.
    static func changedRun(_ input: [UInt8]) -> [UInt8] {
        let count = Int(input.first ?? 0) % 8
        let changes = Array(input.dropFirst().prefix(count * 3))
        var bytes = builtRun(Array(input.dropFirst(1 + count * 3)))
        for change in stride(from: 0, to: changes.count - 2, by: 3) {
            let distance = Int(changes[change]) + Int(changes[change + 1] & 0x7F) << 8
            let isFromEnd = changes[change + 1] & 0x80 != 0
            let place = isFromEnd ? bytes.count - 1 - distance : distance
            if bytes.indices.contains(place) { bytes[place] = changes[change + 2] }
        }
        IndexRunParts(of: bytes)?.sign(&bytes)
        return bytes
    }

    /// A run whose parts fit into one another, made from a few numbers and the bytes of its blocks.
    static func builtRun(_ input: [UInt8]) -> [UInt8] {
        guard input.count >= 8 else { return [] }
        let blockCount = 1 + Int(input[0] % 3)
        let anchor = [UInt8](repeating: 1, count: Int(input[1] % 64))
        let (keyCount, entryCount) = (telling(input[2]), telling(input[3]))
        let isFilterFull = input[4] & 1 == 0
        var rest = input[8...]
        var tables: [UInt8] = []
        for _ in 0..<blockCount {
            let numbers = Array(rest.prefix(3)) + [0, 0, 0]
            rest = rest.dropFirst(3)
            for number in numbers[..<3] { tables.append(contentsOf: littleEndian(telling(number))) }
        }
        var bytes = IndexRunHeader(
            storeID: storeID, range: IndexRange(first: 1, last: 9), salt: Salt(value: 7),
            level: UInt32(input[5]), anchor: anchor
        ).encoded()
        let headerLength = bytes.count
        for block in 0..<blockCount {
            let content = rest.prefix(rest.count / (blockCount - block))
            rest = rest.dropFirst(content.count)
            let length = block == blockCount - 1 ? content.count + 4 : IndexBlock.length
            bytes += content.prefix(length - 4)
            bytes += [UInt8](repeating: 0, count: length - content.prefix(length - 4).count)
        }
        let directory = bytes.count
        bytes += tables
        let filter = bytes.count
        bytes += [UInt8](repeating: isFilterFull ? 0xFF : input[6], count: IndexFilter.lineLength)
        let trailer = IndexRunTrailer(
            directoryOffset: UInt64(directory), filterOffset: UInt64(filter),
            offset: UInt64(bytes.count), keyCount: keyCount, entryCount: entryCount,
            directoryChecksum: 0, filterChecksum: 0)
        let parts = IndexRunParts(
            headerLength: headerLength, directory: directory, filter: filter, trailer: bytes.count)
        bytes += trailer.encoded(salt: Salt(value: 7))
        parts.sign(&bytes)
        return bytes
    }

    private static func littleEndian(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }

    /// Does everything with a file that can be done with a run; returns whether it was opened.
    static func openRun(_ bytes: [UInt8], on disk: SimulatedDisk) -> Bool {
        guard let directory = try? disk.openStore(at: "store", create: true),
            (try? directory.makeDirectory(IndexRunName.directory)) != nil,
            let name = name(ofRun: bytes)
        else { return false }
        disk.replaceContents(of: name, with: bytes)
        guard let run = try? IndexRun.open(directory, name: name, storeID: storeID) else {
            return false
        }
        var keys: Set<UInt64> = [0, 1, .max]
        if let tables = try? run.loadTables() {
            for entry in tables.directory.entries { keys.insert(entry.firstKey) }
        }
        if var cursor = try? IndexCursor(run) {
            for _ in 0..<64 {
                guard let key = cursor.key else { break }
                keys.insert(key)
                guard (try? cursor.advance()) != nil else { break }
            }
        }
        for key in keys {
            for newestFirst in [false, true] {
                for numbers in [0...UInt64.max, 2...UInt64(Int64.max), 3...3] {
                    _ = try? run.entries(
                        of: key, numbers: numbers, limit: 5, newestFirst: newestFirst)
                }
            }
        }
        _ = try? run.verify()
        _ = try? IndexRun.merge([run], in: directory, level: 1)
        return true
    }

    /// The name that a file must have to be a run.
    private static func name(ofRun bytes: [UInt8]) -> String? {
        guard bytes.count >= 48 else { return nil }
        let range = bytes.withUnsafeBytes {
            IndexRange(
                first: $0.loadLittleEndian(UInt64.self, at: 32),
                last: $0.loadLittleEndian(UInt64.self, at: 40))
        }
        return range.first <= range.last ? IndexRunName.run(range) : nil
    }
}
