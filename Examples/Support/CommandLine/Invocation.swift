/// What the user asked for.
package enum Invocation: Hashable, Sendable {
    /// There was no subcommand.
    case demonstration
    /// `--help`: the text to show.
    case help(String)
    /// A subcommand with everything it needs.
    case subcommand(Arguments)
}

/// The arguments and options of a subcommand.
///
/// What is required is there.
package struct Arguments: Hashable, Sendable {
    package let subcommand: String
    /// The arguments that are not options, in order.
    package fileprivate(set) var positional: [String] = []
    private(set) var values: [String: String] = [:]
    private(set) var flags: Set<String> = []

    /// The value of an option, or `nil` when it was not given.
    package subscript(option option: String) -> String? { values[option] }

    /// Whether a flag was given.
    package func has(_ flag: String) -> Bool { flags.contains(flag) }

    /// The value of an option as a number in `range`, or `nil` when it was not given.
    package func number<N: FixedWidthInteger>(
        _ option: String, in range: ClosedRange<N>
    ) throws(UsageError) -> N? {
        guard let text = values[option] else { return nil }
        guard let number = N(text), range.contains(number) else {
            throw UsageError(
                "--\(option) must be a whole number from \(range.lowerBound) to "
                    + "\(range.upperBound), not '\(text.printable)'.")
        }
        return number
    }

    fileprivate init(subcommand: String) { self.subcommand = subcommand }

    fileprivate mutating func add(_ option: Option, value: String?) throws(UsageError) {
        guard values[option.name] == nil, !flags.contains(option.name) else {
            throw UsageError("--\(option.name) is given twice.")
        }
        if let value { values[option.name] = value } else { flags.insert(option.name) }
    }
}

extension Program {
    /// Reads a command line, without the name of the program.
    ///
    /// `--` ends the options: what follows are arguments, even if they begin with a dash.
    package func parse(_ words: [String]) throws(UsageError) -> Invocation {
        guard let first = words.first else { return .demonstration }
        if first == "--help" || first == "-h" { return .help(help) }
        guard let subcommand = subcommands.first(where: { $0.name == first }) else {
            let kind = first.hasPrefix("-") ? "option" : "subcommand"
            throw UsageError("There is no \(kind) '\(first.printable)'.")
        }
        let options = words.dropFirst().prefix { $0 != "--" }
        if options.contains("--help") || options.contains("-h") {
            return .help(help(of: subcommand))
        }
        return .subcommand(try arguments(of: subcommand, in: words.dropFirst()))
    }

    private func arguments(
        of subcommand: Subcommand, in words: ArraySlice<String>
    ) throws(UsageError) -> Arguments {
        var arguments = Arguments(subcommand: subcommand.name)
        var rest = words
        while let word = rest.popFirst() {
            if word == "--" {
                arguments.positional += rest
                break
            }
            guard word.hasPrefix("-"), word != "-" else {
                arguments.positional.append(word)
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard word.hasPrefix("--"),
                let option = subcommand.options.first(where: { $0.name == parts[0].dropFirst(2) })
            else {
                throw UsageError(
                    "'\(subcommand.name)' has no option '\(String(parts[0]).printable)'.")
            }
            let inline = parts.count == 2 ? String(parts[1]) : nil
            try arguments.add(option, value: try value(of: option, inline: inline, in: &rest))
        }
        try check(arguments, against: subcommand)
        return arguments
    }

    private func value(
        of option: Option, inline: String?, in rest: inout ArraySlice<String>
    ) throws(UsageError) -> String? {
        guard let name = option.value else {
            guard inline == nil else { throw UsageError("--\(option.name) takes no value.") }
            return nil
        }
        // The word after `--store` is its value, unless it is plainly the next option.
        let following = rest.first.map { $0.hasPrefix("--") } == false ? rest.first : nil
        if inline == nil, following != nil { rest.removeFirst() }
        guard let value = inline ?? following, !value.isEmpty else {
            throw UsageError("--\(option.name) needs a value: --\(option.name) \(name).")
        }
        return value
    }

    private func check(_ arguments: Arguments, against subcommand: Subcommand) throws(UsageError) {
        let required = subcommand.arguments.filter { !$0.hasPrefix("[") }.count
        let given = arguments.positional.count
        guard given >= required else {
            throw UsageError("'\(subcommand.name)' needs \(subcommand.arguments[given]).")
        }
        guard given <= subcommand.arguments.count || subcommand.repeatsLast else {
            let surplus = arguments.positional[subcommand.arguments.count]
            throw UsageError("'\(subcommand.name)' does not expect '\(surplus.printable)'.")
        }
        let missing = subcommand.options.first {
            $0.isRequired && arguments[option: $0.name] == nil
        }
        if let missing {
            throw UsageError(
                "'\(subcommand.name)' needs --\(missing.name) \(missing.value ?? "").")
        }
    }
}
