import ExampleSupport
import Wellspring

extension ToolCommand {
    static let streams = ToolCommand(
        Subcommand(
            "streams", arguments: ["DIR"], summary: "Lists the streams of a store.",
            options: [
                Option("prefix", value: "P", "Only streams whose names begin with P."),
                Examining.unproven,
            ])
    ) { arguments in
        let prefix = arguments[option: "prefix"].map { Array($0.utf8) } ?? []
        var streams: [StreamID: (version: StreamVersion, last: Timestamp)] = [:]
        let result = Result {
            try Examining.read(arguments) { item in
                guard case .append(let events, _) = item else { return true }
                for event in events where event.stream.description.utf8.starts(with: prefix) {
                    streams[event.stream] = (event.version, event.recordedAt)
                }
                return true
            }
        }
        var output = OutputBuffer()
        let ordered = streams.sorted {
            $0.key.description.utf8.lexicographicallyPrecedes($1.key.description.utf8)
        }
        for (stream, head) in ordered {
            try output.line(
                "\(stream.description.printable)  version \(head.version)  \(head.last)")
        }
        try output.flush()
        try result.get()
    }
}
