/// Takes questions to the read models that can answer them.
///
/// ```swift
/// let queries = QueryBus(balances, statements)
/// let cents = try await queries.ask(BalanceOf(account: id), after: receipt.position)
/// ```
public struct QueryBus: Sendable {
    private let runners: [ObjectIdentifier: any Sendable]

    /// Creates a bus over the runners of all models that may be asked.
    ///
    /// Of two runners of one projection the last is asked.
    public init<each P: Projection>(_ runner: repeat ProjectionRunner<each P>) {
        var runners: [ObjectIdentifier: any Sendable] = [:]
        repeat runners[ObjectIdentifier((each P).self)] = each runner
        self.runners = runners
    }

    /// Answers `query`.
    ///
    /// - Parameters:
    ///   - query: The question.
    ///   - position: Waits until the model has taken in the log up to here. Pass the position of a
    ///     receipt to read your own write.
    ///   - timeout: How long to wait for it.
    /// - Throws: ``QueryFailure``.
    public func ask<Q: Query>(
        _ query: Q, after position: LogPosition = .start, timeout: Duration = .seconds(5)
    ) async throws(QueryFailure) -> Q.Answer {
        guard let runner = runners[ObjectIdentifier(Q.Model.self)] as? ProjectionRunner<Q.Model>
        else { throw .noModel(Q.Model.name) }
        return try await runner.ask(query, after: position, timeout: timeout)
    }
}
