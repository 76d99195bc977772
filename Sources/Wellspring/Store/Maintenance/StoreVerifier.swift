import WellspringLog

/// Reads every byte of a store and checks it against everything else that is known.
///
/// Writes nothing and takes no lock, so it may run beside a writer and on a medium that is
/// read-only. Memory is bounded save for the ledger of streams.
struct StoreVerifier {
    private let inspection: LogInspection
    private var tracker: ProgressTracker
    private var report = VerificationReport()
    private var reading = AppendReading()
    private var ledger = StreamLedger()
    private var savedStates: SavedStateCheck
    /// Without the file `STORE` nobody knows under which keys names are.
    private var index: IndexComparison?
    /// The segment that is read, and whether a part of it was lost.
    private var segment: InspectedSegment?
    private var segmentHasDamage = false

    init(_ directory: any StoreDirectory, _ tracker: ProgressTracker) throws(LogError) {
        inspection = try LogInspection(directory)
        self.tracker = tracker
        savedStates = SavedStateCheck(directory)
        index = inspection.identity.map { IndexComparison(directory, $0) }
    }

    /// Checks everything.
    consuming func run() throws -> VerificationReport {
        if let id = inspection.identity?.storeID ?? inspection.manifest?.storeID {
            for problem in try savedStates.readFiles(storeID: id) { report.add(problem) }
            try IndexCheck(inspection.directory, storeID: id).run {
                report.add($0)
            } noting: {
                index?.add($0, listing: $1)
            }
        }
        try inspection.run { item in
            try tracker.check()
            try note(item)
            return true
        }
        for problem in savedStates.problems(endingAt: report.lastPosition.rawValue) {
            report.add(problem)
        }
        // Of what is lost from the log the index may still know. What else is wrong may come of it.
        if report.lostPositions.isEmpty {
            for problem in try index?.problems() ?? [] {
                if let positions = problem.positions { report.addLost(positions) }
                report.add(problem)
            }
        }
        for problem in try StrayFiles(inspection).find() { report.add(problem) }
        report.streamCount = ledger.streamCount
        tracker.finish(events: report.eventCount)
        return report
    }

    private mutating func note(_ item: InspectedItem) throws {
        switch item {
        case .segment(let begun): begin(begun)
        case .frame(let frame): note(frame)
        case .remains: break
        case .damage(let damage): note(damage)
        case .unfinished(_, let range):
            report.unfinishedBytes += range.upperBound - range.lowerBound
        }
    }

    private mutating func begin(_ begun: InspectedSegment) {
        segment = begun
        segmentHasDamage = false
        report.segmentCount += 1
        report.byteCount += begun.fileSize
        tracker.begin(fileSize: begun.fileSize)
        do {
            try reading.begin(begun)
        } catch {
            let seal = begun.seal?.trailer.sealOffset ?? 0
            report.add(StoreProblem(.footer, begun.file, at: seal, error.reason))
        }
    }

    // MARK: - Frames

    private mutating func note(_ frame: InspectedFrame) {
        tracker.advance(to: frame.place.bodyOffset + UInt64(frame.place.bodyLength), report)
        index?.begin(frame.place)
        switch frame.header.kind {
        case .group: noteGroup(frame)
        case .seal: checkNames(frame)
        case .hole: noteHole(frame)
        default: break
        }
    }

    private mutating func noteGroup(_ frame: InspectedFrame) {
        report.commitCount += 1
        let count = UInt64(frame.place.eventCount)
        let appends: [InspectedAppend]
        do {
            appends = try reading.appends(in: frame)
        } catch {
            let offset = frame.place.bodyOffset + UInt64(max(0, error.offset))
            return lose(frame, at: offset, error.reason)
        }
        if count > 0 {
            report.lastPosition = LogPosition(frame.place.firstPosition + count - 1)
        }
        if !frame.isProven { report.unprovenEvents += count }
        for (number, record) in appends.lazy.flatMap(\.records).enumerated() {
            note(record, at: UInt32(truncatingIfNeeded: number), in: frame)
        }
    }

    /// Events that were lost before the store was salvaged: known, and nothing new.
    private mutating func noteHole(_ frame: InspectedFrame) {
        let hole = frame.place.firstPosition..<frame.header.nextPosition
        ledger.lose(hole)
        savedStates.note(hole: hole)
        report.addHole(hole)
        report.lastPosition = LogPosition(hole.upperBound - 1)
    }

    private mutating func note(
        _ record: InspectedRecord, at number: UInt32, in frame: InspectedFrame
    ) {
        let offset = frame.place.bodyOffset + UInt64(record.bytes.lowerBound)
        savedStates.note(record.raw.id, at: record.position)
        guard let stream = record.stream, record.type != nil else {
            let lost = record.position..<record.position + 1
            lose(lost)
            return report.add(
                StoreProblem(
                    segmentHasDamage ? .commits : .records, file(of: frame), at: offset,
                    "a record whose names are not defined", positions: lost))
        }
        index?.note(record, of: stream, in: frame.place, index: number)
        report.eventCount += 1
        if record.raw.isRedacted { report.redactedCount += 1 }
        if let reason = ledger.note(stream, record.raw.version, at: record.position) {
            report.add(StoreProblem(.versions, file(of: frame), at: offset, reason))
        }
    }

    private mutating func lose(_ frame: InspectedFrame, at offset: UInt64, _ reason: String) {
        let first = frame.place.firstPosition
        let lost = first..<first + UInt64(frame.place.eventCount)
        lose(lost)
        report.add(
            StoreProblem(
                .records, file(of: frame), at: offset, reason,
                commits: frame.place.sequence...frame.place.sequence, positions: lost))
    }

    /// The footer repeats the names that the segment's frames define, no more and no fewer.
    private mutating func checkNames(_ seal: InspectedFrame) {
        guard !segmentHasDamage, let footer = reading.footer, footer != reading.met else { return }
        report.add(
            StoreProblem(
                .footer, file(of: seal), at: seal.place.offset,
                "the footer repeats other names than the segment defines"))
    }

    private func file(of frame: InspectedFrame) -> String {
        segment?.file ?? LogLayout.segment(frame.place.segment)
    }

    // MARK: - Damage

    private mutating func lose(_ positions: Range<UInt64>) {
        ledger.lose(positions)
        report.addLost(positions)
    }

    private mutating func note(_ damage: InspectedDamage) {
        segmentHasDamage = true
        index?.noteDamage(in: damage.file)
        if let positions = damage.positions { lose(positions) }
        report.add(StoreProblem(damage))
    }
}

extension StoreProblem {
    init(_ damage: InspectedDamage) {
        let kind: Kind =
            switch damage.kind {
            case .identity: .identity
            case .manifest: .manifest
            case .missingSegment: .missingSegment
            case .segmentHeader: .segmentHeader
            case .frames: .commits
            case .footer: .footer
            case .end: .end
            }
        self.init(
            kind, damage.file, at: damage.offset, damage.reason, commits: damage.sequences,
            positions: damage.positions, mayBeMore: damage.isOpenEnded)
    }
}
