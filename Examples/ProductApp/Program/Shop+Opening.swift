import ExampleSupport
import Wellspring

extension Shop {
    /// Whether a store is made where there is none.
    enum Opening { case mustExist, createsStore }

    /// Opens the store in `directory`, lets `body` work with it and closes it.
    ///
    /// The catalogue begins with what the last run saved and takes in what came since.
    static func open<Value: Sendable>(
        _ directory: String, _ opening: Opening = .mustExist,
        body: @escaping @Sendable (Shop) async throws -> Value
    ) async throws -> Value {
        var configuration = FileEventStore.Configuration()
        configuration.createsStore = opening == .createsStore
        let store = try await FileEventStore(at: directory, configuration: configuration)
        let notices = CatalogueNotices()
        let catalogue = ProjectionRunner(
            Catalogue.self, from: store, checkpoints: store.checkpoints, onNotice: notices.hear)
        let shop = Shop(store: store, catalogue: catalogue, notices: notices)
        do {
            let value = try await withRunning(catalogue, ReplayProgress(catalogue: catalogue)) {
                try await body(shop)
            }
            await store.close()
            return value
        } catch {
            await store.close()
            throw error
        }
    }
}
