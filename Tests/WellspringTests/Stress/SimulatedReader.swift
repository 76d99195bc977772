import Wellspring
import WellspringLog
import WellspringTestKit

/// A process beside the writer's: it follows the log, looks at streams, and goes on where it was after
/// the power came back.
final class SimulatedReader: Sendable {
    /// A page of a stream, and how far the log had come for the reader around it.
    private struct Look {
        let request: StreamRead
        let page: StreamPage
        let positions: ClosedRange<UInt64>
    }

    private struct State {
        var seen: [RecordedEvent] = []
        var end = LogPosition.start
        var looks: [Look] = []
        var dice: SmallDice
        /// Stays open from life to life, as long as the machine runs.
        var reader: FileEventReader?
    }

    private let state: Guarded<State>
    private let limit = ReadLimit(events: 3)

    init(seed: UInt64) {
        state = Guarded(State(dice: SmallDice(seed: seed ^ 0x4EAD)))
    }

    /// How many events were read of the log.
    var eventCount: Int { state.withLock { $0.seen.count } }

    /// Is gone when the power is.
    func lose() { state.withLock { $0.reader = nil } }

    private func open(on disk: SimulatedDisk) async throws(EventStoreError) -> FileEventReader {
        if let reader = state.withLock({ $0.reader }) { return reader }
        let reader = try await FileEventReader(on: disk)
        state.withLock { $0.reader = reader }
        return reader
    }

    /// Follows the log until the task is cancelled or the machine does not read any more.
    ///
    /// - Returns: What went wrong that must not.
    func follow(on disk: SimulatedDisk) async -> String? {
        for _ in 0..<4 {
            do {
                let reader = try await open(on: disk)
                let start = state.withLock { $0.end }
                for try await page in reader.subscribe(after: start, limit: limit) {
                    take(page)
                    try await look(at: reader)
                }
            } catch {
                switch error {
                case .cancelled, .closed: return nil
                case .io: continue
                // The store may not have been made yet, or only half of it.
                case .notAStore where eventCount == 0: return nil
                default: return "a reader beside the writer: \(error)"
                }
            }
        }
        return nil
    }

    private func take(_ page: LogPage) {
        state.withLock {
            $0.seen += page.events
            $0.end = page.end
        }
    }

    /// Reads a part of a stream now and then.
    private func look(at reader: FileEventReader) async throws(EventStoreError) {
        let request = state.withLock { state -> StreamRead? in
            guard state.dice.below(3) == 0 else { return nil }
            let number = state.dice.below(6)
            let isForward = state.dice.below(2) == 0
            return StreamRead(
                number < 4 ? sampleStream("\(number)") : Purse.ID("\(number - 4)").stream,
                isForward ? .forward(after: .start) : .backward(before: nil),
                limit: ReadLimit(events: 1 + state.dice.below(9)))
        }
        guard let request else { return }
        let before = reader.position.rawValue
        let page = try await reader.read(request)
        let look = Look(
            request: request, page: page, positions: before...max(before, reader.position.rawValue))
        state.withLock { $0.looks.append(look) }
    }

    /// Reads the rest of the log, and lets go of the store.
    func catchUp(on disk: SimulatedDisk) async throws {
        let reader = try await open(on: disk)
        while true {
            let start = state.withLock { $0.end }
            let page = try await reader.read(LogRead(.forward(after: start), limit: limit))
            guard page.end > start else { break }
            take(page)
        }
        await reader.close()
        lose()
    }

    /// What is wrong with what was seen.
    func complaints(
        about log: [RecordedEvent], _ truncations: [StoreHistory.Truncation],
        _ contents: SimulatedContents
    ) -> [String] {
        let (seen, looks) = state.withLock { ($0.seen, $0.looks) }
        var found: [String] = []
        if let complaint = contents.complaint(about: seen, of: log, by: "a reader") {
            found.append(complaint)
        }
        if seen.count < log.count { found.append("a reader lacks events at the end") }
        for look in looks
        where !look.positions.contains(where: { isRight(look, at: $0, log, truncations, contents) })
        {
            found.append("a reader's page of \(look.request.stream) is of no moment of the log")
        }
        return found
    }

    /// Whether a page of a stream is what it should be when the log has come to `position`.
    private func isRight(
        _ look: Look, at position: UInt64, _ log: [RecordedEvent],
        _ truncations: [StoreHistory.Truncation], _ contents: SimulatedContents
    ) -> Bool {
        let (page, stream) = (look.page, look.request.stream)
        let all = log.prefix(Int(position)).filter { $0.stream == stream }
        let first = truncations.last { $0.stream == stream && $0.position <= position }?.before ?? 1
        let readable = all.filter { $0.version.rawValue >= first }
        let expected =
            switch look.request.order {
            case .forward: Array(readable.prefix(look.request.limit.events))
            case .backward: Array(readable.reversed().prefix(look.request.limit.events))
            }
        return page.version.rawValue == UInt64(all.count) && page.firstVersion.rawValue == first
            && page.events.count == expected.count
            && contents.complaint(about: page.events, of: expected, by: "a reader") == nil
    }
}
