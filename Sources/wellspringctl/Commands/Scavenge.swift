import ExampleSupport
import Wellspring

extension ToolCommand {
    static let scavenge = ToolCommand(
        Subcommand(
            "scavenge", arguments: ["DIR"],
            summary:
                "Takes the content of truncated and redacted events out of the files for good.",
            options: [Option("json", "Writes one JSON document."), .network])
    ) { arguments in
        let reporting = Reporting("events redacted")
        let report: ScavengeReport
        do {
            report = try await FileEventStore.scavenge(
                at: arguments.directory,
                allowsNetworkFileSystem: arguments.allowsNetworkFileSystem,
                progress: reporting.closure)
        } catch {
            reporting.clear()
            throw error
        }
        reporting.clear()
        if arguments.has("json") {
            try JSONDocument.write(ScavengeDocument(report))
        } else {
            try StandardOutput.write(ScavengeText(report).text)
        }
    }
}

/// A report for people.
struct ScavengeText {
    private let report: ScavengeReport

    init(_ report: ScavengeReport) {
        self.report = report
    }

    var text: String {
        var lines = report.quarantined.map {
            "\($0) was set aside once and may hold a copy of what was to go".printable
        }
        lines += report.savedStates.map {
            "\($0) is the state of a projection and may hold what that learned".printable
        }
        guard report.hasChanged else {
            return (lines + ["nothing to do"]).joined(separator: "\n") + "\n"
        }
        let events =
            report.redactedCount == 1
            ? "1 event has lost its content"
            : "\(report.redactedCount.grouped) events have lost their content"
        let files =
            report.segmentCount == 1 ? "1 file was" : "\(report.segmentCount.grouped) files were"
        lines.append(
            "\(events), and \(files) written anew: \(Shown.size(report.bytesBefore)) before, "
                + "\(Shown.size(report.bytesAfter)) now")
        return lines.joined(separator: "\n") + "\n"
    }
}

/// A report for programs.
struct ScavengeDocument: Encodable {
    private let segments: Int
    private let redactedEvents: UInt64
    private let bytesBefore: UInt64
    private let bytesAfter: UInt64
    private let quarantined: [String]
    private let savedStates: [String]

    init(_ report: ScavengeReport) {
        segments = report.segmentCount
        redactedEvents = report.redactedCount
        bytesBefore = report.bytesBefore
        bytesAfter = report.bytesAfter
        quarantined = report.quarantined
        savedStates = report.savedStates
    }
}
