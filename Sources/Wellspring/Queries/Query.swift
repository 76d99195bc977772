/// A question about one read model.
///
/// ```swift
/// struct BalanceOf: Query {
///     let account: Account.ID
///     func answer(from balances: Balances) -> Int { balances.cents[account] ?? 0 }
/// }
/// ```
public protocol Query<Model>: Sendable {
    /// The read model that knows.
    associatedtype Model: Projection
    /// What is answered.
    associatedtype Answer: Sendable

    /// Answers from the model as it is at one position of the log.
    func answer(from model: Model) -> Answer
}

/// Why a question was not answered.
@nonexhaustive
public enum QueryFailure: Error, Sendable {
    /// The bus was made without a runner for the model.
    case noModel(ProjectionName)
    /// The model had come to `position` and not to `wanted` when the time was up. Is its runner
    /// running?
    case timedOut(position: LogPosition, wanted: LogPosition)
    /// The projection takes in nothing more, for the reason said.
    case stopped(ProjectionStop)
    /// The task was cancelled.
    case cancelled
}

extension QueryFailure: CustomStringConvertible {
    /// The failure in a sentence.
    public var description: String {
        switch self {
        case .noModel(let name):
            "The query bus has no runner for the projection \(name). Make the bus with one."
        case .timedOut(let position, let wanted):
            "The projection is at position \(position) and was not at \(wanted) in time. See "
                + "that its runner is running, or wait longer."
        case .stopped(let stop): "\(stop)"
        case .cancelled: "The task was cancelled. Ask again if the answer is still wanted."
        }
    }
}
