import ExampleSupport
import Wellspring
import WellspringLog

extension ToolCommand {
    static let export = ToolCommand(
        Subcommand(
            "export", arguments: ["DIR"],
            summary: "Writes all events as lines of JSON, for 'import' and for other programs.",
            options: [Examining.unproven])
    ) { arguments in
        let reporting = Reporting("events written")
        var store = try StoreExamination(at: arguments.directory, progress: reporting.closure)
        var writer = ExportWriter()
        try writer.begin()
        try store.read(includingUnproven: arguments.has(Examining.unproven.name)) { item in
            try writer.write(item)
            return true
        }
        try writer.end()
        reporting.clear()
        Examining.noteUnproven(store)
    }
}

/// Writes an export to standard output.
///
/// An export of a damaged store ends where the damage begins, without its last line, so that nobody
/// takes it for whole.
private struct ExportWriter: ~Copyable {
    private var output = OutputBuffer()
    private var checksum: UInt32 = 0
    private var events: UInt64 = 0
    private var appends: UInt64 = 0
    private var lastPosition: UInt64 = 0

    mutating func begin() throws { try line(ExportFormat.head) }

    mutating func write(_ item: StoreExamination.Item) throws {
        switch item {
        case .append(let found, let key): try write(found, key)
        case .hole(let positions):
            lastPosition = positions.upperBound - 1
            try line(ExportFormat.hole(positions))
        case .problem(let problem):
            try output.flush()
            throw Failure(
                "\(problem). The export is not whole. Salvage the store, and export what that makes."
            )
        case .segment, .unfinished: break
        }
    }

    private mutating func write(
        _ found: [RecordedEvent], _ key: StoreExamination.AppendKey?
    ) throws {
        appends += 1
        guard let last = found.last else {
            if let key { try line(ExportFormat.emptyAppend(key)) }
            return
        }
        for (index, event) in found.enumerated() {
            try line(
                ExportFormat.line(
                    event, key: index == 0 ? key : nil, hasMore: index < found.count - 1))
        }
        events += UInt64(found.count)
        lastPosition = last.position.rawValue
    }

    mutating func end() throws {
        try output.line(
            ExportFormat.end(
                events: events, appends: appends, lastPosition: lastPosition, checksum: checksum))
        try output.flush()
    }

    private mutating func line(_ text: String) throws {
        checksum = crc32c(checksum, Array(text.utf8))
        checksum = crc32c(checksum, [UInt8(ascii: "\n")])
        try output.line(text)
    }
}
