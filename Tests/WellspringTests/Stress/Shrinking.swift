import WellspringTestKit

/// Makes a failing case small enough to be understood.
enum Shrinking {
    /// Leaves out whatever is not needed for `fails`, then makes simpler what is.
    ///
    /// - Parameters:
    ///   - simpler: Simpler forms of an element, the simplest first.
    ///   - tries: How often `fails` may be asked.
    static func smallest<Element: Hashable>(
        _ elements: [Element], tries: Int = 3_000, simpler: (Element) -> [Element],
        fails: ([Element]) async -> Bool
    ) async -> [Element] {
        var smallest = elements
        var triesLeft = tries
        func stillFails(_ candidate: [Element]) async -> Bool {
            triesLeft -= 1
            return triesLeft > 0 ? await fails(candidate) : false
        }
        var isSmaller = true
        while isSmaller, triesLeft > 0 {
            isSmaller = false
            var length = max(1, smallest.count / 2)
            while length >= 1 {
                var start = 0
                while start < smallest.count {
                    var candidate = smallest
                    candidate.removeSubrange(start..<min(start + length, candidate.count))
                    if await stillFails(candidate) {
                        smallest = candidate
                        isSmaller = true
                    } else {
                        start += length
                    }
                }
                length /= 2
            }
            for index in smallest.indices {
                for form in simpler(smallest[index]) {
                    var candidate = smallest
                    candidate[index] = form
                    if await stillFails(candidate) {
                        smallest = candidate
                        isSmaller = true
                        break
                    }
                }
            }
        }
        return smallest
    }
}

extension ModelStep {
    /// Steps that do less than this one.
    var simpler: [ModelStep] {
        switch self {
        case .append(let writes): Self.simpler(writes).map(ModelStep.append)
        case .stream(let stream, let order, let events, let bytes):
            [
                .stream(stream, order), .stream(stream, .forward(0), events: events, bytes: bytes),
                .stream(stream, order, events: 1), .stream(stream, order, bytes: 1),
            ].filter { $0 != self && $0.weight < weight }
        case .log(let order, let filter, let events, let bytes):
            [
                .log(order), .log(.forward(0), filter, events: events, bytes: bytes),
                .log(order, filter), .log(order, .all, events: events, bytes: bytes),
                .log(order, filter, events: events), .log(order, filter, bytes: bytes),
                .log(order, filter, events: 1), .log(order, filter, bytes: 1),
            ].filter { $0 != self && $0.weight < weight }
        case .truncate(let stream, let count, let belief) where belief != .any:
            [.truncate(stream, keeping: count)]
        case .crash(let survival) where survival != .nothing: [.crash(.nothing), .restart]
        case .restartWithoutIndex, .drop, .scavenge: [.restart]
        default: []
        }
    }

    private static func simpler(_ writes: [ModelWrite]) -> [[ModelWrite]] {
        var forms: [[ModelWrite]] = []
        for index in writes.indices {
            func changed(_ change: (inout ModelWrite) -> Void) {
                var form = writes
                change(&form[index])
                if form != writes { forms.append(form) }
            }
            if writes.count > 1 {
                var form = writes
                form.remove(at: index)
                forms.append(form)
            }
            for event in writes[index].events.indices { changed { $0.events.remove(at: event) } }
            if writes[index].events.contains(where: { $0 != 0 }) {
                changed { $0.events = $0.events.map { _ in 0 } }
                for event in writes[index].events.indices { changed { $0.events[event] = 0 } }
            }
            if writes[index].belief != .any { changed { $0.belief = .any } }
        }
        return forms
    }

    /// How much there is to a read.
    private var weight: Int {
        switch self {
        case .stream(_, let order, let events, let bytes):
            order.weight + Self.weight(events, bytes)
        case .log(let order, let filter, let events, let bytes):
            order.weight + Self.weight(events, bytes) + (filter == .all ? 0 : 4)
        default: 0
        }
    }

    private static func weight(_ events: Int, _ bytes: Int) -> Int {
        (events == 256 ? 0 : events == 1 ? 1 : 2) + (bytes == 4_096 ? 0 : bytes == 1 ? 1 : 2)
    }
}

extension ModelOrder {
    fileprivate var weight: Int {
        switch self {
        case .forward(0): 0
        case .backward(nil): 1
        default: 3
        }
    }
}
