import Wellspring

/// Wellspring with one of its stores and one form of payload.
///
/// The rows are types of their own, and not generic ones: a program knows its events and its store
/// when it is compiled, and so do they.
protocol WellspringContender: Contender {
    associatedtype Store: MeasuredStore
    associatedtype Event: CartForm
    var store: Store { get }
    var bus: CommandBus { get }
    init(_ store: Store)
}

/// Wellspring on files.
final class FileContender: WellspringContender {
    typealias Event = CartEvent
    let store: FileEventStore
    let bus: CommandBus
    init(_ store: FileEventStore) { (self.store, bus) = (store, CommandBus(store)) }
}

/// Wellspring on files, with the compact form of payload.
final class BinaryContender: WellspringContender {
    typealias Event = BinaryCartEvent
    let store: FileEventStore
    let bus: CommandBus
    init(_ store: FileEventStore) { (self.store, bus) = (store, CommandBus(store)) }
}

/// Wellspring on files, with events that write and read themselves.
final class SelfCodedContender: WellspringContender {
    typealias Event = SelfCodedCartEvent
    let store: FileEventStore
    let bus: CommandBus
    init(_ store: FileEventStore) { (self.store, bus) = (store, CommandBus(store)) }
}

/// Wellspring in memory.
final class MemoryContender: WellspringContender {
    typealias Event = CartEvent
    let store: InMemoryEventStore
    let bus: CommandBus
    init(_ store: InMemoryEventStore) { (self.store, bus) = (store, CommandBus(store)) }
}

/// Wellspring in memory, with events that write and read themselves.
final class SelfCodedMemoryContender: WellspringContender {
    typealias Event = SelfCodedCartEvent
    let store: InMemoryEventStore
    let bus: CommandBus
    init(_ store: InMemoryEventStore) { (self.store, bus) = (store, CommandBus(store)) }
}

extension WellspringContender {
    static var row: String { "wellspring" + Store.mark + (isVariant ? "-\(Event.form)" : "") }
    static var hasBus: Bool { true }
    static var persists: Bool { Store.persists }
    static var isAsynchronous: Bool { true }
    static var isVariant: Bool { Event.self != CartEvent.self }

    init(at directory: String, isDurable: Bool) async throws {
        self.init(try await Store.open(at: directory, isDurable: isDurable))
    }

    var append: StoreOperation { .tasks(Event.appending(to: store)) }

    func claim(counting tries: Tally) -> StoreOperation? {
        Event.claiming(in: store, counting: tries)
    }

    func command(counting tries: Tally?) -> StoreOperation? {
        Event.sending(over: bus, counting: tries)
    }

    func fill(_ batches: [Range<Int>], streams: Int) async throws {
        let append = Event.appending(to: store)
        for numbers in batches {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in numbers {
                    group.addTask { try await append(number..<number + 1, number % streams) }
                }
                try await group.waitForAll()
            }
        }
    }

    func version(of stream: Int) async throws -> Int {
        let last = try await store.lastEvent(of: AggregateID<Cart<Event>>("\(stream)").stream)
        return Int(last?.version.rawValue ?? 0)
    }

    func load(stream: Int) async throws -> CartTotals {
        try await store.load(Cart<Event>.self, AggregateID("\(stream)")).state.totals
    }

    func replay(decodes: Bool) async throws -> Replayed {
        decodes ? try await replaying(Event.self, from: store) : try await touching(store)
    }

    func subscribe(
        _ seen: @escaping @Sendable (_ position: UInt64) -> Void
    ) -> Task<Void, Never>? { subscribing(to: store, seen) }

    func close() async throws { await store.close() }
}

/// What the rows of Wellspring differ in besides the form of payload.
protocol MeasuredStore: EventStore {
    /// How the row is told from that of files.
    static var mark: String { get }
    static var persists: Bool { get }
    static func open(at directory: String, isDurable: Bool) async throws -> Self
    func close() async
}

extension FileEventStore: MeasuredStore {
    static let mark = ""
    static let persists = true

    static func open(at directory: String, isDurable: Bool) async throws -> FileEventStore {
        var configuration = FileEventStore.Configuration()
        configuration.durability = isDurable ? .everyCommit : .osManaged
        return try await FileEventStore(at: directory, configuration: configuration)
    }
}

extension InMemoryEventStore: MeasuredStore {
    static let mark = "-memory"
    static let persists = false

    static func open(at directory: String, isDurable: Bool) async throws -> InMemoryEventStore {
        InMemoryEventStore()
    }
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

/// Appends events of these numbers to a stream.
typealias AsynchronousAppend =
    @Sendable (_ numbers: Range<Int>, _ stream: Int) async throws -> Void

extension CartForm {
    static func appending(to store: any EventStore) -> AsynchronousAppend {
        let samples = SampleEvents(of: Self.self)
        let streams = SampleStreams { AggregateID<Cart<Self>>("\($0)").stream }
        return { numbers, stream in
            let events = try numbers.map { try samples.newEvent($0, in: stream) }
            try await store.append(AppendRequest(events, to: streams[stream], expecting: .any))
        }
    }

    static func claiming(in store: any EventStore, counting tries: Tally) -> StoreOperation {
        let samples = SampleEvents(of: Self.self)
        let streams = SampleStreams { AggregateID<Cart<Self>>("\($0)").stream }
        return .tasks { numbers, stream in
            let events = try numbers.map { try samples.newEvent($0, in: stream) }
            while true {
                tries.add()
                let last = try await store.lastEvent(of: streams[stream])
                let request = AppendRequest(
                    events, to: streams[stream],
                    expecting: last.map { .exactly($0.version) } ?? .noStream)
                do {
                    try await store.append(request)
                    return
                } catch EventStoreError.conflict {
                    // Somebody else was first.
                }
            }
        }
    }

    static func sending(over bus: CommandBus, counting tries: Tally?) -> StoreOperation {
        let samples = SampleEvents(of: Self.self)
        let carts = SampleStreams { AggregateID<Cart<Self>>("\($0)") }
        return .tasks { numbers, stream in
            for number in numbers {
                try await bus.send(
                    AddItem(event: samples[number], tries: tries), to: carts[stream])
            }
        }
    }
}

extension SampleEvents {
    /// An event to be appended: every row keeps an id and a correlation.
    fileprivate func newEvent(_ number: Int, in stream: Int) throws -> NewEvent {
        let correlation = MessageID(high: UInt64(stream), low: UInt64(number))
        return NewEvent(
            try self[number].encoded(), metadata: EventMetadata(correlation: correlation))
    }
}

/// Replays the log as a user would who wants its events: into a projection.
private func replaying<Event: CartForm>(
    _ type: Event.Type, from store: some EventStore
) async throws -> Replayed {
    let runner = ProjectionRunner(CartSales<Event>.self, from: store)
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

/// What each customer's carts come to.
private struct CartSales<Event: CartForm>: Projection {
    static var name: ProjectionName { "sales" }
    private(set) var seen = Replayed()

    mutating func apply(_ recorded: Recorded<Event>) { seen.apply(recorded.event) }
}
