import CWellspring
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A file of the operating system.
final class PosixFile: StoreFile {
    private let descriptor: Int32
    private let name: String
    private let syncs: SyncRecord
    /// Twice the calls in progress, plus 1 once the file was closed.
    ///
    /// The descriptor is given back when the last call has left: its number may be another file's
    /// the moment after.
    private let usage = Atomic<Int>(0)

    /// The most that is handed to the system in one call; some refuse 2 GiB and more.
    private static let transferLimit = 1 << 30

    init(descriptor: Int32, name: String, syncs: SyncRecord) {
        self.descriptor = descriptor
        self.name = name
        self.syncs = syncs
    }

    deinit { close() }

    func size() throws(SystemError) -> UInt64 {
        try using { descriptor throws(SystemError) in
            try status(of: descriptor).size
        }
    }

    func linkCount() throws(SystemError) -> Int {
        try using { descriptor throws(SystemError) in
            Int(clamping: try status(of: descriptor).links)
        }
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        guard let start = buffer.baseAddress else { return 0 }
        return try using { descriptor throws(SystemError) in
            var done = 0
            while done < buffer.count {
                let position = try fileOffset(offset, plus: done)
                let wanted = min(buffer.count - done, Self.transferLimit)
                let count = try retrying("pread", name) {
                    pread(descriptor, start + done, wanted, position)
                }
                if count == 0 { break }
                done += count
            }
            return done
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        guard let start = bytes.baseAddress else { return }
        try using { descriptor throws(SystemError) in
            var done = 0
            while done < bytes.count {
                let position = try fileOffset(offset, plus: done)
                let wanted = min(bytes.count - done, Self.transferLimit)
                let count = try retrying("pwrite", name) {
                    pwrite(descriptor, start + done, wanted, position)
                }
                // A call that neither writes nor fails would be repeated for ever.
                if count == 0 { throw SystemError(call: "pwrite", file: name, code: ENOSPC) }
                done += count
            }
        }
    }

    func sync() throws(SystemError) {
        try using { descriptor throws(SystemError) in
            syncs.note(try makeDurable(descriptor, name, isDirectory: false))
        }
    }

    func syncAgain() throws(SystemError) {
        try using { descriptor throws(SystemError) in
            // Changing times needs the journal too, and ext4 notices only then that it is gone. A system
            // that cannot do it loses nothing.
            _ = futimens(descriptor, nil)
            syncs.note(try makeDurable(descriptor, name, isDirectory: false))
        }
    }

    func truncate(to size: UInt64) throws(SystemError) {
        try using { descriptor throws(SystemError) in
            let size = try fileOffset(size, plus: 0)
            try retrying("ftruncate", name) { ftruncate(descriptor, size) }
        }
    }

    func dropCache() {
        #if !canImport(Darwin)
        try? using { descriptor throws(SystemError) in
            _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
        }
        #endif
    }

    func close() {
        let before = usage.bitwiseOr(1, ordering: .acquiringAndReleasing).oldValue
        if before == 0 { giveBack() }
    }

    // MARK: - One call

    private func using<Result>(
        _ body: (Int32) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        let before = usage.wrappingAdd(2, ordering: .acquiring).oldValue
        defer {
            let after = usage.wrappingSubtract(2, ordering: .releasing).newValue
            if after == 1 { giveBack() }
        }
        guard before & 1 == 0 else { throw SystemError(call: "close", file: name, code: EBADF) }
        return try body(descriptor)
    }

    /// Closes the descriptor, once.
    ///
    /// A failed `close` is not repeated: on Linux the number is free again either way.
    private func giveBack() {
        let isLast = usage.compareExchange(
            expected: 1, desired: .min + 1, ordering: .acquiringAndReleasing
        ).exchanged
        if isLast { closeDescriptor(descriptor) }
    }

    private func status(
        of descriptor: Int32
    ) throws(SystemError) -> (size: UInt64, links: UInt64) {
        var status: (size: UInt64, links: UInt64) = (0, 0)
        try retrying("fstat", name) {
            wellspring_file_status(descriptor, &status.size, &status.links)
        }
        return status
    }

    private func fileOffset(_ offset: UInt64, plus count: Int) throws(SystemError) -> off_t {
        let (sum, overflow) = offset.addingReportingOverflow(UInt64(count))
        guard !overflow, let result = off_t(exactly: sum) else {
            throw SystemError(call: "lseek", file: name, code: EFBIG)
        }
        return result
    }
}

/// `close`, under a name that a type with a method `close` can reach.
func closeDescriptor(_ descriptor: Int32) { _ = close(descriptor) }
