import ExampleSupport
import Wellspring

@testable import ProductApp

/// Runs `body` in a shop whose store is in memory.
func withShop(
    on store: InMemoryEventStore = InMemoryEventStore(),
    _ body: @escaping @Sendable (Shop) async throws -> Void
) async throws {
    let catalogue = ProjectionRunner(Catalogue.self, from: store)
    try await withRunning(catalogue) {
        try await body(Shop(store: store, catalogue: catalogue))
    }
}

extension Shop {
    func create(_ sku: Product.ID, _ listing: Listing = .sample()) async throws {
        try await change(sku, CreateProduct(listing: listing))
    }

    /// How many events the log holds.
    var eventCount: UInt64 {
        get async throws { try await end.rawValue }
    }
}

/// What `work` failed with, in the words shown to a person.
func message(_ work: () async throws -> some Any) async -> String? {
    do {
        _ = try await work()
        return nil
    } catch {
        return "\(error)"
    }
}
