import Wellspring

/// Payloads that nobody wrote: every one gives an event or an error.
///
/// The first byte of an input chooses the codec and the event, the rest is the payload. What is read
/// is written and read again, and must stay the same. The fuzzer of `.ci/fuzz` calls this, and so
/// does a test with all that the fuzzer found worth keeping.
enum PayloadFuzzing {
    /// An event was read that is another one after it was written again.
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
        let outcomes = [
            try rewrite(FuzzedEvent.self, stored), try rewrite(ListedFuzzedEvent.self, stored),
        ]
        return outcomes.contains(.read) ? .read : .refused
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

    indirect enum Tree: Codable, Sendable, PayloadValue {
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
