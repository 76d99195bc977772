import WellspringLog
import WellspringTestKit

/// Files as they are, but for what a test does when some are opened or read.
struct HookedFiles: FileSystem {
    let base: SimulatedDisk
    /// Called before a file is opened; what it throws is why it cannot be.
    var onOpen: @Sendable (_ name: String, _ mode: FileMode) throws(SystemError) -> Void = { _, _ in
    }
    /// Why a read of a file from an offset on fails; `nil` where it does not.
    var failure: @Sendable (_ name: String, _ offset: UInt64) -> SystemError? = { _, _ in nil }

    /// Changes the bytes that a read of a file brought.
    var change: @Sendable (_ name: String, _ bytes: UnsafeMutableRawBufferPointer) -> Void = {
        _, _ in
    }

    init(_ base: SimulatedDisk) { self.base = base }

    /// What a sector says that cannot be read.
    static func unreadable(_ name: String) -> SystemError {
        SystemError(call: "pread", file: name, code: 5, kind: .io)
    }

    func openStore(at path: String, create: Bool) throws(SystemError) -> any StoreDirectory {
        HookedDirectory(try base.openStore(at: path, create: create), self)
    }
}

private final class HookedDirectory: ForwardingDirectory {
    let base: any StoreDirectory
    private let files: HookedFiles

    init(_ base: any StoreDirectory, _ files: HookedFiles) {
        self.base = base
        self.files = files
    }

    func open(_ name: String, _ mode: FileMode) throws(SystemError) -> any StoreFile {
        try files.onOpen(name, mode)
        return HookedFile(try base.open(name, mode), name, files)
    }
}

private final class HookedFile: ForwardingFile {
    let base: any StoreFile
    private let name: String
    private let files: HookedFiles

    init(_ base: any StoreFile, _ name: String, _ files: HookedFiles) {
        self.base = base
        self.name = name
        self.files = files
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        if let failure = files.failure(name, offset) { throw failure }
        let count = try base.read(into: buffer, at: offset)
        files.change(name, UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
        return count
    }
}
