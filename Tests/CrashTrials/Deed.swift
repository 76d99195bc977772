import Wellspring

/// What a client appends as its first, second or any later append.
///
/// Its two numbers say all of it, so that whoever finds its events can tell whether they are what
/// was written, and all that was.
struct Deed: Hashable, Sendable {
    let client: Int
    let number: Int

    static let clientCount = 32

    /// The stream that only this client appends to.
    static func stream(of client: Int) -> StreamID {
        StreamID(category: "client", key: "\(client)")
    }

    /// The streams and events of the append, in the order in which they lie in the log.
    var parts: [(stream: StreamID, event: EncodedEvent)] {
        var dice = Dice(seed: UInt64(client) << 32 | UInt64(number))
        let own = 1 + dice.below(4)
        let isShared = dice.below(5) == 0
        let count = own + (isShared ? 1 : 0)
        return (0..<count).map { index in
            let stream = index < own ? Self.stream(of: client) : Self.sharedStream(of: client)
            let length = dice.below(64) == 0 ? 20_000 + dice.below(20_000) : dice.below(1_200)
            let text = "\(client) \(number) \(index)|" + dice.letters(length)
            return (stream, EncodedEvent(name: "done", payload: EventPayload(utf8: text)))
        }
    }

    /// A stream that several clients append to without looking.
    private static func sharedStream(of client: Int) -> StreamID {
        StreamID(category: "shared", key: "\(client % 4)")
    }

    /// The append, for a client whose own stream is at `version`.
    func request(at version: StreamVersion) -> AppendRequest {
        let parts = parts
        let own = parts.filter { $0.stream.category == "client" }.map { NewEvent($0.event) }
        let shared = parts.filter { $0.stream.category == "shared" }
        return AppendRequest(
            [StreamWrite(own, to: Self.stream(of: client), expecting: .exactly(version))]
                + shared.map { StreamWrite([NewEvent($0.event)], to: $0.stream, expecting: .any) })
    }
}

extension Deed {
    /// The deed that an event says it belongs to.
    init?(_ event: EncodedEvent) {
        let head = event.payload.prefix(40).prefix { $0 != UInt8(ascii: "|") }
        let words = String(decoding: Array(head), as: UTF8.self).split(separator: " ")
        guard words.count == 3, let client = Int(words[0]), let number = Int(words[1]),
            (0..<Self.clientCount).contains(client)
        else { return nil }
        self.init(client: client, number: number)
    }
}

extension Deed: CustomStringConvertible {
    var description: String { "append \(number) of client \(client)" }
}
