import ExampleSupport
import Wellspring

extension ToolCommand {
    private static let reason = Option("reason", value: "TEXT", "Why; kept with the request.")

    static let truncate = ToolCommand(
        Subcommand(
            "truncate", arguments: ["DIR", "STREAM"],
            summary: "Has a stream begin at a later version.",
            options: [
                Option(
                    "before", value: "VERSION", "The first version that is kept.", isRequired: true),
                reason, .network,
            ])
    ) { arguments in
        let before = try arguments.number("before", in: 1...UInt64(Int64.max)) ?? 1
        try await Requesting(arguments).end(before: StreamVersion(before))
    }

    static let delete = ToolCommand(
        Subcommand(
            "delete", arguments: ["DIR", "STREAM"],
            summary: "Has a stream read as empty; its version stays.", options: [reason, .network])
    ) { arguments in
        try await Requesting(arguments).end(before: nil)
    }

    static let redact = ToolCommand(
        Subcommand(
            "redact", arguments: ["DIR", "STREAM", "VERSION..."],
            summary: "Asks for the content of single events to be removed.",
            options: [reason, .network])
    ) { arguments in
        let versions = try arguments.positional.dropFirst(2).map { text in
            guard let version = UInt64(text), version > 0 else {
                throw UsageError("'\(text.printable)' is no version: they count from 1.")
            }
            return StreamVersion(version)
        }
        try await Requesting(arguments).redact(versions)
    }
}

/// Asks a store to forget something of one stream.
private struct Requesting {
    private let directory: String
    private let allowsNetworkFileSystem: Bool
    private let stream: StreamID
    private let metadata: EventMetadata

    init(_ arguments: Arguments) throws(UsageError) {
        directory = arguments.directory
        allowsNetworkFileSystem = arguments.allowsNetworkFileSystem
        stream = try arguments.stream
        metadata = EventMetadata(headers: arguments[option: "reason"].map { ["reason": $0] } ?? [:])
    }

    func end(before version: StreamVersion?) async throws {
        try await withStore { store in
            let before = try await extent(in: store)
            let receipt = try await store.truncate(
                TruncationRequest(stream, before: version, metadata: metadata))
            let begin =
                receipt.firstVersion > before.version
                ? "reads as empty" : "begins at version \(receipt.firstVersion)"
            guard receipt.firstVersion > before.firstVersion else {
                return try say("\(name) \(begin) already; nothing was requested.")
            }
            try say("\(name) \(begin) now, by the request at position \(receipt.position).")
            try say("Until '\(scavenge)' the files keep what was cut off.")
        }
    }

    func redact(_ versions: [StreamVersion]) async throws {
        try await withStore { store in
            _ = try await extent(in: store)
            guard !stream.isReserved else {
                throw Failure("\(name) is a stream of the store itself, and keeps its content.")
            }
            var positions: [LogPosition] = []
            for version in Set(versions).sorted() {
                let event = try await event(version, of: store)
                if event.isRedacted {
                    try say("version \(version) of \(name) has no content any more.")
                } else {
                    positions.append(event.position)
                }
            }
            guard !positions.isEmpty else { return try say("Nothing was requested.") }
            let receipt = try await store.requestRedaction(of: positions, metadata: metadata)
            let events = positions.count == 1 ? "1 event" : "\(positions.count) events"
            try say(
                "The content of \(events) of \(name) is to go, by the request at position "
                    + "\(receipt.position).")
            try say("Until '\(scavenge)' it is in the files and is read as before.")
        }
    }

    // MARK: -

    private var name: String { "\(stream)".printable }
    private var scavenge: String { "wellspringctl scavenge \(directory)".printable }

    private func say(_ line: String) throws { try StandardOutput.line(line) }

    /// Opens the store for writing, and closes it whatever happens.
    private func withStore(_ body: (FileEventStore) async throws -> Void) async throws {
        var configuration = FileEventStore.Configuration()
        configuration.createsStore = false
        // The store may be one that is opened in this mode only.
        configuration.durability = .strict
        configuration.allowsNetworkFileSystem = allowsNetworkFileSystem
        let store: FileEventStore
        do {
            store = try await FileEventStore(at: directory, configuration: configuration)
        } catch {
            guard case .locked(let path, let owner) = error else { throw error }
            throw Failure(
                "\(path) is open for writing elsewhere (\(owner)).".printable
                    + " Close it there first, or have the request made there.")
        }
        let report = store.report
        if !report.isOrdinary {
            StandardError.write("Opened it: \(report).".printable + "\n")
        }
        do {
            try await body(store)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }

    private func extent(in store: FileEventStore) async throws -> StreamPage {
        let page = try await store.read(
            StreamRead(stream, .backward(before: nil), limit: ReadLimit(events: 1)))
        guard page.version > .start else {
            throw Failure("there is no stream '\(name)'. \(Shown.hint(toStreamsOf: directory))")
        }
        return page
    }

    private func event(
        _ version: StreamVersion, of store: FileEventStore
    ) async throws -> RecordedEvent {
        let page = try await store.read(
            StreamRead(
                stream, .forward(after: StreamVersion(version.rawValue - 1)),
                limit: ReadLimit(events: 1)))
        guard version >= page.firstVersion else {
            throw Failure(
                "\(name) begins at version \(page.firstVersion): version \(version) is cut off, and "
                    + "loses its content by '\(scavenge)' anyway.")
        }
        guard let event = page.events.first, event.version == version else {
            throw Failure("\(name) has no version \(version); it ends at \(page.version).")
        }
        return event
    }
}
