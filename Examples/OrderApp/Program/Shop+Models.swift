import ExampleSupport
import Wellspring

extension Shop {
    /// Asks a read model that has taken in everything the store holds.
    ///
    /// It continues from what was saved of it, so it is quick however long the history is.
    func ask<Q: Query>(_ query: Q) async throws -> Q.Answer where Q.Model: Codable {
        let model = runner(Q.Model.self)
        let end = try await end
        return try await withRunning(model, ReplayWatch(runner: model, end: end)) {
            try await model.ask(query, after: end, timeout: Self.patience)
        }
    }

    /// Runs all read models beside `body`, and returns when they have taken in what it wrote.
    func keepingModelsCurrent<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let list = runner(OrderList.self)
        let details = runner(OrderDetails.self)
        let history = runner(CustomerHistory.self)
        let sales = runner(SalesByMonth.self)
        return try await withRunning(list, details, history, sales) {
            let value = try await body()
            let end = try await end
            try await list.ask(Nothing(), after: end, timeout: Self.patience)
            try await details.ask(Nothing(), after: end, timeout: Self.patience)
            try await history.ask(Nothing(), after: end, timeout: Self.patience)
            try await sales.ask(Nothing(), after: end, timeout: Self.patience)
            return value
        }
    }

    /// A read model that is saved in the store's directory.
    ///
    /// - Parameter onDiscarded: Hears why the saved state was of no use, if so.
    func runner<Model: Projection & Codable>(
        _ model: Model.Type, onDiscarded: @escaping @Sendable (String) -> Void = { _ in }
    ) -> ProjectionRunner<Model> {
        ProjectionRunner(
            Model.self, from: store, checkpoints: checkpoints,
            onNotice: { notice in
                if case .checkpointDiscarded(let reason) = notice { onDiscarded(reason) }
                switch notice {
                case .checkpointDiscarded(let reason), .notSaved(let reason):
                    StandardError.write("The saved state of \(Model.name): \(reason)\n")
                default: break
                }
            })
    }

    /// The last position of the log.
    var end: LogPosition {
        get async throws(EventStoreError) {
            try await store.read(LogRead(.backward(before: nil), limit: ReadLimit(events: 1))).head
        }
    }

    /// How long a question may wait for the replay of a long history.
    static let patience = Duration.seconds(3600)
}

/// Shows a person how far a long replay has come.
private struct ReplayWatch<Model: Projection>: Runnable {
    let runner: ProjectionRunner<Model>
    let end: LogPosition

    func run() async throws {
        guard StandardError.isTerminal, end > .start else { return }
        var progress = ProgressLine("replayed")
        defer { progress.clear() }
        while runner.position < end {
            // Nobody sees the line of a replay that ends sooner.
            try await Task.sleep(for: .milliseconds(200))
            let position = runner.position.rawValue
            progress.report(Int(position), fraction: Double(position) / Double(end.rawValue))
        }
    }
}

/// Asks a read model only whether it has come far enough.
struct Nothing<Model: Projection>: Query {
    func answer(from model: Model) {}
}
