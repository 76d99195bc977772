extension SimulatedDisk {
    /// A trouble that the disk makes for the program, see ``SimulatedDisk/inject(_:)``.
    public struct Fault: Hashable, Sendable {
        /// What the program is told: each error that a working program may get from a file.
        public enum Failure: Hashable, Sendable, CaseIterable {
            /// The medium cannot be read or written (`EIO`).
            case inputOutput
            /// The disk is full (`ENOSPC`).
            case noSpace
            /// The user may not store more (`EDQUOT`).
            case quotaExceeded
            /// Somebody took the permission away (`EACCES`).
            case accessDenied
            /// The file system was made read-only (`EROFS`).
            case readOnly
            /// The process has too many open files (`EMFILE`).
            case tooManyFiles
            /// All processes together have too many open files (`ENFILE`).
            case tooManyFilesOfAll
            /// Signals interrupted the call each time it was tried (`EINTR`).
            case interrupted
        }

        /// How often it happens.
        public enum Repetition: Hashable, Sendable {
            /// The first time it can.
            case once
            /// Each time from then on, until ``SimulatedDisk/heal()``.
            case untilHealed
        }

        enum Effect: Hashable {
            case failure(Failure)
            case powerCut
            case badSectors(Range<Int>)
            case lostWrite
            /// The number of sectors by which the bytes miss their place.
            case misdirectedWrite(sectors: Int)
            case abortedJournal
            case readOnlyDisk
            case delay(nanoseconds: Int64)
        }

        var effect: Effect
        var operations: Set<Operation.Kind>?
        /// The only file that has the trouble, by the name that it has by then.
        var file: String?
        var first: Int
        var repetition: Repetition

        private init(
            _ effect: Effect, operations: Set<Operation.Kind>?, file: String? = nil,
            from first: Int, _ repetition: Repetition
        ) {
            self.effect = effect
            self.operations = operations
            self.file = file
            self.first = first
            self.repetition = repetition
        }

        /// Operations fail from number `first` on.
        ///
        /// A write that fails may have written any part of its bytes. A sync that fails leaves
        /// bytes that readers see and the disk never gets, unless they are written again: that is
        /// what Linux does.
        ///
        /// - Parameters:
        ///   - failure: What the program is told.
        ///   - operations: The kinds of operations that fail; `nil` for all.
        ///   - first: The number of the first operation that can fail, counted as
        ///     ``SimulatedDisk/operationCount`` counts.
        ///   - repetition: Whether later operations fail too.
        public init(
            _ failure: Failure, operations: Set<Operation.Kind>? = nil, from first: Int = 0,
            _ repetition: Repetition = .once
        ) {
            self.init(.failure(failure), operations: operations, from: first, repetition)
        }

        /// The power goes off in the middle of operation number `first`.
        ///
        /// Everything fails until ``SimulatedDisk/crash(keeping:)`` turns it on again.
        public static func powerCut(at first: Int) -> Fault {
            Fault(.powerCut, operations: nil, from: first, .untilHealed)
        }

        /// A place of a file cannot be read any more, and keeps nothing that is written to it.
        ///
        /// A read that touches it fails (`EIO`). A write to it is accepted, because it only reaches
        /// the system's memory; the next sync of the file fails, and leaves the place as it was.
        ///
        /// - Parameters:
        ///   - bytes: The place; every sector of 512 bytes with one of them is bad.
        ///   - file: The name of the file, relative to the store.
        public static func badSectors(_ bytes: Range<Int>, of file: String) -> Fault {
            Fault(
                .badSectors(bytes), operations: [.read, .sync], file: file, from: 0, .untilHealed)
        }

        /// A write is reported as done, synced as well, and never reaches the disk.
        ///
        /// Readers see the new bytes until the system forgets its copy, and the old ones after a
        /// crash. No program can notice that before; it can notice afterwards.
        ///
        /// - Parameters:
        ///   - file: The file, by its name relative to the store; `nil` for any.
        ///   - first: The number of the first operation that can be lost.
        ///   - repetition: Whether later writes are lost too.
        public static func lostWrite(
            to file: String? = nil, from first: Int = 0, _ repetition: Repetition = .once
        ) -> Fault {
            Fault(.lostWrite, operations: [.write], file: file, from: first, repetition)
        }

        /// A write is lost, and its bytes overwrite another place of the same file instead.
        ///
        /// Beyond the end of the file they hit nothing.
        ///
        /// - Parameters:
        ///   - sectors: How many sectors of 512 bytes they miss their place by; forwards if positive.
        ///   - file: The file, by its name relative to the store; `nil` for any.
        ///   - first: The number of the first operation that can go astray.
        ///   - repetition: Whether later writes go astray too.
        public static func misdirectedWrite(
            by sectors: Int, to file: String? = nil, from first: Int = 0,
            _ repetition: Repetition = .once
        ) -> Fault {
            Fault(
                .misdirectedWrite(sectors: sectors), operations: [.write], file: file, from: first,
                repetition)
        }

        /// The file system gives up its journal a moment before a sync looks at it, and the sync reports
        /// success all the same.
        ///
        /// Of what it was to make durable only bytes at places that the file had already are; a new size
        /// and new names are not. From then on nothing can be changed (`EROFS`), and further syncs fail.
        /// That is what ext4 does when its journal fails, or when the file system is shut down, while
        /// somebody waits in `fdatasync`: the transaction is over by then, and whether it was given up is
        /// not asked.
        ///
        /// - Parameter first: The number of the first operation that can be that sync.
        public static func abortedJournal(from first: Int = 0) -> Fault {
            Fault(.abortedJournal, operations: [.sync, .syncDirectory], from: first, .once)
        }

        /// Operations take time, by the clock of the disk.
        ///
        /// They succeed all the same, or fail as another fault wants it. Timers still run only in
        /// ``SimulatedDisk/fireTimers()``.
        ///
        /// - Parameters:
        ///   - nanoseconds: How long each takes.
        ///   - operations: The kinds of operations that are slow; `nil` for all.
        ///   - first: The number of the first operation that can be slow.
        ///   - repetition: Whether later operations are slow too.
        public static func delay(
            nanoseconds: Int64, operations: Set<Operation.Kind>? = nil, from first: Int = 0,
            _ repetition: Repetition = .untilHealed
        ) -> Fault {
            Fault(
                .delay(nanoseconds: nanoseconds), operations: operations, from: first, repetition)
        }

        /// Nothing can be changed any more.
        static func readOnlyDisk(from first: Int) -> Fault {
            Fault(
                .readOnlyDisk, operations: Set(Operation.Kind.allCases.filter(\.changesDisk)),
                from: first, .untilHealed)
        }

        var isDelay: Bool {
            if case .delay = effect { true } else { false }
        }
    }

    /// Something that a program asked of the disk.
    public struct Operation: Hashable, Sendable, CustomStringConvertible {
        /// What was asked.
        public enum Kind: String, Hashable, Sendable, CaseIterable {
            /// A directory was made.
            case makeDirectory
            /// The names in a directory were read.
            case list
            /// A file was opened.
            case open
            /// A file was made.
            case create
            /// A file got another name.
            case rename
            /// A file lost its name.
            case remove
            /// The names in a directory were made durable.
            case syncDirectory
            /// The lock was taken.
            case lock
            /// The size or the number of names of a file was asked for.
            case status
            /// Bytes were read.
            case read
            /// Bytes were written.
            case write
            /// A file's content and size were made durable.
            case sync
            /// A file was cut or extended.
            case truncate

            var changesDisk: Bool {
                switch self {
                case .list, .open, .status, .read: false
                default: true
                }
            }
        }

        /// The number of the operation, from 0.
        public var number: Int
        /// What was asked.
        public var kind: Kind
        /// The file or directory, relative to the store.
        public var file: String
        /// Where in the file, or its new size.
        public var offset: UInt64
        /// How many bytes.
        public var count: Int
        /// Whether the disk made it fail, or lied about it.
        public var hasFailed = false

        /// One line for a trace.
        public var description: String {
            let range =
                switch kind {
                case .read, .write: " \(count) bytes at \(offset)"
                case .truncate: " to \(offset) bytes"
                default: ""
                }
            return "#\(number) \(kind.rawValue) \(file)\(range)\(hasFailed ? " FAILED" : "")"
        }

        /// Whether it can change what a crash leaves.
        public var changesDisk: Bool { kind.changesDisk }
    }
}
