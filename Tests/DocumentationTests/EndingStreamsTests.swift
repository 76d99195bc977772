import Wellspring
import XCTest

final class EndingStreamsTests: XCTestCase {
    private let ada = Account.ID("ada").stream
    private let bob = Account.ID("bob").stream

    private func deposit(_ cents: Int, tags: [Tag] = []) throws -> NewEvent {
        NewEvent(try Account.Event.deposited(cents: cents).encoded(), tags: tags)
    }

    func test_truncating_and_deleting() async throws {
        let store = InMemoryEventStore()
        let deposits = try (1...120).map { try deposit($0) }
        for stream in [ada, bob] {
            try await store.append(AppendRequest(deposits, to: stream, expecting: .noStream))
        }
        // snippet: ending-truncate
        let receipt = try await store.truncate(
            ada, before: StreamVersion(100),
            metadata: EventMetadata(headers: ["user": "bob", "reason": "kept for two years"]))
        // receipt.firstVersion  100, where the stream begins now
        // end
        XCTAssertEqual(receipt.firstVersion, StreamVersion(100))
        let left = try await store.read(StreamRead(ada))
        XCTAssertEqual(left.events.count, 21)

        let version = StreamVersion(120)
        // snippet: ending-delete
        try await store.delete(bob, expecting: .exactly(version))
        // end
        let deleted = try await store.load(Account.self, "bob")
        XCTAssertEqual(deleted.state.balance, 0)
        XCTAssertEqual(deleted.version, version)
        try await readRequests(of: store)
    }

    private func readRequests(of store: InMemoryEventStore) async throws {
        // snippet: ending-requests
        let page = try await store.read(LogRead(filter: .tagged("$scavenge")))
        for request in page.events {
            print(request.recordedAt, request.stream, request.metadata.headers)
        }
        // end
        XCTAssertEqual(
            page.events.map(\.stream.description),
            ["$truncation/\(ada)", "$truncation/\(bob)"])
    }

    func test_redacting() async throws {
        let store = InMemoryEventStore()
        for _ in 0..<3 {
            let event = try deposit(1, tags: ["customer:17"])
            try await store.append(AppendRequest([event], to: ada, expecting: .any))
            try await store.append(AppendRequest([try deposit(1)], to: bob, expecting: .any))
        }
        // snippet: ending-redact
        let found = try await store.read(LogRead(filter: .tagged("customer:17")))
        try await store.requestRedaction(
            of: found.events.map(\.position),
            metadata: EventMetadata(headers: ["reason": "Art. 17"]))
        // end
        let requests = try await store.read(LogRead(filter: .tagged("$scavenge")))
        XCTAssertEqual(requests.events.count, 1)
    }
}
