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
        var segments: [UInt32: NameTable] = [:]
        var count = 0
    }

    /// The names of a segment that are known at this moment.
    func names(of segment: UInt32) -> NameTable {
        names.withLock { $0.segments[segment] } ?? .empty
    }

    /// Learns what a frame defined.
    func learn(
        _ definitions: [(reference: UInt32, definition: Definition)], in segment: UInt32
    ) {
        guard !definitions.isEmpty else { return }
        names.withLock { names in
            for (reference, definition) in definitions {
                _ = names.learn(definition, reference, in: segment)
            }
        }
    }

    /// Learns one name, and returns all names of the segment.
    func learning(
        _ definition: Definition, as reference: UInt32, in segment: UInt32
    ) -> NameTable {
        names.withLock { $0.learn(definition, reference, in: segment) }
    }
}

extension NameCache.Names {
    /// A frame is read more than once, and defines the same names each time.
    fileprivate mutating func learn(
        _ definition: Definition, _ reference: UInt32, in segment: UInt32
    ) -> NameTable {
        if count >= NameCache.limit {
            // Who reads the log from front to back needs those of one segment at a time.
            let kept = segments[segment].flatMap { $0.count < NameCache.limit / 2 ? $0 : nil }
            segments = kept.map { [segment: $0] } ?? [:]
            count = kept?.count ?? 0
        }
        let known = segments[segment] ?? .empty
        let before = known.count
        let table = known.adding(definition, as: reference)
        count += table.count - before
        if table !== known { segments[segment] = table }
        return table
    }
}
