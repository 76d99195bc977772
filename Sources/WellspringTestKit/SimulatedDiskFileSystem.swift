package import WellspringLog

extension SimulatedDisk: FileSystem {
    package func openStore(
        at path: String, create: Bool
    ) throws(SystemError) -> any StoreDirectory {
        SimulatedStoreDirectory(self, path: path, life: core.withLock { $0.life })
    }
}

/// Makes the error for a call that asks for what cannot be.
private struct Refusal {
    let call: String
    let file: String
    /// What goes wrong although the call is told that all is well.
    let effect: SimulatedDisk.Fault.Effect?

    func callAsFunction(_ code: Int32, _ kind: SystemError.Kind) -> SystemError {
        SystemError(call: call, file: file, code: code, kind: kind)
    }
}

/// The store's directory on a simulated disk, as one opener has it.
private final class SimulatedStoreDirectory: StoreDirectory {
    let path: String
    private let disk: SimulatedDisk
    private let life: Int

    init(_ disk: SimulatedDisk, path: String, life: Int) {
        self.disk = disk
        self.path = path
        self.life = life
    }

    var isForked: Bool { disk.core.withLock { $0.isForked } }
    var syncsReachMedium: Bool { disk.core.withLock { $0.syncsReachMedium } }
    var networkFileSystem: String? { disk.networkFileSystem }
    var processID: Int32 { 1 }
    func wallClock() -> Int64 { disk.core.withLock { $0.clock } }
    func random() -> UInt64 { disk.core.withLock { $0.random() } }

    func makeWorker(
        named name: String, body: @escaping @Sendable (WorkerSignal) -> Void
    ) -> any LogWorker {
        let worker = InlineWorker(body: body)
        let schedule = disk.core.withLock { core in
            core.workers.removeAll(where: \.isStopped)
            core.workers.append(worker)
            return core.schedule
        }
        return schedule.map { ScheduledWorker(worker, $0) } ?? worker
    }

    func makeDirectory(_ name: String) throws(SystemError) {
        try change(.makeDirectory, name) { core, refuse throws(SystemError) in
            switch core.state.find(name) {
            case .directory: return
            case .file: throw refuse(17, .exists)
            case nil: if !core.state.makeDirectory(name) { throw refuse(2, .notFound) }
            }
        }
    }

    func list(_ directory: String?) throws(SystemError) -> [String] {
        try look(.list, directory ?? ".") { core, refuse throws(SystemError) in
            guard let node = core.state.directory(named: directory),
                let found = core.state.directories[node]
            else { throw refuse(2, .notFound) }
            // No particular order, but the same one each time.
            let dice = core.dice
            return found.live.keys.sorted {
                let (a, b) = (Dice.question($0), Dice.question($1))
                return (dice.roll(a), $0) < (dice.roll(b), $1)
            }
        }
    }

    func open(_ name: String, _ mode: FileMode) throws(SystemError) -> any StoreFile {
        guard mode == .create else {
            let node = try look(.open, name) { core, refuse throws(SystemError) in
                guard let node = core.state.file(named: name) else { throw refuse(2, .notFound) }
                return node
            }
            let isWritable = mode == .readWrite
            return SimulatedOpenFile(disk, node, name, life: life, isWritable: isWritable)
        }
        let node = try change(.create, name) { core, refuse throws(SystemError) in
            guard core.state.find(name) == nil else { throw refuse(17, .exists) }
            if let capacity = core.capacity, core.state.bytesInUse >= capacity {
                throw refuse(28, .noSpace)
            }
            guard let node = core.state.makeFile(name) else { throw refuse(2, .notFound) }
            return node
        }
        return SimulatedOpenFile(disk, node, name, life: life, isWritable: true)
    }

    func rename(_ old: String, to new: String) throws(SystemError) {
        try change(.rename, "\(old) to \(new)") { core, refuse throws(SystemError) in
            guard let node = core.state.file(named: old), core.state.link(new, to: node)
            else { throw refuse(2, .notFound) }
            core.state.link(old, to: nil)
        }
    }

    func remove(_ name: String) throws(SystemError) {
        try change(.remove, name) { core, refuse throws(SystemError) in
            guard core.state.file(named: name) != nil else { throw refuse(2, .notFound) }
            core.state.link(name, to: nil)
        }
    }

    /// A failed sync leaves everything as it was: what file systems know of names goes through a
    /// journal, and a journal that fails stops the file system rather than forget.
    func syncDirectory(_ directory: String?) throws(SystemError) {
        try change(.syncDirectory, directory ?? ".") { core, refuse throws(SystemError) in
            guard let node = core.state.directory(named: directory)
            else { throw refuse(2, .notFound) }
            if refuse.effect != .abortedJournal { core.state.syncDirectory(node) }
        }
    }

    func lock(_ name: String, owner: String) throws(SystemError) -> LockOutcome {
        try change(.lock, name) { core, refuse throws(SystemError) in
            if let lock = core.lock { return .held(owner: lock.owner) }
            if core.state.find(name) == nil { _ = core.state.makeFile(name) }
            let holder = core.operationCount
            core.lock = (holder, owner)
            return .acquired(SimulatedLock(disk, holder: holder, life: life))
        }
    }

    // MARK: - One operation

    private func look<Result>(
        _ kind: SimulatedDisk.Operation.Kind, _ name: String,
        _ body: (inout SimulatedDiskCore, Refusal) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        try disk.core.withLock { core throws(SystemError) in
            let trouble = try core.begin(kind, name, life: life)
            if let error = trouble?.error { throw error }
            return try body(
                &core, Refusal(call: kind.rawValue, file: name, effect: trouble?.effect))
        }
    }

    private func change<Result>(
        _ kind: SimulatedDisk.Operation.Kind, _ name: String,
        _ body: (inout SimulatedDiskCore, Refusal) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        try look(kind, name) { core, refuse throws(SystemError) in
            defer { core.end() }
            return try body(&core, refuse)
        }
    }
}

private final class SimulatedLock: LockToken {
    private let disk: SimulatedDisk
    private let holder: Int
    private let life: Int

    init(_ disk: SimulatedDisk, holder: Int, life: Int) {
        self.disk = disk
        self.holder = holder
        self.life = life
    }

    deinit { release() }

    func release() {
        disk.core.withLock { core in
            if core.life == life, core.lock?.holder == holder { core.lock = nil }
        }
    }
}

/// A file of a simulated disk, as one opener has it.
private final class SimulatedOpenFile: StoreFile {
    private let disk: SimulatedDisk
    private let node: Int
    private let name: String
    private let life: Int
    private let isWritable: Bool
    private let isClosed = Guarded(false)

    init(_ disk: SimulatedDisk, _ node: Int, _ name: String, life: Int, isWritable: Bool) {
        self.disk = disk
        self.node = node
        self.name = name
        self.life = life
        self.isWritable = isWritable
    }

    func size() throws(SystemError) -> UInt64 {
        try perform(.status) { core, trouble throws(SystemError) in
            if let error = trouble?.error { throw error }
            return UInt64(core.state.files[node]?.size ?? 0)
        }
    }

    func linkCount() throws(SystemError) -> Int {
        try perform(.status) { core, trouble throws(SystemError) in
            if let error = trouble?.error { throw error }
            return core.state.linkCount(of: node)
        }
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        let start = try self.offset(offset)
        return try perform(.read, offset, buffer.count) { core, trouble throws(SystemError) in
            if let error = trouble?.error { throw error }
            return core.state.files[node]?.read(into: buffer, at: start) ?? 0
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        try refuseUnlessWritable()
        let start = try self.offset(offset)
        let end = try self.offset(offset + UInt64(bytes.count))
        try perform(.write, offset, bytes.count) { core, trouble throws(SystemError) in
            guard let file = core.state.files[node] else { return }
            let room = max(0, core.room(for: file, upTo: end) - start)
            let count = min(room, trouble?.part(of: bytes.count) ?? bytes.count)
            core.state.change(node) { file in
                file.write(.init(rebasing: bytes[..<count]), at: start)
                switch trouble?.effect {
                case .lostWrite: file.lose(start..<start + count)
                case .misdirectedWrite(let sectors):
                    file.lose(start..<start + count, strayingBy: sectors)
                default: break
                }
            }
            core.end()
            if let error = trouble?.error { throw error }
            if count < bytes.count {
                throw SystemError(.noSpace, call: "write", file: name)
            }
        }
    }

    func sync() throws(SystemError) {
        try perform(.sync) { core, trouble throws(SystemError) in
            guard let trouble, let error = trouble.error else {
                core.state.change(node) { trouble == nil ? $0.sync() : $0.syncContents() }
                core.end()
                return
            }
            switch trouble.effect {
            // When the power goes, what was on its way is still on its way.
            case .powerCut, .readOnlyDisk: break
            case .badSectors(let bytes):
                core.state.change(node) { $0.failSync(trouble.dice, sparing: bytes) }
            default: core.state.change(node) { $0.failSync(trouble.dice) }
            }
            core.end()
            throw error
        }
    }

    func truncate(to size: UInt64) throws(SystemError) {
        try refuseUnlessWritable()
        let end = try offset(size)
        try perform(.truncate, size) { core, trouble throws(SystemError) in
            if let error = trouble?.error { throw error }
            guard let file = core.state.files[node] else { return }
            guard core.room(for: file, upTo: end) == end else {
                throw SystemError(.noSpace, call: "truncate", file: name)
            }
            core.state.change(node) { $0.truncate(to: end) }
            core.end()
        }
    }

    func dropCache() {
        disk.core.withLock { core in
            guard core.life == life else { return }
            let dice = core.dice.other(UInt64(core.operationCount))
            core.state.change(node) { $0.dropCache(dice) }
        }
    }

    func close() {
        isClosed.withLock { $0 = true }
    }

    private func perform<Result>(
        _ kind: SimulatedDisk.Operation.Kind, _ offset: UInt64 = 0, _ count: Int = 0,
        _ body: (inout SimulatedDiskCore, Trouble?) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        if isClosed.withLock({ $0 }) {
            throw SystemError(call: kind.rawValue, file: name, code: 9, kind: .other)
        }
        return try disk.core.withLock { core throws(SystemError) in
            let trouble = try core.begin(
                kind, name, life: life, node: node, offset: offset, count: count)
            return try body(&core, trouble)
        }
    }

    private func refuseUnlessWritable() throws(SystemError) {
        guard isWritable else {
            throw SystemError(call: "write", file: name, code: 9, kind: .other)
        }
    }

    /// No simulated file is larger than this; real ones end there as well on most systems.
    private func offset(_ offset: UInt64) throws(SystemError) -> Int {
        guard offset <= 1 << 40 else {
            throw SystemError(call: "lseek", file: name, code: 27, kind: .other)
        }
        return Int(offset)
    }
}
