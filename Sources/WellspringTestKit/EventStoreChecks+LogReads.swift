import Wellspring

extension EventStoreChecks {
    static let logReads: [EventStoreCheck] = [
        EventStoreCheck("an empty log reads as empty from both ends") { probe in
            for order: ReadOrder<LogPosition> in [
                .forward(after: .start), .backward(before: nil),
            ] {
                let page = try await probe.store.read(LogRead(order))
                try probe.require(page.events.isEmpty, "got events")
                try probe.requireEqual(page.end, .start, "end")
                try probe.requireEqual(page.head, .start, "head")
            }
        },
        EventStoreCheck("the log is read forward from any position") { probe in
            try await mixedLog(probe)
            for after: UInt64 in 0...20 {
                let page = try await probe.store.read(
                    LogRead(.forward(after: LogPosition(after))))
                let got = page.events.map(\.position.rawValue)
                // An append is never split, so a read that begins inside of one ends the matter.
                try probe.requireEqual(
                    got, Array((after..<20).map { $0 + 1 }), "positions after \(after)")
                try probe.requireEqual(page.end, LogPosition(20), "end")
                try probe.requireEqual(page.head, LogPosition(20), "head")
            }
        },
        EventStoreCheck("a read from beyond the end says where it began") { probe in
            try await probe.append(3, to: .check("short"))
            let page = try await probe.store.read(LogRead(.forward(after: LogPosition(9))))
            try probe.require(page.events.isEmpty, "got events")
            try probe.requireEqual(page.end, LogPosition(9), "end")
            try probe.requireEqual(page.head, LogPosition(3), "head")
        },
        EventStoreCheck("the log is read backward, newest first") { probe in
            try await mixedLog(probe)
            let page = try await probe.store.read(LogRead(.backward(before: nil)))
            try probe.requireEqual(
                page.events.map(\.position.rawValue), (1...20).reversed(), "positions")
            try probe.requireEqual(page.end, LogPosition(1), "end")
            let nothing = try await probe.store.read(LogRead(.backward(before: LogPosition(1))))
            try probe.require(nothing.events.isEmpty, "events before the first")
        },
        EventStoreCheck("pages of the log chain without skip and double, either way") { probe in
            try await mixedLog(probe)
            for limit in [
                ReadLimit(events: 1), ReadLimit(events: 2), ReadLimit(events: 7),
                ReadLimit(events: 100), ReadLimit(bytes: 1), ReadLimit(bytes: 50),
            ] {
                let forward = try await probe.pages(limit: limit).flatMap(\.events)
                try probe.requireEqual(
                    forward.map(\.position.rawValue), Array(1...20), "forward with \(limit)")
                let backward = try await probe.pagesBackward(limit: limit).flatMap(\.events)
                try probe.requireEqual(
                    backward.map(\.position.rawValue), (1...20).reversed(),
                    "backward with \(limit)")
            }
        },
        EventStoreCheck("a page of the log never splits an append") { probe in
            let appends = try await mixedLog(probe)
            for limit in [ReadLimit(events: 1), ReadLimit(events: 3), ReadLimit(bytes: 30)] {
                for page in try await probe.pages(limit: limit)
                    + probe.pagesBackward(limit: limit)
                {
                    let held = Set(page.events.map(\.position.rawValue))
                    for append in appends where !held.isDisjoint(with: append) {
                        try probe.require(
                            held.isSuperset(of: append),
                            "a page with \(limit) holds \(held.intersection(append)) of \(append)")
                    }
                }
            }
        },
        EventStoreCheck("an append that is larger than a page comes whole") { probe in
            try await probe.append(to: .check("small"))
            try await probe.append(1_000, to: .check("large"))
            try await probe.append(to: .check("small"))
            let limit = ReadLimit(events: 10, bytes: 100)
            let forward = try await probe.pages(limit: limit).map(\.events.count)
            try probe.require(
                forward.contains { $0 >= 1_000 }, "pages of \(forward) events forward")
            let backward = try await probe.pagesBackward(limit: limit).map(\.events.count)
            try probe.require(
                backward.contains { $0 >= 1_000 }, "pages of \(backward) events backward")
        },
        EventStoreCheck("a page of the log ends with the append that fills it") { probe in
            let appends = try await mixedLog(probe)
            for limit in [ReadLimit(events: 1), ReadLimit(events: 3), ReadLimit(bytes: 30)] {
                for page in try await probe.pages(limit: limit) {
                    guard let last = page.events.last?.position.rawValue,
                        let lastAppend = appends.first(where: { $0.contains(last) })
                    else { throw Mismatch("an empty page with \(limit)") }
                    let rest = page.events.filter { !lastAppend.contains($0.position.rawValue) }
                    let size = rest.reduce(0) { $0 + $1.event.payload.count }
                    try probe.require(
                        rest.count < limit.events && size < limit.bytes,
                        "\(page.events.count) events for \(limit)")
                }
            }
        },
    ]

    static let filters: [EventStoreCheck] = [
        EventStoreCheck("a filter leaves through what it names, and nothing else") { probe in
            try await labelledLog(probe)
            let everything = try await probe.wholeLog()
            let filters: [EventFilter] = [
                .all, .named(["check.red"]), .named(["check.red", "check.blue"]), .named([]),
                .named(["check.nothing"]), .category("check"), .category("other"),
                .category("chec"), EventFilter(categories: ["check", "other"]),
                .tagged("warm"), .tagged("warm", "light"), .tagged("nothing"),
                EventFilter(categories: ["other"], names: ["check.red"], tags: ["warm"]),
            ]
            for filter in filters {
                let expected = everything.filter { filter.includes($0) }.map(\.position)
                for limit in [ReadLimit(), ReadLimit(events: 1), ReadLimit(bytes: 1)] {
                    let forward = try await probe.pages(filter: filter, limit: limit)
                    try probe.requireEqual(
                        forward.flatMap(\.events).map(\.position), expected,
                        "forward with \(filter) and \(limit)")
                    let backward = try await probe.pagesBackward(filter: filter, limit: limit)
                    try probe.requireEqual(
                        backward.flatMap(\.events).map(\.position), expected.reversed(),
                        "backward with \(filter) and \(limit)")
                }
            }
        },
        EventStoreCheck("a filtered page says how far it looked") { probe in
            try await labelledLog(probe)
            for filter in [EventFilter.named(["check.nothing"]), .category("nothing")] {
                let pages = try await probe.pages(filter: filter)
                try probe.require(pages.allSatisfy(\.events.isEmpty), "got events")
                try probe.requireEqual(pages.last?.end, LogPosition(12), "end of \(filter)")
                try probe.requireEqual(pages.last?.head, LogPosition(12), "head of \(filter)")
            }
        },
    ]

    /// Twenty events in appends of different sizes, to one stream or two; returns their positions.
    @discardableResult
    private static func mixedLog(_ probe: Probe) async throws -> [Set<UInt64>] {
        var appends: [Set<UInt64>] = []
        for (number, size) in [1, 4, 1, 1, 6, 2, 5].enumerated() {
            let half = size / 2
            let events = (0..<size).map { probe.event("\(number) \($0)") }
            var writes = [
                StreamWrite(Array(events[half...]), to: .check("mixed 1"), expecting: .any)
            ]
            if half > 0 {
                writes.append(
                    StreamWrite(Array(events[..<half]), to: .check("mixed 2"), expecting: .any))
            }
            let receipt = try await probe.store.append(AppendRequest(writes))
            appends.append(Set(receipt.positions))
        }
        return appends
    }

    /// Twelve events, each in an append of its own.
    private static func labelledLog(_ probe: Probe) async throws {
        for number in 0..<12 {
            let category: StreamCategory = number.isMultiple(of: 3) ? "other" : "check"
            let isRed = number.isMultiple(of: 2)
            try await probe.append(
                to: StreamID(category: category, key: "\(number)"),
                name: isRed ? "check.red" : "check.blue",
                tags: (isRed ? ["warm"] : ["cold"]) + (number > 5 ? ["light"] : []))
        }
    }
}
