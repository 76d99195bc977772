import ExampleSupport
import Wellspring

/// Brings the orders of a file into the shop.
///
/// Whatever interrupts it, it can be run again: an order that is already there with the same
/// content is left alone, so only what is missing is added.
struct OrderImport: Sendable {
    /// How many lines are sorted at a time.
    static let batchLines = 1024
    /// How many commands may wait for the disk together, and share its syncs.
    static let commandsInFlight = 256

    let shop: Shop
    var skipsInvalid = false
    /// Shows how many lines are done.
    var progress = ProgressLine("imported", style: .silent)
    /// Hears of every line that is left out.
    var onInvalid: @Sendable (InvalidLine) -> Void = { _ in }

    /// What became of the lines.
    struct Summary: Hashable, Sendable {
        var imported = 0
        var alreadyThere = 0
        var invalid = 0

        var lines: Int { imported + alreadyThere + invalid }
    }

    /// Imports to the end of the file or, unless invalid lines are skipped, to the first of them.
    ///
    /// Of an invalid line nothing is written, and nothing of those after it.
    func run(_ file: OrderFile) async throws -> Summary {
        var (file, progress, summary) = (file, progress, Summary())
        defer { progress.clear() }
        while true {
            let lines = try file.next(Self.batchLines)
            guard !lines.isEmpty else { return summary }
            let batch = ImportBatch(
                lines, given: try await orders(in: lines), skippingInvalid: skipsInvalid)
            summary.alreadyThere += batch.alreadyThere
            let fraction = file.fraction
            try await place(batch.additions) {
                summary.imported += 1
                progress.report(summary.lines, fraction: fraction)
            }
            if !batch.invalid.isEmpty { progress.clear() }
            batch.invalid.forEach(onInvalid)
            summary.invalid += batch.invalid.count
            if !skipsInvalid, summary.invalid > 0 { return summary }
            progress.report(summary.lines, fraction: fraction)
        }
    }

    /// Loads the orders that the lines name.
    private func orders(in lines: [ImportLine]) async throws -> [Order.ID: Order] {
        var orders: [Order.ID: Order] = [:]
        for line in lines {
            guard let id = try? line.content.get().id, orders[id] == nil else { continue }
            orders[id] = try await shop.store.load(Order.self, id).state
        }
        return orders
    }

    /// Sends the commands, many at a time, and returns when the last is safely stored.
    private func place(_ rows: [OrderRow], onPlaced: () -> Void) async throws {
        let shop = shop
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, row) in rows.enumerated() {
                if index >= Self.commandsInFlight, try await group.next() != nil { onPlaced() }
                group.addTask { try await shop.place(row.id, row.terms) }
            }
            while try await group.next() != nil { onPlaced() }
        }
    }
}
