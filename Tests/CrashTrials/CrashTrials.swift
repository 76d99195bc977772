import ExampleSupport
import Foundation
import Wellspring

/// Ends writers by force, by the power or by a full disk, and looks at what they leave.
///
/// Ends with status 1 and a line that says what is wrong; the store is left as it was found then.
@main
enum CrashTrials {
    static func main() async {
        do {
            let settings = try Settings(Array(CommandLine.arguments.dropFirst()))
            switch settings.command {
            case "write": try await write(settings)
            case "live": try await live(settings)
            case "cut":
                var trial = try CutTrial(settings)
                try await trial.run()
            case "fail":
                var trial = try FailTrial(settings)
                try await trial.run()
            case "full":
                var trial = try FullTrial(settings)
                try await trial.run()
            case "kernel":
                var trial = try KernelTrial(settings)
                try await trial.run()
            case "kill":
                var trial = try KillTrial(settings)
                try await trial.run()
            case "points":
                var trial = try PointTrial(settings)
                try await trial.run()
            default: throw Wrong("no trial \(settings.command)")
            }
        } catch {
            StandardError.write("wrong: \(error)\n")
            exit(ExitStatus.failure.rawValue)
        }
    }

    private static func live(_ settings: Settings) async throws {
        let sabotage = try settings.sabotage()
        let life = ShortLife(
            path: try settings.text("store"), seed: try settings.number("seed", default: 1),
            fate: try settings.fate(), fault: sabotage.fault, lie: sabotage.lie)
        try await life.run()
    }

    private static func write(_ settings: Settings) async throws {
        let sabotage = try settings.sabotage()
        var configuration = try Trial.configuration(settings.text("durability"))
        configuration.plantedFault = sabotage.fault
        let writer = Writer(
            path: try settings.text("store"), configuration: configuration, lie: sabotage.lie)
        try await writer.run()
    }
}
