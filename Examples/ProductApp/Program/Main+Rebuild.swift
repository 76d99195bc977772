import ExampleSupport
import Wellspring

extension Main {
    /// `rebuild`: replays the catalogue beside the one in use, compares the two and swaps them.
    static func rebuild(_ arguments: Arguments) async throws {
        let report = try await Shop.open(arguments.store) { try await RebuildReport(of: $0) }
        if arguments.has("json") {
            try JSONDocument.write(report)
        } else {
            try StandardOutput.line(report.text)
        }
        guard report.identical else {
            throw Failure("The saved catalogue was not what its events say, and was replaced.")
        }
    }
}

/// What a rebuild found.
struct RebuildReport: Encodable, Hashable, Sendable {
    /// Whether the saved catalogue is what its events say.
    let identical: Bool
    let differences: [String]
    let products: Int
    /// How far in the log both are.
    let position: LogPosition

    /// Rebuilds the catalogue of a shop in which nothing else happens meanwhile.
    init(of shop: Shop) async throws {
        _ = try await shop.ask(EntryOf(sku: ""), after: shop.end)
        let saved = shop.catalogue.snapshot()
        try await shop.catalogue.rebuild()
        let replayed = shop.catalogue.snapshot()
        differences =
            shop.notices.discarded.map { ["the saved catalogue was of no use: \($0)"] }
            ?? replayed.model.differences(from: saved.model)
        identical = differences.isEmpty
        products = replayed.model.entries.count
        position = replayed.position
    }
}

extension RebuildReport {
    var text: String {
        let found =
            identical
            ? "The saved catalogue is identical to its replay"
            : "The saved catalogue differs from its replay"
        return "\(found): \(products) products at position \(position)."
            + differences.map { "\n  \($0.printable)" }.joined()
    }
}
