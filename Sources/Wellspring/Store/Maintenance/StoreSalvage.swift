import WellspringLog

/// Copies every event of a damaged store that can be proved into a new one.
struct StoreSalvage {
    private let inspection: LogInspection
    private let builder: StoreBuilder
    private var tracker: ProgressTracker
    private var reading = AppendReading()
    private var report = SalvageReport()
    private var ledger = StreamLedger()
    /// The position behind the last one that is known to have been given out.
    private var end: UInt64 = 1
    private var segment: InspectedSegment?

    init(
        _ source: any StoreDirectory, to target: any StoreDirectory, segmentBytes: UInt64,
        _ tracker: ProgressTracker
    ) throws {
        inspection = try LogInspection(source)
        builder = try StoreBuilder(in: target, segmentBytes: segmentBytes)
        self.tracker = tracker
    }

    consuming func run() throws -> SalvageReport {
        try inspection.run { item in
            try tracker.check()
            try note(item)
            return true
        }
        // Positions that were given out are never given out again.
        try skip(to: end)
        try builder.finish()
        report.eventCount = builder.eventCount
        report.commitCount = builder.commitCount
        report.lastPosition = LogPosition(builder.nextPosition - 1)
        tracker.finish(events: report.eventCount)
        return report
    }

    private mutating func note(_ item: InspectedItem) throws {
        switch item {
        case .segment(let begun):
            segment = begun
            tracker.begin(fileSize: begun.fileSize)
            do { try reading.begin(begun) } catch {
                report.add(StoreProblem(.footer, begun.file, at: 0, error.reason))
            }
        case .frame(let frame):
            tracker.advance(
                to: frame.place.bodyOffset + UInt64(frame.place.bodyLength),
                events: builder.eventCount)
            end = max(end, frame.header.nextPosition)
            if frame.header.kind == .group { try copy(frame) }
        case .remains(let frame):
            let before = builder.eventCount
            try copy(reading.remains(of: frame), of: frame)
            report.rescuedEvents += builder.eventCount - before
        case .damage(let damage):
            report.add(StoreProblem(damage))
            end = max(end, damage.positions?.upperBound ?? end)
            if damage.isOpenEnded { report.mayHaveLostMore = true }
        case .unfinished(_, let range):
            report.unfinishedBytes += range.upperBound - range.lowerBound
        }
    }

    private mutating func skip(to position: UInt64) throws {
        guard position > builder.nextPosition else { return }
        report.addHole(builder.nextPosition..<position)
        ledger.lose(builder.nextPosition..<position)
        try builder.skip(to: position)
    }

    // MARK: - Commits

    private mutating func copy(_ frame: InspectedFrame) throws {
        let appends: [InspectedAppend]
        do {
            appends = try reading.appends(in: frame)
        } catch {
            // Its positions become a hole when the next commit comes.
            return report.add(
                StoreProblem(
                    .records, segment?.file ?? "", at: frame.place.bodyOffset, error.reason,
                    commits: frame.place.sequence...frame.place.sequence,
                    positions: frame.place.firstPosition..<frame.header.nextPosition))
        }
        try skip(to: frame.place.firstPosition)
        try copy(appends, of: frame)
    }

    /// Copies appends of a frame; where some of its events are missing it becomes several.
    private mutating func copy(
        _ appends: [InspectedAppend], of frame: InspectedFrame
    ) throws {
        var batch: [BuiltAppend] = []
        for append in appends {
            var records: [BuiltRecord] = []
            let head = Array(frame.body[append.head])
            for record in append.records {
                let next = builder.nextPosition + batch.eventCount + UInt64(records.count)
                // What is missing before it explains versions that are missing.
                if record.position > next { ledger.lose(next..<record.position) }
                guard let (stream, type) = names(of: record, in: frame) else {
                    ledger.lose(record.position..<record.position + 1)
                    continue
                }
                if record.position > next {
                    // What is left of the commit becomes two.
                    try flush(&batch, &records, head, frame)
                    try skip(to: record.position)
                }
                records.append(
                    BuiltRecord(
                        stream: stream, type: type, bytes: Array(frame.body[record.bytes])))
            }
            if append.records.isEmpty || !records.isEmpty {
                batch.append(BuiltAppend(head: head, records))
            }
        }
        if !batch.isEmpty { try builder.commit(batch, at: frame.place.recordedAt) }
    }

    private func flush(
        _ batch: inout [BuiltAppend], _ records: inout [BuiltRecord], _ head: [UInt8],
        _ frame: InspectedFrame
    ) throws {
        if !records.isEmpty { batch.append(BuiltAppend(head: head, records)) }
        if !batch.isEmpty { try builder.commit(batch, at: frame.place.recordedAt) }
        (batch, records) = ([], [])
    }

    /// The names of a record that can be kept; `nil`, and told, for one that cannot.
    private mutating func names(
        of record: InspectedRecord, in frame: InspectedFrame
    ) -> (StreamID, StoredType)? {
        guard let stream = record.stream, let type = record.type else {
            note(unresolved: record, in: frame)
            return nil
        }
        if let reason = ledger.objection(to: stream, record.raw.version, at: record.position) {
            report.add(
                StoreProblem(
                    .versions, segment?.file ?? "",
                    at: frame.place.bodyOffset + UInt64(record.bytes.lowerBound), reason,
                    positions: record.position..<record.position + 1))
            return nil
        }
        _ = ledger.note(stream, record.raw.version, at: record.position)
        return (stream, type)
    }

    private mutating func note(unresolved record: InspectedRecord, in frame: InspectedFrame) {
        report.unresolvedEvents += 1
        report.unresolvedBytes += UInt64(record.bytes.count)
        report.add(
            StoreProblem(
                .commits, segment?.file ?? "",
                at: frame.place.bodyOffset + UInt64(record.bytes.lowerBound),
                "the names of the record are lost", positions: record.position..<record.position + 1
            ))
    }
}

extension [BuiltAppend] {
    /// How many events they hold.
    var eventCount: UInt64 { reduce(0) { $0 + UInt64($1.records.count) } }
}
