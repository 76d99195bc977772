import Wellspring
import WellspringTestKit
import XCTest

// snippet: testing-aggregate
final class AccountTests: XCTestCase {
    func test_a_withdrawal_within_the_balance_is_recorded() throws {
        try Scenario<Account>()
            .given(.opened(owner: "Ada"), .deposited(cents: 100))
            .when(Withdraw(cents: 30))
            .then(.withdrawn(cents: 30))
    }

    func test_a_withdrawal_beyond_the_balance_is_rejected() throws {
        try Scenario<Account>()
            .given(.opened(owner: "Ada"), .deposited(cents: 100))
            .when(Withdraw(cents: 130))
            .thenRejected(.insufficientFunds(missing: 30))
    }
}
// end

// snippet: testing-store
final class LoggingStoreTests: XCTestCase {
    func test_a_logging_store_is_an_event_store() async throws {
        try await EventStoreChecks.run {
            LoggingStore(InMemoryEventStore()) { _ in }
        }
    }
}
// end

final class TestingTests: XCTestCase {
    // snippet: testing-crash
    func test_an_acknowledged_deposit_survives_a_power_cut() async throws {
        let disk = SimulatedDisk(seed: 7)
        let store = try await FileEventStore(on: disk)
        let commands = CommandBus(store)
        try await commands.send(Open(owner: "Ada"), to: "ada")
        try await commands.send(Deposit(cents: 70), to: "ada")

        for seed in UInt64(1)...50 {
            let survivor = disk.afterCrash(seed: seed)
            let reopened = try await FileEventStore(on: survivor)
            let account = try await reopened.load(Account.self, "ada")
            XCTAssertEqual(account.state.balance, 70)
            await reopened.close()
        }
        await store.close()
    }
    // end

    // snippet: testing-fault
    func test_a_full_disk_is_reported_and_overcome() async throws {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        let commands = CommandBus(store)
        try await commands.send(Open(owner: "Ada"), to: "ada")

        disk.inject(.init(.noSpace, operations: [.write]))
        do {
            try await commands.send(Deposit(cents: 70), to: "ada")
            XCTFail("stored on a full disk")
        } catch .store(.storageFull) {}

        let receipt = try await commands.send(Deposit(cents: 30), to: "ada")
        XCTAssertEqual(receipt.state.balance, 30)
        await store.close()
    }
    // end

    // snippet: testing-lost-answer
    func test_a_deposit_without_an_answer_is_not_made_twice() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        let commands = CommandBus(store)
        try await commands.send(Open(owner: "Ada"), to: "ada")

        for fault in [FaultyEventStore.Fault.lostAcknowledgement, .lostRequest] {
            let before = try await store.load(Account.self, "ada")
            store.inject(fault)
            do {
                try await commands.send(Deposit(cents: 70), to: "ada")
                XCTFail("answered")
            } catch .store(.outcomeUnknown) {}
            // The version says whether it went through: only if not is it sent again.
            _ = try? await commands.send(
                Deposit(cents: 70), to: "ada", expecting: .exactly(before.version))
        }
        let account = try await store.load(Account.self, "ada")
        XCTAssertEqual(account.state.balance, 140)
    }
    // end

    // snippet: testing-delay
    func test_a_slow_store_does_not_mix_up_two_deposits() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        let commands = CommandBus(store)
        try await commands.send(Open(owner: "Ada"), to: "ada")

        store.inject(.delayBeforeCommit)
        async let slow = commands.send(Deposit(cents: 70), to: "ada")
        await store.waitForHeld()
        // Another process is quicker.
        try await CommandBus(store).send(Deposit(cents: 30), to: "ada")
        store.release()

        let receipt = try await slow
        XCTAssertEqual(receipt.state.balance, 100)
    }
    // end

    // snippet: testing-chance
    func test_conflicts_and_short_pages_change_nothing() async throws {
        var chances = FaultyEventStore.Chances()
        chances.conflict = 0.3
        chances.shortRead = 0.3
        for seed in UInt64(1)...20 {
            let store = FaultyEventStore(InMemoryEventStore(), seed: seed, chances: chances)
            let commands = CommandBus(store, conflictRetries: 50)
            try await commands.send(Open(owner: "Ada"), to: "ada")
            for _ in 1...10 { try await commands.send(Deposit(cents: 7), to: "ada") }
            let account = try await store.load(Account.self, "ada")
            XCTAssertEqual(account.state.balance, 70, "seed \(seed)")
        }
    }
    // end

    func test_time_stands_still_until_it_is_moved() async throws {
        // snippet: testing-time
        let clock = ManualClock()
        let store = InMemoryEventStore(clock: { clock.time })
        let balances = ProjectionRunner(Balances.self, from: store, clock: clock)

        async let answer = balances.ask(BalanceOf(account: "ada"), timeout: .seconds(5))
        await clock.waitForSleepers()
        clock.advance(by: .seconds(5))  // Nobody runs the projection, so the question times out.
        // end
        do {
            _ = try await answer
            XCTFail("answered without a model")
        } catch {
            guard case QueryFailure.timedOut = error else { return XCTFail("\(error)") }
        }
    }
}
