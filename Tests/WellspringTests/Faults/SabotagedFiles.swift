import WellspringLog
import WellspringTestKit

/// What a file system does wrong, or what a careless caller of it would leave out.
enum FileFault: String, CaseIterable, Sendable {
    /// The store's own directory is never made durable.
    case skipSyncOfTheStore
    /// The directory of the segments is never made durable.
    case skipSyncOfTheSegments
    /// The directory of the saved projections is never made durable.
    case skipSyncOfTheViews
    /// Segments are never made durable.
    case skipSyncOfSegments
    /// A new MANIFEST is not made durable before it gets its name.
    case skipSyncOfTheManifest
    /// The file that makes a directory a store is not made durable before it gets its name.
    case skipSyncOfTheIdentity
    /// A saved projection is not made durable before it gets its name.
    case skipSyncOfCheckpoints
    /// A second sync after a failed one says that all is well, and so does the first.
    case swallowFailedSyncs
    /// What is to be cut off stays.
    case skipTruncation
    /// Every ninth write to a segment is dropped.
    case dropWrites
    /// Every ninth write to a segment has one bit changed.
    case garbleWrites
    /// Every ninth write to a segment lands 512 bytes too far.
    case misplaceWrites
    /// Only the first half of a long write to a segment is done.
    case cutWritesShort
    /// A read returns half of what there is.
    case shortReads
    /// The MANIFEST is never replaced.
    case loseRenamingOfTheManifest
    /// A new segment never gets its name.
    case loseRenamingOfSegments
    /// A saved projection is never replaced.
    case loseRenamingOfCheckpoints
    /// The list of the segments lacks the newest.
    case overlookTheNewestSegment
    /// A file is one byte longer than it says.
    case understateSizes
    /// A second opener gets the lock too.
    case shareTheLock
}

/// A file system that is sound but for one fault.
struct SabotagedFiles: FileSystem {
    let base: any FileSystem
    let fault: FileFault

    func openStore(at path: String, create: Bool) throws(SystemError) -> any StoreDirectory {
        SabotagedDirectory(try base.openStore(at: path, create: create), fault)
    }
}

private final class SabotagedDirectory: ForwardingDirectory {
    let base: any StoreDirectory
    private let fault: FileFault
    /// How many writes there were.
    private let writes = Guarded(0)

    init(_ base: any StoreDirectory, _ fault: FileFault) {
        self.base = base
        self.fault = fault
    }

    func list(_ directory: String?) throws(SystemError) -> [String] {
        let names = try base.list(directory)
        guard fault == .overlookTheNewestSegment, directory == "log" else { return names }
        let newest = names.filter { $0.hasSuffix(".seg") }.max()
        return names.filter { $0 != newest }
    }

    func open(_ name: String, _ mode: FileMode) throws(SystemError) -> any StoreFile {
        SabotagedFile(try base.open(name, mode), name, fault, writes)
    }

    func rename(_ old: String, to new: String) throws(SystemError) {
        let isLost =
            switch fault {
            case .loseRenamingOfTheManifest: new == "MANIFEST"
            case .loseRenamingOfSegments: new.hasSuffix(".seg")
            case .loseRenamingOfCheckpoints: new.hasPrefix("views/")
            default: false
            }
        // The first MANIFEST is needed to be a store at all.
        let isFirst = new == "MANIFEST" ? try !base.list(nil).contains(new) : false
        if isLost, !isFirst { return }
        try base.rename(old, to: new)
    }

    func syncDirectory(_ directory: String?) throws(SystemError) {
        switch (fault, directory) {
        case (.skipSyncOfTheStore, nil), (.skipSyncOfTheSegments, "log"),
            (.skipSyncOfTheViews, "views"):
            return
        default: try base.syncDirectory(directory)
        }
    }

    func lock(_ name: String, owner: String) throws(SystemError) -> LockOutcome {
        let outcome = try base.lock(name, owner: owner)
        guard fault == .shareTheLock, case .held = outcome else { return outcome }
        return .acquired(NoLock())
    }
}

private final class NoLock: LockToken {
    func release() {}
}

private final class SabotagedFile: ForwardingFile {
    let base: any StoreFile
    private let name: String
    private let fault: FileFault
    private let writes: Guarded<Int>

    init(_ base: any StoreFile, _ name: String, _ fault: FileFault, _ writes: Guarded<Int>) {
        self.base = base
        self.name = name
        self.fault = fault
        self.writes = writes
    }

    private var isSegment: Bool { name.hasPrefix("log/") }

    func size() throws(SystemError) -> UInt64 {
        let size = try base.size()
        return fault == .understateSizes && size > 0 ? size - 1 : size
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        guard fault == .shortReads, buffer.count > 1 else {
            return try base.read(into: buffer, at: offset)
        }
        let half = UnsafeMutableRawBufferPointer(rebasing: buffer[..<(buffer.count / 2)])
        return try base.read(into: half, at: offset)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        let isNinth =
            isSegment
            && writes.withLock { count in
                count += 1
                return count % 9 == 0
            }
        switch fault {
        case .dropWrites where isNinth: return
        case .garbleWrites where isNinth:
            var garbled = Array(bytes)
            if !garbled.isEmpty { garbled[garbled.count / 2] ^= 1 }
            try garbled.withUnsafeBufferPointer { (garbled) throws(SystemError) in
                try base.write(UnsafeRawBufferPointer(garbled), at: offset)
            }
        case .misplaceWrites where isNinth: try base.write(bytes, at: offset + 512)
        case .cutWritesShort where isSegment && bytes.count > 4_096:
            try base.write(
                UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]), at: offset)
        default: try base.write(bytes, at: offset)
        }
    }

    func sync() throws(SystemError) {
        switch fault {
        case .skipSyncOfSegments where isSegment: return
        case .skipSyncOfTheManifest where name.hasPrefix("MANIFEST"): return
        case .skipSyncOfTheIdentity where name.hasPrefix("STORE"): return
        case .skipSyncOfCheckpoints where name.hasPrefix("views/"): return
        case .swallowFailedSyncs: do { try base.sync() } catch { return }
        default: try base.sync()
        }
    }

    func truncate(to size: UInt64) throws(SystemError) {
        if fault == .skipTruncation, isSegment, size > 0, size < (try base.size()) { return }
        try base.truncate(to: size)
    }
}
