/// A log of events that can be read and followed, but not written to.
///
/// Every ``EventStore`` is one. What only reads takes an `EventSource`, so it works with a store, and
/// just as well with a ``FileEventReader`` beside a writer in another process. An append to such a
/// reader does not compile.
public protocol EventSource: Sendable {
    /// Reads a page of one stream.
    ///
    /// A stream that was never written to reads as empty. One that was truncated is read from where it
    /// begins by now, also when the request begins before that.
    func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage

    /// Reads a page of the log that all streams share.
    ///
    /// An event at position *p* is returned only once every earlier event is readable too, so a
    /// reader that remembers ``LogPage/end`` misses nothing. A page never splits an append.
    func read(_ request: LogRead) async throws(EventStoreError) -> LogPage

    /// Returns once an event after `position` can be read; at once when there is one.
    ///
    /// - Throws: ``EventStoreError/cancelled`` when the task is cancelled,
    ///   ``EventStoreError/closed`` or ``EventStoreError/poisoned(_:)`` when no event can come.
    func waitForEvents(after position: LogPosition) async throws(EventStoreError)
}
