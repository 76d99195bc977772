import Foundation
import Wellspring

extension Workload {
    static let coding = Workload(
        id: "coding", summary: "write and read the event in each form of payload, no store"
    ) { row, setting in
        guard row == MemoryContender.self else { throw NotMeasured() }
        let share = setting.effort.seconds / 10
        return try figures(CartEvent.self, share) + figures(BinaryCartEvent.self, share)
            + figures(ListedCartEvent.self, share) + figures(SelfCodedCartEvent.self, share)
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

    private static func figures<E: CartForm>(
        _ type: E.Type, _ seconds: Double
    ) throws -> [Figure] {
        let events = (0..<256).map(E.number)
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
            Figure(E.form + "_write", write, "ns"), Figure(E.form + "_read", read, "ns"),
            Figure(E.form + "_bytes", Double(bytes) / Double(events.count), "B"),
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
