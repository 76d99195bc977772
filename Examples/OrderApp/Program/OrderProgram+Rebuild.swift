import ExampleSupport
import Wellspring

extension OrderProgram {
    static func rebuild(_ arguments: Arguments) async throws {
        var progress = ProgressLine("compared read models:")
        let models = try await Shop.open(at: arguments.store) { shop in
            try await shop.compareModels { progress.report($0, fraction: Double($0) / Double($1)) }
        }
        progress.clear()
        let identical = models.allSatisfy(\.identical)
        if arguments.has("json") {
            try JSONDocument.write(RebuildDocument(identical: identical, models: models))
        } else {
            try StandardOutput.write(text(models))
            try StandardOutput.line("identical: \(identical)")
        }
        guard identical else {
            throw Failure("stored read models differed from their replay and were replaced")
        }
    }

    static func text(_ models: [ModelComparison]) -> String {
        models.map { model in
            guard let difference = model.difference else { return "\(model.name): identical\n" }
            return """
                \(model.name): differs
                  stored:   …\(difference.stored.printable)…
                  replayed: …\(difference.replayed.printable)…

                """
        }.joined()
    }
}

/// What `rebuild --json` writes.
private struct RebuildDocument: Encodable {
    let identical: Bool
    let models: [ModelComparison]
}
