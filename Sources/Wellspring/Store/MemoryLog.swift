import WellspringLog

/// A log that keeps its events in memory and forgets them on exit.
final class MemoryLog: EventLog {
    private let kept = Guarded(Kept())

    private struct Kept {
        var events: [RecordedEvent] = []
        var lastRecordedAt = Timestamp(nanoseconds: .min)
    }

    var isInstant: Bool { true }
    var isForked: Bool { false }
    var durablePosition: UInt64 { kept.withLock { UInt64($0.events.count) } }

    func commit(_ group: [QueuedAppend]) {
        kept.withLock { kept in
            for append in group {
                for event in append.events {
                    let now = max(event.recorded.recordedAt, kept.lastRecordedAt)
                    let recordedAt = event.recordedAt ?? now
                    if event.recordedAt == nil { kept.lastRecordedAt = now }
                    kept.events.append(
                        event.recorded.stamped(recordedAt, occurredAt: event.occurredAt))
                }
            }
        }
    }

    func events(
        at positions: some Collection<UInt64>, bytes: Int
    ) -> [RecordedEvent] {
        kept.withLock { kept in
            var read: [RecordedEvent] = []
            read.reserveCapacity(positions.count)
            var size = 0
            for position in positions {
                let event = kept.events[Int(position - 1)]
                read.append(event)
                size += event.event.payload.count
                if size >= bytes { break }
            }
            return read
        }
    }

    func doHousekeeping(timerFired: Bool) -> HousekeepingTimer { .notNeeded }
    func sync() {}
    func close() {}
    func abandon() {}
}

extension RecordedEvent {
    /// The record with its final times.
    func stamped(_ recordedAt: Timestamp, occurredAt: Timestamp?) -> RecordedEvent {
        RecordedEvent(
            event: event, id: id, stream: stream, version: version, position: position,
            recordedAt: recordedAt, occurredAt: occurredAt, tags: tags, metadata: metadata)
    }
}
