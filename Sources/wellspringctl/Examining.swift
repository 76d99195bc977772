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

    static func noteUnproven(_ store: StoreExamination) {
        guard store.unprovenEvents > 0 else { return }
        StandardError.write(
            "\(store.unprovenEvents) events at the end are not yet known to be durable; "
                + "--all takes them in.\n")
    }

    static func damage(_ count: Int, _ directory: String) -> String {
        "the store is damaged in \(count) place\(count == 1 ? "" : "s"); "
            + "'wellspringctl verify \(directory)' says what helps."
    }
}
