import ExampleSupport
import Synchronization
import Wellspring

/// How a read model compares with its replay.
struct ModelComparison: Hashable, Sendable, Encodable {
    let name: String
    let identical: Bool
    /// Where they part, in both versions.
    var difference: Difference?

    struct Difference: Hashable, Sendable, Encodable {
        let stored: String
        let replayed: String
    }
}

extension Shop {
    /// Replays every read model, compares it with the stored one, and replaces one that differs.
    ///
    /// A stored one that is of no use differs, too: it is not what the events say.
    ///
    /// - Parameter onCompared: Hears how many of how many are done.
    func compareModels(
        onCompared: (Int, _ of: Int) -> Void = { _, _ in }
    ) async throws -> [ModelComparison] {
        async let list = compare(OrderList.self)
        async let details = compare(OrderDetails.self)
        async let history = compare(CustomerHistory.self)
        async let sales = compare(SalesByMonth.self)
        var compared: [ModelComparison] = []
        func add(_ comparison: ModelComparison) {
            compared.append(comparison)
            onCompared(compared.count, 4)
        }
        onCompared(0, 4)
        add(try await list)
        add(try await details)
        add(try await history)
        add(try await sales)
        return compared
    }

    private func compare<Model: Projection & Codable>(
        _ type: Model.Type
    ) async throws -> ModelComparison {
        let discarded = DiscardedState()
        let stored = runner(Model.self, onDiscarded: discarded.note)
        let end = try await end
        let name = Model.name.rawValue
        return try await withRunning(stored) {
            try await stored.ask(Nothing(), after: end, timeout: Self.patience)
            let before = try JSONDocument.compact(stored.snapshot().model)
            let after = try await replayed(Model.self)
            if let reason = discarded.reason {
                return ModelComparison(
                    name: name, identical: false,
                    difference: .unusable(reason, replayed: after))
            }
            guard before != after else { return ModelComparison(name: name, identical: true) }
            try await stored.rebuild()
            return ModelComparison(
                name: name, identical: false,
                difference: .first(stored: before, replayed: after))
        }
    }

    private func replayed<Model: Projection & Codable>(_ type: Model.Type) async throws -> String {
        let fresh = ProjectionRunner(Model.self, from: store)
        try await fresh.rebuild()
        return try JSONDocument.compact(fresh.snapshot().model)
    }
}

/// Remembers why the saved state of a read model was of no use.
private final class DiscardedState: Sendable {
    private let noted = Mutex<String?>(nil)

    var reason: String? { noted.withLock { $0 } }

    func note(_ reason: String) { noted.withLock { $0 = reason } }
}

extension ModelComparison.Difference {
    /// Shows the beginning of the replay in place of a state that could not be used.
    static func unusable(_ reason: String, replayed: String) -> Self {
        Self(
            stored: "of no use: \(reason)",
            replayed: first(stored: "", replayed: replayed).replayed)
    }

    /// Cuts out the surroundings of the first difference.
    static func first(stored: String, replayed: String) -> Self {
        let (a, b) = (Array(stored.utf8), Array(replayed.utf8))
        let same = zip(a, b).prefix { $0 == $1 }.count
        func excerpt(_ bytes: [UInt8]) -> String {
            String(decoding: bytes[max(0, same - 40)..<min(bytes.count, same + 40)], as: UTF8.self)
        }
        return Self(stored: excerpt(a), replayed: excerpt(b))
    }
}
