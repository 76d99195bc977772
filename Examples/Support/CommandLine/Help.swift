extension Program {
    /// What `--help` shows.
    package var help: String {
        var calls = subcommands.map { ("\(name) \($0.synopsis)", $0.summary) }
        if hasDemonstration {
            calls.insert((name, "Runs a demonstration in a temporary store."), at: 0)
        }
        return """
            \(summary)

            USAGE
            \(calls.map { "  \($0)\n      \($1)" }.joined(separator: "\n"))

            '\(name) SUBCOMMAND --help' explains the options of a subcommand.
            Exit status: 0 done, 1 failed, 2 the command line makes no sense.

            """
    }

    /// What `--help` shows after a subcommand.
    package func help(of subcommand: Subcommand) -> String {
        let options = subcommand.options + [Option("help", "Shows this.")]
        let width = options.map { $0.synopsis.count }.max() ?? 0
        let lines = options.map { option in
            "  " + option.synopsis.padding(to: width) + "  " + option.summary
        }
        return """
            \(subcommand.summary)

            USAGE
              \(name) \(subcommand.synopsis)

            OPTIONS
            \(lines.joined(separator: "\n"))

            """
    }
}

extension Subcommand {
    fileprivate var synopsis: String {
        let options = options.map { $0.isRequired ? $0.synopsis : "[\($0.synopsis)]" }
        return ([name] + arguments + options).joined(separator: " ")
    }
}

extension Option {
    fileprivate var synopsis: String {
        "--\(name)" + (value.map { " \($0)" } ?? "")
    }
}
