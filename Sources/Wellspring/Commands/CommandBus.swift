/// Carries commands to the aggregates they are meant for.
///
/// The bus loads the aggregate, asks the command what follows, and appends the answer under the
/// condition that nothing came in between. When something did, the command decides anew. A command
/// finds its aggregate through its type, so there is nothing to register.
///
/// Commands of one bus to one aggregate decide in turn, in the order they came. Aggregates are kept
/// in memory between commands, and the store is asked what came since before each decision. Make one
/// bus for a store and hand it around: copies share their turns and what they keep. Two buses over
/// one store are correct too; they meet as two processes would, by conflict and retry.
public struct CommandBus: Sendable {
    @usableFromInline let carrier: CommandCarrier
    @usableFromInline let middleware: [any CommandMiddleware]

    /// Creates a bus.
    ///
    /// - Parameters:
    ///   - store: Where the events live.
    ///   - conflictRetries: How often a command decides anew after losing to another writer.
    ///   - cachedAggregates: How many aggregates are kept in memory while no command is under way to
    ///     them; those used last. With 0, each command folds its stream anew unless it stood in line.
    ///   - middleware: Wrapped around every command, the first one outermost.
    public init(
        _ store: some EventStore, conflictRetries: Int = 10, cachedAggregates: Int = 1_000,
        middleware: any CommandMiddleware...
    ) {
        carrier = CommandCarrier(
            CommandStore(store), retries: max(0, conflictRetries), keeping: cachedAggregates)
        self.middleware = middleware
    }

    /// Carries out `command` on the aggregate `id`.
    ///
    /// When this returns, the events are as durable as the store promises.
    ///
    /// - Parameters:
    ///   - command: What is wanted.
    ///   - id: The aggregate.
    ///   - expected: What the sender saw when it made up its mind. Protects from stale edits: when
    ///     the aggregate has moved on, that is a conflict at once, and nothing is decided.
    ///   - context: Ids, headers and time of the command.
    /// - Returns: The aggregate with its new events. A decision without events appends nothing.
    /// - Throws: ``CommandFailure``; its cases keep a rule's no apart from a failure.
    @inlinable
    @discardableResult
    public func send<C: AggregateCommand>(
        _ command: C, to id: C.Target.ID, expecting expected: ExpectedVersion = .any,
        context: CommandContext = CommandContext()
    ) async throws(C.Failure) -> C.Receipt {
        let commandID = context.id ?? carrier.ids.next()
        guard middleware.isEmpty else {
            var context = context
            context.id = commandID
            let delivery = Delivery(
                command: command, stream: id.stream, expected: expected, context: context)
            return try await pass(delivery, id: commandID, through: middleware[...])
        }
        return try await carryOut(
            command, to: id.stream, expecting: expected, context: context, id: commandID)
    }

    /// Carries out a decision given as a closure, for a rule too small to deserve a type.
    ///
    /// ```swift
    /// try await bus.update(id) { (account: Account) throws(Account.Rejection) in
    ///     account.balance > 0 ? [.withdrawn(cents: account.balance)] : []
    /// }
    /// ```
    ///
    /// - Throws: ``CommandFailure``, as ``send(_:to:expecting:context:)``.
    @inlinable
    @discardableResult
    public func update<A: Aggregate>(
        _ id: A.ID, expecting expected: ExpectedVersion = .any,
        context: CommandContext = CommandContext(),
        deciding rule: @escaping @Sendable (A) throws(A.Rejection) -> [A.Event]
    ) async throws(CommandFailure<A.Rejection>) -> CommandReceipt<A> {
        try await send(
            ClosureCommand(rule: rule), to: id, expecting: expected, context: context)
    }

    /// How many aggregates are kept for commands that may come.
    package var keptAggregates: Int { turns.kept }
    var turns: Turns<StreamID> { carrier.turns }

    @usableFromInline
    func pass<C: AggregateCommand>(
        _ delivery: Delivery<C>, id: MessageID, through chain: ArraySlice<any CommandMiddleware>
    ) async throws(C.Failure) -> C.Receipt {
        guard let outermost = chain.first else {
            return try await carryOut(
                delivery.command, to: delivery.stream, expecting: delivery.expected,
                context: delivery.context, id: delivery.context.id ?? id)
        }
        return try await outermost.handle(delivery) { inner async throws(C.Failure) in
            try await pass(inner, id: id, through: chain.dropFirst())
        }
    }
}

@usableFromInline
struct ClosureCommand<A: Aggregate>: AggregateCommand {
    @usableFromInline let rule: @Sendable (A) throws(A.Rejection) -> [A.Event]

    @inlinable
    init(rule: @escaping @Sendable (A) throws(A.Rejection) -> [A.Event]) { self.rule = rule }

    @inlinable
    func decide(given state: A) throws(A.Rejection) -> [A.Event] { try rule(state) }
}
