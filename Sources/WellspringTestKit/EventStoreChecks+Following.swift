import Wellspring

extension EventStoreChecks {
    static let waiting: [EventStoreCheck] = [
        EventStoreCheck("waiting for what is there ends at once") { probe in
            try await probe.append(3, to: .check("there"))
            for position: UInt64 in 0...2 {
                try await probe.store.waitForEvents(after: LogPosition(position))
            }
        },
        EventStoreCheck("waiting for what is not there ends when it comes") { probe in
            try await probe.append(to: .check("first"))
            let wait = Task { try await probe.store.waitForEvents(after: LogPosition(1)) }
            await Task.yield()
            try await probe.append(to: .check("second"))
            try await wait.value
            let page = try await probe.store.read(LogRead(.forward(after: LogPosition(1))))
            try probe.requireEqual(page.events.count, 1, "events to be read after the wait")
        },
        EventStoreCheck("waiting ends when its task is cancelled") { probe in
            try await probe.append(to: .check("only"))
            for yields in 0..<3 {
                let task = Task {
                    try await probe.store.waitForEvents(after: LogPosition(1))
                }
                for _ in 0..<yields { await Task.yield() }
                task.cancel()
                let result = await task.result
                guard case .failure(let error) = result else {
                    throw Mismatch("the wait ended without an event and without an error")
                }
                try probe.require(
                    error as? EventStoreError == .cancelled, "the wait ended with \(error)")
            }
        },
        EventStoreCheck("a follower sees every event once, in order, under fire") { probe in
            // Some are there before it begins, the rest comes from four writers meanwhile.
            try await probe.append(30, to: .check("before"))
            let total: UInt64 = 30 + 4 * 25 * 2
            async let writing: Void = write(probe)
            var positions: [UInt64] = []
            var contents: Set<EventPayload> = []
            var end = LogPosition.start
            for try await page in probe.store.subscribe(limit: ReadLimit(events: 7)) {
                try probe.require(page.end > end, "a page from \(end) ends at \(page.end)")
                end = page.end
                positions += page.events.map(\.position.rawValue)
                contents.formUnion(page.events.map(\.event.payload))
                if end.rawValue >= total { break }
            }
            try await writing
            try probe.requireEqual(positions, Array(1...total), "positions in order")
            try probe.requireEqual(contents.count, Int(total), "contents")
            let log = try await probe.wholeLog()
            try probe.requireEqual(
                log.map(\.position.rawValue), Array(1...total), "the log afterwards")
        },
        EventStoreCheck("a follower with a filter moves past what it does not want") { probe in
            try await probe.append(5, to: .check("noise"))
            try await probe.append(to: .check("signal"), name: "check.signal")
            try await probe.append(5, to: .check("noise"))
            var found: [UInt64] = []
            for try await page in probe.store.subscribe(filter: .named(["check.signal"])) {
                found += page.events.map(\.position.rawValue)
                if page.end >= LogPosition(11) { break }
            }
            try probe.requireEqual(found, [6], "positions")
        },
        EventStoreCheck("what a receipt names can be read at once") { probe in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<4 {
                    group.addTask {
                        for _ in 0..<25 {
                            let receipt = try await probe.append(2, to: .check("\(writer)"))
                            let before = LogPosition(receipt.positions.lowerBound - 1)
                            let page = try await probe.store.read(
                                LogRead(.forward(after: before), limit: ReadLimit(events: 1)))
                            try probe.requireEqual(
                                page.events.map(\.position.rawValue), Array(receipt.positions),
                                "positions")
                        }
                    }
                }
                try await group.waitForAll()
            }
        },
    ]

    static let names: [EventStoreCheck] = [
        EventStoreCheck("names are told apart byte by byte") { probe in
            // Swift calls the two equal; a store of bytes does not.
            let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
            try await probe.append(1, to: .check(composed), tags: [Tag(composed)])
            try await probe.append(2, to: .check(decomposed), name: EventName(decomposed))
            try probe.requireEqual(
                try await probe.length(of: .check(composed)), 1, "events of the one")
            try probe.requireEqual(
                try await probe.length(of: .check(decomposed)), 2, "events of the other")
            let named = try await probe.wholeLog(filter: .named([EventName(composed)]))
            try probe.require(named.isEmpty, "an event name was taken for another")
            let tagged = try await probe.wholeLog(filter: .tagged(Tag(decomposed)))
            try probe.require(tagged.isEmpty, "a tag was taken for another")
        },
        EventStoreCheck("keys may hold slashes, and look like other streams") { probe in
            try await probe.append(1, to: StreamID(category: "check", key: "a/b"))
            try await probe.append(2, to: StreamID(category: "check", key: "a"))
            let found = try await probe.wholeLog(filter: .category("check")).map(\.stream.key)
            try probe.requireEqual(found, ["a/b", "a", "a"], "keys")
        },
    ]

    static let closed: [EventStoreCheck] = [
        EventStoreCheck("closing ends those who wait") { probe in
            async let error = probe.requireFailure("waiting at a closed store") {
                try await probe.store.waitForEvents(after: .start)
            }
            await Task.yield()
            try await probe.close()
            try probe.requireEqual(try await error, .closed, "the end of the wait")
        },
        EventStoreCheck("a closed store takes nothing and waits for nothing") { probe in
            try await probe.append(to: .check("before"))
            try await probe.close()
            let error = try await probe.requireFailure("an append to a closed store") {
                try await probe.append(to: .check("after"))
            }
            try probe.requireEqual(error, .closed, "the append")
            let end = try await probe.requireFailure("waiting at a closed store") {
                try await probe.store.waitForEvents(after: LogPosition(1))
            }
            try probe.requireEqual(end, .closed, "the wait")
        },
    ]

    private static func write(_ probe: Probe) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    for number in 0..<25 {
                        let events = ["a", "b"].map { probe.event("\(writer) \(number) \($0)") }
                        _ = try await probe.store.append(
                            AppendRequest(events, to: .check("\(writer)"), expecting: .any))
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
