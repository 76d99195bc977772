import ExampleSupport
import Wellspring

extension ToolCommand {
    static let show = ToolCommand(
        Subcommand(
            "show", arguments: ["DIR", "STREAM"], summary: "Shows the events of a stream.",
            options: [Examining.data, Examining.unproven])
    ) { arguments in
        let stream = try arguments.stream
        var shown = ShownStream(stream, withData: arguments.has("data"))
        do {
            try await shown.read(by: arguments)
        } catch let error as EventStoreError {
            guard Examining.canGoOn(after: error) else { throw error }
            try shown.examine(arguments)
        }
        guard shown.version > .start else {
            throw Failure(
                "there is no stream '\("\(stream)".printable)'. "
                    + Shown.hint(toStreamsOf: arguments.directory))
        }
    }
}

/// The events of a stream as they are found, by the index or, where that fails, one after the other.
private struct ShownStream {
    private let stream: StreamID
    private let withData: Bool
    /// The last version that was found, shown or not.
    private(set) var version = StreamVersion.start

    init(_ stream: StreamID, withData: Bool) {
        self.stream = stream
        self.withData = withData
    }

    mutating func read(by arguments: Arguments) async throws {
        try await Examining.withReader(arguments) { reader in
            while true {
                let page = try await reader.read(StreamRead(stream, .forward(after: version)))
                guard !page.events.isEmpty else { return version = page.version }
                var output = OutputBuffer()
                for event in page.events { try show(event, &output) }
                try output.flush()
            }
        }
    }

    /// Shows what a reader would see, without the index.
    mutating func examine(_ arguments: Arguments) throws {
        let request = try lastTruncation(arguments)
        var output = OutputBuffer()
        let result = Result {
            try Examining.read(arguments) { item in
                guard case .append(let events, _) = item else { return true }
                for event in events where event.stream == stream && event.version > version {
                    if request?.cutsOff(event) == true {
                        version = event.version
                    } else {
                        try show(event, &output)
                    }
                }
                return true
            }
        }
        try output.flush()
        try result.get()
    }

    /// The last request to truncate the stream, which comes behind what it cuts off.
    private func lastTruncation(_ arguments: Arguments) throws -> FoundTruncation? {
        let requests = StreamTruncation.requests(about: stream)
        var found: FoundTruncation?
        var store = try StoreExamination(at: arguments.directory)
        try store.read(includingUnproven: arguments.has(Examining.unproven.name)) { item in
            guard case .append(let events, _) = item else { return true }
            for event in events where event.stream == requests {
                found = FoundTruncation(
                    before: try StreamTruncation(event).before, position: event.position)
            }
            return true
        }
        return found
    }

    private mutating func show(_ event: RecordedEvent, _ output: inout OutputBuffer) throws {
        try output.line(Shown.line(event))
        if withData { try output.line(Shown.content(event)) }
        version = event.version
    }
}

/// Where a stream begins, and where that was asked for.
private struct FoundTruncation {
    let before: StreamVersion
    let position: LogPosition

    /// A request is about what was there when it was made.
    func cutsOff(_ event: RecordedEvent) -> Bool {
        event.version < before && event.position < position
    }
}
