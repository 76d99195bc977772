import WellspringLog

/// What the names mean that records refer to.
///
/// A name is written once a segment; what is not known here is read from there. Bounded, and made
/// again at any time.
final class NameCache: Sendable {
    private let names = Guarded(Names())
    /// How many names are kept at most.
    fileprivate static let limit = 1 << 17

    fileprivate struct Names {
        var segments: [UInt32: SegmentNames] = [:]
        var count = 0
    }

    /// The names of one segment that are known.
    struct SegmentNames {
        fileprivate(set) var streams: [UInt32: StreamID] = [:]
        fileprivate(set) var types: [UInt32: StoredType] = [:]

        fileprivate var count: Int { streams.count + types.count }
    }

    /// Learns what a frame defined.
    func learn(
        _ definitions: [(reference: UInt32, definition: Definition)], in segment: UInt32
    ) {
        guard !definitions.isEmpty else { return }
        names.withLock { names in
            for (reference, definition) in definitions {
                names.learn(definition, reference, in: segment)
            }
        }
    }

    /// Calls `body` with the names of a segment that are known.
    func withNames<Result>(of segment: UInt32, _ body: (borrowing SegmentNames) -> Result) -> Result
    {
        names.withLock { body($0.segments[segment] ?? SegmentNames()) }
    }
}

extension NameCache.Names {
    fileprivate mutating func learn(
        _ definition: Definition, _ reference: UInt32, in segment: UInt32
    ) {
        if count >= NameCache.limit {
            // Who reads the log from front to back needs those of one segment at a time.
            let kept = segments[segment].flatMap { $0.count < NameCache.limit / 2 ? $0 : nil }
            segments = kept.map { [segment: $0] } ?? [:]
            count = kept?.count ?? 0
        }
        if segments[segment, default: .init()].learn(definition, reference) { count += 1 }
    }
}

extension NameCache.SegmentNames {
    /// Returns whether the name was not known before.
    ///
    /// A frame is read more than once, and defines the same names each time.
    fileprivate mutating func learn(_ definition: Definition, _ reference: UInt32) -> Bool {
        switch definition {
        case .stream(let stream): streams.updateValue(stream, forKey: reference) == nil
        case .type(let type): types.updateValue(type, forKey: reference) == nil
        }
    }
}
