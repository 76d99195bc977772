import ExampleSupport
import Wellspring

extension ToolCommand {
    static let repair = ToolCommand(
        Subcommand(
            "repair", arguments: ["DIR"],
            summary:
                "Makes a missing or damaged MANIFEST anew, and has damaged parts of the index made anew.",
            options: [.network])
    ) { arguments in
        let reporting = Reporting("events checked")
        let report = try await FileEventStore.repair(
            at: arguments.directory, allowsNetworkFileSystem: arguments.allowsNetworkFileSystem,
            progress: reporting.closure)
        reporting.clear()
        guard report.isRepaired else {
            return try StandardOutput.line(
                "MANIFEST and index are sound: there is nothing to repair.")
        }
        for file in report.removedIndexFiles {
            try StandardOutput.line(
                "\(file) was removed; the next opening makes it anew from the log.")
        }
        guard !report.unproven.isEmpty else { return }
        try StandardOutput.line(
            "The MANIFEST was made anew: \(report.eventCount.grouped) events in "
                + "\(report.segmentCount.grouped) segments, the last at position "
                + "\(report.lastPosition).")
        if let kept = report.quarantined {
            try StandardOutput.line("The damaged one is kept as \(kept).")
        }
        for clause in report.unproven {
            try StandardOutput.line("Nobody can prove \(clause).")
        }
    }

    static let salvage = ToolCommand(
        Subcommand(
            "salvage", arguments: ["DIR", "OUT"],
            summary: "Copies every event of a damaged store that can be proved into a new one.")
    ) { arguments in
        let reporting = Reporting("events copied")
        let report = try await FileEventStore.salvage(
            from: arguments.directory, to: arguments.positional[1], progress: reporting.closure)
        reporting.clear()
        for problem in report.problems { try StandardOutput.line("\(problem)".printable) }
        if !report.holes.isEmpty {
            try StandardOutput.line(
                (report.lostEvents == 1
                    ? "1 event is lost, at position "
                    : "\(report.lostEvents.grouped) events are lost, at positions ")
                    + report.holes.map { Shown.positions($0) }.joined(separator: ", "))
        }
        if report.unresolvedEvents > 0 {
            try StandardOutput.line(
                "Of these, \(report.unresolvedEvents.grouped) are there and have lost their names "
                    + "(\(Shown.size(report.unresolvedBytes))).")
        }
        if report.rescuedEvents > 0 {
            try StandardOutput.line(
                "\(report.rescuedEvents.grouped) events were saved out of commits that are damaged in "
                    + "part.")
        }
        if report.mayHaveLostMore {
            try StandardOutput.line(
                "More may be lost behind position \(report.lastPosition): nothing says how far the "
                    + "log went.")
        }
        try StandardOutput.line(
            "\(report.eventCount.grouped) events in \(report.commitCount.grouped) commits were "
                + "copied to \(arguments.positional[1].printable).")
    }

    static let backup = ToolCommand(
        Subcommand(
            "backup", arguments: ["DIR", "OUT"],
            summary: "Copies a store, also while it is in use, and checks the copy.")
    ) { arguments in
        let reporting = Reporting("events checked")
        let report = try await FileEventStore.backup(
            at: arguments.directory, to: arguments.positional[1], progress: reporting.closure)
        reporting.clear()
        if report.unprovenEvents > 0 {
            StandardError.write(
                "\(report.unprovenEvents) events at the end were left out: nothing says that they "
                    + "are durable. Open and close the store, and back it up again.\n")
        }
        for name in report.wrongIndexRuns {
            StandardError.write(
                "\(name) is damaged or does not list what the log holds, and was left out. The store "
                    + "itself still reads by it: see what verify says.\n")
        }
        try StandardOutput.line(
            "\(report.eventCount.grouped) events up to position \(report.lastPosition) were copied "
                + "to \(arguments.positional[1].printable) (\(Shown.size(report.byteCount))) and "
                + "checked there.")
    }
}
