import ExampleSupport
import Wellspring

extension ToolCommand {
    static let verify = ToolCommand(
        Subcommand(
            "verify", arguments: ["DIR"],
            summary: "Checks every byte of a store; status 1 when any of them is damaged.",
            options: [Option("json", "Writes one JSON document.")])
    ) { arguments in
        let reporting = Reporting("events checked")
        let report = try await FileEventStore.verify(
            at: arguments.directory, progress: reporting.closure)
        reporting.clear()
        if arguments.has("json") {
            try JSONDocument.write(VerificationDocument(report))
        } else {
            try StandardOutput.write(VerificationText(report).text)
        }
        guard report.isSound else {
            let count = report.damageCount
            throw Failure("the store is damaged in \(count) place\(count == 1 ? "" : "s").")
        }
    }
}

/// A report for people.
struct VerificationText {
    private let report: VerificationReport

    init(_ report: VerificationReport) {
        self.report = report
    }

    var text: String {
        var lines: [String] = []
        for problem in report.problems {
            lines.append("\(problem.kind.isDamage ? "DAMAGE" : "note  ")  \(problem)".printable)
            lines.append("        \(problem.advice)")
        }
        if report.furtherProblems > 0 {
            lines.append("and \(report.furtherProblems.grouped) more problems")
        }
        if !report.lostPositions.isEmpty {
            lines.append("lost positions: \(Shown.positions(report.lostPositions))")
        }
        if !report.holes.isEmpty {
            lines.append("holes of an earlier salvage: \(Shown.positions(report.holes))")
        }
        if report.unfinishedBytes > 0 {
            lines.append(
                "an unfinished write of \(report.unfinishedBytes) bytes at the end, which the next "
                    + "opening cuts off and keeps")
        }
        if report.unprovenEvents > 0 {
            lines.append(
                "\(report.unprovenEvents) events at the end are not yet known to be durable")
        }
        if report.redactedCount > 0 {
            lines.append(
                report.redactedCount == 1
                    ? "1 event is redacted" : "\(report.redactedCount.grouped) events are redacted")
        }
        lines.append(
            "\(report.isSound ? "sound" : "damaged"): \(report.eventCount.grouped) events in "
                + "\(report.streamCount.grouped) streams, \(report.commitCount.grouped) commits, "
                + "\(report.segmentCount.grouped) segments, \(Shown.size(report.byteCount))")
        return lines.joined(separator: "\n") + "\n"
    }
}

/// A report for programs.
struct VerificationDocument: Encodable {
    private struct Positions: Encodable {
        let first: UInt64
        let last: UInt64

        init(_ range: Range<UInt64>) {
            first = range.lowerBound
            last = range.upperBound - 1
        }
    }

    private struct Problem: Encodable {
        let kind: String
        let isDamage: Bool
        let file: String
        let offset: UInt64
        let reason: String
        let advice: String
        let lost: Positions?
        let mayBeMore: Bool

        init(_ problem: StoreProblem) {
            kind = problem.kind.rawValue
            isDamage = problem.kind.isDamage
            file = problem.file
            offset = problem.offset
            reason = problem.reason
            advice = problem.advice
            lost = problem.positions.flatMap { $0.isEmpty ? nil : Positions($0) }
            mayBeMore = problem.mayBeMore
        }
    }

    private let isSound: Bool
    private let problems: [Problem]
    private let furtherProblems: Int
    private let segments: Int
    private let commits: UInt64
    private let events: UInt64
    private let redactedEvents: UInt64
    private let streams: Int
    private let bytes: UInt64
    private let lastPosition: UInt64
    private let unfinishedBytes: UInt64
    private let unprovenEvents: UInt64
    private let lost: [Positions]
    private let holes: [Positions]

    init(_ report: VerificationReport) {
        isSound = report.isSound
        problems = report.problems.map(Problem.init)
        furtherProblems = report.furtherProblems
        segments = report.segmentCount
        commits = report.commitCount
        events = report.eventCount
        redactedEvents = report.redactedCount
        streams = report.streamCount
        bytes = report.byteCount
        lastPosition = report.lastPosition.rawValue
        unfinishedBytes = report.unfinishedBytes
        unprovenEvents = report.unprovenEvents
        lost = report.lostPositions.map(Positions.init)
        holes = report.holes.map(Positions.init)
    }
}
