import Synchronization

/// The event types that were asked for, with what never changes about each.
///
/// A list that only grows at its end, read without a lock; a program has few event types.
@usableFromInline
enum KnownEvents {
    private static let first = Link()

    @usableFromInline
    static func cases<E: DomainEvent>(of type: E.Type) -> EventCases {
        let id = ObjectIdentifier(type)
        var entry = first.load()
        while let current = entry {
            if current.event == id { return current }
            entry = current.next.load()
        }
        return add(EventCases(of: type))
    }

    /// Puts an entry at the end, unless another task was quicker with the same.
    private static func add(_ made: EventCases) -> EventCases {
        var stored = first.storeIfNil(made)
        while stored !== made, stored.event != made.event {
            stored = stored.next.storeIfNil(made)
        }
        return stored
    }
}

/// A reference that is written once, to an object that is never freed.
struct Link: ~Copyable, Sendable {
    private let place = Atomic<Unmanaged<EventCases>?>(nil)

    @inline(__always)
    func load() -> EventCases? { place.load(ordering: .acquiring)?.takeUnretainedValue() }

    func storeIfNil(_ made: EventCases) -> EventCases {
        let given = Unmanaged.passRetained(made)
        let (done, there) = place.compareExchange(
            expected: nil, desired: given, ordering: .acquiringAndReleasing)
        if done { return made }
        given.release()
        return there?.takeUnretainedValue() ?? made
    }
}

/// The cases of one event type: their stored names, and the keys that Swift knows them by.
@usableFromInline
final class EventCases: Sendable {
    let names: Set<EventName>
    let typeName: String
    fileprivate let event: ObjectIdentifier
    fileprivate let next = Link()
    private let list: [EventName]
    private let key: ObjectIdentifier
    /// A ``KeyLists`` of the event's own key type.
    private let keys: any AnyObject & Sendable

    /// For each key an array of that key alone, which is what a decoder is asked for.
    private final class KeyLists<Key: CodingKey>: Sendable {
        let lists: [[Key]]
        init(_ keys: some Collection<Key>) { lists = keys.map { [$0] } }
    }

    fileprivate init<E: DomainEvent>(of type: E.Type) {
        let all = E.CodingKeys.allCases
        typeName = "\(E.self)"
        event = ObjectIdentifier(type)
        key = ObjectIdentifier(E.CodingKeys.self)
        list = all.map { EventName($0.stringValue) }
        names = Set(list)
        keys = KeyLists(all)
    }

    /// The place of the case that is stored under a name, or nil when there is none.
    func index(of name: EventName) -> Int? { list.firstIndex(of: name) }

    func name(_ index: Int) -> EventName { list[index] }

    /// The key of a case, alone in an array; nil when the type decodes itself by other keys.
    func keyAlone<Key: CodingKey>(_ index: Int, as type: Key.Type) -> [Key]? {
        guard ObjectIdentifier(type) == key else { return nil }
        return unsafeDowncast(keys, to: KeyLists<Key>.self).lists[index]
    }
}
