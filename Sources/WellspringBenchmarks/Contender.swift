/// A store under measurement: one row of the table.
///
/// Encoding and decoding the sample event are inside every operation, as they are for users.
protocol Contender: AnyObject, Sendable {
    /// The name of the row.
    static var row: String { get }

    /// Whether a store that was closed is there again when it is opened.
    static var persists: Bool { get }

    /// Whether the row differs from another one in the form of the payload only.
    static var isVariant: Bool { get }

    /// Whether the row knows streams, versions and events, or only bytes one after the other.
    static var hasStreams: Bool { get }

    /// Whether many appends may be under way without as many threads, and share commits.
    static var isAsynchronous: Bool { get }

    /// Whether commands go over a command bus, which keeps the aggregate: what it adds to an append is
    /// measured then. Other rows load the aggregate for each command.
    static var hasBus: Bool { get }

    /// Opens a store in `directory`, new or existing.
    init(at directory: String, isDurable: Bool) async throws

    /// Appends events to the end of a stream.
    var append: StoreOperation { get }

    /// Appends single events to `streams` streams in turn, those of a batch in whatever way is quick.
    func fill(_ batches: [Range<Int>], streams: Int) async throws

    /// Reads how many events a stream has.
    func version(of stream: Int) async throws -> Int

    /// Loads a stream and folds it.
    func load(stream: Int) async throws -> CartTotals

    /// Reads the whole log; decodes and sums up each event when `decodes`, else touches its bytes.
    func replay(decodes: Bool) async throws -> Replayed

    /// Reads the version of a stream and appends one event expecting it; tries again when another
    /// writer was first. Counts each try in `tries`.
    func claim(counting tries: Tally) -> StoreOperation?

    /// Loads a stream, decides, and appends one event at the version that was loaded; tries again
    /// when another writer was first. Counts each try in `tries`.
    func command(counting tries: Tally?) -> StoreOperation?

    /// Reports, for each event from now on, when a subscriber was called with it; `nil` where the
    /// row has no subscriptions.
    func subscribe(_ seen: @escaping @Sendable (_ position: UInt64) -> Void) -> Task<Void, Never>?

    func close() async throws
}

extension Contender {
    static var persists: Bool { true }
    static var isVariant: Bool { false }
    static var hasStreams: Bool { true }
    static var hasBus: Bool { false }
    static var isAsynchronous: Bool { false }

    func subscribe(
        _ seen: @escaping @Sendable (_ position: UInt64) -> Void
    ) -> Task<Void, Never>? { nil }
}

/// What a workload does again and again, in the style of its store: with events of these numbers,
/// in one stream.
enum StoreOperation: Sendable {
    case tasks(@Sendable (_ numbers: Range<Int>, _ stream: Int) async throws -> Void)
    case threads(@Sendable (_ numbers: Range<Int>, _ stream: Int) throws -> Void)
}

/// What a replay has seen.
struct Replayed: Equatable {
    var events = 0
    var bytes = 0
    /// What each customer's events come to, where they were decoded.
    var customers: [String: CartTotals] = [:]

    mutating func apply(_ event: some CartForm) {
        events += 1
        customers[event.customerId, default: CartTotals()].apply(event)
    }
}
