// The names that go into storage. Each is written down once in source and never derived from a
// Swift type, so that renaming a type leaves old data readable.

/// The stable name under which one kind of aggregate keeps its streams.
///
/// Not empty, at most 255 bytes of UTF-8, without `/` and NUL, and not beginning with `$`, as the store's
/// own categories do; an append to a stream of any other category is refused.
public struct StreamCategory: Hashable, Sendable, ExpressibleByStringLiteral,
    CustomStringConvertible
{
    let exact: ExactString

    /// The name as text.
    public var rawValue: String { exact.value }
    /// The name as text.
    public var description: String { exact.value }

    /// Creates a name from text.
    public init(_ rawValue: String) { exact = ExactString(rawValue) }
    /// Creates a name from text.
    public init(stringLiteral value: String) { self.init(value) }
}

extension StreamCategory: Comparable {
    /// Whether `a` comes first by its bytes.
    public static func < (a: Self, b: Self) -> Bool { a.exact < b.exact }
}

/// The stable name of one kind of event, as written to storage: `order.placed`.
///
/// Not empty, at most 255 bytes of UTF-8, without NUL.
public struct EventName: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    let exact: ExactString

    /// The name as text.
    public var rawValue: String { exact.value }
    /// The name as text.
    public var description: String { exact.value }

    /// Creates a name from text.
    public init(_ rawValue: String) { exact = ExactString(rawValue) }
    /// Creates a name from text.
    public init(stringLiteral value: String) { self.init(value) }
}

extension EventName: Comparable {
    /// Whether `a` comes first by its bytes.
    public static func < (a: Self, b: Self) -> Bool { a.exact < b.exact }
}

/// A label on an event by which readers find it whatever its stream: `course:c1`.
///
/// Not empty, at most 256 bytes of UTF-8, without NUL; an event has at most 64.
public struct Tag: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    let exact: ExactString

    /// The label as text.
    public var rawValue: String { exact.value }
    /// The label as text.
    public var description: String { exact.value }

    /// Creates a label from text.
    public init(_ rawValue: String) { exact = ExactString(rawValue) }
    /// Creates a label from text.
    public init(stringLiteral value: String) { self.init(value) }
}

extension Tag: Comparable {
    /// Whether `a` comes first by its bytes.
    public static func < (a: Self, b: Self) -> Bool { a.exact < b.exact }
}

/// The stable name of a projection; its checkpoint is saved under it.
public struct ProjectionName: Hashable, Sendable, ExpressibleByStringLiteral,
    CustomStringConvertible
{
    let exact: ExactString

    /// The name as text.
    public var rawValue: String { exact.value }
    /// The name as text.
    public var description: String { exact.value }

    /// Creates a name from text.
    public init(_ rawValue: String) { exact = ExactString(rawValue) }
    /// Creates a name from text.
    public init(stringLiteral value: String) { self.init(value) }
}

/// Marks an append so that its repetition is recognised.
///
/// The caller chooses it for the intent, not for the attempt. Not empty, at most 256 bytes of UTF-8,
/// without NUL.
public struct IdempotencyKey: Hashable, Sendable, ExpressibleByStringLiteral,
    CustomStringConvertible
{
    let exact: ExactString

    /// The key as text.
    public var rawValue: String { exact.value }
    /// The key as text.
    public var description: String { exact.value }

    /// Creates a key from text.
    public init(_ rawValue: String) { exact = ExactString(rawValue) }
    /// Creates a key from text.
    public init(stringLiteral value: String) { self.init(value) }
}
