/// A growing list in raw memory.
///
/// An array checks at every change that it is not shared; the lists of a draft never are. Holds
/// plain values only, which need no clean-up.
struct PlainList<Element: BitwiseCopyable>: ~Copyable {
    private var memory: UnsafeMutablePointer<Element>
    private(set) var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = max(capacity, 1)
        memory = .allocate(capacity: self.capacity)
    }

    deinit { memory.deallocate() }

    mutating func removeAll() { count = 0 }

    @inline(__always)
    mutating func append(_ element: Element) {
        if count == capacity { grow() }
        (memory + count).initialize(to: element)
        count += 1
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: memory, count: count)
        memory.deallocate()
        memory = larger
        capacity *= 2
    }

    subscript(index: Int) -> Element {
        @inline(__always) get {
            // TRAPS: the number is one that the draft gave out itself.
            precondition(index >= 0 && index < count)
            return memory[index]
        }
        @inline(__always) _modify {
            // TRAPS: the same.
            precondition(index >= 0 && index < count)
            yield &memory[index]
        }
    }
}
