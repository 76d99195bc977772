import Synchronization

/// One object that is kept for the next call, so that most calls allocate none.
///
/// Two calls at a time are no mistake: the second finds nothing and makes an object of its own.
struct Spare<Object: AnyObject>: ~Copyable, @unchecked Sendable {
    // SAFETY: an object is in the slot or with one caller, never both.
    private let slot = Atomic<Unmanaged<Object>?>(nil)

    /// Returns the object, which is the caller's alone until it is given back.
    func take() -> Object? {
        slot.exchange(nil, ordering: .acquiring)?.takeRetainedValue()
    }

    /// Keeps an object that nobody else refers to.
    func give(_ object: Object) {
        let given = Unmanaged.passRetained(object)
        let (done, _) = slot.compareExchange(
            expected: nil, desired: given, ordering: .releasing)
        if !done { given.release() }
    }

    deinit { _ = take() }
}
