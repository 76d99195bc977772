import ExampleSupport
import Wellspring

extension Main {
    /// `import`: whatever is wrong with a line is found before the first product is written.
    static func importFile(_ arguments: Arguments) async throws {
        let path = arguments.positional[0]
        let skipsInvalid = arguments.has("skip-invalid")
        // The file comes first: a mistyped name leaves no empty store behind.
        let plan = try ImportPlan(reading: CSVReader(path: path))
        if !skipsInvalid { try plan.mustBeValid() }

        let summary = try await Shop.open(arguments.store, .createsStore) { shop in
            var plan = plan
            try await plan.leaveOutKnown(to: shop)
            if !skipsInvalid { try plan.mustBeValid() }
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
