import ExampleSupport

/// Takes the command line to what it asks for.
@main
struct OrderApp {
    static func main() async {
        await OrderProgram.program.run(
            demonstration: Demonstration.run, subcommand: OrderProgram.run)
    }
}
