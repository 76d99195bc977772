import WellspringLog

/// What can go wrong between the library and its storage.
///
/// Each case says what to do next. None carries the content of an event.
@nonexhaustive
public enum EventStoreError: Error, Hashable, Sendable {
    /// Another writer appended first. Load the stream again and decide anew.
    case conflict(StreamConflict)
    /// The request breaks a rule of the store; nothing was written. Correct the request.
    case invalidRequest(reason: String)
    /// Something in the request is larger than the store keeps; nothing was written.
    case limitExceeded(what: String, size: Int, limit: Int)
    /// The store does not offer what the request asks for; nothing was written.
    case unsupported(feature: String)
    /// The disk is full. Nothing was written and the store stays usable: make room, try again.
    case storageFull(reason: String)
    /// The machine failed and nothing was written. The same append may be tried again.
    case notStored(reason: String)
    /// The machine failed at the worst moment: the append is wholly there or wholly absent, and
    /// only opening the store again will tell. Until then the store shows its events to nobody, and
    /// a ``FileEventReader`` only shows them if they are there to stay, unless it was asked for
    /// unproven ones.
    case outcomeUnknown(StoreFailure)
    /// An earlier failure stopped the store; this append was not written. Reads go on. Close the
    /// store and open it again.
    case poisoned(StoreFailure)
    /// Acknowledged events are damaged or missing on disk. Nothing was changed; restore a backup.
    case damaged(StoreDamage)
    /// Somebody else has the store open for writing; `owner` is what they say of themselves.
    case locked(path: String, owner: String)
    /// There is no store at the path. Check the path.
    case notAStore(path: String)
    /// There is no store in the directory, but there are other files: no store is made there, and
    /// nothing was touched. Check the path, or choose an empty directory or a new one.
    case notEmpty(path: String)
    /// The directory is on a network file system, where neither locks nor syncs can be relied on;
    /// no store was made or opened. Keep the store on a disk of this machine.
    /// ``FileEventStore/Configuration/allowsNetworkFileSystem`` has it opened all the same.
    case networkFileSystem(path: String, kind: String)
    /// A newer version of the library wrote the store. Use that version.
    case unsupportedFormat(file: String, reason: String)
    /// The store that was opened for reading is gone: it was deleted, or something else was put in
    /// its place. Close the reader; open the path again if another store is there on purpose.
    case replaced(path: String, reason: String)
    /// The store was closed; nothing was written. Open it again.
    case closed
    /// The store was opened before a `fork`, and this is the child. Open it in one process only.
    case forked
    /// The task was cancelled; nothing was written. The same may be tried again.
    case cancelled
    /// The machine failed during a read or while opening. Nothing was lost by it. Put right what
    /// the error names and try again.
    case io(call: String, file: String, code: Int32)
    /// A storage failed, in its own words. Put that right and try again.
    case storage(reason: String)
}

/// An append that lost against another writer.
public struct StreamConflict: Error, Hashable, Sendable {
    /// The stream.
    public let stream: StreamID
    /// What the caller believed.
    public let expected: ExpectedVersion
    /// Where the stream is.
    public let actual: StreamVersion

    /// Creates the description of a conflict.
    ///
    /// Stores do this.
    public init(stream: StreamID, expected: ExpectedVersion, actual: StreamVersion) {
        self.stream = stream
        self.expected = expected
        self.actual = actual
    }
}

/// A failure after which a store writes no more.
public struct StoreFailure: Error, Hashable, Sendable {
    /// What failed, with the system's error number.
    public let reason: String
    /// The last position that is known to be durable.
    public let lastDurable: LogPosition

    /// Creates the description of a failure.
    ///
    /// Stores do this.
    public init(reason: String, lastDurable: LogPosition) {
        self.reason = reason
        self.lastDurable = lastDurable
    }
}

/// Damage to a store on disk.
public struct StoreDamage: Error, Hashable, Sendable {
    /// The file, relative to the store's directory.
    public let file: String
    /// The offset in the file at which sense ends.
    public let offset: UInt64
    /// What is wrong there.
    public let reason: String

    /// Creates the description of damage.
    ///
    /// Stores do this.
    public init(file: String, offset: UInt64, reason: String) {
        self.file = file
        self.offset = offset
        self.reason = reason
    }
}

extension EventStoreError: CustomStringConvertible {
    /// What happened, and what to do next.
    public var description: String {
        switch self {
        case .conflict(let conflict): "\(conflict)"
        case .invalidRequest(let reason):
            "The request was refused: \(reason). Nothing was written; correct the request."
        case .limitExceeded(let what, let size, let limit):
            "The append was refused: \(what) is \(size), the most is \(limit). Nothing was "
                + "written; make it smaller."
        case .unsupported(let feature):
            "This store does not offer \(feature) yet; nothing was written. Make the request "
                + "without."
        case .storageFull(let reason):
            "The disk is full (\(reason)); nothing was written. Make room and try again."
        case .notStored(let reason): "Nothing was written: \(reason). It may be tried again."
        case .outcomeUnknown(let failure):
            "Whether the events were stored is unknown: \(failure.reason). Close the store and "
                + "open it again to find out; until position \(failure.lastDurable) all is safe."
        case .poisoned(let failure):
            "The store stopped writing: \(failure.reason). Nothing of this append was written. "
                + "Close the store and open it again."
        case .damaged(let damage):
            "The store is damaged: \(damage.file) at byte \(damage.offset): \(damage.reason). "
                + "Nothing was changed. Verify it to see all that is wrong and what helps; as a "
                + "rule, restore a backup."
        case .locked(let path, let owner):
            "\(path) is open for writing elsewhere (\(owner)). Close it there first."
        case .notAStore(let path): "There is no event store at \(path). Check the path."
        case .notEmpty(let path):
            "There is no event store at \(path), but there are other files; nothing was touched. "
                + "Check the path, or choose an empty directory."
        case .networkFileSystem(let path, let kind):
            "\(path) is on a network file system (\(kind)), where neither locks nor syncs can be "
                + "relied on; no store was made or opened. Keep it on a disk of this machine, or "
                + "allow it if only one machine ever writes."
        case .unsupportedFormat(let file, let reason):
            "\(file) was written by a newer version: \(reason). Use that version."
        case .replaced(let path, let reason):
            "The store at \(path) is no longer the one that was opened: \(reason). Close the reader "
                + "and open the path again."
        case .closed:
            "The store is closed; nothing was written. Open it again, and close it only when "
                + "nothing uses it any more."
        case .forked:
            "The store was opened before a fork and cannot be used in the child. Open it in one "
                + "process only, and after the fork."
        case .cancelled:
            "The task was cancelled; nothing was written. It may be tried again."
        case .io(let call, let file, let code):
            "\(SystemError(call: call, file: file, code: code)). Nothing was lost by it. "
                + SystemError(call: call, file: file, code: code).kind.advice
        case .storage(let reason):
            "The storage failed: \(reason). Put that right and try again."
        }
    }
}

extension SystemError.Kind {
    /// What to do about a failure of the machine.
    fileprivate var advice: String {
        switch self {
        case .notFound: "Check the path, and whether somebody moved or removed files."
        case .exists: "Move away what is in the way, or choose another directory."
        case .noSpace: "Make room and try again."
        case .accessDenied:
            "The files must belong to the user of this process, who must be allowed to read and "
                + "write them: correct that and try again."
        case .readOnly: "Have the file system mounted for writing and try again."
        case .tooManyFiles: "Raise the limit of open files and try again."
        case .io: "The disk fails: look at it, copy the store to another one and verify the copy."
        case .other: "Put right what the system complains of and try again."
        }
    }
}

extension StreamConflict: CustomStringConvertible {
    /// The conflict, and what to do next.
    public var description: String {
        let belief =
            switch expected {
            case .noStream: "to have no events"
            case .exactly(let version): "at version \(version)"
            case .exists: "to have events"
            case .any: "anywhere"
            }
        return "Stream \(stream) was expected \(belief) and is at version \(actual). Load it again "
            + "and decide anew."
    }
}
