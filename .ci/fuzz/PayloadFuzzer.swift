// A program for libFuzzer: every payload gives an event or an error.
//
// The first byte chooses the codec and the event, the rest is the payload. What is read is written
// and read again, and must stay the same.

import Wellspring

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

enum ListedEvent: DomainEvent {
    case opened(owner: String, limit: Int, note: String?)
    case moved([String: [Int]])
    case tree(FuzzedEvent.Tree)

    enum CodingKeys: String, EventNames {
        case opened, moved, tree
    }

    static let payloadFormat = PayloadFormat.binary(fields: ["owner", "limit", "_0", "leaf"])
}

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    guard let first = bytes.first else { return 0 }
    let names = ["opened", "moved", "tree"]
    let codecs: [PayloadCodec] = [.json, .binary, .selfCoded]
    let stored = EncodedEvent(
        name: EventName(names[Int(first) % 3]), payload: EventPayload(bytes.dropFirst()),
        codec: codecs[Int(first) / 3 % 3])
    check(FuzzedEvent.self, stored)
    check(ListedEvent.self, stored)
    return 0
}

func check<E: DomainEvent>(_ type: E.Type, _ stored: EncodedEvent) {
    guard let event = try? E(decoding: stored), let written = try? event.encoded() else { return }
    guard let again = try? E(decoding: written).encoded(), again.payload == written.payload else {
        fatalError("\(stored) is not what it was after it was written again")
    }
}
