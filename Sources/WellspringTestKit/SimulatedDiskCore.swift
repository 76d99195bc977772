import WellspringLog

/// The state of a simulated disk and of the machine around it, touched only under the disk's lock.
struct SimulatedDiskCore {
    var state: SimulatedDiskState
    var dice: Dice
    var tearsSectors = false
    var faults: [SimulatedDisk.Fault] = []
    var capacity: Int?
    var clock: Int64 = 1_700_000_000_000_000_000
    var isForked = false
    var networkFileSystem: String?
    var syncsReachMedium = true
    var workers: [InlineWorker] = []
    var schedule: ScheduledWorker.Scheduler?

    private(set) var operations: [SimulatedDisk.Operation] = []
    private(set) var operationCount = 0
    /// Counts the crashes: what was opened before the last one is dead.
    private(set) var life = 0
    private var randomNumbersDrawn: UInt64 = 0
    private var crashCount: UInt64 = 0
    var lock: (holder: Int, owner: String)?

    /// The disk after each operation that changed it, for tests that crash everywhere.
    var recording: [SimulatedDisk.Moment]?
    var note = 0

    init(state: SimulatedDiskState, seed: UInt64) {
        self.state = state
        dice = Dice(seed: seed)
    }

    mutating func random() -> UInt64 {
        randomNumbersDrawn += 1
        return dice.roll(randomNumbersDrawn, 0x5EED)
    }

    // MARK: - Operations

    /// Counts an operation and returns how it is to go wrong, if it is.
    ///
    /// - Parameter node: The file that is read, written or synced.
    mutating func begin(
        _ kind: SimulatedDisk.Operation.Kind, _ file: String, life: Int, node: Int? = nil,
        offset: UInt64 = 0, count: Int = 0
    ) throws(SystemError) -> Trouble? {
        guard life == self.life else {
            throw SystemError(call: kind.rawValue, file: file, code: 5, kind: .io)
        }
        let operation = SimulatedDisk.Operation(
            number: operationCount, kind: kind, file: file, offset: offset, count: count)
        operationCount += 1
        operations.append(operation)
        guard !faults.isEmpty else { return nil }
        wait(for: operation, node)
        let due = faults.firstIndex { !$0.isDelay && concerns($0, operation, node) }
        guard let due else { return nil }
        operations[operations.count - 1].hasFailed = true
        let effect = take(due).effect
        if effect == .abortedJournal { faults.append(.readOnlyDisk(from: operationCount)) }
        return Trouble(
            effect, dice: dice.other(UInt64(operation.number)),
            call: kind.rawValue, file: file)
    }

    /// Has the clock show how long an operation took.
    private mutating func wait(for operation: SimulatedDisk.Operation, _ node: Int?) {
        for index in faults.indices.reversed() where concerns(faults[index], operation, node) {
            guard case .delay(let nanoseconds) = faults[index].effect else { continue }
            clock &+= nanoseconds
            _ = take(index)
        }
    }

    /// The fault, which is gone if it was to happen once.
    private mutating func take(_ index: Int) -> SimulatedDisk.Fault {
        faults[index].repetition == .once ? faults.remove(at: index) : faults[index]
    }

    private func concerns(
        _ fault: SimulatedDisk.Fault, _ operation: SimulatedDisk.Operation, _ node: Int?
    ) -> Bool {
        guard operation.number >= fault.first,
            fault.operations?.contains(operation.kind) ?? true
        else { return false }
        guard let name = fault.file else { return true }
        guard let node, state.file(named: name) == node else { return false }
        guard case .badSectors(let bytes) = fault.effect else { return true }
        let bad = SimulatedFile.sectors(of: bytes)
        guard operation.kind == .read else {
            return state.files[node]?.unsyncedSectors.contains(where: bad.contains) ?? false
        }
        let start = Int(operation.offset)
        return SimulatedFile.sectors(of: start..<start + operation.count).overlaps(bad)
    }

    /// An operation that changed something is over.
    mutating func end() {
        guard recording != nil, let operation = operations.last else { return }
        recording?.append(.init(operation: operation, note: note, state: state))
    }

    /// How many bytes of a file that is to reach `end` there is room for.
    func room(for file: SimulatedFile, upTo end: Int) -> Int {
        guard let capacity, end > file.size else { return end }
        return min(end, file.size + max(0, capacity - state.bytesInUse))
    }

    // MARK: - Crashes

    /// - Returns: The workers of before; whoever lets them go must not hold the disk's lock.
    mutating func crash(_ survival: SimulatedDisk.Survival) -> [InlineWorker] {
        crashCount += 1
        let chance = dice.other(crashCount &+ 0xC4A5)
        state = state.afterCrash(.init(survival, chance), tearsSectors: tearsSectors)
        life += 1
        lock = nil
        faults = []
        operations = []
        defer { workers = [] }
        return workers
    }

    func afterCrash(_ survival: SimulatedDisk.Survival, seed: UInt64) -> SimulatedDiskCore {
        let dice = Dice(seed: seed)
        var result = SimulatedDiskCore(
            state: state.afterCrash(.init(survival, dice), tearsSectors: tearsSectors), seed: seed)
        result.clock = clock
        result.networkFileSystem = networkFileSystem
        result.tearsSectors = tearsSectors
        return result
    }

    mutating func replaceContents(of file: String, with contents: [UInt8]?) {
        let wasThere = state.file(named: file)
        if let contents {
            let new = SimulatedFile(contents: contents)
            if let wasThere {
                state.change(wasThere) { $0 = new }
                return
            }
            _ = state.makeFile(file, new)
        } else if wasThere != nil {
            state.link(file, to: nil)
        }
        let directory = file.lastIndex(of: "/").map { String(file[..<$0]) }
        if let node = state.directory(named: directory) { state.syncDirectory(node) }
    }
}

/// How an operation goes wrong.
struct Trouble {
    let effect: SimulatedDisk.Fault.Effect
    /// Decides what the operation did before it failed.
    let dice: Dice
    /// What the program is told; `nil` when it is told that all is well.
    let error: SystemError?

    init(_ effect: SimulatedDisk.Fault.Effect, dice: Dice, call: String, file: String) {
        self.effect = effect
        self.dice = dice
        error =
            switch effect {
            case .failure(let failure): SystemError(failure, call: call, file: file)
            case .readOnlyDisk: SystemError(.readOnly, call: call, file: file)
            case .powerCut, .badSectors: SystemError(.inputOutput, call: call, file: file)
            case .lostWrite, .misdirectedWrite, .abortedJournal, .delay: nil
            }
    }

    /// How much of a write was done: nothing, everything, or any part.
    func part(of count: Int) -> Int {
        guard error != nil else { return count }
        if effect == .readOnlyDisk { return 0 }
        return switch dice.choice(among: 5, 1) {
        case 0: 0
        case 1, 2: count
        default: dice.choice(among: count + 1, 2)
        }
    }
}

extension CrashSurvival {
    init(_ survival: SimulatedDisk.Survival, _ dice: Dice) {
        switch survival {
        case .chance: self.init(dice)
        case .nothing: self.init(dice, all: .nothing)
        case .everything: self.init(dice, all: .everything)
        case .oneSector: self.init(dice, all: .oneSector)
        }
    }
}

extension SystemError {
    init(_ failure: SimulatedDisk.Fault.Failure, call: String, file: String) {
        let (code, kind): (Int32, Kind) =
            switch failure {
            case .inputOutput: (5, .io)
            case .noSpace: (28, .noSpace)
            case .quotaExceeded: (Self.quotaExceeded, .noSpace)
            case .accessDenied: (13, .accessDenied)
            case .readOnly: (30, .readOnly)
            case .tooManyFiles: (24, .tooManyFiles)
            case .tooManyFilesOfAll: (23, .tooManyFiles)
            case .interrupted: (4, .other)
            }
        self.init(call: call, file: file, code: code, kind: kind)
    }

    /// `EDQUOT`, on which systems do not agree.
    private static var quotaExceeded: Int32 {
        #if canImport(Darwin)
        69
        #else
        122
        #endif
    }
}

extension SimulatedDisk {
    /// A moment in the life of a disk, right after an operation that changed it.
    package struct Moment: Sendable {
        package let operation: Operation
        /// What the test had written on its slip when the operation came.
        package let note: Int
        let state: SimulatedDiskState
    }

    /// Begins to keep every moment.
    package func startRecording() {
        core.withLock { $0.recording = [] }
    }

    package func takeRecording() -> [Moment] {
        core.withLock { core in
            defer { core.recording = nil }
            return core.recording ?? []
        }
    }

    /// Shows what the disk of a recording held at `moment`, to whatever is open on this one.
    ///
    /// That is what a process sees beside the one that was recorded.
    package func turn(to moment: Moment) {
        core.withLock { $0.state = moment.state }
    }

    /// A number of the test's own that is kept with every moment from now on.
    package func setNote(_ note: Int) {
        core.withLock { $0.note = note }
    }

    /// A disk as it may be after a crash at `moment`.
    package convenience init(
        after moment: Moment, keeping survival: Survival, seed: UInt64, tearsSectors: Bool = false
    ) {
        var core = SimulatedDiskCore(state: moment.state, seed: seed)
        core.tearsSectors = tearsSectors
        self.init(core.afterCrash(survival, seed: seed))
    }

    /// Has the disk say that its syncs end in the drive's own cache.
    ///
    /// They keep what they were given all the same.
    package func setSyncsReachMedium(_ reachMedium: Bool) {
        core.withLock { $0.syncsReachMedium = reachMedium }
    }

    /// Has the store believe that it runs in a fork of the process that opened it.
    package func setForked(_ isForked: Bool) {
        core.withLock { $0.isForked = isForked }
    }
}
