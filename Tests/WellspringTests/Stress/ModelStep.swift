import Wellspring
import WellspringTestKit

/// One step of a random test, in words that can be copied out of a failure into a test.
enum ModelStep: Hashable, Sendable {
    case append([ModelWrite])
    case stream(Int, ModelOrder, events: Int = 256, bytes: Int = 4_096)
    case log(ModelOrder, ModelFilter = .all, events: Int = 256, bytes: Int = 4_096)
    case wait(after: Int)
    /// Cut off a stream so that so many versions are left of it; a negative number is too far.
    case truncate(Int, keeping: Int, ModelBelief = .any)
    case sync
    case timers
    case clock(milliseconds: Int)
    /// Close the store and open it again.
    case restart
    /// Let go of the store without closing it, and open it again.
    case drop
    /// Turn the power off and on.
    case crash(SimulatedDisk.Survival)
    /// As `restart`, with everything gone meanwhile that is kept for speed only.
    case restartWithoutIndex
    /// As `restart`, with the content gone meanwhile of what was truncated.
    case scavenge
    /// The next write fails.
    case failWrite
    /// The next write finds the disk full.
    case fillDisk
    /// The next sync fails.
    case failSync
}

/// What an append adds to one of the streams, which are known by numbers.
struct ModelWrite: Hashable, Sendable {
    var stream: Int
    var belief: ModelBelief
    /// Each number stands for an event of a certain form, see `ModelEvents`.
    var events: [Int]

    init(_ stream: Int, _ belief: ModelBelief, _ events: [Int]) {
        self.stream = stream
        self.belief = belief
        self.events = events
    }
}

/// What is said of a stream's version, in terms of where it is, so that it keeps its sense when
/// other steps are left out.
enum ModelBelief: Hashable, Sendable {
    case any, noStream, exists, right
    case wrong(by: Int)

    func expected(at version: UInt64) -> ExpectedVersion {
        switch self {
        case .any: .any
        case .noStream: .noStream
        case .exists: .exists
        case .right: .exactly(StreamVersion(version))
        case .wrong(let offset): .exactly(StreamVersion(UInt64(max(0, Int(version) + offset))))
        }
    }
}

enum ModelOrder: Hashable, Sendable {
    case forward(Int)
    case backward(Int?)

    var ofStream: ReadOrder<StreamVersion> {
        switch self {
        case .forward(let after): .forward(after: StreamVersion(UInt64(after)))
        case .backward(let before):
            .backward(before: before.map { StreamVersion(UInt64($0)) })
        }
    }

    var ofLog: ReadOrder<LogPosition> {
        switch self {
        case .forward(let after): .forward(after: LogPosition(UInt64(after)))
        case .backward(let before): .backward(before: before.map { LogPosition(UInt64($0)) })
        }
    }
}

struct ModelFilter: Hashable, Sendable {
    var categories: [String]?
    var names: [String]?
    var tags: [String]

    init(categories: [String]? = nil, names: [String]? = nil, tags: [String] = []) {
        self.categories = categories
        self.names = names
        self.tags = tags
    }

    static let all = ModelFilter()

    var filter: EventFilter {
        EventFilter(
            categories: categories.map { Set($0.map { StreamCategory($0) }) },
            names: names.map { Set($0.map { EventName($0) }) }, tags: Set(tags.map { Tag($0) }))
    }
}

// MARK: - Copyable

extension ModelStep: CustomStringConvertible {
    var description: String {
        switch self {
        case .append(let writes): ".append(\(writes))"
        case .stream(let stream, let order, let events, let bytes):
            ".stream(\(stream), \(order)\(Self.limits(events, bytes)))"
        case .log(let order, let filter, let events, let bytes):
            ".log(\(order)\(filter == .all ? "" : ", \(filter)")\(Self.limits(events, bytes)))"
        case .wait(let position): ".wait(after: \(position))"
        case .truncate(let stream, let count, let belief):
            ".truncate(\(stream), keeping: \(count)\(belief == .any ? "" : ", \(belief)"))"
        case .sync: ".sync"
        case .timers: ".timers"
        case .clock(let milliseconds): ".clock(milliseconds: \(milliseconds))"
        case .restart: ".restart"
        case .drop: ".drop"
        case .crash(let survival): ".crash(.\(survival))"
        case .restartWithoutIndex: ".restartWithoutIndex"
        case .scavenge: ".scavenge"
        case .failWrite: ".failWrite"
        case .fillDisk: ".fillDisk"
        case .failSync: ".failSync"
        }
    }

    private static func limits(_ events: Int, _ bytes: Int) -> String {
        (events == 256 ? "" : ", events: \(events)") + (bytes == 4_096 ? "" : ", bytes: \(bytes)")
    }
}

extension ModelWrite: CustomStringConvertible {
    var description: String { ".init(\(stream), \(belief), \(events))" }
}

extension ModelBelief: CustomStringConvertible {
    var description: String {
        switch self {
        case .any: ".any"
        case .noStream: ".noStream"
        case .exists: ".exists"
        case .right: ".right"
        case .wrong(let offset): ".wrong(by: \(offset))"
        }
    }
}

extension ModelOrder: CustomStringConvertible {
    var description: String {
        switch self {
        case .forward(let after): ".forward(\(after))"
        case .backward(let before): ".backward(\(before.map(String.init) ?? "nil"))"
        }
    }
}

extension ModelFilter: CustomStringConvertible {
    var description: String {
        var parts: [String] = []
        if let categories { parts.append("categories: \(categories)") }
        if let names { parts.append("names: \(names)") }
        if !tags.isEmpty { parts.append("tags: \(tags)") }
        return ".init(\(parts.joined(separator: ", ")))"
    }
}

// MARK: - By chance

extension ModelStep {
    /// Steps as chance has them; the same seed gives the same ones.
    static func random(_ count: Int, seed: UInt64, files: Bool) -> [ModelStep] {
        var dice = SmallDice(seed: seed)
        var events = 0
        return (0..<count).map { _ in
            let step = random(&dice, about: events, files: files)
            if case .append(let writes) = step {
                events += writes.reduce(0) { $0 + $1.events.count }
            }
            return step
        }
    }

    private static func random(
        _ dice: inout SmallDice, about events: Int, files: Bool
    ) -> ModelStep {
        switch dice.below(files ? 100 : 90) {
        case 0..<38: return randomAppend(&dice)
        case 38..<41:
            let belief: ModelBelief = [.any, .any, .right, .wrong(by: 1)][dice.below(4)]
            return .truncate(
                dice.below(ModelEvents.streams.count), keeping: dice.below(9) - 1, belief)
        case 41..<58:
            let stream = dice.below(ModelEvents.streams.count)
            return .stream(
                stream, .random(&dice, below: events / 3 + 2), events: limit(&dice),
                bytes: byteLimit(&dice))
        case 58..<82:
            return .log(
                .random(&dice, below: events + 3), .random(&dice), events: limit(&dice),
                bytes: byteLimit(&dice))
        case 82..<85: return .wait(after: dice.below(events + 1))
        case 85..<90: return .clock(milliseconds: dice.below(200) - 60)
        case 90: return dice.below(2) == 0 ? .restart : .scavenge
        case 91: return .drop
        case 92: return .crash(.chance)
        case 93:
            return .crash([.nothing, .everything, .oneSector][dice.below(3)])
        case 94: return dice.below(2) == 0 ? .restartWithoutIndex : .sync
        case 95: return [.failWrite, .fillDisk, .failSync][dice.below(3)]
        default: return .timers
        }
    }

    private static func randomAppend(_ dice: inout SmallDice) -> ModelStep {
        let count = dice.below(4) == 0 ? dice.below(4) : 1
        return .append(
            (0..<count).map { _ in
                let belief: ModelBelief =
                    switch dice.below(12) {
                    case 0: .noStream
                    case 1: .exists
                    case 2: .wrong(by: 1)
                    case 3: .wrong(by: -1 - dice.below(3))
                    case 4..<7: .any
                    default: .right
                    }
                let size = dice.below(5) == 0 ? dice.below(8) : 1
                return ModelWrite(
                    dice.below(ModelEvents.streams.count), belief,
                    (0..<size).map { _ in dice.below(ModelEvents.forms) })
            })
    }

    private static func limit(_ dice: inout SmallDice) -> Int {
        dice.below(2) == 0 ? 256 : 1 + dice.below(12)
    }

    private static func byteLimit(_ dice: inout SmallDice) -> Int {
        dice.below(3) > 0 ? 4_096 : 1 + dice.below(600)
    }
}

extension ModelOrder {
    fileprivate static func random(_ dice: inout SmallDice, below bound: Int) -> ModelOrder {
        let point = dice.below(4) == 0 ? 0 : dice.below(bound)
        switch dice.below(5) {
        case 0: return .backward(nil)
        case 1, 2: return .backward(dice.below(bound))
        default: return .forward(point)
        }
    }
}

extension ModelFilter {
    fileprivate static func random(_ dice: inout SmallDice) -> ModelFilter {
        guard dice.below(2) == 0 else { return .all }
        func some(_ of: [String]) -> [String] { of.filter { _ in dice.below(3) == 0 } }
        var filter = ModelFilter()
        if dice.below(2) == 0 { filter.categories = some(["a", "ab", "b", "nowhere"]) }
        if dice.below(2) == 0 { filter.names = some(["red", "green", "blue", "nothing"]) }
        if dice.below(3) == 0 { filter.tags = some(["warm", "light", "nothing"]) }
        return filter
    }
}
