import WellspringLog

/// Replaces the references of the records of one segment by what they mean.
///
/// Holds the names that were known when it was made, so that most events cost no lock. For one
/// reader at a time.
final class RecordNames {
    private let reader: LogReader
    let segment: UInt32
    private(set) var known: NameTable
    /// Events that follow each other have few types.
    private var lastType: (reference: UInt32, type: StoredType)?

    init(of segment: UInt32, _ reader: LogReader) {
        self.segment = segment
        self.reader = reader
        known = reader.names.names(of: segment)
    }

    func learn(_ definition: Definition, as reference: UInt32) {
        known = reader.names.learning(definition, as: reference, in: segment)
    }

    func stream(_ reference: UInt32) throws(EventStoreError) -> StreamID {
        if let stream = known.stream(reference) { return stream }
        guard case .stream(let stream) = try read(reference) else { throw undefined(reference) }
        return stream
    }

    func type(_ reference: UInt32) throws(EventStoreError) -> StoredType {
        if let lastType, lastType.reference == reference { return lastType.type }
        let type: StoredType
        if let found = known.type(reference) {
            type = found
        } else {
            guard case .type(let found) = try read(reference) else { throw undefined(reference) }
            type = found
        }
        lastType = (reference, type)
        return type
    }

    /// Reads what was defined in a part of the segment that is not looked at.
    private func read(_ reference: UInt32) throws(EventStoreError) -> Definition {
        let definition: Definition
        do {
            definition = try FrameChunk.definition(reference, in: segment, of: reader.source)
        } catch {
            throw EventStoreError(error, path: "")
        }
        learn(definition, as: reference)
        return definition
    }

    private func undefined(_ reference: UInt32) -> EventStoreError {
        let file =
            (try? reader.source.segment(segment))?.place.fileName ?? LogLayout.segment(segment)
        return .damaged(
            StoreDamage(
                file: file, offset: UInt64(reference) * 8,
                reason: "a record whose names are not defined"))
    }
}
