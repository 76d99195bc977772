import ExampleSupport
import Wellspring

extension ToolCommand {
    static let show = ToolCommand(
        Subcommand(
            "show", arguments: ["DIR", "STREAM"], summary: "Shows the events of a stream.",
            options: [Examining.data, Examining.unproven])
    ) { arguments in
        let name = arguments.positional[1]
        guard let stream = StreamID(name) else {
            throw UsageError("'\(name.printable)' is no stream: they are named category/key.")
        }
        var shown = ShownStream(stream, withData: arguments.has("data"))
        do {
            try await shown.read(by: arguments)
        } catch let error as EventStoreError {
            guard Examining.canGoOn(after: error) else { throw error }
            try shown.examine(arguments)
        }
        guard shown.version > .start else {
            throw Failure("there is no stream '\(name.printable)'.")
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

    mutating func examine(_ arguments: Arguments) throws {
        var output = OutputBuffer()
        let result = Result {
            try Examining.read(arguments) { item in
                guard case .append(let events, _) = item else { return true }
                for event in events where event.stream == stream && event.version > version {
                    try show(event, &output)
                }
                return true
            }
        }
        try output.flush()
        try result.get()
    }

    private mutating func show(_ event: RecordedEvent, _ output: inout OutputBuffer) throws {
        try output.line(Shown.line(event))
        if withData { try output.line(Shown.content(event)) }
        version = event.version
    }
}
