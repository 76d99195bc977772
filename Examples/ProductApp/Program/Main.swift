import ExampleSupport

/// Where the program begins.
@main
struct Main {
    static func main() async {
        await Program.products.run(
            demonstration: { try await Demonstration.run() },
            subcommand: { try await perform($0) })
    }

    /// Does what a subcommand asks for.
    static func perform(_ arguments: Arguments) async throws {
        switch arguments.subcommand {
        case "import": try await importFile(arguments)
        case "show": try await show(arguments)
        case "search": try await search(arguments)
        case "rename": try await rename(arguments)
        case "rebuild": try await rebuild(arguments)
        default: try await change(arguments)
        }
    }
}
