public import Wellspring

extension FaultyEventStore {
    /// What can be asked of a store.
    public enum Operation: String, Hashable, Sendable, CaseIterable {
        /// An append.
        case append
        /// A request to truncate or delete a stream.
        case truncate
        /// A request to redact events.
        case redact
        /// A read of one stream.
        case readStream
        /// A read of the log.
        case readLog
        /// A wait for events.
        case wait

        /// Whether it stores something.
        var isWrite: Bool {
            switch self {
            case .append, .truncate, .redact: true
            case .readStream, .readLog, .wait: false
            }
        }

        var question: UInt64 { Dice.question(rawValue) }
    }

    /// How often a fault happens.
    public enum Repetition: Hashable, Sendable {
        /// To one call.
        case once
        /// To every call from then on, until ``FaultyEventStore/heal()``.
        case untilHealed
    }

    /// A call that met a fault.
    public struct Encounter: Hashable, Sendable {
        /// What was asked.
        public let operation: Operation
        /// Which one of its kind it was, from 1.
        public let number: Int
        /// What happened.
        public let fault: Fault
    }

    /// A trouble that the store makes, see ``FaultyEventStore/inject(_:afterSparing:_:)``.
    public struct Fault: Hashable, Sendable {
        enum Effect: Hashable, Sendable {
            case failBefore(EventStoreError)
            case loseRequest
            case conflict
            case rival(AppendRequest)
            case delayBefore
            case failAfter(EventStoreError)
            case loseAnswer
            case delayAfter
            case failRead(EventStoreError)
            case shortRead(Int)
            case delayRead
            case failWait(EventStoreError)
        }

        let effect: Effect

        /// The events are stored and can be read, and the caller is told
        /// ``EventStoreError/outcomeUnknown(_:)``: the connection broke before the answer.
        public static let lostAcknowledgement = Fault(effect: .loseAnswer)

        /// Nothing is stored, and the caller is told ``EventStoreError/outcomeUnknown(_:)``: the
        /// connection broke before the request.
        ///
        /// The other half of ``lostAcknowledgement``. Who treats the two alike has looked at only
        /// one of them.
        public static let lostRequest = Fault(effect: .loseRequest)

        /// Nothing is stored, and the caller is told so.
        ///
        /// - Parameter error: What the caller is told.
        public static func failureBeforeCommit(
            _ error: EventStoreError = .notStored(reason: "a fault was injected")
        ) -> Fault {
            Fault(effect: .failBefore(error))
        }

        /// The events are stored, and the caller is told `error`.
        ///
        /// A store of this library says ``EventStoreError/outcomeUnknown(_:)`` when it does not
        /// know; see ``lostAcknowledgement``. This one is for errors of other storages.
        public static func failureAfterCommit(_ error: EventStoreError) -> Fault {
            Fault(effect: .failAfter(error))
        }

        /// The append loses against a writer that is nowhere to be seen; nothing is stored.
        ///
        /// Happens to appends that expect something of a stream, and spares those that do not care.
        public static let conflict = Fault(effect: .conflict)

        /// Another append is quicker, and stays: a real conflict, where the two concern one stream.
        public static func rival(_ request: AppendRequest) -> Fault {
            Fault(effect: .rival(request))
        }

        /// The append waits for ``FaultyEventStore/release()`` before it begins; a cancellation
        /// ends it with nothing stored.
        public static let delayBeforeCommit = Fault(effect: .delayBefore)

        /// The events are stored and can be read, and the answer waits for
        /// ``FaultyEventStore/release()``, cancelled or not.
        public static let delayAfterCommit = Fault(effect: .delayAfter)

        /// A read of a stream or of the log fails.
        ///
        /// - Parameter error: What the caller is told.
        public static func failedRead(
            _ error: EventStoreError = .io(call: "read", file: "injected", code: 5)
        ) -> Fault {
            Fault(effect: .failRead(error))
        }

        /// A page is full sooner than asked for.
        ///
        /// - Parameter events: With how many events; a page of the log holds whole appends all the
        ///   same.
        public static func shortRead(events: Int = 1) -> Fault {
            Fault(effect: .shortRead(max(1, events)))
        }

        /// A page is read and waits for ``FaultyEventStore/release()``: what comes meanwhile is not
        /// in it.
        public static let delayedRead = Fault(effect: .delayRead)

        /// A wait for events fails.
        ///
        /// - Parameter error: What the caller is told.
        public static func failedWait(
            _ error: EventStoreError = .storage(reason: "the connection broke")
        ) -> Fault {
            Fault(effect: .failWait(error))
        }

        func canHappen(to operation: Operation, _ request: AppendRequest?) -> Bool {
            switch effect {
            case .failBefore, .loseRequest, .rival, .delayBefore, .failAfter, .loseAnswer,
                .delayAfter:
                operation.isWrite
            case .conflict:
                operation.isWrite
                    && request.flatMap(FaultyEventStore.conflict(with:)) != nil
            case .failRead, .shortRead, .delayRead:
                operation == .readStream || operation == .readLog
            case .failWait:
                operation == .wait
            }
        }
    }

    /// How likely a call meets a fault, each from 0 to 1.
    ///
    /// Faults of one kind of call exclude each other, so their chances add up.
    public struct Chances: Hashable, Sendable {
        /// Of appends that are stored and not acknowledged.
        public var lostAcknowledgement = 0.0
        /// Of appends that are not stored, with an outcome that is unknown to the caller.
        public var lostRequest = 0.0
        /// Of appends that are not stored, and reported so.
        public var failureBeforeCommit = 0.0
        /// Of appends that are refused for a conflict that there was not.
        public var conflict = 0.0
        /// Of reads that fail.
        public var failedRead = 0.0
        /// Of reads that return a single event, or append, at most.
        public var shortRead = 0.0

        /// Creates chances of nothing at all.
        public init() {}

        func fault(
            for operation: Operation, _ request: AppendRequest?, _ roll: UInt64
        ) -> Fault? {
            let table: [(Double, Fault)] =
                switch operation {
                case .append, .truncate, .redact:
                    [
                        (lostAcknowledgement, .lostAcknowledgement), (lostRequest, .lostRequest),
                        (failureBeforeCommit, .failureBeforeCommit()), (conflict, .conflict),
                    ]
                case .readStream, .readLog:
                    [(failedRead, .failedRead()), (shortRead, .shortRead())]
                case .wait: []
                }
            // The upper half of the bits, which is as fair as a double can tell.
            var rest = Double(roll >> 11) / Double(UInt64(1) << 53)
            for (chance, fault) in table {
                if rest < chance { return fault.canHappen(to: operation, request) ? fault : nil }
                rest -= chance
            }
            return nil
        }
    }
}
