/// SipHash-2-4 of Aumasson and Bernstein: a hash that nobody can predict without the key.
///
/// Names are hashed with the store's own key, so nobody can choose names that all collide.
enum SipHash {
    /// Returns the hash of one byte and a text.
    ///
    /// - Parameter prefix: Keeps what is hashed for one purpose apart from the rest.
    static func hash(
        _ key: (UInt64, UInt64), prefix: UInt8, _ utf8: some Collection<UInt8>
    ) -> UInt64 {
        let direct = utf8.withContiguousStorageIfAvailable {
            hash(key, prefix: prefix, UnsafeRawBufferPointer($0))
        }
        return direct ?? Array(utf8).withUnsafeBytes { hash(key, prefix: prefix, $0) }
    }

    /// Returns the hash of one byte and the bytes that follow it.
    static func hash(
        _ key: (UInt64, UInt64), prefix: UInt8, _ bytes: UnsafeRawBufferPointer
    ) -> UInt64 {
        var state = State(key)
        // The prefix moves every byte by one place: a word of the message is seven bytes of one
        // word of memory behind the last byte of the word before.
        var carried = UInt64(prefix)
        var offset = 0
        while bytes.count &- offset >= 8 {
            let word = UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            state.absorb(carried | word << 8)
            carried = word >> 56
            offset &+= 8
        }
        var shift: UInt64 = 8
        for byte in bytes[offset...] {
            carried |= UInt64(byte) << shift
            shift &+= 8
        }
        if shift == 64 {
            state.absorb(carried)
            carried = 0
        }
        let length = UInt64(truncatingIfNeeded: bytes.count &+ 1)
        state.absorb(carried | length << 56)
        return state.result()
    }

    private struct State {
        var v0: UInt64
        var v1: UInt64
        var v2: UInt64
        var v3: UInt64

        init(_ key: (UInt64, UInt64)) {
            // "somepseudorandomlygeneratedbytes"
            v0 = key.0 ^ 0x736F_6D65_7073_6575
            v1 = key.1 ^ 0x646F_7261_6E64_6F6D
            v2 = key.0 ^ 0x6C79_6765_6E65_7261
            v3 = key.1 ^ 0x7465_6462_7974_6573
        }

        mutating func absorb(_ word: UInt64) {
            v3 ^= word
            mix()
            mix()
            v0 ^= word
        }

        mutating func result() -> UInt64 {
            v2 ^= 0xFF
            for _ in 0..<4 { mix() }
            return v0 ^ v1 ^ v2 ^ v3
        }

        private mutating func mix() {
            v0 &+= v1
            v1 = rotated(v1, by: 13) ^ v0
            v0 = rotated(v0, by: 32)
            v2 &+= v3
            v3 = rotated(v3, by: 16) ^ v2
            v0 &+= v3
            v3 = rotated(v3, by: 21) ^ v0
            v2 &+= v1
            v1 = rotated(v1, by: 17) ^ v2
            v2 = rotated(v2, by: 32)
        }

        private func rotated(_ word: UInt64, by bits: UInt64) -> UInt64 {
            word &<< bits | word &>> (64 &- bits)
        }
    }
}
