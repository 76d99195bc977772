import Wellspring

/// Wellspring on files, or in memory where it is said so.
final class WellspringContender: Contender {
    static let row = "wellspring"
    let store: FileEventStore
    private let bus: CommandBus

    init(at directory: String, isDurable: Bool) async throws {
        var configuration = FileEventStore.Configuration()
        configuration.durability = isDurable ? .everyCommit : .osManaged
        store = try await FileEventStore(at: directory, configuration: configuration)
        bus = CommandBus(store)
    }

    var append: Operation { appending(to: store) }
    var command: Command { sending(over: bus) }

    func load(stream: Int) async throws -> CartTotals {
        try await store.load(CartTotals.self, AggregateID("\(stream)")).state
    }

    func replay(decodes: Bool) async throws -> Replayed {
        try await replaying(store, decodes: decodes)
    }

    func subscribe(
        _ seen: @escaping @Sendable (_ position: UInt64) -> Void
    ) -> Task<Void, Never>? { subscribing(to: store, seen) }

    func close() async throws { await store.close() }
}

final class WellspringMemoryContender: Contender {
    static let row = "wellspring-memory"
    static let persists = false
    private let store = InMemoryEventStore()
    private let bus: CommandBus

    init(at directory: String, isDurable: Bool) async throws { bus = CommandBus(store) }

    var append: Operation { appending(to: store) }
    var command: Command { sending(over: bus) }

    func load(stream: Int) async throws -> CartTotals {
        try await store.load(CartTotals.self, AggregateID("\(stream)")).state
    }

    func replay(decodes: Bool) async throws -> Replayed {
        try await replaying(store, decodes: decodes)
    }

    func subscribe(
        _ seen: @escaping @Sendable (_ position: UInt64) -> Void
    ) -> Task<Void, Never>? { subscribing(to: store, seen) }

    func close() async throws { await store.close() }
}

private func subscribing(
    to store: some EventStore, _ seen: @escaping @Sendable (_ position: UInt64) -> Void
) -> Task<Void, Never> {
    Task {
        do {
            for try await page in store.subscribe() {
                for event in page.events { seen(event.position.rawValue) }
            }
        } catch {
            // Cancelled, or the store was closed: nobody listens any more.
        }
    }
}

private func appending(to store: some EventStore) -> Operation {
    .tasks { numbers, stream in
        let events = try numbers.map { number in
            // Every row keeps an id and a correlation.
            let correlation = MessageID(high: UInt64(stream), low: UInt64(number))
            return NewEvent(
                try CartEvent.number(number).encoded(),
                metadata: EventMetadata(correlation: correlation))
        }
        try await store.append(
            AppendRequest(
                events, to: AggregateID<CartTotals>("\(stream)").stream, expecting: .any))
    }
}

private func sending(over bus: CommandBus) -> Command {
    .tasks { number, stream in
        // The bus decides anew by itself; how often is counted where that matters.
        try await bus.send(AddItem(number: number), to: AggregateID("\(stream)"))
        return 1
    }
}

/// Replays the log as a user would who wants its events: into a projection.
private func replaying(_ store: some EventStore, decodes: Bool) async throws -> Replayed {
    guard decodes else { return try await touching(store) }
    let runner = ProjectionRunner(CartSales.self, from: store)
    try await runner.rebuild()
    return runner.snapshot().model.seen
}

/// Looks at each payload and decodes none.
private func touching(_ store: some EventStore) async throws -> Replayed {
    var seen = Replayed()
    var position = LogPosition.start
    while true {
        let page = try await store.read(
            LogRead(.forward(after: position), limit: ReadLimit(events: 1_024)))
        guard page.end > position else { return seen }
        position = page.end
        for recorded in page.events {
            seen.events += 1
            seen.bytes += recorded.event.payload.count
        }
    }
}

/// What all carts together come to.
private struct CartSales: Projection {
    static let name: ProjectionName = "sales"
    private(set) var seen = Replayed()

    mutating func apply(_ recorded: Recorded<CartEvent>) {
        seen.events += 1
        seen.cents += recorded.event.amountCents
    }
}
