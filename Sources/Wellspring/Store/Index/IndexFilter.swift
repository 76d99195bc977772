/// A Bloom filter in lines of 64 bytes: tells most keys that are not there, with one look at one
/// line of memory.
///
/// A key sets six bits, all in the same line, of a filter with ten bits a key. About one of a
/// hundred keys that are not there is let through.
struct IndexFilter: Sendable {
    static let lineLength = 64
    private static let bitsPerKey = 10
    private static let probes = 6

    /// The lines, 512 bits each.
    private(set) var bytes: [UInt8]

    /// Makes an empty filter that is as large as `keyEstimate` keys want it.
    init(keyEstimate: Int) {
        let lineBits = Self.lineLength * 8
        let (bits, tooMany) = max(keyEstimate, 0).multipliedReportingOverflow(by: Self.bitsPerKey)
        let lines = tooMany ? 1 : bits / lineBits + 1
        bytes = [UInt8](repeating: 0, count: lines * Self.lineLength)
    }

    /// Takes over lines that were read; `nil` when they are none.
    init?(_ bytes: [UInt8]) {
        guard !bytes.isEmpty, bytes.count % Self.lineLength == 0 else { return nil }
        self.bytes = bytes
    }

    mutating func insert(_ key: UInt64) {
        var probe = Probe(key, lineCount: bytes.count / Self.lineLength)
        for _ in 0..<Self.probes {
            let bit = probe.next()
            bytes[bit >> 3] |= 1 << UInt8(bit & 7)
        }
    }

    /// Whether the key may have been inserted; never false for one that was.
    func mayContain(_ key: UInt64) -> Bool {
        var probe = Probe(key, lineCount: bytes.count / Self.lineLength)
        for _ in 0..<Self.probes {
            let bit = probe.next()
            if bytes[bit >> 3] & 1 << UInt8(bit & 7) == 0 { return false }
        }
        return true
    }

    /// The bits of one key, from the beginning of the filter.
    private struct Probe {
        private let line: Int
        private var rest: UInt64

        init(_ key: UInt64, lineCount: Int) {
            let mixed = Self.mix(key)
            let place = mixed.multipliedFullWidth(by: UInt64(lineCount)).high
            line = Int(truncatingIfNeeded: place) &* (IndexFilter.lineLength * 8)
            rest = Self.mix(mixed)
        }

        mutating func next() -> Int {
            defer { rest >>= 9 }
            return line &+ Int(truncatingIfNeeded: rest & 511)
        }

        /// The finalizer of SplitMix64.
        private static func mix(_ value: UInt64) -> UInt64 {
            var value = value
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return value ^ (value >> 31)
        }
    }
}
