/// An intent that may be refused.
///
/// The root of everything a ``CommandBus`` carries, and what ``CommandMiddleware`` sees of it.
/// Commands that are decided by an aggregate conform to ``AggregateCommand``.
public protocol Command: Sendable {
    /// Why the command may be refused. `Never` when it is always accepted.
    associatedtype Rejection: Error = Never
    /// What the sender learns when it was carried out.
    associatedtype Receipt: Sendable
}

extension Command {
    /// Why a command of this type was not carried out.
    public typealias Failure = CommandFailure<Rejection>
}

/// A command that one aggregate decides.
///
/// The decision is a pure function of the aggregate's state, so a rule is tested without a store.
/// It may be called more than once for one command: when another writer was quicker, the bus asks
/// again with the newer state.
///
/// ```swift
/// struct Withdraw: AggregateCommand {
///     let cents: Int
///
///     func decide(given account: Account) throws(Account.Rejection) -> [Account.Event] {
///         guard account.balance >= cents else { throw .insufficientFunds }
///         return [.withdrawn(cents: cents)]
///     }
/// }
/// ```
public protocol AggregateCommand<Target>: Command
where Rejection == Target.Rejection, Receipt == CommandReceipt<Target> {
    /// The aggregate that decides.
    associatedtype Target: Aggregate

    /// Returns what follows from the command, oldest first; nothing when there is nothing to do.
    ///
    /// - Throws: The aggregate's rejection when a rule says no.
    func decide(given state: Target) throws(Target.Rejection) -> [Target.Event]
}

/// Facts about one command that are not part of the domain.
public struct CommandContext: Hashable, Sendable {
    /// The id of the command; the bus makes one when there is none.
    public var id: MessageID?
    /// The message with which the chain of causes began; the command itself when it is not said.
    public var correlation: MessageID?
    /// What the events name as their cause; the command itself when it is not said.
    public var causation: MessageID?
    /// What else to keep with each event: the user, a trace id of another system.
    public var headers: [String: String]
    /// When it happened in the world; the recorded time when it is not said.
    public var occurredAt: Timestamp?

    /// Creates a context; everything is optional.
    public init(
        id: MessageID? = nil, correlation: MessageID? = nil, causation: MessageID? = nil,
        headers: [String: String] = [:], occurredAt: Timestamp? = nil
    ) {
        self.id = id
        self.correlation = correlation
        self.causation = causation
        self.headers = headers
        self.occurredAt = occurredAt
    }

    /// Creates the context of a command that answers a recorded event.
    ///
    /// The new events name `cause` as theirs and continue its correlation.
    public init<Event: Sendable>(inResponseTo cause: Recorded<Event>) {
        self.init(correlation: cause.metadata.correlation ?? cause.id, causation: cause.id)
    }
}

/// What became of a command.
public struct CommandReceipt<A: Aggregate>: Sendable {
    /// The aggregate after the events.
    public let state: A
    /// What was decided and recorded; empty when there was nothing to do.
    public let events: [A.Event]
    /// The version of the aggregate's stream after the events.
    public let version: StreamVersion
    /// The place of the newest event in the log.
    ///
    /// Pass it to ``QueryBus/ask(_:after:timeout:)`` to read what was just written.
    public let position: LogPosition
    /// The id of the command, which its events name as their cause unless the context says another.
    public let commandID: MessageID

    @inlinable
    init(
        state: A, events: [A.Event], version: StreamVersion, position: LogPosition,
        commandID: MessageID
    ) {
        self.state = state
        self.events = events
        self.version = version
        self.position = position
        self.commandID = commandID
    }
}

/// Why a command was not carried out.
@nonexhaustive
public enum CommandFailure<Rejection: Error>: Error {
    /// A rule said no. Tell the user; trying again changes nothing.
    case rejected(Rejection)
    /// The store failed, or every race for the stream was lost
    /// (``EventStoreError/conflict(_:)``). The error says whether to try again.
    case store(EventStoreError)
    /// A stored event of the aggregate cannot be read. Nothing is decided without it.
    case undecodable(EventCodingError, stream: StreamID, version: StreamVersion)
    /// A decided event cannot be written; nothing was recorded.
    case unencodable(EventCodingError)
    /// Middleware stopped the command, or its task was cancelled (`CancellationError`).
    ///
    /// The bus itself reports a cancellation only when nothing was recorded.
    case interrupted(any Error)
}

extension CommandFailure: CustomStringConvertible {
    /// The failure in a sentence.
    public var description: String {
        switch self {
        case .rejected(let rejection): "The command was rejected: \(rejection)."
        case .store(let error): "\(error)"
        case .undecodable(let error, let stream, let version):
            "Event \(version) of \(stream) cannot be read: \(error)."
        case .unencodable(let error):
            "A decided event cannot be written: \(error). Nothing was recorded."
        case .interrupted(let error):
            "The command was interrupted: \(error). Put that right and send it again."
        }
    }
}
