import Foundation
import WellspringLog

/// The files of the machine, at one operation on which the process ends without warning.
///
/// Operations that change nothing are not counted: who dies before one of them leaves what the
/// operation before it has left. What the store does on a thread of its own is done on the caller's,
/// so that the operations come in the same order each time. Syncs are counted and not made: they take
/// nearly all the time, and what a process has written outlives it without them.
struct FatalFiles: FileSystem {
    let fate: Fate

    func openStore(at path: String, create: Bool) throws(SystemError) -> any StoreDirectory {
        let base = try fate.meet { () throws(SystemError) in
            try PosixFileSystem().openStore(at: path, create: create)
        }
        return FatalDirectory(base, fate)
    }
}

/// The operation at which a process ends, and on which side of it.
final class Fate: Sendable {
    enum Side: String, CaseIterable {
        case before, amid, after
    }

    private let point: Int?
    private let side: Side
    private let met = Guarded(0)

    /// - Parameter point: The number of the operation; `nil` to live on.
    init(at point: Int?, _ side: Side) {
        self.point = point
        self.side = side
    }

    /// How many operations there were.
    var operationCount: Int { met.withLock { $0 } }

    /// Does an operation, if the process lives long enough.
    ///
    /// - Parameter half: A part of the operation that can be done without the rest.
    func meet<Result>(
        half: () throws(SystemError) -> Void = {},
        _ operation: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        let number = met.withLock { met in
            defer { met += 1 }
            return met
        }
        guard number == point else { return try operation() }
        switch side {
        case .before: break
        case .amid: try half()
        case .after: _ = try? operation()
        }
        kill(getpid(), SIGKILL)
        while true { pause() }
    }
}

private final class FatalDirectory: ForwardingDirectory {
    let base: any StoreDirectory
    private let fate: Fate

    init(_ base: any StoreDirectory, _ fate: Fate) {
        self.base = base
        self.fate = fate
    }

    func makeDirectory(_ name: String) throws(SystemError) {
        try fate.meet { () throws(SystemError) in try base.makeDirectory(name) }
    }

    func open(_ name: String, _ mode: FileMode) throws(SystemError) -> any StoreFile {
        guard mode == .create else { return FatalFile(try base.open(name, mode), fate) }
        let file = try fate.meet { () throws(SystemError) in try base.open(name, mode) }
        return FatalFile(file, fate)
    }

    func rename(_ old: String, to new: String) throws(SystemError) {
        try fate.meet { () throws(SystemError) in try base.rename(old, to: new) }
    }

    func remove(_ name: String) throws(SystemError) {
        try fate.meet { () throws(SystemError) in try base.remove(name) }
    }

    func syncDirectory(_ directory: String?) throws(SystemError) { try fate.meet {} }

    func lock(_ name: String, owner: String) throws(SystemError) -> LockOutcome {
        try fate.meet { () throws(SystemError) in try base.lock(name, owner: owner) }
    }

    func makeWorker(
        named name: String, body: @escaping @Sendable (WorkerSignal) -> Void
    ) -> any LogWorker { InlineWorker(body: body) }
}

private final class FatalFile: ForwardingFile {
    let base: any StoreFile
    private let fate: Fate

    init(_ base: any StoreFile, _ fate: Fate) {
        self.base = base
        self.fate = fate
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        try fate.meet(
            half: { () throws(SystemError) in
                try base.write(.init(rebasing: bytes[..<(bytes.count / 2)]), at: offset)
            },
            { () throws(SystemError) in try base.write(bytes, at: offset) })
    }

    func sync() throws(SystemError) { try fate.meet {} }

    func truncate(to size: UInt64) throws(SystemError) {
        try fate.meet { () throws(SystemError) in try base.truncate(to: size) }
    }
}
