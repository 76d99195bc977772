import WellspringLog

/// A place in the log from which a page can be continued.
struct ResumePoint {
    var segment: UInt32
    /// Where the next frame begins, or the next item of a frame's body.
    var offset: UInt64
    /// The frame in which the place lies, if it lies between two appends of one.
    var inside: Inside?

    struct Inside {
        /// The frame, whose body was found intact.
        let header: FrameHeader
        /// How many of its records come before the place.
        var index: UInt32 = 0

        /// Where the body ends.
        var end: UInt64 { header.offset + UInt64(FrameHeader.length) + UInt64(header.bodyLength) }
    }

    init(segment: UInt32, offset: UInt64) {
        self.segment = segment
        self.offset = offset
    }

    /// The place before the first item of a frame.
    init(inside header: FrameHeader, in segment: UInt32) {
        self.segment = segment
        offset = header.offset + UInt64(FrameHeader.length)
        inside = Inside(header: header)
    }
}

extension ResumePoint {
    /// Goes on to the frame that holds an event, if it lies ahead.
    mutating func advance(to event: EventPlace) {
        guard segment != event.segment || offset < UInt64(event.frame) else { return }
        self = ResumePoint(segment: event.segment, offset: UInt64(event.frame))
    }
}

/// Where the last few pages ended, by the position after which they would be continued.
struct ResumePoints {
    private static let limit = 16
    private var points: [(after: UInt64, point: ResumePoint)] = []
    private var oldest = 0
    /// The end of what is written.
    private var end: (segment: UInt32, offset: UInt64) = (0, 0)

    func find(_ after: UInt64) -> ResumePoint? {
        points.first { $0.after == after }?.point
    }

    mutating func note(_ point: ResumePoint, after: UInt64) {
        if let known = points.firstIndex(where: { $0.after == after }) {
            points[known].point = point
        } else if points.count < Self.limit {
            points.append((after, point))
        } else {
            points[oldest] = (after, point)
            oldest = (oldest + 1) % Self.limit
        }
    }

    /// Learns how far the newest segment is written.
    mutating func wrote(_ frame: FramePlace) {
        let length = (frame.bodyLength + 7) & ~7 + FrameHeader.length
        end = (frame.segment, frame.offset + UInt64(length))
    }

    /// How many bytes are written behind a place of the newest segment, if it is known.
    func bytesWritten(behind place: ResumePoint) -> Int? {
        guard place.segment == end.segment, end.offset > place.offset else { return nil }
        return Int(clamping: end.offset - place.offset)
    }
}
