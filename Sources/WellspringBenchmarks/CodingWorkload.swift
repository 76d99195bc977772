import Foundation
import Wellspring

// The sample event in every form of payload, without a store.

extension Workload {
    static let coding = Workload(
        id: "coding", summary: "write and read the event in each form of payload, no store"
    ) { row, setting in
        guard row == WellspringMemoryContender.self else { throw NotMeasured() }
        let share = setting.effort.seconds / 10
        return try figures("json", CartEvent.number, share)
            + figures("binary", { BinaryCartEvent(.number($0)) }, share)
            + figures("fields", { ListedCartEvent(.number($0)) }, share)
            + figures("self", { SelfCodedCartEvent(.number($0)) }, share)
            + foundationFigures(share)
    }

    /// What the event would cost with Foundation's coders.
    private static func foundationFigures(_ seconds: Double) throws -> [Figure] {
        let events = (0..<256).map(CartEvent.number)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let decoder = JSONDecoder()
        let stored = try events.map(encoder.encode)
        let write = try nanosecondsAnEvent(seconds) { _ = try encoder.encode(events[$0]) }
        let read = try nanosecondsAnEvent(seconds) {
            _ = try decoder.decode(CartEvent.self, from: stored[$0])
        }
        return [Figure("found_write", write, "ns"), Figure("found_read", read, "ns")]
    }

    private static func figures<E: DomainEvent>(
        _ form: String, _ make: (Int) -> E, _ seconds: Double
    ) throws -> [Figure] {
        let events = (0..<256).map(make)
        let stored = try events.map { try $0.encoded() }
        let bytes = stored.reduce(0) { $0 + $1.payload.count }
        var kept = 0
        let write = try nanosecondsAnEvent(seconds) {
            kept &+= try events[$0].encoded().payload.count
        }
        let read = try nanosecondsAnEvent(seconds) {
            kept &+= E.names.count
            _ = try E(decoding: stored[$0])
        }
        guard kept > 0 else { throw NotMeasured() }
        return [
            Figure(form + "_write", write, "ns"), Figure(form + "_read", read, "ns"),
            Figure(form + "_bytes", Double(bytes) / Double(events.count), "B"),
        ]
    }

    private static func nanosecondsAnEvent(
        _ limit: Double, _ body: (Int) throws -> Void
    ) rethrows -> Double {
        let start = now()
        var rounds = 0
        repeat {
            for index in 0..<256 { try body(index) }
            rounds += 1
        } while seconds(since: start) < limit
        return seconds(since: start) * 1e9 / Double(rounds * 256)
    }
}

// MARK: - The event in other forms

private enum BinaryCartEvent: DomainEvent {
    case itemAdded(
        orderId: String, customerId: String, sku: String, quantity: Int, amountCents: Int,
        note: String)

    enum CodingKeys: String, EventNames {
        case itemAdded = "cart.itemAdded"
    }

    static let payloadFormat = PayloadFormat.binary

    init(_ event: CartEvent) {
        switch event {
        case .itemAdded(let order, let customer, let sku, let quantity, let cents, let note):
            self = .itemAdded(
                orderId: order, customerId: customer, sku: sku, quantity: quantity,
                amountCents: cents, note: note)
        }
    }
}

private enum ListedCartEvent: DomainEvent {
    case itemAdded(
        orderId: String, customerId: String, sku: String, quantity: Int, amountCents: Int,
        note: String)

    enum CodingKeys: String, EventNames {
        case itemAdded = "cart.itemAdded"
    }

    static let payloadFormat = PayloadFormat.binary(
        fields: ["orderId", "customerId", "sku", "quantity", "amountCents", "note"])

    init(_ event: CartEvent) {
        switch event {
        case .itemAdded(let order, let customer, let sku, let quantity, let cents, let note):
            self = .itemAdded(
                orderId: order, customerId: customer, sku: sku, quantity: quantity,
                amountCents: cents, note: note)
        }
    }
}

private enum SelfCodedCartEvent: SelfCodingEvent {
    case itemAdded(
        orderId: String, customerId: String, sku: String, quantity: Int, amountCents: Int,
        note: String)

    enum CodingKeys: String, EventNames {
        case itemAdded = "cart.itemAdded"
    }

    init(_ event: CartEvent) {
        switch event {
        case .itemAdded(let order, let customer, let sku, let quantity, let cents, let note):
            self = .itemAdded(
                orderId: order, customerId: customer, sku: sku, quantity: quantity,
                amountCents: cents, note: note)
        }
    }

    func write(to payload: inout PayloadWriter) -> CodingKeys {
        switch self {
        case .itemAdded(let order, let customer, let sku, let quantity, let cents, let note):
            payload.write(order)
            payload.write(customer)
            payload.write(sku)
            payload.write(quantity)
            payload.write(cents)
            payload.write(note)
            return .itemAdded
        }
    }

    init(_ name: CodingKeys, from payload: inout PayloadReader) throws(PayloadError) {
        switch name {
        case .itemAdded:
            self = .itemAdded(
                orderId: try payload.read(), customerId: try payload.read(),
                sku: try payload.read(), quantity: try payload.read(),
                amountCents: try payload.read(), note: try payload.read())
        }
    }
}
