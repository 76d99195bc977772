import ExampleSupport
import Wellspring

extension Main {
    /// `import`: whatever is wrong with a line is found before the first product is written.
    static func importFile(_ arguments: Arguments) async throws {
        let path = arguments.positional[0]
        let skipsInvalid = arguments.has("skip-invalid")
        // The file comes first: a mistyped name leaves no empty store behind.
        let reader = try CSVReader(path: path)
        let plan = try naming(path) { try ImportPlan(reading: reader) }
        if !skipsInvalid { try naming(path) { try plan.mustBeValid() } }

        let summary = try await Shop.open(arguments.store, .createsStore) { shop in
            var plan = plan
            try await plan.leaveOutKnown(to: shop)
            if !skipsInvalid { try naming(path) { try plan.mustBeValid() } }
            var progress = ProgressLine("imported", style: arguments.has("progress") ? .lines : nil)
            for line in plan.invalid { progress.note("\(path.printable) \(line)") }
            let summary = try await Importer(shop: shop).run(plan) { count in
                progress.report(count, fraction: Double(count) / Double(plan.lines.count))
            }
            progress.clear()
            return summary
        }
        if arguments.has("json") {
            try JSONDocument.write(ImportDocument(summary))
        } else {
            try StandardOutput.line("\(summary)")
        }
    }

    /// Says which file a failure is about.
    private static func naming<Value>(_ path: String, _ work: () throws -> Value) throws -> Value {
        do {
            return try work()
        } catch let failure as Failure {
            throw Failure("\(path.printable): \(failure)")
        }
    }
}

extension Importer.Summary: CustomStringConvertible {
    var description: String {
        "\(imported) imported, \(alreadyThere) already there, \(invalid) invalid"
    }
}

/// What `import --json` writes.
private struct ImportDocument: Encodable {
    let lines: Int
    let imported: Int
    let alreadyThere: Int
    let invalid: Int

    init(_ summary: Importer.Summary) {
        imported = summary.imported
        alreadyThere = summary.alreadyThere
        invalid = summary.invalid
        lines = imported + alreadyThere + invalid
    }

    enum CodingKeys: String, CodingKey {
        case lines, imported, invalid
        case alreadyThere = "already_there"
    }
}
