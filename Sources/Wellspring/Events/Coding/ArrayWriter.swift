/// Writes the elements of an array.
struct ArrayWriter: UnkeyedEncodingContainer {
    let draft: PayloadDraft
    let container: Int
    let path: PayloadPath?

    var codingPath: [any CodingKey] { path.keys }
    var count: Int { draft.containers[container].count }

    func encodeNil() throws { add { $0.appendNull() } }
    func encode(_ value: Bool) throws { add { $0.append(value) } }
    func encode(_ value: String) throws { add { $0.append(text: value) } }
    func encode(_ value: Double) throws {
        try draft.check(value) { next }
        add { $0.append(number: value) }
    }
    func encode(_ value: Float) throws {
        try draft.check(value) { next }
        add { $0.append(number: value) }
    }
    func encode(_ value: Int) throws { add { $0.append(number: value) } }
    func encode(_ value: Int8) throws { add { $0.append(number: value) } }
    func encode(_ value: Int16) throws { add { $0.append(number: value) } }
    func encode(_ value: Int32) throws { add { $0.append(number: value) } }
    func encode(_ value: Int64) throws { add { $0.append(number: value) } }
    func encode(_ value: Int128) throws { add { $0.append(number: value) } }
    func encode(_ value: UInt) throws { add { $0.append(number: value) } }
    func encode(_ value: UInt8) throws { add { $0.append(number: value) } }
    func encode(_ value: UInt16) throws { add { $0.append(number: value) } }
    func encode(_ value: UInt32) throws { add { $0.append(number: value) } }
    func encode(_ value: UInt64) throws { add { $0.append(number: value) } }
    func encode(_ value: UInt128) throws { add { $0.append(number: value) } }
    func encode<T: Encodable>(_ value: T) throws {
        try draft.write(value, draft.mark(elementOf: container), in: container) { next }
    }

    // MARK: Containers

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) -> KeyedEncodingContainer<Nested> {
        let path = next
        return KeyedEncodingContainer(
            ObjectWriter<Nested>(draft: draft, container: nested(isObject: true), path: path))
    }
    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        let path = next
        return ArrayWriter(draft: draft, container: nested(isObject: false), path: path)
    }
    func superEncoder() -> any Encoder {
        let path = next
        let made = draft.newPlace(depth: draft.containers[container].depth)
        draft.add(draft.mark(elementOf: container), .place(made), to: container)
        return PayloadPen(draft: draft, place: made, path: path)
    }

    private func nested(isObject: Bool) -> Int {
        let depth = draft.containers[container].depth + 1
        let made = draft.newContainer(isObject: isObject, depth: depth)
        draft.add(draft.mark(elementOf: container), .container(made), to: container)
        return made
    }

    @inline(__always)
    private func add(_ write: (inout PayloadBuffer) -> Void) {
        let mark = draft.mark(elementOf: container)
        write(&draft.text)
        draft.addText(mark, to: container)
    }

    private var next: PayloadPath { PayloadPath(index: count, after: path) }
}
