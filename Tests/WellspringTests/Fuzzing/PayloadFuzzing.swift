import Foundation
import Wellspring

/// Payloads that nobody wrote: every one gives an event or an error.
///
/// The first byte of an input chooses the codec and the event, the rest is the payload. What is read
/// is written and read again, and must stay the same. What is called JSON is also given to Foundation,
/// which must read the same or refuse it too. The fuzzer of `.ci/fuzz` calls this, and so does a test
/// with all that the fuzzer found worth keeping.
enum PayloadFuzzing {
    /// An event was read that is another one after it was written again, or to Foundation.
    struct Changed: Error, CustomStringConvertible {
        let description: String
    }

    /// What came of an input.
    enum Outcome { case refused, read }

    static func run(_ input: [UInt8]) throws(Changed) -> Outcome {
        guard let first = input.first else { return .refused }
        let names = ["opened", "moved", "tree"]
        let codecs: [PayloadCodec] = [.json, .binary, .selfCoded]
        let stored = EncodedEvent(
            name: EventName(names[Int(first) % 3]), payload: EventPayload(input.dropFirst()),
            codec: codecs[Int(first) / 3 % 3])
        if stored.codec == .json { try compare(stored, also: Int(first) / 9) }
        let outcomes = [
            try rewrite(FuzzedEvent.self, stored), try rewrite(ListedFuzzedEvent.self, stored),
        ]
        return outcomes.contains(.read) ? .read : .refused
    }

    /// Has Foundation read the same bytes, as the content of the event and, often enough, as
    /// something else.
    private static func compare(_ stored: EncodedEvent, also number: Int) throws(Changed) {
        let text = Array(stored.payload)
        var differences: [String?] =
            switch stored.name {
            case "opened": [FuzzedContent.Opened.difference(stored, text)]
            case "moved": [FuzzedContent.Moved.difference(stored, text)]
            default: [FuzzedContent.Planted.difference(stored, text)]
            }
        switch number % 8 {
        case 1: differences.append(JSONComparison.difference(AnyJSON.self, text))
        case 2: differences.append(JSONComparison.difference([String: Double?].self, text))
        case 3: differences.append(JSONComparison.difference([Decimal].self, text))
        case 4: differences.append(JSONComparison.difference([UInt64?].self, text))
        default: break
        }
        if let difference = differences.lazy.compactMap({ $0 }).first {
            throw Changed(description: difference)
        }
    }

    /// Reads an event, writes it and reads it again.
    static func rewrite<E: DomainEvent>(
        _ type: E.Type, _ stored: EncodedEvent
    ) throws(Changed) -> Outcome {
        guard let event = try? E(decoding: stored), let written = try? event.encoded() else {
            return .refused
        }
        guard let again = try? E(decoding: written).encoded(), again.payload == written.payload
        else { throw Changed(description: "\(stored) is another one after it was written again") }
        return .read
    }
}

/// An event with values of several kinds, nested ones among them.
enum FuzzedEvent: SelfCodingEvent {
    case opened(owner: String, limit: Int, note: String?)
    case moved([String: [Int]])
    case tree(Tree)

    indirect enum Tree: Codable, Equatable, Sendable, PayloadValue {
        case leaf(Double)
        case branch([Tree])

        func write(to payload: inout PayloadWriter) {
            switch self {
            case .leaf(let value):
                payload.write(true)
                payload.write(value)
            case .branch(let trees):
                payload.write(false)
                payload.write(trees)
            }
        }

        init(from payload: inout PayloadReader) throws(PayloadError) {
            self = try payload.read() ? .leaf(try payload.read()) : .branch(try payload.read())
        }
    }

    enum CodingKeys: String, EventNames {
        case opened, moved, tree
    }

    func write(to payload: inout PayloadWriter) -> CodingKeys {
        switch self {
        case .opened(let owner, let limit, let note):
            payload.write(owner)
            payload.write(limit)
            payload.write(note)
            return .opened
        case .moved(let places):
            payload.write(places)
            return .moved
        case .tree(let tree):
            payload.write(tree)
            return .tree
        }
    }

    init(_ name: CodingKeys, from payload: inout PayloadReader) throws(PayloadError) {
        switch name {
        case .opened:
            self = .opened(
                owner: try payload.read(), limit: try payload.read(), note: try payload.read())
        case .moved: self = .moved(try payload.read())
        case .tree: self = .tree(try payload.read())
        }
    }
}

/// The same events, with fields that are listed for the binary form.
enum ListedFuzzedEvent: DomainEvent {
    case opened(owner: String, limit: Int, note: String?)
    case moved([String: [Int]])
    case tree(FuzzedEvent.Tree)

    enum CodingKeys: String, EventNames {
        case opened, moved, tree
    }

    static let payloadFormat = PayloadFormat.binary(fields: ["owner", "limit", "_0", "leaf"])
}

/// What the cases hold, as Foundation knows it.
enum FuzzedContent {
    struct Opened: FuzzedCase {
        let owner: String
        let limit: Int
        let note: String?

        init?(_ event: ListedFuzzedEvent) {
            guard case .opened(let owner, let limit, let note) = event else { return nil }
            (self.owner, self.limit, self.note) = (owner, limit, note)
        }
    }

    struct Moved: FuzzedCase {
        let places: [String: [Int]]
        enum CodingKeys: String, CodingKey { case places = "_0" }

        init?(_ event: ListedFuzzedEvent) {
            guard case .moved(let places) = event else { return nil }
            self.places = places
        }
    }

    struct Planted: FuzzedCase {
        let tree: FuzzedEvent.Tree
        enum CodingKeys: String, CodingKey { case tree = "_0" }

        init?(_ event: ListedFuzzedEvent) {
            guard case .tree(let tree) = event else { return nil }
            self.tree = tree
        }
    }
}

/// The content of one case.
protocol FuzzedCase: Codable, Equatable {
    init?(_ event: ListedFuzzedEvent)
}

extension FuzzedCase {
    /// How Foundation disagrees about the content of an event, as content and as a whole event; `nil`
    /// when it does not.
    static func difference(_ stored: EncodedEvent, _ text: [UInt8]) -> String? {
        if let difference = JSONComparison.difference(Self.self, text) { return difference }
        let event = (try? ListedFuzzedEvent(decoding: stored)).flatMap { Self($0) }
        guard case .value(let content) = JSONComparison.ours(Self.self, text) else {
            return event.map { "the event \($0) from what is no content: \(text)" }
        }
        return event == content ? nil : "\(text): \(content), and the event has \(event as Any)"
    }
}
