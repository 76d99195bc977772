import ExampleSupport
import Foundation
import Wellspring
import WellspringLog

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
            case "limit":
                var trial = try LimitTrial(settings)
                try await trial.run()
            case "points":
                var trial = try PointTrial(settings)
                try await trial.run()
            case "torn": try await TornTrial(settings).run()
            default: throw Wrong("no trial \(settings.command)")
            }
        } catch {
            StandardError.write("wrong: \(error)\n")
            exit(ExitStatus.failure.rawValue)
        }
    }

    private static func live(_ settings: Settings) async throws {
        let (fate, voice) = (try settings.fate(), try settings.voice())
        // What is recorded has to be synced, which those files do not.
        let files: any FileSystem = voice.isRecorded ? PosixFileSystem() : FatalFiles(fate: fate)
        let life = ShortLife(
            path: try settings.text("store"), seed: try settings.number("seed", default: 1),
            configuration: try settings.configuration(segmentBytes: 64 << 10), files: files,
            lie: try settings.sabotage().lie, voice: voice)
        try await life.run()
        try voice.say("ended \(fate.operationCount)")
    }

    private static func write(_ settings: Settings) async throws {
        let voice = try settings.voice()
        let most = try settings.number("appends", default: .max)
        let writer = Writer(
            path: try settings.text("store"),
            configuration: try settings.configuration(
                segmentBytes: most < .max ? 64 << 10 : 256 << 10),
            lie: try settings.sabotage().lie, voice: voice, most: most)
        try await writer.run()
    }
}
