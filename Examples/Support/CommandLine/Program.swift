/// What a program understands on its command line.
///
/// ```swift
/// let program = Program(
///     name: "OrderApp", summary: "Takes orders.",
///     subcommands: [
///         Subcommand("import", arguments: ["FILE.csv"], summary: "Adds the orders of a file.",
///             options: [.store, Option("skip-invalid", "Go on after a bad line.")])
///     ])
/// ```
package struct Program: Sendable {
    package let name: String
    package let summary: String
    package let subcommands: [Subcommand]
    /// Whether the program shows what it can do when it is called without a subcommand.
    package let hasDemonstration: Bool

    package init(
        name: String, summary: String, subcommands: [Subcommand], hasDemonstration: Bool = true
    ) {
        self.name = name
        self.summary = summary
        self.subcommands = subcommands
        self.hasDemonstration = hasDemonstration
    }
}

/// One thing the program can be asked to do.
package struct Subcommand: Sendable {
    package let name: String
    /// The names of its arguments, those that may be left out in brackets: `[NAME]`.
    ///
    /// The last one may be given several times if its name ends with dots: `NAME...`.
    package let arguments: [String]
    package let summary: String
    package let options: [Option]

    /// Whether the last argument may be given several times.
    var repeatsLast: Bool { arguments.last?.hasSuffix("...") == true }

    package init(
        _ name: String, arguments: [String] = [], summary: String, options: [Option] = []
    ) {
        self.name = name
        self.arguments = arguments
        self.summary = summary
        self.options = options
    }
}

/// A flag (`--json`) or an option with a value (`--store DIR`, `--store=DIR`).
package struct Option: Sendable {
    package let name: String
    /// What the value is called in the help; `nil` for a flag.
    package let value: String?
    package let summary: String
    package let isRequired: Bool

    /// Describes a flag.
    package init(_ name: String, _ summary: String) {
        self.name = name
        self.summary = summary
        value = nil
        isRequired = false
    }

    /// Describes an option with a value.
    package init(_ name: String, value: String, _ summary: String, isRequired: Bool = false) {
        self.name = name
        self.summary = summary
        self.value = value
        self.isRequired = isRequired
    }
}

/// The command line does not make sense; the program ends with status 2.
package struct UsageError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
