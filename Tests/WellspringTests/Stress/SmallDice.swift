/// Chance from a seed (SplitMix64).
struct SmallDice {
    private var state: UInt64

    init(seed: UInt64) {
        // Mixed first: each draw adds a constant to the state, and seeds that differ by it, or by a
        // multiple of it, would draw the same numbers one place apart.
        state = Self.mix(seed &+ 0x1234_5678_9ABC_DEF1)
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: next() >> 33) % max(bound, 1)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
