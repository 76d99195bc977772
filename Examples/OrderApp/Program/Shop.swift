import Wellspring

/// The shop on one store: what commands go to, and where read models come from.
struct Shop: Sendable {
    let store: any EventStore
    let checkpoints: any CheckpointStore
    let commands: CommandBus

    init(_ store: some EventStore, checkpoints: some CheckpointStore) {
        self.store = store
        self.checkpoints = checkpoints
        commands = CommandBus(store)
    }

    /// Places an order on its day.
    @discardableResult
    func place(
        _ id: Order.ID, _ terms: Order.Terms
    ) async throws(PlaceOrder.Failure) -> PlaceOrder.Receipt {
        try await commands.send(
            PlaceOrder(terms: terms), to: id,
            context: CommandContext(occurredAt: terms.date.startOfDay))
    }
}

extension Shop {
    /// Opens the shop in `directory` for as long as `body` takes.
    ///
    /// - Parameter creating: Whether a shop is founded where there is none.
    static func open<Value: Sendable>(
        at directory: String, creating: Bool = false, _ body: (Shop) async throws -> Value
    ) async throws -> Value {
        var configuration = FileEventStore.Configuration()
        configuration.createsStore = creating
        let store = try await FileEventStore(at: directory, configuration: configuration)
        do {
            let value = try await body(Shop(store, checkpoints: store.checkpoints))
            await store.close()
            return value
        } catch {
            await store.close()
            throw error
        }
    }
}
