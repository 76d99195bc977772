import ExampleSupport
import Wellspring

/// What the commands that look at a store have in common.
enum Examining {
    static let unproven = Option(
        "all", "Also what is at the end and not yet known to be durable.")
    static let data = Option("data", "Shows the contents of the events.")

    /// Reads a store once, from front to back.
    ///
    /// What is damaged is told on standard error at the end, and ends the program with status 1: what
    /// could be read was shown.
    static func read(
        _ arguments: Arguments, _ visit: (StoreExamination.Item) throws -> Bool
    ) throws {
        let reporting = Reporting("events read")
        var store = try StoreExamination(at: arguments.directory, progress: reporting.closure)
        var problems = 0
        try store.read(includingUnproven: arguments.has(unproven.name)) { item in
            if case .problem(let problem) = item {
                problems += 1
                reporting.clear()
                if problems <= 10 { StandardError.write("\(problem)\n") }
            }
            return try visit(item)
        }
        reporting.clear()
        noteUnproven(store)
        guard problems == 0 else { throw Failure(damage(problems, arguments.directory)) }
    }

    /// Reads a store by its index, beside a writer or not.
    static func withReader(
        _ arguments: Arguments, _ body: (FileEventReader) async throws -> Void
    ) async throws {
        var configuration = FileEventReader.Configuration()
        configuration.includesUnproven = arguments.has(unproven.name)
        let reader = try await FileEventReader(
            at: arguments.directory, configuration: configuration)
        do {
            try await body(reader)
            // What was asked for is shown: that there is nothing to add may remain unsaid.
            try? await noteUnproven(behind: reader, arguments)
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
    }

    /// Whether a store that cannot be read by its index may still be read from front to back.
    static func canGoOn(after error: EventStoreError) -> Bool {
        switch error {
        case .notAStore, .unsupportedFormat, .closed, .cancelled: false
        default: true
        }
    }

    private static func noteUnproven(
        behind reader: FileEventReader, _ arguments: Arguments
    ) async throws {
        var configuration = FileEventReader.Configuration()
        configuration.includesUnproven = true
        let other = try await FileEventReader(
            at: arguments.directory, configuration: configuration)
        let (end, position) = (other.position.rawValue, reader.position.rawValue)
        await other.close()
        if end > position { noteUnproven(end - position) }
    }

    static func noteUnproven(_ store: StoreExamination) {
        if store.unprovenEvents > 0 { noteUnproven(UInt64(store.unprovenEvents)) }
    }

    private static func noteUnproven(_ count: UInt64) {
        StandardError.write(
            (count == 1 ? "1 event at the end is" : "\(count) events at the end are")
                + " not yet known to be durable; --all takes in what is there.\n")
    }

    static func damage(_ count: Int, _ directory: String) -> String {
        "the store is damaged in \(count) place\(count == 1 ? "" : "s"); "
            + "'wellspringctl verify \(directory)' says what helps."
    }
}
