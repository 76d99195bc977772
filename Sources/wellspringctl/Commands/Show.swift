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
        var output = OutputBuffer()
        var count = 0
        let result = Result {
            try Examining.read(arguments) { item in
                guard case .append(let events, _) = item else { return true }
                for event in events where event.stream == stream {
                    count += 1
                    try output.line(Shown.line(event))
                    if arguments.has("data") { try output.line(Shown.content(event)) }
                }
                return true
            }
        }
        try output.flush()
        try result.get()
        guard count > 0 else { throw Failure("there is no stream '\(name.printable)'.") }
    }
}
