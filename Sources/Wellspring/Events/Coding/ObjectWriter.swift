/// Writes the members of an object.
struct ObjectWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let draft: PayloadDraft
    let container: Int
    let path: PayloadPath?

    var codingPath: [any CodingKey] { path.keys }

    func encodeNil(forKey key: Key) throws { add(key) { $0.appendNull() } }
    func encode(_ value: Bool, forKey key: Key) throws { add(key) { $0.append(value) } }
    func encode(_ value: String, forKey key: Key) throws { add(key) { $0.append(text: value) } }
    func encode(_ value: Double, forKey key: Key) throws {
        try draft.check(value) { place(key) }
        add(key) { $0.append(number: value) }
    }
    func encode(_ value: Float, forKey key: Key) throws {
        try draft.check(value) { place(key) }
        add(key) { $0.append(number: value) }
    }
    func encode(_ value: Int, forKey key: Key) throws { add(key) { $0.append(number: value) } }
    func encode(_ value: Int8, forKey key: Key) throws { add(key) { $0.append(number: value) } }
    func encode(_ value: Int16, forKey key: Key) throws { add(key) { $0.append(number: value) } }
    func encode(_ value: Int32, forKey key: Key) throws { add(key) { $0.append(number: value) } }
    func encode(_ value: Int64, forKey key: Key) throws { add(key) { $0.append(number: value) } }
    func encode(_ value: Int128, forKey key: Key) throws { add(key) { $0.append(number: value) } }
    func encode(_ value: UInt, forKey key: Key) throws { add(key) { $0.append(number: value) } }
    func encode(_ value: UInt8, forKey key: Key) throws { add(key) { $0.append(number: value) } }
    func encode(_ value: UInt16, forKey key: Key) throws { add(key) { $0.append(number: value) } }
    func encode(_ value: UInt32, forKey key: Key) throws { add(key) { $0.append(number: value) } }
    func encode(_ value: UInt64, forKey key: Key) throws { add(key) { $0.append(number: value) } }
    func encode(_ value: UInt128, forKey key: Key) throws { add(key) { $0.append(number: value) } }
    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        try draft.write(value, draft.mark(key: key.stringValue), in: container) { place(key) }
    }

    // MARK: Containers

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        KeyedEncodingContainer(
            ObjectWriter<Nested>(
                draft: draft, container: nested(key, isObject: true), path: place(key)))
    }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        ArrayWriter(draft: draft, container: nested(key, isObject: false), path: place(key))
    }
    func superEncoder() -> any Encoder { encoder(forKey: PayloadKey.superKey) }
    func superEncoder(forKey key: Key) -> any Encoder { encoder(forKey: key) }

    private func nested(_ key: Key, isObject: Bool) -> Int {
        let mark = draft.mark(key: key.stringValue)
        if let existing = draft.nestedContainer(under: mark, isObject: isObject, in: container) {
            return existing
        }
        let depth = draft.containers[container].depth + 1
        let made = draft.newContainer(isObject: isObject, depth: depth)
        draft.add(mark, .container(made), to: container)
        return made
    }

    private func encoder(forKey key: some CodingKey) -> PayloadPen {
        let made = draft.newPlace(depth: draft.containers[container].depth)
        draft.add(draft.mark(key: key.stringValue), .place(made), to: container)
        return PayloadPen(draft: draft, place: made, path: PayloadPath(key, after: path))
    }

    @inline(__always)
    private func add(_ key: Key, _ write: (inout PayloadBuffer) -> Void) {
        let mark = draft.mark(key: key.stringValue)
        write(&draft.text)
        draft.addText(mark, to: container)
    }

    private func place(_ key: Key) -> PayloadPath { PayloadPath(key, after: path) }
}
