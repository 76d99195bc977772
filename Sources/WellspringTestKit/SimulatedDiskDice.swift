/// Chance that depends on nothing but a seed and what is asked.
///
/// The answers do not depend on the order of the questions, so neither do they on the order in
/// which a dictionary hands out its keys, which is another one in every process.
struct Dice {
    var seed: UInt64

    func roll(_ question: UInt64, _ detail: UInt64 = 0) -> UInt64 {
        let step: UInt64 = 0x9E37_79B9_7F4A_7C15
        return Self.mix(Self.mix(seed ^ Self.mix(question &+ step)) ^ Self.mix(detail &+ step))
    }

    /// A number from 0 up to `count`, which is left out.
    func choice(among count: Int, _ question: UInt64, _ detail: UInt64 = 0) -> Int {
        Int(truncatingIfNeeded: roll(question, detail) >> 33) % max(count, 1)
    }

    /// Other dice, that know nothing of these.
    func other(_ number: UInt64) -> Dice { Dice(seed: roll(number, 0xD1CE)) }

    /// The finalizer of SplitMix64.
    private static func mix(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

extension Dice {
    static func question(_ name: String) -> UInt64 {
        name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
