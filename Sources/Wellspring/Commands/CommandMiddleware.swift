/// Work that belongs around every command: logging, authorisation, tracing.
///
/// Middleware wraps the whole of a command, retries included, and is called once for each. It may
/// change the delivery before passing it on, or refuse it by throwing
/// ``CommandFailure/interrupted(_:)``.
///
/// ```swift
/// struct Audit: CommandMiddleware {
///     func handle<C: Command>(
///         _ delivery: Delivery<C>, next: Next<C>
///     ) async throws(C.Failure) -> C.Receipt {
///         log.info("\(C.self) to \(delivery.stream)")
///         return try await next(delivery)
///     }
/// }
/// ```
public protocol CommandMiddleware: Sendable {
    /// The rest of the way: further middleware, and in the end the aggregate.
    typealias Next<C: Command> = (Delivery<C>) async throws(C.Failure) -> C.Receipt

    /// Carries `delivery` on to `next`, or answers in its place.
    func handle<C: Command>(
        _ delivery: Delivery<C>, next: Next<C>
    ) async throws(C.Failure) -> C.Receipt
}

/// A command on its way.
public struct Delivery<C: Command>: Sendable {
    /// The command.
    public var command: C
    /// The stream of the aggregate it is addressed to.
    public let stream: StreamID
    /// What the sender believes about the stream.
    public var expected: ExpectedVersion
    /// Ids, headers and time; the command's own id is always set.
    public var context: CommandContext

    @inlinable
    init(command: C, stream: StreamID, expected: ExpectedVersion, context: CommandContext) {
        self.command = command
        self.stream = stream
        self.expected = expected
        self.context = context
    }
}
