/// The number of events in a stream: 0 before the first event, 1 after it.
///
/// The version of an event is that of its stream just after it, so a stream's versions run from 1
/// without gaps, but for events that were lost before their store was salvaged.
public struct StreamVersion: Hashable, Comparable, Sendable, Codable {
    /// The count as a plain number.
    public let rawValue: UInt64

    /// Creates a version from a plain number.
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// The version of a stream that has no events.
    public static let start = StreamVersion(0)

    /// Whether `a` is earlier than `b`.
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    /// Reads a version from its number.
    public init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(UInt64.self)
    }

    /// Writes the version as its number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

/// A place in the log that all streams share, counted from 1 in the order of commits.
///
/// Positions have no gaps, but for events that were lost before their store was salvaged.
///
/// A position means "the last event seen": 0 is before the first event, and reads take what comes
/// after a position.
public struct LogPosition: Hashable, Comparable, Sendable, Codable {
    /// The place as a plain number.
    public let rawValue: UInt64

    /// Creates a position from a plain number.
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// The place before the first event.
    public static let start = LogPosition(0)

    /// Whether `a` is earlier than `b`.
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    /// Reads a position from its number.
    public init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(UInt64.self)
    }

    /// Writes the position as its number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

extension StreamVersion: CustomStringConvertible {
    /// The count in digits.
    public var description: String { String(rawValue) }
}

extension LogPosition: CustomStringConvertible {
    /// The place in digits.
    public var description: String { String(rawValue) }
}
