/// A consistency boundary whose state is the fold of its events.
///
/// An aggregate is a value that knows how to take one event into account. It never refuses an
/// event and never does I/O: what may happen next is decided by an ``AggregateCommand``.
///
/// ```swift
/// struct Account: Aggregate {
///     static let category: StreamCategory = "account"
///     private(set) var balance = 0
///
///     mutating func apply(_ event: Event) {
///         switch event {
///         case .deposited(let cents): balance += cents
///         case .withdrawn(let cents): balance -= cents
///         }
///     }
/// }
/// ```
public protocol Aggregate: Sendable {
    /// What happens to it.
    associatedtype Event: DomainEvent
    /// Why a command may be refused. Stays `Never` for an aggregate that accepts everything.
    associatedtype Rejection: Error = Never

    /// The first part of the names of its streams; part of stored data.
    static var category: StreamCategory { get }

    /// The state before the first event.
    init()

    /// Takes one event into account.
    mutating func apply(_ event: Event)
}

extension Aggregate {
    /// Identifies one instance.
    public typealias ID = AggregateID<Self>

    /// The state after `events`, starting from nothing.
    public init(replaying events: some Sequence<Event>) {
        self.init()
        for event in events { apply(event) }
    }
}

/// Identifies one aggregate instance, typed by the aggregate it belongs to.
///
/// `Account.ID` and `Order.ID` are different types, so one cannot be sent where the other is
/// meant. Compared as UTF-8 bytes.
public struct AggregateID<A: Aggregate>: Hashable, Sendable, Codable, ExpressibleByStringLiteral {
    /// The stream that holds the aggregate's events.
    public let stream: StreamID

    /// The id as text: the key of the aggregate's stream.
    public var rawValue: String { stream.key }

    /// Creates an id from text.
    @inlinable
    public init(_ rawValue: String) { stream = StreamID(category: A.category, key: rawValue) }

    /// Creates an id from text.
    public init(stringLiteral value: String) { self.init(value) }

    /// Reads an id from its text.
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    /// Writes the id as its text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

// Not `CodingKeyRepresentable`, on purpose: a dictionary would then be coded as a JSON object, and
// Foundation keeps the keys of one in Swift strings, which call composed and decomposed letters
// equal. One of two such ids would be lost from a saved read model. As it is, a dictionary is
// coded as a list of keys and values, each as its bytes are.
extension AggregateID: CustomStringConvertible, Comparable {
    /// The id as text.
    public var description: String { rawValue }

    /// Whether `a` comes first by its bytes.
    public static func < (a: Self, b: Self) -> Bool { a.stream.exact < b.stream.exact }
}

/// A state being changed step by step, for a decision whose later events depend on earlier ones.
///
/// ```swift
/// var draft = Draft(order)
/// for item in basket { draft.record(.itemAdded(item)) }
/// if draft.state.total > limit { draft.record(.approvalRequested) }
/// return draft.events
/// ```
public struct Draft<A: Aggregate>: Sendable {
    /// The state with the recorded events taken in.
    public private(set) var state: A
    /// What was recorded, in order.
    public private(set) var events: [A.Event] = []

    /// Starts from `state`.
    public init(_ state: A) { self.state = state }

    /// Adds an event and takes it into account.
    public mutating func record(_ event: A.Event) {
        state.apply(event)
        events.append(event)
    }
}
