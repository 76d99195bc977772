import WellspringLog

// A reference is the offset of a definition, divided by 8. So a name can be read without anything of
// what lies before it.

extension Definition {
    /// What is read at first: few names are longer.
    static let usualBytes = 256
    /// What a definition with the longest name takes.
    static let mostBytes = RecordFormat.definitionHeader + Int(UInt16.max)

    /// Reads the definition that a reference means from `bytes`, which begin where it says.
    init(_ reference: UInt32, from bytes: UnsafeRawBufferPointer) throws(MalformedBody) {
        var reader = BodyReader(bytes, at: UInt64(reference) * 8)
        // Where a definition became zeros, the next one is found: another name.
        guard case .definition(reference, let definition)? = try reader.next() else {
            throw MalformedBody(offset: 0, reason: "no name where one is referred to")
        }
        self = definition
    }

    /// Reads the definition that a reference means from a segment's file; `nil` when none is there
    /// that its own checksum proves.
    static func read(_ reference: UInt32, from file: any StoreFile) -> Definition? {
        for count in [usualBytes, mostBytes] {
            let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                let target = UnsafeMutableRawBufferPointer(buffer)
                filled = (try? file.read(into: target, at: UInt64(reference) * 8)) ?? 0
            }
            let found = bytes.withUnsafeBytes { try? Definition(reference, from: $0) }
            guard found == nil, bytes.count == count else { return found }
        }
        return nil
    }
}
