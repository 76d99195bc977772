import WellspringLog

/// Where an event lies.
struct EventPlace: Hashable, Sendable {
    /// The number of the segment.
    var segment: UInt32
    /// The offset of the record in the segment's file.
    var offset: UInt32
    /// The offset of the header of the record's frame: a multiple of 8 before the record.
    var frame: UInt32
    /// How many records of the frame come before it.
    var index: UInt32
}

/// One event in the list of a stream or a tag.
struct IndexEntry: Hashable, Sendable {
    /// The event's version in its stream, or its position in the list of a tag.
    var number: UInt64
    var place: EventPlace
}

/// The sequences of the commits that a run covers.
struct IndexRange: Hashable, Sendable {
    var first: UInt64
    var last: UInt64
}

/// Why an index could not be read or written.
///
/// An index is made again from the log, so there is nothing to repair.
enum IndexError: Error, Hashable, Sendable {
    /// The file is not what its writer made, from `offset` on. Throw it away and make it again.
    case damaged(file: String, offset: UInt64, reason: String)
    /// The file is whole, and of another store, or under the name of another one.
    case misplaced(file: String, offset: UInt64, reason: String)
    /// A newer version wrote the file. Make another one in its place.
    case unsupported(file: String, reason: String)
    /// The machine failed.
    case system(SystemError)
}
