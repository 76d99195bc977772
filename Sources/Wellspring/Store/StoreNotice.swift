import WellspringLog

/// Something about a store that its operator may want to know.
///
/// Pass a closure to the store's configuration to put notices into a log or a health check. It is
/// called on whatever thread notices: one of the store's own, or that of a task which opens,
/// appends, closes or lets go of the store. It must return soon, because appends may wait for it,
/// and must not wait for the store.
@nonexhaustive
public enum StoreNotice: Hashable, Sendable {
    /// The store was opened; the report says what was found and done.
    case opened(RecoveryReport)
    /// A write failed and was taken back. The appends concerned failed and may be tried again.
    case tookBack(reason: String)
    /// The store stopped writing. Close it and open it again.
    case poisoned(StoreFailure)
    /// The store was closed, with or without everything a clean close does.
    case closed(reason: String?)
    /// The saved state of a projection is damaged. Nothing is lost: it is replayed from the log.
    case discardedCheckpoint(ProjectionName, reason: String)
    /// A part of the index could not be written, or several could not be made one. Nothing is lost:
    /// what is not in a file stays in memory and is tried again; if that fails too, the next opening
    /// takes longer.
    case keptIndexInMemory(reason: String)
    /// The store went away without `close()`. Nothing is lost; the next opening takes longer.
    case abandoned
}

extension StoreNotice: CustomStringConvertible {
    /// The notice in a line, for a log.
    public var description: String {
        switch self {
        case .opened(let report): "opened: \(report)"
        case .tookBack(let reason):
            "a write was taken back; its appends failed and may be tried again: \(reason)"
        case .poisoned(let failure):
            "stopped writing, close it and open it again; until position \(failure.lastDurable) all "
                + "is safe: \(failure.reason)"
        case .closed(nil): "closed"
        case .closed(let reason?):
            "closed, but not properly, so that the next opening takes longer: \(reason)"
        case .discardedCheckpoint(let projection, let reason):
            "the saved state of projection \(projection) is replaced by a replay: \(reason)"
        case .keptIndexInMemory(let reason):
            "a part of the index was not written, and is tried again: \(reason)"
        case .abandoned: "given up without close(), so that the next opening takes longer"
        }
    }
}

extension StoreNotice {
    init(_ failure: CommitFailure, lastDurable: LogPosition) {
        switch failure {
        case .poisoned, .alreadyPoisoned:
            self = .poisoned(StoreFailure(reason: failure.reason, lastDurable: lastDurable))
        case .rolledBack, .tooLarge: self = .tookBack(reason: failure.reason)
        case .closed: self = .closed(reason: nil)
        case .forked: self = .closed(reason: failure.reason)
        }
    }
}

extension CommitFailure {
    /// Why, in words.
    var reason: String {
        switch self {
        case .rolledBack(let error), .poisoned(let error): "\(error)"
        case .alreadyPoisoned: "an earlier write failed"
        case .tooLarge(let bytes, let limit): "\(bytes) bytes in one group, the most is \(limit)"
        case .closed: "it was closed before"
        case .forked: "the process was forked"
        }
    }
}

extension EventStoreError {
    init(notStoredBecauseOf error: SystemError) {
        self =
            error.kind == .noSpace
            ? .storageFull(reason: "\(error)") : .notStored(reason: "\(error)")
    }

    init(_ error: LogError, path: String) {
        switch error {
        case .damaged(let damage):
            self = .damaged(
                StoreDamage(file: damage.file, offset: damage.offset, reason: damage.reason))
        case .locked(let owner): self = .locked(path: path, owner: owner)
        case .notAStore(let path): self = .notAStore(path: path)
        case .notEmpty(let path): self = .notEmpty(path: path)
        case .networkFileSystem(let path, let kind):
            self = .networkFileSystem(path: path, kind: kind)
        case .unsupportedFormat(let file, let reason):
            self = .unsupportedFormat(file: file, reason: reason)
        case .replaced(let reason): self = .replaced(path: path, reason: reason)
        case .rewritten(let segment):
            self = .replaced(path: path, reason: "segment \(segment) was rewritten meanwhile")
        case .closed: self = .closed
        case .forked: self = .forked
        case .system(let error): self.init(error)
        }
    }

    init(_ error: SystemError) {
        self = .io(call: error.call, file: error.file, code: error.code)
    }
}

extension SystemError: CustomStringConvertible {
    /// What failed, on which file, in the system's words and with its number.
    public var description: String {
        "\(call) failed\(file.isEmpty ? "" : " on \(file)"): \(words) (error \(code))"
    }
}
