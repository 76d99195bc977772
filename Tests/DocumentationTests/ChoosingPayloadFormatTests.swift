import Foundation
import Wellspring
import XCTest

private enum Plain {
    enum MeterEvent: DomainEvent, Equatable {
        case read(meter: String, kilowattHours: Double, note: String?)
        enum CodingKeys: String, EventNames { case read = "meter.read" }
    }
}

private enum Binary {
    // snippet: payload-binary
    enum MeterEvent: DomainEvent {
        case read(meter: String, kilowattHours: Double, at: Date)

        enum CodingKeys: String, EventNames {
            case read = "meter.read"
        }

        static let payloadFormat = PayloadFormat.binary
    }
    // end
}

private enum Listed {
    enum MeterEvent: DomainEvent {
        case read(meter: String, kilowattHours: Double, at: Date)

        enum CodingKeys: String, EventNames {
            case read = "meter.read"
        }

        // snippet: payload-fields
        static let payloadFormat = PayloadFormat.binary(
            fields: ["meter", "kilowattHours", "at"])
        // end
    }
}

private enum SelfCoded {
    // snippet: payload-self-coded
    enum MeterEvent: SelfCodingEvent {
        case read(meter: String, kilowattHours: Double, note: String?)
        case replaced(by: String)

        enum CodingKeys: String, EventNames {
            case read = "meter.read"
            case replaced = "meter.replaced"
        }

        static var schemaVersion: UInt16 { 2 }

        func write(to payload: inout PayloadWriter) -> CodingKeys {
            switch self {
            case .read(let meter, let kilowattHours, let note):
                payload.write(meter)
                payload.write(kilowattHours)
                payload.write(note)
                return .read
            case .replaced(let successor):
                payload.write(successor)
                return .replaced
            }
        }

        init(_ name: CodingKeys, from payload: inout PayloadReader) throws(PayloadError) {
            switch name {
            case .read:
                self = .read(
                    meter: try payload.read(), kilowattHours: try payload.read(),
                    // Version 2 added the note.
                    note: payload.schemaVersion < 2 ? nil : try payload.read())
            case .replaced:
                self = .replaced(by: try payload.read())
            }
        }
    }
    // end

    // snippet: payload-values
    enum Unit: String, Codable, Sendable, PayloadValue {
        case kilowattHours = "kWh"
        case cubicMetres = "m3"
    }

    struct Quantity: Codable, Hashable, Sendable, PayloadValue {
        var amount: Int
        var unit: Unit

        init(amount: Int, unit: Unit) {
            self.amount = amount
            self.unit = unit
        }

        func write(to payload: inout PayloadWriter) {
            payload.write(amount)
            payload.write(unit)
        }

        init(from payload: inout PayloadReader) throws(PayloadError) {
            amount = try payload.read()
            unit = try payload.read()
        }
    }
    // end

    enum Measured: SelfCodingEvent {
        case measured(Quantity)
        enum CodingKeys: String, EventNames { case measured = "meter.measured" }

        func write(to payload: inout PayloadWriter) -> CodingKeys {
            guard case .measured(let quantity) = self else { return .measured }
            payload.write(quantity)
            return .measured
        }

        init(_ name: CodingKeys, from payload: inout PayloadReader) throws(PayloadError) {
            self = .measured(try payload.read())
        }
    }
}

final class ChoosingPayloadFormatTests: XCTestCase {
    private let noon = Date(timeIntervalSinceReferenceDate: 43_200)

    func test_the_forms_take_fewer_bytes_from_one_to_the_next() throws {
        let json = try Plain.MeterEvent.read(meter: "m1", kilowattHours: 7.25, note: "n").encoded()
        let binary = try Binary.MeterEvent.read(meter: "m1", kilowattHours: 7.25, at: noon)
            .encoded()
        let listed = try Listed.MeterEvent.read(meter: "m1", kilowattHours: 7.25, at: noon)
            .encoded()
        XCTAssertEqual(json.codec, .json)
        XCTAssertEqual(binary.codec, .binary)
        XCTAssertEqual(binary.payload.count, 1 + 6 + 3 + 14 + 5 + 3 + 5)
        XCTAssertEqual(listed.payload.count, 1 + 1 + 3 + 1 + 5 + 1 + 5 + 3)
    }

    func test_a_type_that_codes_itself_reads_what_it_stored_as_json() throws {
        let stored = try Plain.MeterEvent.read(meter: "m1", kilowattHours: 7.25, note: nil)
            .encoded()
        guard case .read("m1", 7.25, nil) = try SelfCoded.MeterEvent(decoding: stored) else {
            return XCTFail("not the event")
        }
    }

    func test_values_of_ones_own_are_written_and_read() throws {
        let quantity = SelfCoded.Quantity(amount: 12, unit: .cubicMetres)
        let stored = try SelfCoded.Measured.measured(quantity).encoded()
        XCTAssertEqual(Array(stored.payload), [24, 2] + Array("m3".utf8))
        guard case .measured(quantity) = try SelfCoded.Measured(decoding: stored) else {
            return XCTFail("not the value")
        }
    }

    func test_the_second_version_reads_events_of_the_first() throws {
        let stored = EncodedEvent(
            name: "meter.read", payload: [2, 0x6D, 0x31, 0, 0, 0, 0, 0, 0, 0x1D, 0x40],
            codec: .selfCoded, schemaVersion: 1)
        guard case .read("m1", 7.25, nil) = try SelfCoded.MeterEvent(decoding: stored) else {
            return XCTFail("not the event")
        }
        let replaced = try SelfCoded.MeterEvent.replaced(by: "m2").encoded()
        guard case .replaced("m2") = try SelfCoded.MeterEvent(decoding: replaced) else {
            return XCTFail("not the event")
        }
    }
}
