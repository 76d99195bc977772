extension SimulatedDisk {
    /// A trouble that the disk makes for the program, see ``SimulatedDisk/inject(_:)``.
    public struct Fault: Hashable, Sendable {
        /// What the program is told.
        public enum Failure: Hashable, Sendable {
            /// The medium cannot be read or written (`EIO`).
            case inputOutput
            /// The disk is full (`ENOSPC`).
            case noSpace
            /// Somebody took the permission away (`EACCES`).
            case accessDenied
            /// The file system was made read-only (`EROFS`).
            case readOnly
            /// The process has too many open files (`EMFILE`).
            case tooManyFiles
        }

        /// How often it happens.
        public enum Repetition: Hashable, Sendable {
            /// The first time it can.
            case once
            /// Each time from then on, until ``SimulatedDisk/heal()``.
            case untilHealed
        }

        var failure: Failure
        var operations: Set<Operation.Kind>?
        var first: Int
        var repetition: Repetition
        var isPowerCut = false

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
            self.failure = failure
            self.operations = operations
            self.first = first
            self.repetition = repetition
        }

        /// The power goes off in the middle of operation number `first`.
        ///
        /// Everything fails until ``SimulatedDisk/crash(keeping:)`` turns it on again.
        public static func powerCut(at first: Int) -> Fault {
            var fault = Fault(.inputOutput, from: first, .untilHealed)
            fault.isPowerCut = true
            return fault
        }

        func applies(to kind: Operation.Kind, number: Int) -> Bool {
            number >= first && operations?.contains(kind) ?? true
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
        /// Whether the disk made it fail.
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
        public var changesDisk: Bool {
            switch kind {
            case .list, .open, .status, .read: false
            default: true
            }
        }
    }
}
