/// Returns the CRC-32C (Castagnoli) checksum of `bytes`, begun with `seed`.
///
/// CRC-32C finds every burst of up to 32 damaged bits and every three damaged bits in frames of
/// our sizes. A checksum can be continued: `crc32c(crc32c(s, a), b)` is that of `a` and `b` in one.
///
/// The sliced tables work through eight bytes a step, which is several gigabytes a second and
/// needs neither C nor processor-specific instructions.
package func crc32c(_ seed: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    guard let start = bytes.baseAddress else { return seed }
    let tables = CRC32CTables.shared.words
    var checksum = ~seed
    var offset = 0
    let count = bytes.count
    while count &- offset >= 8 {
        let word =
            UInt64(littleEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            ^ UInt64(checksum)
        let low = UInt32(truncatingIfNeeded: word)
        let high = UInt32(truncatingIfNeeded: word &>> 32)
        checksum =
            tables[Int(1792 &+ (low & 0xFF))] ^ tables[Int(1536 &+ (low &>> 8 & 0xFF))]
            ^ tables[Int(1280 &+ (low &>> 16 & 0xFF))] ^ tables[Int(1024 &+ (low &>> 24))]
            ^ tables[Int(768 &+ (high & 0xFF))] ^ tables[Int(512 &+ (high &>> 8 & 0xFF))]
            ^ tables[Int(256 &+ (high &>> 16 & 0xFF))] ^ tables[Int(high &>> 24)]
        offset &+= 8
    }
    while offset < count {
        let byte = start.load(fromByteOffset: offset, as: UInt8.self)
        checksum = (checksum &>> 8) ^ tables[Int((checksum ^ UInt32(byte)) & 0xFF)]
        offset &+= 1
    }
    return ~checksum
}

/// Returns the CRC-32C checksum of an array of bytes.
package func crc32c(_ seed: UInt32, _ bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBytes { crc32c(seed, $0) }
}

/// Eight tables of 256 words each; table `n` advances a byte over `n` further bytes.
private final class CRC32CTables: @unchecked Sendable {
    // SAFETY: written only in `init`, which runs once, and never freed.
    static let shared = CRC32CTables()

    let words: UnsafePointer<UInt32>

    private init() {
        let polynomial: UInt32 = 0x82F6_3B78
        let table = UnsafeMutablePointer<UInt32>.allocate(capacity: 8 * 256)
        for index in 0..<256 {
            var word = UInt32(index)
            for _ in 0..<8 { word = word & 1 == 1 ? (word >> 1) ^ polynomial : word >> 1 }
            table[index] = word
        }
        for index in 256..<2048 {
            let previous = table[index - 256]
            table[index] = (previous >> 8) ^ table[Int(previous & 0xFF)]
        }
        words = UnsafePointer(table)
    }
}
