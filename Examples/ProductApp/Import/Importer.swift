import ExampleSupport
import Wellspring

/// Adds the products of a file to a shop.
///
/// Whatever interrupts it, it can be run again: a product that is there as the file says is left
/// alone, so only what is missing is added.
struct Importer: Sendable {
    let shop: Shop

    /// What became of the lines.
    struct Summary: Hashable, Sendable {
        var imported = 0
        var alreadyThere = 0
        var invalid = 0
    }

    /// Imports every line that can be; of the others it only counts.
    func run(_ plan: ImportPlan, progress: (Int) -> Void = { _ in }) async throws -> Summary {
        try await concurrently(Set(plan.lines.map(\.listing.category))) { id in
            try await shop.send(CreateCategory(name: id.rawValue), to: id)
        }
        try await concurrently(Set(plan.lines.map(\.listing.brand))) { id in
            try await shop.send(CreateBrand(name: id.rawValue), to: id)
        }
        try await concurrently(plan.lines, progress: progress) { line in
            try await shop.send(CreateProduct(listing: line.listing), to: line.sku)
        }
        return Summary(
            imported: plan.lines.count, alreadyThere: plan.alreadyThere,
            invalid: plan.invalid.count)
    }
}

extension ImportPlan {
    /// Leaves in the plan what the shop does not have yet.
    ///
    /// Writes nothing. A product that is there with other content makes its lines invalid.
    mutating func leaveOutKnown(to shop: Shop) async throws {
        let lines = self.lines
        self.lines = []
        for line in lines {
            let product = try await shop.store.load(Product.self, line.sku).state
            do throws(Product.Rejection) {
                let events = try CreateProduct(listing: line.listing).decide(given: product)
                if events.isEmpty { alreadyThere += 1 } else { self.lines.append(line) }
            } catch {
                let all = linesOf[line.sku] ?? []
                invalid += all.map { $0.invalid("\(line.sku): \(error)") }
                alreadyThere -= all.count - 1
            }
        }
        invalid.sort { $0.number < $1.number }
    }

    /// Refuses a plan with invalid lines, naming the first of them.
    func mustBeValid() throws(Failure) {
        guard let first = invalid.first else { return }
        let others = invalid.count == 1 ? "" : " (and \(invalid.count - 1) more)"
        throw Failure(
            "\(first)\(others). Nothing was imported; correct the file, or leave such lines out "
                + "with --skip-invalid.")
    }
}
