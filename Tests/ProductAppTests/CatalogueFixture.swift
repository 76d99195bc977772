import Wellspring

@testable import ProductApp

/// Said once for all tests: on Apple's systems, XCTest brings along another `Category`.
typealias Category = ProductApp.Category

/// A catalogue that is told what happened, as the log would tell it.
struct CatalogueFixture {
    private(set) var catalogue = Catalogue()
    private var versions: [StreamID: UInt64] = [:]
    private var position: UInt64 = 0

    mutating func record(_ event: Product.Event, of sku: Product.ID) {
        record(.product(event), in: sku.stream)
    }

    mutating func record(_ event: Category.Event, of id: Category.ID) {
        record(.category(event), in: id.stream)
    }

    mutating func record(_ event: Brand.Event, of id: Brand.ID) {
        record(.brand(event), in: id.stream)
    }

    private mutating func record(_ event: CatalogueEvent, in stream: StreamID) {
        position += 1
        versions[stream, default: 0] += 1
        catalogue.apply(
            .sample(event, in: stream, version: versions[stream] ?? 0, position: position))
    }
}

extension Recorded<CatalogueEvent> {
    static func sample(
        _ event: CatalogueEvent, in stream: StreamID, version: UInt64 = 1, position: UInt64 = 1
    ) -> Self {
        Recorded(
            event: event, id: MessageID(high: 0, low: position), stream: stream,
            version: StreamVersion(version), position: LogPosition(position),
            recordedAt: Timestamp(nanoseconds: Int64(position)))
    }
}

extension Listing {
    static func sample(
        _ name: String = "Lamp", category: Category.ID = "lighting", brand: Brand.ID = "acme",
        cents: Int = 1234, stock: Int = 5
    ) -> Listing {
        Listing(
            name: name, category: category, brand: brand, price: Money(cents: cents), stock: stock)
    }
}

/// SplitMix64: the same seed gives the same test.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
