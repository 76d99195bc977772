import ExampleSupport
import Wellspring

extension ToolCommand {
    static let tail = ToolCommand(
        Subcommand(
            "tail", arguments: ["DIR"], summary: "Shows the last events of a store.",
            options: [
                Option("follow", "Goes on with new events, until it is interrupted."),
                Option("count", value: "N", "How many of the last events are shown; 10."),
                Option("type", value: "T", "Only events of type T."),
                Option("tag", value: "T", "Only events with tag T."),
                Examining.data, Examining.unproven,
            ])
    ) { arguments in
        let count = try arguments.number("count", in: 0...1_000_000) ?? 10
        var tail = Tail(arguments, count: count)
        var store = try StoreExamination(at: arguments.directory)
        try tail.read(&store)
        guard arguments.has("follow") else {
            Examining.noteUnproven(store)
            return try tail.failIfDamaged()
        }
        while true {
            try await Task.sleep(for: .milliseconds(200))
            try tail.read(&store)
        }
    }
}

/// Shows the last events of a first reading, and all of the following ones.
private struct Tail {
    private let arguments: Arguments
    private let type: String?
    private let tag: Tag?
    /// How many events of the first reading are shown.
    private let count: Int
    private var isFirst = true
    private var problems = 0

    init(_ arguments: Arguments, count: Int) {
        self.arguments = arguments
        self.count = count
        type = arguments[option: "type"]
        tag = arguments[option: "tag"].map { Tag($0) }
    }

    mutating func read(_ store: inout StoreExamination) throws {
        var last: [RecordedEvent] = []
        var output = OutputBuffer()
        // Events that are not proven would come again.
        let includesUnproven = arguments.has("all") && !arguments.has("follow")
        try store.read(includingUnproven: includesUnproven) { item in
            switch item {
            case .append(let events, _):
                for event in events where matches(event) {
                    if isFirst { last.append(event) } else { try show(event, &output) }
                }
                if last.count > 2 * count + 1_000 { last.removeFirst(last.count - count) }
            case .problem(let problem):
                problems += 1
                StandardError.write("\(problem)\n")
            case .hole, .segment, .unfinished: break
            }
            return true
        }
        for event in last.suffix(count) { try show(event, &output) }
        try output.flush()
        isFirst = false
    }

    private func matches(_ event: RecordedEvent) -> Bool {
        if let type, EventName(type) != event.event.name { return false }
        guard let tag else { return true }
        return event.tags.contains(tag)
    }

    private func show(_ event: RecordedEvent, _ output: inout OutputBuffer) throws {
        try output.line(Shown.line(event))
        if arguments.has("data") { try output.line(Shown.content(event)) }
    }

    func failIfDamaged() throws {
        guard problems > 0 else { return }
        throw Failure(Examining.damage(problems, arguments.directory))
    }
}
