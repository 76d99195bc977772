import Foundation
import XCTest

@testable import Wellspring

/// Payloads that nobody wrote: an event or an error comes out, whatever the bytes are.
///
/// WELLSPRING_PAYLOAD_FUZZ is the number of damaged payloads for each type, WELLSPRING_JSON_SEED
/// changes them; `.ci/fuzz/run` does the same with a fuzzer that watches where the bytes lead.
final class PayloadFuzzTests: XCTestCase {
    /// An event of nested values, in the form of the type that is given.
    private enum Listed: DomainEvent, Equatable {
        case tree(AnyJSON, ids: [UUID], [String: Int?])
        enum CodingKeys: String, EventNames { case tree = "fuzz.tree" }
        static let payloadFormat = PayloadFormat.binary(fields: ["ids", "_0", "_2", "a", "b"])
    }

    private enum Plain: DomainEvent, Equatable {
        case tree(AnyJSON, ids: [UUID], [String: Int?])
        enum CodingKeys: String, EventNames { case tree = "fuzz.tree" }
    }

    private var rounds: Int {
        let wanted = ProcessInfo.processInfo.environment["WELLSPRING_PAYLOAD_FUZZ"]
        return wanted.flatMap(Int.init) ?? 4_000
    }

    private var seed: UInt64 {
        ProcessInfo.processInfo.environment["WELLSPRING_JSON_SEED"].flatMap(UInt64.init) ?? 2026
    }

    /// Damages payloads; what is still read must survive being written again.
    private func fuzz<E: DomainEvent & Equatable>(
        _ type: E.Type, codec: PayloadCodec, _ make: (inout SeededGenerator) -> E
    ) throws {
        let began = ContinuousClock.now
        var generator = SeededGenerator(seed: UInt64(codec.rawValue) + seed)
        for _ in 0..<rounds / 20 {
            let whole = try make(&generator).encoded()
            XCTAssertEqual(whole.codec, codec)
            for _ in 0..<20 {
                var damaged = whole
                damaged.payload = EventPayload(generator.broken(Array(whole.payload)))
                guard let event = try? E(decoding: damaged) else { continue }
                var again = try event.encoded()
                // `AnyJSON` takes 2.9495884299495885e+18 for an integer, and writes it as one; the
                // longer text that it stands for was none.
                if codec == .json { again = try E(decoding: again).encoded() }
                XCTAssertEqual(
                    try E(decoding: again).encoded().payload, again.payload,
                    "\(Array(damaged.payload))")
            }
        }
        let names: [PayloadCodec: String] = [.json: "JSON", .binary: "binary"]
        let name = names[codec] ?? "self-coded"
        Totals.print("damaged payloads, \(name)", since: began, "\(rounds / 20 * 20)")
    }

    func test_damaged_json_never_traps() throws {
        try fuzz(Plain.self, codec: .json) {
            .tree($0.json(), ids: $0.list { $0.uuid() }, $0.table { $0.maybe { $0.int() } })
        }
    }

    func test_a_damaged_binary_form_never_traps() throws {
        try fuzz(Listed.self, codec: .binary) {
            .tree($0.json(), ids: $0.list { $0.uuid() }, $0.table { $0.maybe { $0.int() } })
        }
    }

    func test_damaged_fields_never_trap() throws {
        try fuzz(SelfCodedEvent.self, codec: .selfCoded) { generator in
            switch generator.below(4) {
            case 0:
                .opened(
                    owner: generator.text(), limit: generator.int(),
                    note: generator.maybe { $0.text() })
            case 1: .moved(to: generator.table { $0.list { $0.int() } })
            case 2: .everything(.sample)
            default: .nested(SelfCodedTree(children: [.init(children: []), .init(children: [])]))
            }
        }
    }

    func test_bytes_from_nowhere_never_trap() {
        let began = ContinuousClock.now
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<rounds {
            let payload = EventPayload(generator.list(40) { UInt8(truncatingIfNeeded: $0.next()) })
            for codec in [PayloadCodec.json, .binary] {
                _ = try? Listed(
                    decoding: EncodedEvent(name: "fuzz.tree", payload: payload, codec: codec))
            }
            for name: EventName in ["self.opened", "self.moved", "self.everything", "self.nested"] {
                _ = try? SelfCodedEvent(
                    decoding: EncodedEvent(name: name, payload: payload, codec: .selfCoded))
            }
        }
        Totals.print("payloads from nowhere", since: began, "\(rounds)")
    }
}

extension SeededGenerator {
    /// Changes bytes where it hurts: counts, kinds, the end.
    fileprivate mutating func broken(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...below(3) where !bytes.isEmpty {
            let place = below(bytes.count)
            switch below(6) {
            case 0: bytes[place] ^= 1 << UInt8(below(8))
            case 1: bytes[place] = UInt8(truncatingIfNeeded: next())
            case 2: bytes.removeSubrange(place...)
            case 3: bytes.remove(at: place)
            case 4: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 9)], at: place)
            default:
                let telling: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF, 0x1B, 0x3B, 0x5B, 0x9B, 0xBB, 0xC3]
                bytes[place] = telling[below(telling.count)]
            }
        }
        return bytes
    }
}
