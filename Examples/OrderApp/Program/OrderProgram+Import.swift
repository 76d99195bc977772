import ExampleSupport
import Wellspring

extension OrderProgram {
    static func importOrders(_ arguments: Arguments) async throws {
        let path = arguments.positional[0]
        // The file comes first: a mistyped name leaves no empty store behind.
        let file = try opened(path)
        let summary = try await Shop.open(at: arguments.store, creating: true) { shop in
            try await shop.keepingModelsCurrent {
                var orderImport = OrderImport(shop: shop)
                orderImport.skipsInvalid = arguments.has("skip-invalid")
                orderImport.progress = ProgressLine(
                    "imported", style: arguments.has("progress") ? .lines : nil)
                orderImport.onInvalid = { StandardError.write("\(path.printable) \($0)\n") }
                return try await orderImport.run(file)
            }
        }
        if summary.invalid > 0, !arguments.has("skip-invalid") {
            throw Failure(
                "the import stopped at an invalid line; what is before it is in the store "
                    + "(\(summary)). Correct the line and import again, or use --skip-invalid")
        }
        if arguments.has("json") {
            try JSONDocument.write(ImportDocument(summary))
        } else {
            try StandardOutput.line("\(summary)")
        }
    }

    private static func opened(_ path: String) throws -> OrderFile {
        let reader = try CSVReader(path: path)
        do {
            return try OrderFile(reader)
        } catch let error as CSVError where error.line == nil {
            throw error
        } catch {
            throw Failure("\(path.printable): \(error)")
        }
    }
}

/// What `import --json` writes.
private struct ImportDocument: Encodable {
    let lines: Int
    let imported: Int
    let alreadyThere: Int
    let invalid: Int

    init(_ summary: OrderImport.Summary) {
        lines = summary.lines
        imported = summary.imported
        alreadyThere = summary.alreadyThere
        invalid = summary.invalid
    }

    enum CodingKeys: String, CodingKey {
        case lines, imported, invalid
        case alreadyThere = "already_there"
    }
}

extension OrderImport.Summary: CustomStringConvertible {
    var description: String {
        "\(imported.grouped) imported, \(alreadyThere.grouped) already there, "
            + "\(invalid.grouped) invalid"
    }
}

extension InvalidLine: CustomStringConvertible {
    var description: String { "line \(number): \(fault)" }
}
