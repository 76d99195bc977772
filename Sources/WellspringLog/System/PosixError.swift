#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

extension SystemError {
    /// The error that the last failed call on this thread left in `errno`.
    static func last(_ call: String, _ file: String) -> SystemError {
        SystemError(call: call, file: file, code: errno)
    }

    /// An error by the system's number for it.
    package init(call: String, file: String, code: Int32) {
        self.init(call: call, file: file, code: code, kind: Kind(code: code))
    }

    /// What the system calls the error: "No space left on device".
    package var words: String {
        var text = [CChar](repeating: 0, count: 256)
        guard strerror_r(code, &text, text.count - 1) == 0 else { return "unknown error" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

extension SystemError.Kind {
    init(code: Int32) {
        switch code {
        case ENOENT: self = .notFound
        case EEXIST: self = .exists
        case ENOSPC, EDQUOT: self = .noSpace
        case EACCES, EPERM, ELOOP: self = .accessDenied
        case EROFS: self = .readOnly
        case EMFILE, ENFILE: self = .tooManyFiles
        case EIO, EBADMSG: self = .io
        #if !canImport(Darwin)
        // So ext4 and XFS tell that what they keep on the disk makes no sense.
        case EUCLEAN: self = .io
        #endif
        default: self = .other
        }
    }
}

/// Repeats a call that a signal interrupted, and throws what else went wrong with it.
@inline(__always)
@discardableResult
func retrying<Result: SignedInteger>(
    _ name: String, _ file: String, _ call: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = call()
        guard result == -1 else { return result }
        guard errno == EINTR else { throw .last(name, file) }
    }
}
