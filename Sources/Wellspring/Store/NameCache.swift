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

    fileprivate struct SegmentNames {
        var streams: [UInt32: StreamID] = [:]
        var types: [UInt32: StoredType] = [:]
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

    /// The stream that `reference` stands for; reads the definition with `read` if it is not known.
    func stream(
        _ reference: UInt32, in segment: UInt32,
        read: () throws(EventStoreError) -> Definition
    ) throws(EventStoreError) -> StreamID {
        if let known = names.withLock({ $0.segments[segment]?.streams[reference] }) {
            return known
        }
        guard case .stream(let stream) = try read() else {
            throw .undefined(reference, in: segment)
        }
        names.withLock { $0.learn(.stream(stream), reference, in: segment) }
        return stream
    }

    /// The type that `reference` stands for; reads the definition with `read` if it is not known.
    func type(
        _ reference: UInt32, in segment: UInt32,
        read: () throws(EventStoreError) -> Definition
    ) throws(EventStoreError) -> StoredType {
        if let known = names.withLock({ $0.segments[segment]?.types[reference] }) {
            return known
        }
        guard case .type(let type) = try read() else {
            throw .undefined(reference, in: segment)
        }
        names.withLock { $0.learn(.type(type), reference, in: segment) }
        return type
    }
}

extension NameCache.Names {
    fileprivate mutating func learn(
        _ definition: Definition, _ reference: UInt32, in segment: UInt32
    ) {
        if count >= NameCache.limit {
            segments = [:]
            count = 0
        }
        count += 1
        switch definition {
        case .stream(let stream):
            segments[segment, default: .init()].streams[reference] = stream
        case .type(let type):
            segments[segment, default: .init()].types[reference] = type
        }
    }
}

extension EventStoreError {
    fileprivate static func undefined(_ reference: UInt32, in segment: UInt32) -> EventStoreError {
        .damaged(
            StoreDamage(
                file: LogLayout.segment(segment), offset: UInt64(reference) * 8,
                reason: "a record whose names are not defined"))
    }
}
