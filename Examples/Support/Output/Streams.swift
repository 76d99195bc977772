import Foundation

/// Where results go.
package enum StandardOutput {
    /// Writes all of `text`, or says why not: a report that is cut short must not look like success.
    package static func write(_ text: String) throws {
        guard let errorNumber = writeAll(text, to: STDOUT_FILENO) else { return }
        throw Failure("cannot write to standard output: \(String(cString: strerror(errorNumber)))")
    }

    /// Writes `text` and a line break.
    package static func line(_ text: String = "") throws {
        try write(text + "\n")
    }
}

/// Where errors and progress go.
package enum StandardError {
    /// Whether a person is watching.
    package static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Writes `text`, and gives up if that fails: there is nobody to tell.
    package static func write(_ text: String) {
        _ = writeAll(text, to: STDERR_FILENO)
    }
}

/// Returns the error number of the write that failed, if one did.
private func writeAll(_ text: String, to descriptor: Int32) -> Int32? {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count >= 0 {
            bytes.removeFirst(count)
        } else if errno != EINTR {
            return errno
        }
    }
    return nil
}
