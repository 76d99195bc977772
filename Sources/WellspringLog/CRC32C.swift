import CWellspring

/// Returns the CRC-32C (Castagnoli) checksum of `bytes`, begun with `seed`.
///
/// CRC-32C finds every burst of up to 32 damaged bits and every three damaged bits in frames of
/// our sizes. A checksum can be continued: `crc32c(crc32c(s, a), b)` is that of `a` and `b` in one.
///
/// The processor's own instruction is used where there is one: 256 bytes then take as long as a few
/// divisions, and long buffers more than ten gigabytes a second.
package func crc32c(_ seed: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var checksum = seed
    guard wellspring_crc32c(&checksum, bytes.baseAddress, bytes.count) else {
        return portableCRC32C(seed, bytes)
    }
    return checksum
}

/// Returns the CRC-32C checksum of an array of bytes.
package func crc32c(_ seed: UInt32, _ bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBytes { crc32c(seed, $0) }
}

/// Returns the same checksum, computed without any special instruction.
///
/// The sliced tables work through sixteen bytes a step, which is gigabytes a second.
package func portableCRC32C(_ seed: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    guard let start = bytes.baseAddress else { return seed }
    let tables = CRC32CTables.shared.words
    var checksum = ~seed
    var offset = 0
    let count = bytes.count
    while count &- offset >= 16 {
        let first =
            UInt64(littleEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            ^ UInt64(checksum)
        let second = UInt64(
            littleEndian: start.loadUnaligned(fromByteOffset: offset &+ 8, as: UInt64.self))
        checksum = advance(first, over: tables + 8 * 256) ^ advance(second, over: tables)
        offset &+= 16
    }
    if count &- offset >= 8 {
        let word =
            UInt64(littleEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            ^ UInt64(checksum)
        checksum = advance(word, over: tables)
        offset &+= 8
    }
    while offset < count {
        let byte = start.load(fromByteOffset: offset, as: UInt8.self)
        checksum = (checksum &>> 8) ^ tables[Int((checksum ^ UInt32(byte)) & 0xFF)]
        offset &+= 1
    }
    return ~checksum
}

/// Looks the eight bytes of a word up in eight tables, the last byte in the first one.
@inline(__always)
private func advance(_ word: UInt64, over tables: UnsafePointer<UInt32>) -> UInt32 {
    let low =
        tables[1792 &+ Int(word & 0xFF)] ^ tables[1536 &+ Int(word &>> 8 & 0xFF)]
        ^ tables[1280 &+ Int(word &>> 16 & 0xFF)] ^ tables[1024 &+ Int(word &>> 24 & 0xFF)]
    let high =
        tables[768 &+ Int(word &>> 32 & 0xFF)] ^ tables[512 &+ Int(word &>> 40 & 0xFF)]
        ^ tables[256 &+ Int(word &>> 48 & 0xFF)] ^ tables[Int(word &>> 56)]
    return low ^ high
}

/// Sixteen tables of 256 words each; table `n` advances a byte over `n` further bytes.
private final class CRC32CTables: @unchecked Sendable {
    // SAFETY: written only in `init`, which runs once, and never freed.
    static let shared = CRC32CTables()

    let words: UnsafePointer<UInt32>

    private init() {
        let polynomial: UInt32 = 0x82F6_3B78
        let table = UnsafeMutablePointer<UInt32>.allocate(capacity: 16 * 256)
        for index in 0..<256 {
            var word = UInt32(index)
            for _ in 0..<8 { word = word & 1 == 1 ? (word >> 1) ^ polynomial : word >> 1 }
            table[index] = word
        }
        for index in 256..<16 * 256 {
            let previous = table[index - 256]
            table[index] = (previous >> 8) ^ table[Int(previous & 0xFF)]
        }
        words = UnsafePointer(table)
    }
}
