/// How far a stream goes, and where reads of it begin.
struct StreamExtent: Hashable, Sendable {
    /// The version of the stream.
    var last: UInt64
    /// The first version that reads show; one more than `last` where they show none.
    var first: UInt64 = 1
}

/// Finds streams and their events, wherever they are kept.
protocol StreamSource {
    /// The version of a stream with its last event at or before `visible`; 0 without any.
    func version(of stream: StreamID, through visible: UInt64) throws(EventStoreError) -> UInt64

    /// Reads a page of a stream of that extent.
    ///
    /// Stops after the event with which the limit in bytes is reached, and reads at least one.
    func events(
        _ read: StreamRead, in extent: StreamExtent
    ) throws(EventStoreError) -> [RecordedEvent]
}

extension StreamSource {
    /// The extent of a stream with its last event, and the last request to truncate it, at or before
    /// `visible`.
    func extent(
        of stream: StreamID, through visible: UInt64
    ) throws(EventStoreError) -> StreamExtent {
        var extent = StreamExtent(last: try version(of: stream, through: visible))
        // Nearly every stream was never truncated: then the index alone says so.
        guard extent.last > 0, !stream.isReserved,
            let request = try lastEvent(
                of: StreamTruncation.requests(about: stream), through: visible)
        else { return extent }
        let before = try StreamTruncation(request).before.rawValue
        extent.first = before <= extent.last ? max(1, before) : extent.last + 1
        // A request is about what was there when it was made. Where damage cost a stream its last
        // events, new ones took their versions afterwards, and those are to be seen.
        while let event = try event(of: stream, before: extent.first, extent.last),
            event.position > request.position
        {
            extent.first = event.version.rawValue
        }
        return extent
    }

    private func lastEvent(
        of stream: StreamID, through visible: UInt64
    ) throws(EventStoreError) -> RecordedEvent? {
        let last = try version(of: stream, through: visible)
        return last == 0 ? nil : try event(of: stream, before: nil, last)
    }

    /// The last event before a version of a stream that ends at `last`.
    private func event(
        of stream: StreamID, before version: UInt64?, _ last: UInt64
    ) throws(EventStoreError) -> RecordedEvent? {
        let read = StreamRead(
            stream, .backward(before: version.map { StreamVersion($0) }),
            limit: ReadLimit(events: 1))
        return try events(read, in: StreamExtent(last: last)).first
    }
}

extension StreamRead {
    /// The versions that a page of a stream may hold; `nil` for none.
    func versions(in extent: StreamExtent) -> ClosedRange<UInt64>? {
        let first: UInt64
        let last: UInt64
        switch order {
        case .forward(let after):
            guard after.rawValue < extent.last else { return nil }
            (first, last) = (max(after.rawValue + 1, extent.first), extent.last)
        case .backward(let before):
            let most = before.map { $0.rawValue == 0 ? 0 : $0.rawValue - 1 } ?? extent.last
            (first, last) = (extent.first, min(most, extent.last))
        }
        return first <= last ? first...last : nil
    }

    var isForward: Bool {
        if case .forward = order { true } else { false }
    }
}

extension StreamPage {
    init(events: [RecordedEvent], of extent: StreamExtent) {
        self.init(
            events: events, version: StreamVersion(extent.last),
            firstVersion: StreamVersion(extent.first))
    }
}
