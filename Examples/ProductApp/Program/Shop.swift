import ExampleSupport
import Wellspring

/// The application at work: commands go in, the catalogue answers.
struct Shop: Sendable {
    let store: any EventStore
    let commands: CommandBus
    let catalogue: ProjectionRunner<Catalogue>
    let notices: CatalogueNotices
    let queries: QueryBus

    init(
        store: some EventStore, catalogue: ProjectionRunner<Catalogue>,
        notices: CatalogueNotices = CatalogueNotices()
    ) {
        self.store = store
        self.catalogue = catalogue
        self.notices = notices
        commands = CommandBus(store)
        queries = QueryBus(catalogue)
    }

    /// Sends a command to one product and returns what the catalogue shows of it afterwards.
    @discardableResult
    func change<C: AggregateCommand<Product>>(
        _ sku: Product.ID, _ command: C, expecting expected: ExpectedVersion = .any
    ) async throws -> CatalogueEntry {
        let receipt = try await send(command, to: sku, expecting: expected)
        return try await entry(of: sku, after: receipt.position)
    }

    /// Sends a command, with failures explained to the person who asked for it.
    @discardableResult
    func send<C: AggregateCommand>(
        _ command: C, to id: C.Target.ID, expecting expected: ExpectedVersion = .any
    ) async throws -> CommandReceipt<C.Target> {
        do {
            return try await commands.send(command, to: id, expecting: expected)
        } catch {
            throw error.explained(about: id.rawValue)
        }
    }

    /// One entry of the catalogue, which has seen the log up to `position`.
    func entry(
        of sku: Product.ID, after position: LogPosition = .start
    ) async throws -> CatalogueEntry {
        guard let entry = try await ask(EntryOf(sku: sku), after: position) else {
            throw Failure("There is no product '\(sku.rawValue.printable)'.")
        }
        return entry
    }

    /// Asks the catalogue.
    ///
    /// However long its replay takes, somebody waits for the answer.
    func ask<Q: Query<Catalogue>>(
        _ query: Q, after position: LogPosition = .start
    ) async throws -> Q.Answer {
        try await queries.ask(query, after: position, timeout: .seconds(3600))
    }

    /// The last position of the log.
    var end: LogPosition {
        get async throws {
            try await store.read(LogRead(.backward(before: nil), limit: ReadLimit(events: 1))).head
        }
    }
}

extension CommandFailure {
    /// The failure as a person reads it who asked for a change of `subject`.
    func explained(about subject: String) -> Failure {
        let subject = subject.printable
        switch self {
        case .rejected(let rejection):
            return Failure("\(subject): \(rejection).")
        case .store(.conflict(let conflict)):
            guard case .exactly(let expected) = conflict.expected else {
                return Failure("\(subject) was changed again and again meanwhile. Try again.")
            }
            return Failure(
                "\(subject) is at version \(conflict.actual), not at the expected version "
                    + "\(expected). Nothing was changed; look at it again and decide anew.")
        default:
            return Failure("\(self)")
        }
    }
}
