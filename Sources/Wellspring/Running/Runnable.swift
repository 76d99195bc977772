/// Something that works in the background until its task is cancelled.
///
/// The shape is that of `ServiceLifecycle.Service`; an application that uses that package conforms
/// with one empty extension.
public protocol Runnable: Sendable {
    /// Works until the task is cancelled; throws when it cannot go on.
    func run() async throws
}

/// A service that wants to know that it will run before anybody relies on it.
///
/// Its task begins some time after the body of ``withRunning(_:body:)`` does, and until then it would
/// answer as one that has ended.
protocol PreparesToRun: Runnable {
    /// Called before `run()`, which may still not follow when all is cancelled meanwhile.
    func prepareToRun()
}

/// Runs `services` for as long as `body` lasts, and ends them before returning.
///
/// ```swift
/// try await withRunning(balances, statements) {
///     try await serve(commands, queries)
/// }
/// ```
///
/// Whatever fails first, `body` or a service, ends all the others and is thrown once they have
/// ended. A service may return early without ending the rest; what goes wrong while services end
/// after `body` returned is not reported.
///
/// - Returns: What `body` returns.
public func withRunning<Value: Sendable>(
    _ services: any Runnable..., body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        for service in services {
            (service as? any PreparesToRun)?.prepareToRun()
            group.addTask {
                try await service.run()
                return nil
            }
        }
        group.addTask { try await body() }
        defer { group.cancelAll() }
        while let finished = try await group.next() {
            if let value = finished { return value }
        }
        throw CancellationError()
    }
}
