import WellspringLog

/// A log that keeps its events in memory and forgets them on exit.
final class MemoryLog: EventLog {
    private let kept = Guarded(Kept())

    fileprivate struct Kept {
        /// By position - 1, as they were queued or, where that had another time, made anew.
        var events: [QueuedEvent] = []
        /// Whether an event and the one after it were appended together, by position - 1.
        var joins: [Bool] = []
        /// Where in the lists of positions each stream's is.
        var streams: [StreamID: UInt32] = [:]
        /// The positions of the events of one stream each.
        var positions: [[UInt64]] = []
        var lastRecordedAt = Timestamp(nanoseconds: .min)
    }

    var isInstant: Bool { true }
    var isForked: Bool { false }
    var durablePosition: UInt64 { kept.withLock { UInt64($0.events.count) } }

    func commit(_ group: [QueuedAppend]) {
        kept.withLock { kept in
            for append in group {
                for event in append.events { kept.add(event) }
                if !append.events.isEmpty { kept.joins[kept.joins.count - 1] = false }
            }
        }
    }

    func version(of stream: StreamID, through visible: UInt64) -> UInt64 {
        kept.withLock { kept in
            guard let positions = kept.positions(of: stream) else { return 0 }
            return UInt64(positions.prefixCount { $0 <= visible })
        }
    }

    func events(_ read: StreamRead, in extent: StreamExtent) -> [RecordedEvent] {
        guard let versions = read.versions(in: extent) else { return [] }
        return kept.withLock { kept in
            guard let positions = kept.positions(of: read.stream) else { return [] }
            let range = Int(versions.lowerBound) - 1..<Int(versions.upperBound)
            let found = positions[range]
            return read.isForward
                ? kept.events(at: found.prefix(read.limit.events), bytes: read.limit.bytes)
                : kept.events(
                    at: found.suffix(read.limit.events).reversed(), bytes: read.limit.bytes)
        }
    }

    func page(_ read: LogRead, through visible: UInt64) -> LogPage {
        kept.withLock { kept in
            var page = PageInProgress(read, through: visible)
            while let append = page.next(in: kept) { page.take(append, of: kept) }
            return page.page
        }
    }

    func doHousekeeping(timerFired: Bool) -> HousekeepingTimer { .notNeeded }
    func sync() {}
    func close() {}
    func abandon() {}
}

extension MemoryLog.Kept {
    fileprivate mutating func add(_ event: QueuedEvent) {
        let now = max(event.recorded.recordedAt, lastRecordedAt)
        let recordedAt = event.recordedAt ?? now
        if event.recordedAt == nil { lastRecordedAt = now }
        events.append(
            recordedAt == event.recorded.recordedAt ? event : event.stamped(recordedAt))
        joins.append(true)
        positions[list(of: event.stream)].append(UInt64(events.count))
    }

    /// Where the positions of a stream are listed, which its head is told of.
    private mutating func list(of stream: StreamHead) -> Int {
        if stream.name.segment == 0 {
            let next = UInt32(truncatingIfNeeded: positions.count)
            let number = streams[stream.id] ?? next
            if number == next {
                positions.append([])
                streams[stream.id] = number
            }
            stream.name = WrittenName(segment: 1, reference: number)
        }
        return Int(stream.name.reference)
    }

    fileprivate func positions(of stream: StreamID) -> [UInt64]? {
        streams[stream].map { positions[Int($0)] }
    }

    fileprivate func events(
        at positions: some Collection<UInt64>, bytes: Int
    ) -> [RecordedEvent] {
        var found: [RecordedEvent] = []
        found.reserveCapacity(positions.count)
        var size = 0
        for position in positions {
            let event = events[Int(position - 1)].recorded
            found.append(event)
            size += event.event.payload.count
            if size >= bytes { break }
        }
        return found
    }

    /// The positions of the append that holds `position`.
    fileprivate func append(around position: UInt64) -> ClosedRange<UInt64> {
        var first = position
        var last = position
        while first > 1, joins[Int(first - 2)] { first -= 1 }
        while last < UInt64(joins.count), joins[Int(last - 1)] { last += 1 }
        return first...last
    }
}

/// A page of the log while it is put together.
private struct PageInProgress {
    /// The most positions that one page looks at, so that a rare event does not hold the lock.
    private static let scanLimit: UInt64 = 16_384

    let read: LogRead
    let visible: UInt64
    private let isForward: Bool
    private let start: UInt64
    /// The last position looked at.
    private var end: UInt64
    private var events: [RecordedEvent] = []
    private var bytes = 0
    private let wantsAll: Bool

    init(_ read: LogRead, through visible: UInt64) {
        self.read = read
        self.visible = visible
        switch read.order {
        case .forward(let after):
            isForward = true
            end = after.rawValue
        case .backward(let before):
            isForward = false
            end = min(before?.rawValue ?? visible + 1, visible + 1)
        }
        start = end
        wantsAll = read.filter == .all
        let left = isForward ? visible - min(visible, end) : end
        if wantsAll { events.reserveCapacity(Int(min(left, UInt64(read.limit.events), 1_024))) }
    }

    var page: LogPage {
        var end = end
        // Nothing was looked at: the page ends where it began.
        if end == start, case .backward(let before) = read.order {
            end = before?.rawValue ?? visible
        }
        return LogPage(events: events, end: LogPosition(end), head: LogPosition(visible))
    }

    /// The next append to look at; `nil` when the page is full or the log at its end.
    func next(in kept: MemoryLog.Kept) -> ClosedRange<UInt64>? {
        let looked = isForward ? end - start : start - end
        guard events.count < read.limit.events, bytes < read.limit.bytes,
            looked < Self.scanLimit, isForward ? end < visible : end > 1
        else { return nil }
        return kept.append(around: isForward ? end + 1 : end - 1)
    }

    mutating func take(_ append: ClosedRange<UInt64>, of kept: MemoryLog.Kept) {
        let before = end
        end = isForward ? append.upperBound : append.lowerBound
        if isForward {
            for position in before + 1...end { take(kept.events[Int(position - 1)].recorded) }
        } else {
            for position in (end...before - 1).reversed() {
                take(kept.events[Int(position - 1)].recorded)
            }
        }
    }

    private mutating func take(_ event: RecordedEvent) {
        guard wantsAll || read.filter.includes(event) else { return }
        events.append(event)
        bytes += event.event.payload.count
    }
}

extension Array<UInt64> {
    /// How many of the ascending elements come before the first that fails `condition`.
    fileprivate func prefixCount(where condition: (UInt64) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if condition(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension QueuedEvent {
    /// The event with its final time.
    fileprivate func stamped(_ time: Timestamp) -> QueuedEvent {
        QueuedEvent(
            stream: stream, recorded: recorded.stamped(time, occurredAt: occurredAt),
            recordedAt: recordedAt, occurredAt: occurredAt)
    }
}

extension RecordedEvent {
    /// The record with its final times.
    func stamped(_ recordedAt: Timestamp, occurredAt: Timestamp?) -> RecordedEvent {
        RecordedEvent(
            event: event, id: id, stream: stream, version: version, position: position,
            recordedAt: recordedAt, occurredAt: occurredAt, tags: tags, metadata: metadata)
    }
}
