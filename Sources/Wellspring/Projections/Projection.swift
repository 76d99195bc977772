/// A read model: a value that takes in events and answers questions.
///
/// A read model lives in memory and is a whole value: all of it is held at once, saved at once and
/// rebuilt at once. That makes it exact and simple; keep what does not fit in memory in a database.
///
/// ```swift
/// struct Balances: Projection {
///     static let name: ProjectionName = "balances"
///     private(set) var cents: [Account.ID: Int] = [:]
///
///     mutating func apply(_ recorded: Recorded<Account.Event>) {
///         let account = recorded.id(of: Account.self)
///         switch recorded.event {
///         case .deposited(let amount): cents[account, default: 0] += amount
///         case .withdrawn(let amount): cents[account, default: 0] -= amount
///         }
///     }
/// }
/// ```
///
/// A projection only computes. It is replayed at any time, so what it does must be the same every
/// time and must not reach outside. A ``ProjectionRunner`` feeds it.
public protocol Projection: Sendable {
    /// What it listens to: the events of one aggregate, or an ``EventUnion`` of several.
    associatedtype Event: ReadableEvent
    /// What ``apply(_:)`` may fail with; `Never` for one that does not throw.
    ///
    /// The compiler takes it from `apply`. A model that cannot fail is changed in place; one that
    /// can is copied first for every page, so that a failure leaves no half of an append behind.
    associatedtype Failure: Error

    /// The name under which its state is saved; part of stored data.
    static var name: ProjectionName { get }

    /// Raise this whenever the meaning or the form of the state changes; 1 unless said otherwise.
    ///
    /// State that was saved under another revision is discarded, and the log replayed.
    static var revision: Int { get }

    /// The model before the first event.
    init()

    /// Takes one event into account.
    ///
    /// - Throws: When the event cannot be true. The runner then stops this projection, and says
    ///   where, rather than leaving the event out.
    mutating func apply(_ recorded: Recorded<Event>) throws(Failure)
}

extension Projection {
    /// Revision 1.
    public static var revision: Int { 1 }
}
