import Foundation

/// Makes what a loss of power may leave of a disk that was recorded, at every write in turn: what a
/// writer had acknowledged by then is there.
///
/// usage: CrashTrials torn --records DIR --blank FILE --place DIR --name NAME [--options MOUNT]
///     [--images N] [--seed N]
///
/// A record is what dm-log-writes recorded, from a `--blank` disk on; its name ends with the mode of
/// the writer. The images are made and mounted in `--place`, as many at a time as there are
/// processors; needs root. With fewer images than there could be, chance says which.
struct TornTrial {
    private let records: String
    private let blank: String
    private let place: String
    private let name: String
    private let options: String
    private let most: Int
    private let seed: Int
    private let trial: Trial

    init(_ settings: Settings) throws {
        records = try settings.text("records")
        blank = try settings.text("blank")
        place = try settings.text("place")
        name = try settings.text("name")
        options = settings.text("options", default: "rw")
        most = try settings.number("images", default: .max)
        seed = try settings.number("seed", default: 1)
        trial = try Trial(settings, storeAt: "")
    }

    func run() async throws {
        let began = ContinuousClock.now
        let all = try FileManager.default.contentsOfDirectory(atPath: records).sorted()
            .map { try Record(of: $0, at: records + "/" + $0) }
        guard !all.isEmpty else { throw Wrong("there is no record in \(records)") }
        let possible = all.reduce(0) { $0 + $1.writeCount } * TornDisk.Loss.allCases.count
        let share = 1 + max(0, possible - 1) / max(1, most)

        let blank = TornDisk(try DiskImage(contentsOf: blank))
        let workers = ProcessInfo.processInfo.activeProcessorCount
        let tally = try await withThrowingTaskGroup(of: Tally.self) { group in
            for number in 0..<workers {
                var worker = Worker(
                    number: number, of: workers, share: share,
                    disk: Disk(
                        device: "\(place)/image-\(number)", directory: "\(place)/disk-\(number)",
                        isImage: true, options: options),
                    trial)
                group.addTask {
                    for (index, record) in all.enumerated() {
                        try await worker.play(record, from: blank, seed: seed << 8 + index)
                    }
                    return worker.tally
                }
            }
            return try await group.reduce(into: Tally()) { $0.add($1) }
        }
        printTotals(tally, of: all, since: began)
    }

    private func printTotals(
        _ tally: Tally, of all: [Record], since began: ContinuousClock.Instant
    ) {
        let writes = all.reduce(0) { $0 + $1.writeCount }
        let seconds = Double((ContinuousClock.now - began) / .milliseconds(1)) / 1_000
        print(
            "totals: torn writes of \(name): \(tally.images) images at \(tally.writes) of "
                + "\(writes) writes of \(all.count) scenarios, "
                + "\(all.reduce(0) { $0 + $1.acknowledged }) appends acknowledged and none lost, "
                + "\(tally.unacknowledged) times stored without an acknowledgement, "
                + "\(tally.allowedLosses) times lost as their mode allows, \(seconds) s")
    }
}

/// What was done.
private struct Tally {
    var images = 0
    /// At how many writes there was an image.
    var writes = 0
    var unacknowledged = 0
    var allowedLosses = 0

    mutating func add(_ other: Tally) {
        images += other.images
        writes += other.writes
        unacknowledged += other.unacknowledged
        allowedLosses += other.allowedLosses
    }
}

/// A disk that was recorded while a writer lived on it.
private struct Record {
    let name: String
    let durability: String
    /// From where the writer began to where it ended.
    let entries: ArraySlice<BlockLog.Entry>
    /// What came before: the file system was mounted.
    let before: ArraySlice<BlockLog.Entry>
    let writeCount: Int
    let acknowledged: Int

    init(of name: String, at path: String) throws {
        self.name = name
        durability = String(name.split(separator: "-").last ?? "")
        let log = try BlockLog(contentsOf: path)
        guard let start = log.entries.firstIndex(of: .mark("begin")),
            let end = log.entries.lastIndex(where: { $0.isMark("ended ") })
        else { throw Wrong("the writer of \(name) did not come to its end") }
        before = log.entries[..<start]
        entries = log.entries[start...end]
        writeCount = entries.count { if case .write = $0 { true } else { false } }
        acknowledged = entries.count { $0.isMark("ack ") || $0.isMark("pass ") }
    }
}

extension BlockLog.Entry {
    fileprivate func isMark(_ beginning: String) -> Bool {
        if case .mark(let text) = self { text.hasPrefix(beginning) } else { false }
    }
}

/// Makes the images of some of the writes, on a mount of its own.
private struct Worker {
    private let number: Int
    private let count: Int
    private let share: Int
    private let disk: Disk
    private let trial: Trial
    private(set) var tally = Tally()

    init(number: Int, of count: Int, share: Int, disk: Disk, _ trial: Trial) {
        self.number = number
        self.count = count
        self.share = share
        self.disk = disk
        self.trial = trial
    }

    mutating func play(_ record: Record, from blank: TornDisk, seed: Int) async throws {
        try FileManager.default.createDirectory(
            atPath: disk.directory, withIntermediateDirectories: true)
        var torn = blank
        for entry in record.before { try step(&torn, entry) }
        var trial = self.trial
        trial.path = disk.directory + "/store"
        trial.expectWriter()
        var index = 0
        for entry in record.entries {
            switch entry {
            case .mark(let text): try trial.hear(text)
            case .flush: break
            case .write(let write):
                defer { index += 1 }
                guard index % count == number else { break }
                var dice = Dice(seed: UInt64(seed) << 32 | UInt64(index))
                try await lose(torn, at: write, index, of: record, trial, &dice)
            }
            try step(&torn, entry)
        }
        guard number == 0 else { return }
        try await look(at: torn.whole(), of: record, trial, "at the end")
    }

    private func step(_ torn: inout TornDisk, _ entry: BlockLog.Entry) throws {
        switch entry {
        case .write(let write): torn.add(write)
        case .flush: try torn.flush()
        case .mark: break
        }
    }

    private mutating func lose(
        _ torn: TornDisk, at write: BlockWrite, _ index: Int, of record: Record, _ trial: Trial,
        _ dice: inout Dice
    ) async throws {
        let before = tally.images
        for loss in TornDisk.Loss.allCases {
            try Task.checkCancellation()
            guard dice.below(share) == 0,
                let image = try torn.image(losing: loss, at: write, &dice)
            else { continue }
            let moment = "write \(index) of \(write.sectorCount) sectors, losing \(loss)"
            try await look(at: image, of: record, trial, moment)
        }
        if tally.images > before { tally.writes += 1 }
    }

    private mutating func look(
        at image: DiskImage, of record: Record, _ trial: Trial, _ moment: String
    ) async throws {
        var trial = trial
        trial.dice = Dice(seed: UInt64(tally.images))
        do {
            try image.save(to: disk.device)
            try disk.mount()
            try await trial.check(mayLose: ["interval", "system"].contains(record.durability))
            try disk.unmount()
        } catch {
            throw Wrong("record \(record.name), \(moment): \(error)")
        }
        tally.images += 1
        tally.unacknowledged += trial.ledger.totals.unacknowledged
        tally.allowedLosses += trial.ledger.totals.allowedLosses
    }
}

extension Trial {
    /// Takes down what a writer said, and fails when it had to stop.
    fileprivate mutating func hear(_ text: String) throws {
        let line = try Child.Line(text)
        if case .stopped = line { throw Wrong(text) }
        try ledger.note(line)
    }
}
