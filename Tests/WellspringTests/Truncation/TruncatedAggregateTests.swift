import WellspringTestKit
import XCTest

@testable import Wellspring

/// Commands to an aggregate whose stream was truncated, while it is kept in memory or not.
final class TruncatedAggregateTests: XCTestCase {
    private let ada = Purse.ID("ada")

    /// Runs `body` with each kind of store, with a bus that keeps aggregates and one that does not.
    private func withBuses(
        _ body: (any TruncatingEventStore, CommandBus) async throws -> Void
    ) async throws {
        for kind in TruncatedStore.allCases {
            for kept in [0, 1_000] {
                let store = try await kind.open(self)
                try await body(store, CommandBus(store, cachedAggregates: kept))
            }
        }
    }

    func test_an_aggregate_is_decided_on_as_it_is_loaded_now() async throws {
        try await withBuses { store, bus in
            for cents in [1, 2, 4] { try await bus.send(Fill(cents: cents), to: ada) }
            try await store.truncate(ada.stream, before: StreamVersion(3))
            let failure = await caught { () async throws(Spend.Failure) in
                try await bus.send(Spend(cents: 5), to: ada)
            }
            XCTAssertEqual(failure?.rejection, .tooLittle(missing: 1))
            let receipt = try await bus.send(Fill(cents: 8), to: ada)
            XCTAssertEqual(receipt.state.amounts, [4, 8])
            XCTAssertEqual(receipt.version, StreamVersion(4))
        }
    }

    func test_a_deleted_aggregate_begins_anew_behind_what_it_was() async throws {
        try await withBuses { store, bus in
            for cents in [1, 2, 4] { try await bus.send(Fill(cents: cents), to: ada) }
            try await store.delete(ada.stream)
            let nothing = try await bus.send(Fill(cents: 0), to: ada)
            XCTAssertEqual(nothing.version, StreamVersion(3))
            XCTAssertEqual(nothing.state.amounts, [])
            for cents in [8, 16] { try await bus.send(Fill(cents: cents), to: ada) }
            let last = try await bus.send(
                Spend(cents: 24), to: ada, expecting: .exactly(StreamVersion(5)))
            XCTAssertEqual(last.version, StreamVersion(6))
            let failure = await caught { () async throws(Fill.Failure) in
                try await bus.send(Fill(cents: 1), to: ada, expecting: .noStream)
            }
            guard case .conflict? = failure?.storeError else {
                return XCTFail("\(failure as Any)")
            }
            try await store.assertReads(ada.stream, [4, 5, 6])
        }
    }

    func test_nothing_to_do_after_a_truncation_has_a_receipt() async throws {
        try await withBuses { store, bus in
            for cents in [1, 2] { try await bus.send(Fill(cents: cents), to: ada) }
            try await store.delete(ada.stream)
            let receipt = try await bus.send(Fill(cents: 0), to: ada)
            XCTAssertEqual(receipt.version, StreamVersion(2))
            XCTAssertEqual(receipt.state.amounts, [])
        }
    }

    func test_an_aggregate_that_is_kept_after_a_truncation_is_not_read_again() async throws {
        let store = WatchedStore()
        let bus = CommandBus(store)
        for cents in [1, 2, 4] { try await bus.send(Fill(cents: cents), to: ada) }
        try await store.base.truncate(ada.stream, before: StreamVersion(3))
        store.forgetReads()
        for cents in [8, 16] { try await bus.send(Fill(cents: cents), to: ada) }
        XCTAssertEqual(store.starts, [StreamVersion(3), .start], "once on, and once anew")
        try await store.base.delete(ada.stream)
        try await bus.send(Fill(cents: 0), to: ada)
        store.forgetReads()
        let receipt = try await bus.send(Fill(cents: 32), to: ada)
        XCTAssertEqual(receipt.state.amounts, [32])
        XCTAssertEqual(store.starts, [])
    }

    func test_a_bus_over_any_other_store_forgets_the_aggregate_too() async throws {
        let store = InterferingStore()
        let bus = CommandBus(store)
        for cents in [1, 2, 4] { try await bus.send(Fill(cents: cents), to: ada) }
        try await store.base.truncate(ada.stream, before: StreamVersion(3))
        var receipt = try await bus.send(Fill(cents: 8), to: ada)
        XCTAssertEqual(receipt.state.amounts, [4, 8])
        try await store.base.delete(ada.stream)
        receipt = try await bus.send(Fill(cents: 16), to: ada)
        XCTAssertEqual(receipt.state.amounts, [16])
        XCTAssertEqual(receipt.version, StreamVersion(5))
    }

    func test_an_aggregate_that_is_truncated_between_two_pages_is_folded_anew() async throws {
        let stream = ada.stream
        // Before, and behind, what is folded by then.
        for first in [100, 290] as [UInt64] {
            let base = InMemoryEventStore()
            for _ in 0..<300 { await base.fill(ada, cents: 1) }
            let store = InterferingStore(
                base: base,
                beforeReadingStream: { request in
                    guard case .forward(StreamVersion(256)) = request.order else { return }
                    _ = try? await base.truncate(stream, before: StreamVersion(first))
                })
            let receipt = try await CommandBus(store).send(Fill(cents: 0), to: ada)
            XCTAssertEqual(receipt.state.cents, 301 - Int(first))
            XCTAssertEqual(receipt.version, StreamVersion(300))
        }
    }
}
