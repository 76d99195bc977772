import ExampleTestSupport
import Wellspring
import XCTest

final class StoringEventsTests: XCTestCase {
    private let ada = Account.ID("ada").stream
    private let bob = Account.ID("bob").stream

    func test_appending_and_reading() async throws {
        // snippet: storing-memory
        let store = InMemoryEventStore()
        // end
        try await store.append(
            AppendRequest(
                [NewEvent(try Account.Event.opened(owner: "Bob").encoded())], to: bob,
                expecting: .noStream))
        // snippet: storing-append
        let events = [
            NewEvent(try Account.Event.opened(owner: "Ada").encoded()),
            NewEvent(try Account.Event.deposited(cents: 100).encoded()),
        ]
        let opened = try await store.append(
            AppendRequest(events, to: ada, expecting: .noStream))
        // opened.version   2, the number of events in the stream
        // opened.position  the place of the last event in the log
        // end
        XCTAssertEqual(opened.version, StreamVersion(2))
        // snippet: storing-many
        let moved = try await store.append(
            AppendRequest([
                StreamWrite(
                    [NewEvent(try Account.Event.withdrawn(cents: 30).encoded())],
                    to: ada, expecting: .exactly(opened.version)),
                StreamWrite(
                    [NewEvent(try Account.Event.deposited(cents: 30).encoded())],
                    to: bob, expecting: .exists),
            ]))
        // end
        XCTAssertEqual(moved.versions, [StreamVersion(3), StreamVersion(2)])
        try await read(store, until: moved.position)
    }

    private func read(_ store: InMemoryEventStore, until end: LogPosition) async throws {
        // snippet: storing-stream
        for try await recorded in store.events(in: ada) {
            print(recorded.version, recorded.event.name)
        }
        let newest = try await store.read(
            StreamRead(ada, .backward(before: nil), limit: ReadLimit(events: 10)))
        // end
        XCTAssertEqual(newest.events.map(\.version.rawValue), [3, 2, 1])
        // snippet: storing-log
        var position = LogPosition.start
        while true {
            let page = try await store.read(
                LogRead(
                    .forward(after: position),
                    filter: .named(["account.deposited", "account.withdrawn"])))
            for recorded in page.events { print(recorded.position, recorded.stream) }
            if page.end == position { break }
            position = page.end
        }
        // end
        XCTAssertEqual(position, end)
        // snippet: storing-subscribe
        for try await page in store.subscribe(after: .start, filter: .category("account")) {
            for recorded in page.events { print(recorded.position, recorded.event.name) }
            if page.end >= end { break }  // Else it goes on until its task is cancelled.
        }
        // end
    }

    func test_a_store_with_settings_is_synced_and_closed() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = directory.path("bank")
        // snippet: storing-open
        var configuration = FileEventStore.Configuration()
        configuration.durability = .interval(time: .milliseconds(50), bytes: 1 << 20)
        configuration.onNotice = { notice in
            print("store:", notice)
        }
        let store = try await FileEventStore(at: path, configuration: configuration)
        if !store.report.wasClean { print("not closed properly:", store.report) }
        // end
        try await CommandBus(store).send(Open(owner: "Ada"), to: "ada")
        // snippet: storing-close
        try await store.sync()  // Now even a power cut takes nothing back.
        await store.close()
        // end
        let again = try await FileEventStore(at: path)
        XCTAssertTrue(again.report.wasClean)
        XCTAssertEqual(again.report.eventCount, 1)
        await again.close()
    }

    func test_errors_say_what_to_do() async throws {
        let store = InMemoryEventStore()
        let request = AppendRequest(
            [NewEvent(try Account.Event.opened(owner: "Ada").encoded())], to: ada,
            expecting: .noStream)
        // snippet: storing-errors
        do {
            try await store.append(request)
        } catch .conflict(let conflict) {
            print("\(conflict.stream) is at \(conflict.actual)")  // Load it again, decide anew.
        } catch .notStored(let reason), .storageFull(let reason) {
            print("nothing was written:", reason)  // The same append may be tried again.
        } catch .outcomeUnknown(let failure), .poisoned(let failure) {
            print("safe until position \(failure.lastDurable)")  // Close it and open it again.
        } catch {
            print(error)
        }
        // end
    }
}
