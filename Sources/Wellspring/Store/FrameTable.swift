import WellspringLog

/// A record on its way into a page.
struct FoundRecord {
    let record: RawRecord
    let position: UInt64
    /// When its frame was written.
    let frameTime: Int64
    let payload: EventPayload
}

/// What is known of the frames whose events were read lately, so that a stream whose events lie in
/// large frames costs one read an event.
struct FrameTable {
    struct Frame {
        let firstPosition: UInt64
        let eventCount: UInt32
        let recordedAt: Int64

        init(_ header: FrameHeader) {
            firstPosition = header.firstPosition
            eventCount = header.eventCount
            recordedAt = header.recordedAt
        }
    }

    private static let limit = 1 << 13
    private var frames: [UInt64: Frame] = [:]

    func find(_ segment: UInt32, _ offset: UInt32) -> Frame? {
        frames[UInt64(segment) << 32 | UInt64(offset)]
    }

    mutating func keep(_ frame: Frame, _ segment: UInt32, _ offset: UInt32) {
        if frames.count >= Self.limit { frames.removeAll(keepingCapacity: true) }
        frames[UInt64(segment) << 32 | UInt64(offset)] = frame
    }
}
