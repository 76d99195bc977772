/// The identity of a store: 16 random bytes, given once at its creation.
package struct StoreUUID: Hashable, Sendable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}
