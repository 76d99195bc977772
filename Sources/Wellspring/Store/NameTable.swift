import Synchronization
import WellspringLog

/// What the references of one segment mean, for any number of readers beside one that adds.
///
/// Readers take no lock: whoever reads the log looks up two names for each event, and would wait for
/// every other reader. A table is filled up and then replaced by a larger one; who still looks into
/// the old one misses what came later, and reads that from the file.
///
/// Names lie in the order in which they were learned, which is that of the log: events near each
/// other find theirs near each other. With many streams that is what counts, for the memory that a
/// look-up touches is not in the processor's cache.
final class NameTable: @unchecked Sendable {
    // SAFETY: one thread at a time adds, under the lock of the cache. A name is filled in once,
    // before the slot that points to it, which is stored with release and loaded with acquire
    // ordering; who finds the slot may read the name, which never changes. Both live as long as the
    // table.
    private let slots: UnsafeMutablePointer<Atomic<UInt64>>
    private let names: UnsafeMutablePointer<Definition>
    /// The number of slots as a power of two; there are half as many names at most, so that every
    /// search ends at an empty slot, and soon.
    private let bits: Int
    /// How many names there are; only for whoever adds.
    private(set) var count = 0

    private static let fewestBits = 6

    /// A table without names, into which none are put.
    static let empty = NameTable(bits: 1)

    private var capacity: Int { 1 << bits / 2 }

    private init(bits: Int) {
        self.bits = bits
        slots = .allocate(capacity: 1 << bits)
        for slot in 0..<1 << bits { (slots + slot).initialize(to: Atomic(0)) }
        names = .allocate(capacity: 1 << bits / 2)
    }

    deinit {
        slots.deinitialize(count: 1 << bits)
        slots.deallocate()
        names.deinitialize(count: count)
        names.deallocate()
    }

    /// The stream that a reference means.
    func stream(_ reference: UInt32) -> StreamID? {
        guard let index = find(reference), case .stream(let stream) = names[index]
        else { return nil }
        return stream
    }

    /// The event type that a reference means.
    func type(_ reference: UInt32) -> StoredType? {
        guard let index = find(reference), case .type(let type) = names[index] else { return nil }
        return type
    }

    /// Whether there is a name for a reference.
    func knows(_ reference: UInt32) -> Bool { find(reference) != nil }

    /// Whether a reference means what a definition says: where events were taken back, others may
    /// have come in their place.
    ///
    /// - Parameters:
    ///   - name: The bytes of the name.
    ///   - form: What else is said of an event type; `nil` for a stream.
    func knows(
        _ reference: UInt32, as name: UnsafeRawBufferPointer, _ form: (PayloadCodec, UInt16)?
    ) -> Bool {
        guard let index = find(reference) else { return false }
        switch names[index] {
        case .stream(let stream): return form == nil && stream.exact.holds(name)
        case .type(let type):
            guard let form else { return false }
            return (type.codec, type.schemaVersion) == form && type.name.exact.holds(name)
        }
    }

    /// The table with one more name: this one, or another where it has no room for it.
    ///
    /// A name that is known stays as it is, and one that has changed since is replaced.
    func adding(_ definition: Definition, as reference: UInt32) -> NameTable {
        // No definition lies at the beginning of a file.
        guard reference != 0 else { return self }
        if let index = find(reference) {
            guard names[index] != definition else { return self }
            let table = copy(bits)
            table.names[index] = definition
            return table
        }
        let hasRoom = self !== Self.empty && count < capacity
        let table = hasRoom ? self : copy(max(bits + 1, Self.fewestBits))
        table.add(definition, as: reference)
        return table
    }

    private func copy(_ bits: Int) -> NameTable {
        let table = NameTable(bits: bits)
        table.names.initialize(from: names, count: count)
        table.count = count
        for slot in 0..<1 << self.bits {
            let content = slots[slot].load(ordering: .relaxed)
            if content != 0 { table.fill(content) }
        }
        return table
    }

    private func add(_ definition: Definition, as reference: UInt32) {
        (names + count).initialize(to: definition)
        fill(UInt64(reference) << 32 | UInt64(count))
        count += 1
    }

    /// Puts a reference with the index of its name into the first slot that is free.
    private func fill(_ content: UInt64) {
        var slot = firstSlot(of: UInt32(truncatingIfNeeded: content >> 32))
        while slots[slot].load(ordering: .relaxed) != 0 { slot = next(slot) }
        slots[slot].store(content, ordering: .releasing)
    }

    /// The index of the name of a reference.
    private func find(_ reference: UInt32) -> Int? {
        guard reference != 0 else { return nil }
        var slot = firstSlot(of: reference)
        while true {
            let content = slots[slot].load(ordering: .acquiring)
            if UInt32(truncatingIfNeeded: content &>> 32) == reference {
                return Int(UInt32(truncatingIfNeeded: content))
            }
            if content == 0 { return nil }
            slot = next(slot)
        }
    }

    /// The multiplication by 2^32 / golden ratio spreads references that follow each other.
    private func firstSlot(of reference: UInt32) -> Int {
        Int((reference &* 0x9E37_79B9) &>> UInt32(truncatingIfNeeded: 32 &- bits))
    }

    private func next(_ slot: Int) -> Int { (slot &+ 1) & (1 << bits &- 1) }
}
