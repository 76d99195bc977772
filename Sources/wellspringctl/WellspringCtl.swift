import ExampleSupport
import Wellspring

/// The command-line tool that looks after stores on disk.
@main
struct WellspringCtl {
    static let program = Program(
        name: "wellspringctl",
        summary:
            "Looks at event stores on disk, checks, copies and mends them, and has them forget.",
        subcommands: ToolCommand.all.map(\.subcommand), hasDemonstration: false)

    static func main() async {
        await program.run {
            throw UsageError("Say what to do, and to which store.")
        } subcommand: { arguments in
            try await run(arguments)
        }
    }

    /// Runs a command, and says in its errors what to do next.
    private static func run(_ arguments: Arguments) async throws {
        guard let command = ToolCommand.all.first(where: { $0.name == arguments.subcommand }) else {
            throw UsageError("There is no command '\(arguments.subcommand.printable)'.")
        }
        do {
            try await command.run(arguments)
        } catch let error as EventStoreError {
            throw Failure(error.sentence(about: arguments.directory))
        }
    }
}

/// One command: how it is called and what it does.
struct ToolCommand: Sendable {
    let subcommand: Subcommand
    let run: @Sendable (Arguments) async throws -> Void

    var name: String { subcommand.name }

    static let all: [ToolCommand] = [
        .stats, .verify, .streams, .show, .tail, .export, .import, .repair, .salvage, .backup,
        .truncate, .delete, .redact, .scavenge,
    ]

    init(_ subcommand: Subcommand, run: @escaping @Sendable (Arguments) async throws -> Void) {
        self.subcommand = subcommand
        self.run = run
    }
}

extension Arguments {
    /// The directory of the store, which every command has first.
    var directory: String { positional.first ?? "" }

    /// The stream, which commands about one have second.
    var stream: StreamID {
        get throws(UsageError) {
            let name = positional[1]
            guard let stream = StreamID(name) else {
                throw UsageError("'\(name.printable)' is no stream: they are named category/key.")
            }
            return stream
        }
    }
}

extension Option {
    /// What commands have that write to a store.
    static let network = Option(
        "allow-network-file-system", "Also writes to a store on a network file system.")
}

extension Arguments {
    var allowsNetworkFileSystem: Bool { has(Option.network.name) }
}

extension EventStoreError {
    /// The error with what to do about it here.
    fileprivate func sentence(about directory: String) -> String {
        let text = description.printable
        return switch self {
        case .damaged:
            "\(text) 'wellspringctl verify \(directory)' tells everything that is wrong."
        case .networkFileSystem: "\(text) --\(Option.network.name) allows it."
        default: text
        }
    }
}
