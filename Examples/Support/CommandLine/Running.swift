import Foundation

/// How a program ends.
package enum ExitStatus: Int32, Sendable {
    case success = 0
    /// It was asked for something sensible and could not do it.
    case failure = 1
    /// The command line makes no sense.
    case usage = 2
}

/// Something the user should know, in one sentence; the program ends with status 1.
package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

extension Program {
    /// Reads the command line, does what it asks for and ends the process.
    ///
    /// Errors go to standard error in one line: a ``UsageError`` with status 2, any other with 1.
    package func run(
        _ words: [String] = Array(CommandLine.arguments.dropFirst()),
        demonstration: () async throws -> Void,
        subcommand: (Arguments) async throws -> Void
    ) async -> Never {
        do {
            switch try parse(words) {
            case .demonstration: try await demonstration()
            case .help(let text): try StandardOutput.write(text)
            case .subcommand(let arguments): try await subcommand(arguments)
            }
            exit(ExitStatus.success.rawValue)
        } catch let error as UsageError {
            StandardError.write("\(name): \(error)\nSee '\(name) --help'.\n")
            exit(ExitStatus.usage.rawValue)
        } catch {
            StandardError.write("\(name): \(error)\n")
            exit(ExitStatus.failure.rawValue)
        }
    }
}
