import ExampleTestSupport
import Wellspring
import XCTest

final class ReadingElsewhereTests: XCTestCase {
    func test_reading_from_another_process() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = directory.path("events")
        let store = try await FileEventStore(at: path)
        let commands = CommandBus(store)
        try await commands.send(Open(owner: "Ada"), to: Account.ID("ada"))
        try await commands.send(Deposit(cents: 70), to: Account.ID("ada"))
        // snippet: elsewhere-open
        let reader = try await FileEventReader(at: path)
        let account = try await reader.load(Account.self, "ada")
        // end
        XCTAssertGreaterThanOrEqual(account.version, StreamVersion(1))
        // snippet: elsewhere-project
        let balances = ProjectionRunner(Balances.self, from: reader)
        try await withRunning(balances) {
            try await reader.waitForEvents(after: LogPosition(1))
            let cents = try await balances.ask(BalanceOf(account: "ada"), after: LogPosition(2))
            print(cents ?? 0)
        }
        // end
        XCTAssertEqual(balances.position, LogPosition(2))
        await reader.close()
        await store.close()
        try await showUnproven(path)
    }

    private func showUnproven(_ path: String) async throws {
        // snippet: elsewhere-unproven
        var configuration = FileEventReader.Configuration()
        configuration.includesUnproven = true
        let rest = try await FileEventReader(at: path, configuration: configuration)
        // end
        XCTAssertEqual(rest.position, LogPosition(2))
        await rest.close()
    }
}
