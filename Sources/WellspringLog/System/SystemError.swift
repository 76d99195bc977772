/// A system call that failed.
package struct SystemError: Error, Hashable, Sendable {
    /// The call, as its manual page is named: `fdatasync`, `pwrite`.
    package var call: String
    /// The file it was about, relative to the store; empty where there is none.
    package var file: String
    /// The system's error number.
    package var code: Int32
    /// What the number means to a store.
    package var kind: Kind

    /// The few distinctions on which the store acts.
    package enum Kind: Hashable, Sendable {
        case notFound, exists, noSpace, accessDenied, readOnly, tooManyFiles, io, other
    }

    package init(call: String, file: String, code: Int32, kind: Kind) {
        self.call = call
        self.file = file
        self.code = code
        self.kind = kind
    }
}
