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
        let tail = Tail(arguments, count: count)
        if arguments.has("follow") { return try await tail.follow() }
        do {
            try await tail.read()
        } catch let error as EventStoreError {
            guard Examining.canGoOn(after: error) else { throw error }
            try tail.examine()
        }
    }
}

/// The last events of a store.
private struct Tail {
    private let arguments: Arguments
    private let filter: EventFilter
    private let count: Int

    init(_ arguments: Arguments, count: Int) {
        self.arguments = arguments
        self.count = count
        filter = EventFilter(
            names: arguments[option: "type"].map { [EventName($0)] },
            tags: Set(arguments[option: "tag"].map { [Tag($0)] } ?? []))
    }

    func read() async throws {
        try await Examining.withReader(arguments) { reader in
            try show(try await lastEvents(of: reader, before: nil))
        }
    }

    /// Shows the last events, and all that come, until the program is ended.
    func follow() async throws {
        try await Examining.withReader(arguments) { reader in
            let end = reader.position
            let next = LogPosition(end.rawValue + 1)
            try show(try await lastEvents(of: reader, before: next))
            for try await page in reader.subscribe(after: end, filter: filter) {
                try show(page.events)
            }
        }
    }

    /// Reads backward until there are enough; returns them oldest first.
    private func lastEvents(
        of reader: FileEventReader, before position: LogPosition?
    ) async throws -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        var end = position
        while events.count < count {
            let page = try await reader.read(
                LogRead(
                    .backward(before: end), filter: filter,
                    limit: ReadLimit(events: min(256, count - events.count))))
            guard page.end > .start, page.end != end else { break }
            events += page.events
            end = page.end
        }
        return events.prefix(count).reversed()
    }

    /// Reads all of the store, whatever is damaged.
    func examine() throws {
        var last: [RecordedEvent] = []
        let result = Result {
            try Examining.read(arguments) { item in
                guard case .append(let events, _) = item else { return true }
                last += events.filter(filter.includes)
                if last.count > 2 * count + 1_000 { last.removeFirst(last.count - count) }
                return true
            }
        }
        try show(last.suffix(count))
        try result.get()
    }

    private func show(_ events: some Sequence<RecordedEvent>) throws {
        var output = OutputBuffer()
        for event in events {
            try output.line(Shown.line(event))
            if arguments.has("data") { try output.line(Shown.content(event)) }
        }
        try output.flush()
    }
}
