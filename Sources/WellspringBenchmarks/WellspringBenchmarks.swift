import Foundation

/// Measures Wellspring beside a bare log, and beside what an engineer would
/// write by hand over SQLite, in the same run on the same disk.
@main
struct WellspringBenchmarks {
    static let usage = """
        usage: WellspringBenchmarks [--json | --compare | --markdown] [--store DIR] [--seconds N]
                                    [--events N] [--rounds N] [--row ROW] [WORKLOAD ...]

        --json       one JSON object a line
        --compare    a table with ratios (the default)
        --markdown   the same for a page of documentation, and what was aimed for
        --store DIR  where the stores go; on the disk that is to be measured (default: here)
        --seconds N  the time for one measured stretch (default 1.5)
        --events N   the size of the stores that are replayed, opened and weighed (default 1000000;
                     large ones 10000000)
        --rounds N   how often each figure is taken; the median counts (default 1)
        --row ROW    only this row, for a profiler; more than once for several

        Workloads (all but the large ones when none is named):
        """

    static func main() async {
        do {
            let words = CommandLine.arguments.dropFirst()
            if try await runAsChild(Array(words)) { return }
            guard let options = try Options(words, rows: rows.map { $0.row }) else {
                write(help)
                return
            }
            try await run(options)
        } catch let error as BadUsage {
            FileHandle.standardError.write(Data("\(error.message)\n".utf8))
            exit(2)
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            exit(1)
        }
    }

    /// Does what a child process is for, if this is one.
    private static func runAsChild(_ words: [String]) async throws -> Bool {
        guard words.count == 4, let row = rows.first(where: { $0.row == words[1] }),
            let streams = Int(words[3])
        else { return false }
        switch words[0] {
        case OpeningProbe.option:
            write(try await OpeningProbe.run(row, directory: words[2], streams: streams))
        case LargeStore.option, LargeStore.fatalOption:
            try await LargeStore.fill(
                row, directory: words[2], streams: streams,
                dies: words[0] == LargeStore.fatalOption)
        default: return false
        }
        return true
    }

    private static var help: String {
        usage + "\n"
            + (Workload.all + Workload.large).map {
                "  " + $0.id.padding(toLength: 12, withPad: " ", startingAt: 0) + $0.summary
            }.joined(separator: "\n") + "\n"
    }

    private static var rows: [any Contender.Type] {
        var rows: [any Contender.Type] = [
            FileContender.self, BinaryContender.self, SelfCodedContender.self,
            MemoryContender.self, SelfCodedMemoryContender.self, FloorContender.self,
        ]
        #if SQLite
        rows += [SQLiteContender.self, SQLiteGroupContender.self]
        #endif
        return rows
    }

    private static func run(_ options: Options) async throws {
        var measurements: [Measurement] = []
        let chosen = (Workload.all + Workload.large).filter {
            options.workloads.contains($0.id)
        }
        for workload in options.workloads.isEmpty ? Workload.all : chosen {
            let taken = try await measure(workload, options)
            measurements += taken
            if options.form == .json { for figure in taken { write(figure.json + "\n") } }
        }
        let table = Table(measurements, rows: rows.map { $0.row })
        switch options.form {
        case .json: break
        case .table: write(table.text)
        case .markdown:
            write(table.markdown + "\n")
            write(Aim.markdown(Aim.all, measurements))
        }
    }

    /// Measures the rows in turn, as often as there are rounds: a machine that is slow for a minute
    /// is slow for all of them.
    private static func measure(
        _ workload: Workload, _ options: Options
    ) async throws -> [Measurement] {
        let rows = rows.filter { options.includes($0, workload) }
        var taken = rows.map { _ in [[Workload.Figure]]() }
        for _ in 0..<options.effort.rounds {
            for (index, row) in rows.enumerated() {
                let directory = options.directory + "/wellspring-bench-\(UUID().uuidString)"
                defer { try? FileManager.default.removeItem(atPath: directory) }
                do {
                    taken[index].append(
                        try await workload.measure(
                            row, .init(directory: directory, effort: options.effort)))
                } catch is NotMeasured {
                    continue
                }
            }
        }
        return zip(rows, taken).flatMap { row, rounds in
            (rounds.first ?? []).indices.map { index in
                Measurement(
                    workload: workload.id, row: row.row, metric: rounds[0][index].metric,
                    value: median(rounds.map { $0[index].value }), unit: rounds[0][index].unit)
            }
        }
    }

    private static func write(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}

struct BadUsage: Error { let message: String }

/// The words of the command line.
struct Options {
    var form = Form.table
    var directory = "."
    var effort = Effort()
    var workloads: Set<String> = []
    /// The rows to measure; all when it is empty.
    var rows: Set<String> = []

    /// How figures are printed.
    enum Form {
        case json, table, markdown
    }

    /// Returns `nil` when help was asked for.
    init?(_ arguments: some Sequence<String>, rows known: [String]) throws {
        var rest = Array(arguments)[...]
        while let word = rest.popFirst() {
            switch word {
            case "--help", "-h": return nil
            case "--json": form = .json
            case "--compare": form = .table
            case "--markdown": form = .markdown
            case "--store": directory = try Self.value(word, &rest)
            case "--seconds": effort.seconds = try Self.number(word, &rest)
            case "--events":
                effort.events = max(1_000, Int(try Self.number(word, &rest)))
                effort.largeEvents = effort.events
            case "--rounds": effort.rounds = max(1, Int(try Self.number(word, &rest)))
            case "--row":
                let row = try Self.value(word, &rest)
                guard known.contains(row) else {
                    throw BadUsage(message: "no row is called \(row); there are \(known)")
                }
                rows.insert(row)
            default:
                let workload = (Workload.all + Workload.large).contains { $0.id == word }
                guard workload else {
                    throw BadUsage(message: "no workload or option is called \(word)")
                }
                workloads.insert(word)
            }
        }
    }

    func includes(_ row: any Contender.Type, _ workload: Workload) -> Bool {
        guard workload.mindsForm || !row.isVariant else { return false }
        return rows.isEmpty || rows.contains(row.row)
    }

    private static func value(_ option: String, _ rest: inout ArraySlice<String>) throws -> String {
        guard let value = rest.popFirst() else {
            throw BadUsage(message: "\(option) needs a value")
        }
        return value
    }

    private static func number(
        _ option: String, _ rest: inout ArraySlice<String>
    ) throws -> Double {
        let text = try value(option, &rest)
        guard let number = Double(text), number > 0, number < 1e12 else {
            throw BadUsage(message: "\(option) needs a positive number, not \(text)")
        }
        return number
    }
}
