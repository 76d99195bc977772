import Wellspring
import WellspringLog

/// What the command line says: a trial, and options with a value each.
struct Settings {
    let command: String
    private let options: [String: String]

    init(_ arguments: [String]) throws {
        guard let command = arguments.first else { throw Wrong("which trial?") }
        self.command = command
        var options: [String: String] = [:]
        var rest = arguments.dropFirst()
        while let name = rest.popFirst() {
            guard name.hasPrefix("--"), let value = rest.popFirst() else {
                throw Wrong("an option is `--name value`, not \(name)")
            }
            options[String(name.dropFirst(2))] = value
        }
        self.options = options
    }

    func text(_ name: String) throws -> String {
        guard let value = options[name] else { throw Wrong("--\(name) is missing") }
        return value
    }

    func text(_ name: String, default value: String) -> String { options[name] ?? value }

    func number(_ name: String, default value: Int) throws -> Int {
        guard let text = options[name] else { return value }
        guard let number = Int(text) else { throw Wrong("--\(name) is no number: \(text)") }
        return number
    }

    /// Where a process is to end, if it is.
    func fate() throws -> Fate {
        guard let name = options["side"] else { return Fate(at: nil, .before) }
        guard let side = Fate.Side(rawValue: name) else { throw Wrong("no side \(name)") }
        return Fate(at: try number("point", default: 0), side)
    }

    /// Where a writer says what was acknowledged.
    func voice() throws -> Voice {
        guard let disk = options["marks"] else { return .output }
        return .marks(try BlockRecorder(disk: disk))
    }

    /// How a writer is to open the store.
    func configuration(segmentBytes: Int) throws -> FileEventStore.Configuration {
        var configuration = try Trial.configuration(options["durability"] ?? "every")
        configuration.segmentBytes = segmentBytes
        configuration.plantedFault = try sabotage().fault
        return configuration
    }

    /// What is made wrong on purpose, to see whether the trial notices.
    func sabotage() throws -> Sabotage {
        var sabotage = Sabotage()
        if let name = options["fault"] {
            guard let fault = PlantedFault(rawValue: name) else { throw Wrong("no fault \(name)") }
            sabotage.fault = fault
        }
        if let name = options["lie"] {
            guard let lie = Sabotage.Lie(rawValue: name) else { throw Wrong("no lie \(name)") }
            sabotage.lie = lie
        }
        return sabotage
    }
}

/// Something made wrong on purpose in the writer.
struct Sabotage {
    /// A protection of the store that is switched off.
    var fault: PlantedFault?
    /// What the clients do wrong.
    var lie: Lie?

    enum Lie: String, CaseIterable {
        /// Acknowledges an append before it is made.
        case early
        /// Appends what is in nobody's plan.
        case invent
        /// Leaves an append out.
        case skip
        /// Appends other bytes than it says.
        case change
        /// Makes two appends of one.
        case split
        /// Says another position than the store does.
        case misplace
    }

    var arguments: [String] {
        (fault.map { ["--fault", $0.rawValue] } ?? []) + (lie.map { ["--lie", $0.rawValue] } ?? [])
    }
}

/// Something is not as it has to be.
struct Wrong: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
