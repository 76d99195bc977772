import Wellspring

/// The event that every workload writes, in some form of payload: six fields, 200 to 203 bytes as
/// JSON.
protocol CartForm: DomainEvent {
    /// What the form is called.
    static var form: String { get }

    static func itemAdded(
        orderId: String, customerId: String, sku: String, quantity: Int, amountCents: Int,
        note: String
    ) -> Self

    var customerId: String { get }
    var amountCents: Int { get }

    // Requirements, so that they are compiled for each event type by itself: a program knows the
    // types of its events and commands.

    /// What appends events to carts.
    static func appending(to store: any EventStore) -> AsynchronousAppend
    /// What appends an event at the version that it has read.
    static func claiming(in store: any EventStore, counting tries: Tally) -> StoreOperation
    /// What sends commands to carts; counts in `tries` how often one decides.
    static func sending(over bus: CommandBus, counting tries: Tally?) -> StoreOperation
}

extension CartForm {
    /// The event with the given number: the same in every run, and unlike its neighbours.
    static func number(_ number: Int) -> Self {
        let mixed = CartNumbers.mix(UInt64(truncatingIfNeeded: number))
        return .itemAdded(
            orderId: "order-" + CartNumbers.padded(mixed >> 20 % 100_000_000, 8),
            customerId: "customer-" + CartNumbers.padded(UInt64(number % 1000), 5),
            sku: "sku-" + CartNumbers.padded(mixed >> 7 % 1_000_000, 7),
            quantity: number % 12 + 1, amountCents: Int(mixed % 20_000) + 100,
            note: CartNumbers.note(mixed))
    }
}

/// What the fields of an event are made of.
private enum CartNumbers {
    /// The finaliser of SplitMix64.
    static func mix(_ number: UInt64) -> UInt64 {
        var z = number &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    static func note(_ mixed: UInt64) -> String {
        "leave at the door, ring twice, code " + padded(mixed >> 11 % 10_000_000_000, 14)
            + ", thanks a lot and see you soon"
    }

    static func padded(_ number: UInt64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// What a fold over the events computes, so that no work can be left out.
struct CartTotals: Equatable {
    var count = 0
    var cents = 0

    mutating func apply(_ event: some CartForm) {
        count += 1
        cents += event.amountCents
    }
}

/// A cart whose events have one form of payload.
struct Cart<Event: CartForm>: Aggregate {
    static var category: StreamCategory { "cart" }
    var totals = CartTotals()

    mutating func apply(_ event: Event) { totals.apply(event) }
}

/// Adds one more item: what the command workloads send.
struct AddItem<Event: CartForm>: AggregateCommand {
    let event: Event
    /// Where the bus asks more than once, each time counts.
    var tries: Tally?

    func decide(given cart: Cart<Event>) -> [Event] {
        tries?.add()
        return [event]
    }
}

/// Events that are made before a clock runs, and used in turn: a program has its events at hand,
/// and making these ones costs about as much as storing them.
struct SampleEvents<Event: CartForm>: Sendable {
    // A prime, so that the events of a stream are not the same one again and again.
    private static var count: Int { 2_003 }
    let all: [Event]

    init(of type: Event.Type) { all = (0..<Self.count).map(Event.number) }

    subscript(number: Int) -> Event { all[number % Self.count] }
}

/// The ids of streams, most of which are made before a clock runs.
struct SampleStreams<ID: Sendable>: Sendable {
    private let ids: [ID]
    private let make: @Sendable (_ stream: Int) -> ID

    init(_ make: @escaping @Sendable (_ stream: Int) -> ID) {
        ids = (0..<2_000).map(make)
        self.make = make
    }

    subscript(stream: Int) -> ID { stream < ids.count ? ids[stream] : make(stream) }
}
