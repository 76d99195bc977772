/// What an inspection comes across, in the order of the log.
package enum InspectedItem {
    /// A segment begins.
    case segment(InspectedSegment)
    /// A frame whose checksums hold and that follows the one before, or the place at which sense
    /// begins again. The body lives until the visitor returns.
    case frame(InspectedFrame)
    /// A frame of events whose header is sound and whose body is damaged: parts of it may still be
    /// proved by checksums of their own. The damage that is told next counts it as lost.
    case remains(InspectedFrame)
    /// Something that was acknowledged is damaged or missing.
    case damage(InspectedDamage)
    /// The rest of a write that nobody was told is done: the next opening cuts it off.
    case unfinished(file: String, Range<UInt64>)
}

/// A segment of an inspected log.
package struct InspectedSegment {
    package var file: String
    package var fileSize: UInt64
    package var header: SegmentHeader
    /// What the end of the segment says about it, if it is sealed and says so still.
    package var seal: Seal?

    package struct Seal {
        package var trailer: SegmentTrailer
        package var footer: SegmentFooter
    }
}

/// A valid frame of an inspected log.
package struct InspectedFrame {
    package var header: FrameHeader
    package var place: FramePlace
    package var body: UnsafeRawBufferPointer
    /// Whether a valid header behind it, a later segment or the MANIFEST says that it is durable.
    ///
    /// One that is not may be gone after a crash.
    package var isProven: Bool
    /// The file that it lies in, for what it refers to elsewhere in there.
    package var file: (any StoreFile)?
}

/// Damage, and what it costs.
package struct InspectedDamage: Hashable, Sendable {
    package var kind: Kind
    /// The file, relative to the store, and the offset in it at which sense ends.
    package var file: String
    package var offset: UInt64
    package var reason: String
    /// The frames that are lost by it, as far as is known.
    package var sequences: ClosedRange<UInt64>?
    /// The positions of the events that are lost by it.
    ///
    /// `nil` where that is counted with the damage reported before it, or cannot be said.
    package var positions: Range<UInt64>?
    /// Whether more may be lost behind what is told, because nothing says how far the log went.
    package var isOpenEnded = false

    package init(
        _ kind: Kind, _ file: String, at offset: UInt64, _ reason: String,
        sequences: ClosedRange<UInt64>? = nil, positions: Range<UInt64>? = nil
    ) {
        self.kind = kind
        self.file = file
        self.offset = offset
        self.reason = reason
        self.sequences = sequences
        self.positions = positions
    }

    /// What is damaged.
    package enum Kind: String, Hashable, Sendable {
        /// The file `STORE`.
        case identity
        /// The file `MANIFEST`.
        case manifest
        /// A whole segment is missing or cannot be opened, or another is in its place.
        case missingSegment
        /// The first page of a segment.
        case segmentHeader
        /// Frames, with the events in them.
        case frames
        /// What a sealed segment repeats about itself at its end.
        case footer
        /// The log does not end where the MANIFEST says that it does.
        case end
    }
}
