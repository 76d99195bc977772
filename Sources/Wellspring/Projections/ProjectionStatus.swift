/// What a projection is doing, and how far it is behind.
public struct ProjectionStatus: Sendable {
    /// What the projection is doing.
    public let state: ProjectionState
    /// The last position that its model has taken in.
    public let position: LogPosition
    /// The end of the log at the moment of asking.
    public let head: LogPosition
    /// How many positions of the log are still to be looked at.
    public var lagEvents: UInt64 { head.rawValue - min(position, head).rawValue }
    /// How long the oldest event that the model lacks has been in the log; zero when it lacks none.
    public let lagTime: Duration
}

/// What a projection is doing.
@nonexhaustive
public enum ProjectionState: Sendable {
    /// Its runner does not run yet, or is looking for saved state.
    case starting
    /// It replays what is in the log. Questions wait until it is through for the first time.
    case catchingUp
    /// It takes in events as they come.
    case live
    /// A second model is being replayed beside the one that answers.
    case rebuilding(RebuildProgress)
    /// It takes in nothing more until it is run again.
    case stopped(ProjectionStop)
}

/// How far a rebuild has come.
public struct RebuildProgress: Hashable, Sendable {
    /// The last position that the new model has taken in.
    public let position: LogPosition
    /// The end of the log when the rebuild began; it may have to go further.
    public let target: LogPosition
}

/// Why a projection takes in nothing more.
public struct ProjectionStop: Error, Sendable {
    /// Which projection.
    public let projection: ProjectionName
    /// The model holds every event up to here, and no half of an append.
    public let position: LogPosition
    /// What happened.
    public let reason: Reason

    /// What stops a projection.
    @nonexhaustive
    public enum Reason: Sendable {
        /// An event could not be taken in. Correct the projection or the event type, and start
        /// again.
        case event(FailedEvent)
        /// The log could not be read.
        case store(EventStoreError)
        /// The task of ``ProjectionRunner/run()`` was cancelled: an orderly end.
        case cancelled
    }
}

/// An event that a projection could not take in.
public struct FailedEvent: Error, Sendable {
    /// Where it is in the log.
    public let position: LogPosition
    /// Its stream.
    public let stream: StreamID
    /// Which event of the stream it is.
    public let version: StreamVersion
    /// Its stored name.
    public let name: EventName
    /// ``EventCodingError`` when it cannot be read, or what ``Projection/apply(_:)`` threw.
    public let error: any Error

    init(_ recorded: RecordedEvent, error: any Error) {
        position = recorded.position
        stream = recorded.stream
        version = recorded.version
        name = recorded.event.name
        self.error = error
    }
}

extension ProjectionStop: CustomStringConvertible {
    /// The reason, and what to do next.
    public var description: String {
        switch reason {
        case .event(let failed):
            "Projection \(projection) stopped after position \(position): \(failed) Then run it again."
        case .store(let error):
            "Projection \(projection) stopped after position \(position): \(error) Then run it again."
        case .cancelled:
            "Projection \(projection) was ended after position \(position). Run it again to go on."
        }
    }
}

extension FailedEvent: CustomStringConvertible {
    /// The event, the error, and what to do next.
    public var description: String {
        "event \(name) at position \(position) (\(stream), version \(version)) failed: \(error). "
            + "Correct the projection or the event type."
    }
}

/// Why a projection could not be run or rebuilt.
@nonexhaustive
public enum ProjectionFailure: Error, Sendable {
    /// An event could not be taken in. A rebuild that ends so leaves the model in use as it was.
    case stopped(ProjectionStop)
    /// The log could not be read.
    case store(EventStoreError)
    /// The same is going on already; wait for that one.
    case busy
    /// The task was cancelled.
    case cancelled
}

extension ProjectionFailure: CustomStringConvertible {
    /// The failure in a sentence.
    public var description: String {
        switch self {
        case .stopped(let stop): "\(stop)"
        case .store(let error): "\(error)"
        case .busy: "The same is going on already; wait for that one."
        case .cancelled: "The task was cancelled. It may be run again."
        }
    }
}

/// Something about a projection that an operator wants to know.
@nonexhaustive
public enum ProjectionNotice: Sendable {
    /// The saved state is of no use, for the reason said; the log is replayed instead.
    case checkpointDiscarded(reason: String)
    /// The projection has caught up with the log.
    case live(LogPosition)
    /// The state was saved.
    case saved(LogPosition, bytes: Int)
    /// The state could not be saved; the projection goes on and will try again.
    case notSaved(reason: String)
    /// A rebuilt model took the place of the one before.
    case rebuilt(LogPosition)
    /// The projection takes in nothing more.
    case stopped(ProjectionStop)
}
