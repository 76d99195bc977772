/// A type that can be read back from the log.
///
/// Projections ask for a `ReadableEvent`; aggregates ask for the stronger ``DomainEvent``.
public protocol ReadableEvent: Sendable {
    /// Every stored name that this type understands. Readers use it to leave out the rest.
    static var names: Set<EventName> { get }

    /// Reads a stored event.
    ///
    /// - Throws: ``EventCodingError`` when the name is not one of ``names``, or the content does
    ///   not fit.
    init(decoding encoded: EncodedEvent) throws(EventCodingError)
}

/// Something that happened to an aggregate, written once and kept for good.
///
/// Conform an enum, give every associated value a label, and pin the stored names in `CodingKeys`:
///
/// ```swift
/// enum Event: DomainEvent {
///     case opened(owner: String)
///     case deposited(cents: Int)
///
///     enum CodingKeys: String, EventNames {
///         case opened = "account.opened"
///         case deposited = "account.deposited"
///     }
/// }
/// ```
///
/// Cases may be renamed freely; the strings stay. A type without such `CodingKeys` does not
/// compile: Swift reports that it "does not conform to protocol 'Decodable'". A single case that is
/// missing from them compiles, and is refused when it is to be written:
/// ``EventCodingError/unencodable(type:reason:)``. Let a test write every case once.
public protocol DomainEvent: ReadableEvent, Codable {
    /// The list of stored names.
    associatedtype CodingKeys: EventNames

    /// The shape of the content that this version of the program writes; 1 unless said otherwise.
    static var schemaVersion: UInt16 { get }

    /// The form in which new events are written; ``PayloadFormat/json`` unless said otherwise.
    static var payloadFormat: PayloadFormat { get }

    /// Labels by which readers find the event whatever its stream; none unless said otherwise.
    var tags: [Tag] { get }

    /// Returns the stored form.
    ///
    /// - Throws: ``EventCodingError`` when a value cannot be written, such as an infinite number.
    func encoded() throws(EventCodingError) -> EncodedEvent
}

/// The list of stored event names of one ``DomainEvent``.
public protocol EventNames: CodingKey, CaseIterable, Sendable {}

extension EventNames {
    /// The key of a stored name; one that differs in how a letter is composed is another name.
    @inlinable
    static func named(_ name: EventName) -> Self? {
        // The key that Swift finds first is the right one, unless two are alike to it.
        if let key = Self(stringValue: name.rawValue), EventName(key.stringValue) == name {
            return key
        }
        return allCases.first { EventName($0.stringValue) == name }
    }
}

extension DomainEvent {
    /// The names listed in `CodingKeys`.
    public static var names: Set<EventName> { KnownEvents.cases(of: Self.self).names }

    /// None.
    public var tags: [Tag] { [] }

    /// JSON.
    public static var payloadFormat: PayloadFormat { .json }

    /// Shape 1.
    public static var schemaVersion: UInt16 { 1 }

    /// Reads JSON or the binary form, whichever the event was stored in.
    @inlinable
    public init(decoding encoded: EncodedEvent) throws(EventCodingError) {
        self = try EventCoding.decode(Self.self, from: encoded)
    }

    /// Returns the form that ``payloadFormat`` says.
    @inlinable
    public func encoded() throws(EventCodingError) -> EncodedEvent {
        try EventCoding.encode(self)
    }
}

/// Why an event could not be turned into bytes, or bytes into an event.
///
/// Carries names and reasons, never content.
@nonexhaustive
public enum EventCodingError: Error, Hashable, Sendable {
    /// The name is not one that the type lists. Add the name to the type or, where such events are
    /// read, leave them out with a filter.
    case unknownName(EventName, expected: String)
    /// The type does not encode as one enum case. Make it an enum whose cases are events.
    case notAnEnumCase(type: String)
    /// An associated value refused to encode, or the case has no entry in `CodingKeys`.
    case unencodable(type: String, reason: String)
    /// The content does not match the case. Was a field renamed, or made mandatory?
    case malformedPayload(EventName, reason: String)
    /// The content was written with a codec that the type does not read.
    case unknownCodec(PayloadCodec, of: EventName)
    /// The content was taken away on purpose. Pass over the event, see ``Recorded/isRedacted``.
    case redacted(EventName)
}

extension EventCodingError: CustomStringConvertible {
    /// What is wrong, and what to do about it.
    public var description: String {
        switch self {
        case .unknownName(let name, let type):
            "\(type) does not list the name \(name); add it there, or leave such events out with a "
                + "filter"
        case .notAnEnumCase(let type):
            "\(type) does not encode as one enum case; make it an enum whose cases are events"
        case .unencodable(let type, let reason):
            "\(type) cannot be encoded: \(reason); correct the type"
        case .malformedPayload(let name, let reason):
            "the content of \(name) does not fit its type: \(reason); have the type read what is "
                + "stored"
        case .unknownCodec(let codec, let name):
            "\(name) was written with codec \(codec.rawValue), which its type does not read; read "
                + "it with the type that wrote it"
        case .redacted(let name): "the content of \(name) was redacted; pass over the event"
        }
    }
}
