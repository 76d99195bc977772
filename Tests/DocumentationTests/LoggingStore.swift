import Wellspring

// snippet: writing-store
struct LoggingStore<Base: EventStore>: EventStore {
    let base: Base
    let log: @Sendable (String) -> Void

    init(_ base: Base, log: @escaping @Sendable (String) -> Void) {
        self.base = base
        self.log = log
    }

    func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        do {
            let receipt = try await base.append(request)
            log("appended up to position \(receipt.position)")
            return receipt
        } catch {
            log("\(error)")
            throw error
        }
    }

    func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        try await base.read(request)
    }

    func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        try await base.read(request)
    }

    func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        try await base.waitForEvents(after: position)
    }
}
// end
