/// An event type made of others, for a projection that listens to several aggregates.
///
/// ```swift
/// enum ShopEvent: EventUnion {
///     case account(Account.Event)
///     case order(Order.Event)
///     static let members = EventMembers(ShopEvent.account, ShopEvent.order)
/// }
/// ```
public protocol EventUnion: ReadableEvent {
    /// The case constructors; the compiler takes from them what each case reads.
    static var members: EventMembers<Self> { get }
}

/// The case constructors of an ``EventUnion``; their parameter types say what each case reads.
public struct EventMembers<Union: Sendable>: Sendable {
    // A result, because Swift 6.3.1 crashes on a generic closure with a typed throw.
    fileprivate typealias Make = @Sendable (EncodedEvent) -> Result<Union, EventCodingError>
    fileprivate var makers: [EventName: Make] = [:]

    /// Lists the members.
    ///
    /// Two members that read the same stored name are a mistake of the program and stop it.
    public init<each Member: ReadableEvent>(
        _ constructor: repeat @escaping @Sendable (each Member) -> Union
    ) {
        repeat add(each constructor)
    }

    private mutating func add<M: ReadableEvent>(_ wrap: @escaping @Sendable (M) -> Union) {
        for name in M.names {
            // TRAPS: the names are the program's own, the same at every start.
            precondition(makers[name] == nil, "two members of \(Union.self) read \(name)")
            makers[name] = { encoded in
                do throws(EventCodingError) {
                    return .success(wrap(try M(decoding: encoded)))
                } catch {
                    return .failure(error)
                }
            }
        }
    }
}

extension EventUnion {
    /// The names of all members.
    public static var names: Set<EventName> { Set(members.makers.keys) }

    /// Reads the event as the member that lists its name.
    public init(decoding encoded: EncodedEvent) throws(EventCodingError) {
        guard let make = Self.members.makers[encoded.name] else {
            throw .unknownName(encoded.name, expected: "\(Self.self)")
        }
        self = try make(encoded).get()
    }
}
