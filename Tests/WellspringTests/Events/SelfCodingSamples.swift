import Foundation
import Wellspring

/// An event of every kind of value; version 2 added the note.
enum SelfCodedEvent: SelfCodingEvent, Equatable {
    case opened(owner: String, limit: Int, note: String?)
    case closed
    case moved(to: [String: [Int]])
    case everything(SelfCodedValues)
    case nested(SelfCodedTree)
    case empties([SelfCodedNothing])

    enum CodingKeys: String, EventNames {
        case opened = "self.opened"
        case closed = "self.closed"
        case moved = "self.moved"
        case everything = "self.everything"
        case nested = "self.nested"
        case empties = "self.empties"
    }

    static var schemaVersion: UInt16 { 2 }

    func write(to payload: inout PayloadWriter) -> CodingKeys {
        switch self {
        case .opened(let owner, let limit, let note):
            payload.write(owner)
            payload.write(limit)
            payload.write(note)
            return .opened
        case .closed:
            return .closed
        case .moved(let places):
            payload.write(places)
            return .moved
        case .everything(let values):
            payload.write(values)
            return .everything
        case .nested(let tree):
            payload.write(tree)
            return .nested
        case .empties(let empties):
            payload.write(empties)
            return .empties
        }
    }

    init(_ name: CodingKeys, from payload: inout PayloadReader) throws(PayloadError) {
        switch name {
        case .opened:
            self = .opened(
                owner: try payload.read(), limit: try payload.read(),
                note: payload.schemaVersion < 2 ? nil : try payload.read())
        case .closed: self = .closed
        case .moved: self = .moved(to: try payload.read())
        case .everything: self = .everything(try payload.read())
        case .nested: self = .nested(try payload.read())
        case .empties: self = .empties(try payload.read())
        }
    }
}

enum SelfCodedUnion: EventUnion {
    case own(SelfCodedEvent)
    case other(CodingReuseTests.Event)

    static let members = EventMembers(SelfCodedUnion.own, SelfCodedUnion.other)
}

struct SelfCodedTree: Codable, Equatable, Sendable, PayloadValue {
    var children: [SelfCodedTree]

    init(children: [SelfCodedTree]) { self.children = children }

    func write(to payload: inout PayloadWriter) { payload.write(children) }

    init(from payload: inout PayloadReader) throws(PayloadError) { children = try payload.read() }
}

struct SelfCodedNothing: Codable, Equatable, Sendable, PayloadValue {
    init() {}

    func write(to payload: inout PayloadWriter) {}

    init(from payload: inout PayloadReader) throws(PayloadError) {}
}

struct SelfCodedValues: Codable, Equatable, Sendable, PayloadValue {
    enum Colour: UInt8, Codable, Sendable, PayloadValue { case red, green }

    var small: Int8
    var medium: Int16
    var large: Int64
    var byte: UInt8
    var count: UInt
    var flag: Bool
    var ratio: Double
    var rough: Float
    var id: UUID
    var date: Date
    var data: Data
    var moment: Timestamp
    var message: MessageID
    var huge: Int128
    var fixed: UInt32
    var raw: [UInt8]
    var colour: Colour

    static let sample = SelfCodedValues(
        small: -64, medium: .min, large: .min, byte: 0xFF, count: .max, flag: true, ratio: 1.5,
        rough: -2, id: UUID(uuid: (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)),
        date: Date(timeIntervalSinceReferenceDate: 0.25), data: Data([1, 2]),
        moment: Timestamp(nanoseconds: 258), message: MessageID(high: 1, low: 2), huge: -2,
        fixed: 0x0102_0304, raw: [7], colour: .green)
}

extension SelfCodedValues {
    func write(to payload: inout PayloadWriter) {
        payload.write(small)
        payload.write(medium)
        payload.write(large)
        payload.write(byte)
        payload.write(count)
        payload.write(flag)
        payload.write(ratio)
        payload.write(rough)
        payload.write(id)
        payload.write(date)
        payload.write(data)
        payload.write(moment)
        payload.write(message)
        payload.write(huge)
        payload.writeFixed(fixed)
        payload.write(bytes: raw)
        payload.write(colour)
    }

    init(from payload: inout PayloadReader) throws(PayloadError) {
        small = try payload.read()
        medium = try payload.read()
        large = try payload.read()
        byte = try payload.read()
        count = try payload.read()
        flag = try payload.read()
        ratio = try payload.read()
        rough = try payload.read()
        id = try payload.read()
        date = try payload.read()
        data = try payload.read()
        moment = try payload.read()
        message = try payload.read()
        huge = try payload.read()
        fixed = try payload.readFixed()
        raw = try payload.readBytes()
        colour = try payload.read()
    }
}
