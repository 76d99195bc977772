/// A file for reading of which parts cannot be read: they read as zeros, and are noted.
///
/// One bad sector fails a read of many; an inspection wants what the others hold.
final class PatchyFile: StoreFile {
    static let pageLength = 4096

    private let file: any StoreFile
    private let failures = Guarded<[Failure]>([])
    /// As many are noted; a disk that fails everywhere is known by the first ones.
    private static let failureLimit = 1_024

    struct Failure: Sendable {
        var range: Range<UInt64>
        var error: SystemError
    }

    init(_ file: any StoreFile) {
        self.file = file
    }

    /// Why the byte at `offset` cannot be read, if it cannot.
    func failure(at offset: UInt64) -> SystemError? {
        failures.withLock { $0.first { $0.range.contains(offset) }?.error }
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        do {
            return try file.read(into: buffer, at: offset)
        } catch {
            guard error.kind == .io else { throw error }
        }
        var filled = 0
        while filled < buffer.count {
            let count = min(Self.pageLength, buffer.count - filled)
            let page = UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<filled + count])
            let read = try readPage(into: page, at: offset + UInt64(filled))
            filled += read
            if read < count { break }
        }
        return filled
    }

    private func readPage(
        into page: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        do {
            return try file.read(into: page, at: offset)
        } catch {
            guard error.kind == .io else { throw error }
            page.fillWithZeros()
            let failure = Failure(range: offset..<offset + UInt64(page.count), error: error)
            failures.withLock { if $0.count < Self.failureLimit { $0.append(failure) } }
            return page.count
        }
    }

    func size() throws(SystemError) -> UInt64 { try file.size() }
    func dropCache() { file.dropCache() }
    func linkCount() throws(SystemError) -> Int { try file.linkCount() }
    func close() { file.close() }

    // An inspection changes nothing.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        throw Self.readOnly("pwrite")
    }
    func sync() throws(SystemError) { throw Self.readOnly("fdatasync") }
    func truncate(to size: UInt64) throws(SystemError) { throw Self.readOnly("ftruncate") }

    private static func readOnly(_ call: String) -> SystemError {
        // The number is EROFS wherever Wellspring runs.
        SystemError(call: call, file: "", code: 30, kind: .readOnly)
    }
}
