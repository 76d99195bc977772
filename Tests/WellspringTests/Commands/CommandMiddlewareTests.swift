import Wellspring
import WellspringLog
import XCTest

final class CommandMiddlewareTests: XCTestCase {
    func test_the_first_middleware_is_the_outermost() async throws {
        let diary = Diary()
        let bus = CommandBus(
            InMemoryEventStore(), middleware: Noting("outer", in: diary), Noting("inner", in: diary)
        )
        try await bus.send(Fill(cents: 1), to: "ada")
        XCTAssertEqual(
            diary.lines,
            [
                "outer: Fill to purse/ada", "inner: Fill to purse/ada", "inner: done",
                "outer: done",
            ])
    }

    func test_middleware_sees_failures_and_each_command_once() async throws {
        let diary = Diary()
        let rounds = Counter()
        let store = InterferingStore { base, _ in
            if rounds.increase() < 3 { await base.fill("ada", cents: 1) }
        }
        let bus = CommandBus(store, middleware: Noting("m", in: diary))
        try await bus.send(Fill(cents: 1), to: "ada")
        _ = await caught { () async throws(Spend.Failure) in
            try await bus.send(Spend(cents: 9), to: "ada")
        }
        XCTAssertEqual(
            diary.lines,
            [
                "m: Fill to purse/ada", "m: done", "m: Spend to purse/ada",
                "m: The command was rejected: tooLittle(missing: 6).",
            ])
    }

    func test_middleware_may_add_to_what_is_kept_with_the_events() async throws {
        let store = InMemoryEventStore()
        let receipt = try await CommandBus(store, middleware: Signing())
            .send(Fill(cents: 1), to: "ada", context: CommandContext(headers: ["a": "b"]))
        let metadata = try await store.events(of: "ada")[0].metadata
        XCTAssertEqual(metadata.headers, ["a": "b", "id": "\(receipt.commandID)"])
    }

    func test_middleware_may_refuse() async throws {
        let store = InMemoryEventStore()
        let bus = CommandBus(store, middleware: Refusing())
        let failure = await caught { () async throws(Fill.Failure) in
            try await bus.send(Fill(cents: 1), to: "ada")
        }
        guard case .interrupted(let reason)? = failure else { return XCTFail() }
        XCTAssertTrue(reason is Refusing.NotAllowed)
        let head = try await store.read(LogRead()).head
        XCTAssertEqual(head, .start)
    }

    func test_middleware_may_send_to_the_same_aggregate() async throws {
        let store = InMemoryEventStore()
        let bus = CommandBus(store, middleware: FillingFirst(bus: CommandBus(store)))
        let receipt = try await bus.send(Spend(cents: 1), to: "ada")
        XCTAssertEqual(receipt.version, StreamVersion(2))
    }
}

private final class Diary: Sendable {
    private let state = Guarded<[String]>([])
    var lines: [String] { state.withLock { $0 } }
    func write(_ line: String) { state.withLock { $0.append(line) } }
}

private struct Noting: CommandMiddleware {
    let name: String
    let diary: Diary
    init(_ name: String, in diary: Diary) {
        self.name = name
        self.diary = diary
    }

    func handle<C: Command>(
        _ delivery: Delivery<C>, next: Next<C>
    ) async throws(C.Failure) -> C.Receipt {
        diary.write("\(name): \(C.self) to \(delivery.stream)")
        do {
            let receipt = try await next(delivery)
            diary.write("\(name): done")
            return receipt
        } catch {
            diary.write("\(name): \(error)")
            throw error
        }
    }
}

private struct Signing: CommandMiddleware {
    func handle<C: Command>(
        _ delivery: Delivery<C>, next: Next<C>
    ) async throws(C.Failure) -> C.Receipt {
        var delivery = delivery
        delivery.context.headers["id"] = delivery.context.id.map { "\($0)" }
        return try await next(delivery)
    }
}

private struct Refusing: CommandMiddleware {
    struct NotAllowed: Error {}
    func handle<C: Command>(
        _ delivery: Delivery<C>, next: Next<C>
    ) async throws(C.Failure) -> C.Receipt {
        throw .interrupted(NotAllowed())
    }
}

private struct FillingFirst: CommandMiddleware {
    let bus: CommandBus
    func handle<C: Command>(
        _ delivery: Delivery<C>, next: Next<C>
    ) async throws(C.Failure) -> C.Receipt {
        do {
            try await bus.send(Fill(cents: 1), to: Purse.ID(delivery.stream.key))
        } catch {
            throw .interrupted(error)
        }
        return try await next(delivery)
    }
}
