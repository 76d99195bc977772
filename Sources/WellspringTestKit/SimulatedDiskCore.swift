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

    /// Counts an operation and returns how it is to fail, if it is.
    mutating func begin(
        _ kind: SimulatedDisk.Operation.Kind, _ file: String, life: Int, offset: UInt64 = 0,
        count: Int = 0
    ) throws(SystemError) -> Trouble? {
        guard life == self.life else {
            throw SystemError(call: kind.rawValue, file: file, code: 5, kind: .io)
        }
        let number = operationCount
        operationCount += 1
        operations.append(
            .init(number: number, kind: kind, file: file, offset: offset, count: count))
        guard let index = faults.firstIndex(where: { $0.applies(to: kind, number: number) })
        else { return nil }
        let fault = faults[index]
        if fault.repetition == .once { faults.remove(at: index) }
        operations[operations.count - 1].hasFailed = true
        return Trouble(
            error: SystemError(fault.failure, call: kind.rawValue, file: file),
            dice: dice.other(UInt64(number)), isPowerCut: fault.isPowerCut)
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

/// How an operation fails.
struct Trouble {
    var error: SystemError
    /// Decides what the operation did before it failed.
    var dice: Dice
    var isPowerCut: Bool

    /// How much of a write was done: nothing, everything, or any part.
    func part(of count: Int) -> Int {
        switch dice.choice(among: 5, 1) {
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
            case .accessDenied: (13, .accessDenied)
            case .readOnly: (30, .readOnly)
            case .tooManyFiles: (24, .tooManyFiles)
            }
        self.init(call: call, file: file, code: code, kind: kind)
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

    /// Has the store believe that it runs in a fork of the process that opened it.
    package func setForked(_ isForked: Bool) {
        core.withLock { $0.isForked = isForked }
    }
}
