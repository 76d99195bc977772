public import Wellspring

/// What every event store must do, as a list of checks.
///
/// A new kind of store begins by passing them:
///
/// ```swift
/// func test_my_store_is_an_event_store() async throws {
///     try await EventStoreChecks.run { MyEventStore() }
/// }
/// ```
///
/// They are about behaviour that readers and writers rely on, contention included. What a store
/// does not offer (conditions, idempotency keys), it may refuse; it may not ignore it.
public enum EventStoreChecks {
    /// Every check of what all stores must do.
    public static let all: [EventStoreCheck] =
        expectedVersions + appending + streamReads + logReads + filters + waiting + names

    /// Runs every check, each against a fresh store.
    ///
    /// A store that is a `TruncatingEventStore` has to pass ``truncating`` as well.
    ///
    /// Give the store a clock that jumps back now and then to make the check of recorded times
    /// count.
    ///
    /// - Parameters:
    ///   - limit: How long one check may take before it counts as hanging.
    ///   - makeStore: Makes an empty store.
    ///   - close: Closes a store. When it is given, the checks about closed stores run too, and
    ///     every store is closed in the end.
    /// - Throws: ``Mismatch`` with the name of the first check that does not hold.
    public static func run<Store: EventStore>(
        limit: Duration = .seconds(60), _ makeStore: () async throws -> Store,
        closing close: (@Sendable (Store) async throws -> Void)? = nil
    ) async throws {
        let offersTruncation = Store.self is any TruncatingEventStore.Type
        for check in offersTruncation ? all + truncating : all {
            let store = try await makeStore()
            do {
                try await check.run(on: store, limit: limit)
            } catch {
                try? await close?(store)
                throw error
            }
            try await close?(store)
        }
        guard let close else { return }
        for check in closed {
            let store = try await makeStore()
            try await check.run(on: store, limit: limit) { try await close(store) }
        }
    }
}

/// One thing an event store must do, with a name that says what.
public struct EventStoreCheck: Sendable {
    /// What is checked, as a claim.
    public let name: String
    private let body: @Sendable (Probe) async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (Probe) async throws -> Void) {
        self.name = name
        self.body = body
    }

    /// Runs the check against `store`, which must be empty and open.
    ///
    /// - Parameters:
    ///   - store: The store.
    ///   - limit: How long the check may take before it counts as hanging.
    /// - Throws: ``Mismatch`` when the check does not hold.
    public func run(
        on store: any EventStore, limit: Duration = .seconds(60)
    ) async throws(Mismatch) {
        try await run(on: store, limit: limit, closing: {})
    }

    func run(
        on store: any EventStore, limit: Duration, closing close: @escaping Probe.Close
    ) async throws(Mismatch) {
        let probe = Probe(store: store, close: close)
        let (ends, reporter) = AsyncStream.makeStream(of: Mismatch?.self)
        // Not children of this task: a store that hangs deaf to cancellation must not hang those
        // who check it.
        let checking = Task { _ = reporter.yield(await outcome(of: probe)) }
        let timing = Task {
            try? await ContinuousClock().sleep(for: limit)
            reporter.yield(Mismatch("did not end within \(limit)", check: name))
        }
        var iterator = ends.makeAsyncIterator()
        let mismatch = await iterator.next() ?? nil
        checking.cancel()
        timing.cancel()
        if let mismatch { throw mismatch }
    }

    private func outcome(of probe: Probe) async -> Mismatch? {
        do {
            try await body(probe)
            return nil
        } catch let mismatch as Mismatch {
            return Mismatch(mismatch.message, check: name)
        } catch {
            return Mismatch("the store failed: \(error)", check: name)
        }
    }
}
