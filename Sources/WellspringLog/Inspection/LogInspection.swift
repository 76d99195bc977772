// Reading a log that may be damaged, or in use, or both.
//
// Opening a log judges it as a whole and refuses it at the first damage. An inspection takes no
// lock, writes nothing and goes on: at a place where no valid frame begins it searches for the next
// header that is valid for this very place in this very segment, in steps of 8 bytes, and tells
// what lies between as lost. Sequence and position of that header say how much that is.
//
// Beside a writer the end of the log moves. What an inspection relies on is therefore looked up
// before the frames are read: which sequence the valid headers of the newest segment call durable.
// All frames up to it were there then, so one that is not is damage. A valid frame behind it may be
// durable or not and is handed over as unproven; anything else behind it is an unfinished write.

/// Reads a log from front to back, without a lock and without writing, in spite of damage.
///
/// Memory is bounded: one frame, and the footer of one segment.
package struct LogInspection {
    package let directory: any StoreDirectory
    /// What `STORE` and `MANIFEST` hold, if they can be read.
    package private(set) var identity: StoreIdentity?
    package private(set) var manifest: Manifest?
    /// What is wrong with these two.
    private var damage: [InspectedDamage] = []
    /// Why they cannot be had: a failure of the disk where there was one.
    private var causes: [InspectedDamage.Kind: LogError] = [:]

    /// Reads the small files of the store in `directory`.
    ///
    /// - Throws: When there is no store, when a newer version wrote it, or the machine fails.
    ///   Damage is not thrown but told by `run`.
    package init(_ directory: any StoreDirectory) throws(LogError) {
        self.directory = directory
        // The segments first: a MANIFEST that is read later knows all of them, save a new one.
        let layout = try SegmentList(directory)
        identity = try small(StoreIdentity.fileName, .identity, limit: StoreIdentity.fileLength) {
            (bytes) throws(FormatError) in try StoreIdentity(decoding: bytes)
        }
        manifest = try small(Manifest.fileName, .manifest, limit: Manifest.fileLengthLimit) {
            (bytes) throws(FormatError) in try Manifest(decoding: bytes)
        }
        guard identity != nil || manifest != nil || !layout.isEmpty, !isUnfinished() else {
            throw .notAStore(path: directory.path)
        }
        guard let identity, let manifest, manifest.storeID != identity.storeID else { return }
        note(.manifest, Manifest.fileName, at: 16, "it belongs to another store")
        self.manifest = nil
    }

    /// What `STORE` holds.
    ///
    /// - Throws: Why that cannot be said.
    package func readIdentity() throws(LogError) -> StoreIdentity {
        if let identity { return identity }
        throw causes[.identity] ?? .closed
    }

    /// What the MANIFEST holds.
    ///
    /// - Throws: Why that cannot be said.
    package func readManifest() throws(LogError) -> Manifest {
        if let manifest { return manifest }
        throw causes[.manifest] ?? .closed
    }

    private mutating func note(
        _ kind: InspectedDamage.Kind, _ name: String, at offset: Int, _ reason: String,
        _ failure: SystemError? = nil
    ) {
        var found = InspectedDamage(kind, name, at: UInt64(max(0, offset)), reason)
        causes[kind] =
            failure.map { .system($0) }
            ?? .damaged(LogDamage(file: name, offset: found.offset, reason: reason))
        // Nothing else says how far the log went.
        found.isOpenEnded = kind == .manifest
        damage.append(found)
    }

    /// Whether a crash ended the making of the store, and nothing was ever in it.
    ///
    /// What cannot be read is damage, and will be told as that.
    private func isUnfinished() -> Bool {
        guard identity == nil else { return false }
        do {
            return try UnfinishedCreation.isAll(in: directory)
        } catch {
            return false
        }
    }

    /// Hands everything that the log holds to `visit`, in order, until it returns false.
    ///
    /// - Parameter start: Goes on behind a place that an earlier run returned.
    /// - Returns: The place behind the last frame that is known to be durable.
    @discardableResult
    package func run(
        after start: LogEnd? = nil, _ visit: (InspectedItem) throws -> Bool
    ) throws -> LogEnd? {
        // A closure that is only lent can be kept for the time of the walk.
        try withoutActuallyEscaping(visit) { visit in
            let walk = LogWalk(self, after: start, visit)
            do {
                if start == nil { for found in damage { try walk.emit(.damage(found)) } }
                try walk.run()
            } catch is InspectionStopped {
                return walk.provenEnd
            }
            return walk.provenEnd
        }
    }

    /// Reads a small file, a second and a third time before it is called damaged.
    private mutating func small<Content>(
        _ name: String, _ kind: InspectedDamage.Kind, limit: Int,
        _ decode: (UnsafeRawBufferPointer) throws(FormatError) -> Content
    ) throws(LogError) -> Content? {
        var reason = ""
        var offset = 0
        var failure: SystemError?
        for _ in 0..<3 {
            failure = nil
            do {
                guard let bytes = try AtomicFile.read(directory, name: name, limit: limit) else {
                    (offset, reason) = (0, "the file is missing")
                    continue
                }
                return try bytes.withUnsafeBufferPointer { (bytes) throws(FormatError) in
                    try decode(UnsafeRawBufferPointer(bytes))
                }
            } catch let error as FormatError {
                switch error {
                case .malformed(let place, let why): (offset, reason) = (place, why)
                case .unsupported: throw error.found(in: name)
                }
            } catch let error as SystemError {
                guard error.kind == .io || error.kind == .other else { throw .system(error) }
                (offset, reason) = (0, "it cannot be read: \(error.call), error \(error.code)")
                failure = error.code == AtomicFile.tooLong ? nil : error
            } catch {
                throw FormatError(error).found(in: name)
            }
        }
        note(kind, name, at: offset, reason, failure)
        return nil
    }
}

/// Ends a walk whose visitor has seen enough.
struct InspectionStopped: Error {}

/// Which files of segments there are.
struct SegmentList {
    private var generations: [UInt32: [UInt32]] = [:]

    init(_ directory: any StoreDirectory) throws(LogError) {
        let names: [String]
        do {
            names = try directory.list(LogLayout.segments)
        } catch {
            guard error.kind == .notFound else { throw .system(error) }
            return
        }
        for name in names {
            guard let (number, generation) = LogLayout.parse(name) else { continue }
            generations[number, default: []].append(generation)
        }
    }

    var isEmpty: Bool { generations.isEmpty }
    var numbers: Dictionary<UInt32, [UInt32]>.Keys { generations.keys }

    /// The generation of a segment that counts: the one that the MANIFEST lists.
    ///
    /// Without a MANIFEST it is the highest that is whole, for a segment that is rewritten gets its
    /// name when it is finished.
    func generation(
        of number: UInt32, _ manifest: Manifest?, in directory: any StoreDirectory
    ) -> UInt32 {
        if let manifest, manifest.lists(number) { return manifest.generation(of: number) }
        guard let found = generations[number]?.sorted(by: >), found.count > 1 else {
            return generations[number]?.first ?? 0
        }
        let whole = found.first {
            Self.isSealed(LogLayout.segment(number, generation: $0), in: directory)
        }
        return whole ?? found[0]
    }

    /// Whether a segment's file has a header and a trailer that belong together.
    ///
    /// Read wrong once it must not give way to the older file, which holds what is to be forgotten.
    private static func isSealed(_ name: String, in directory: any StoreDirectory) -> Bool {
        (0..<3).contains { _ in isSealedOnce(name, in: directory) }
    }

    private static func isSealedOnce(_ name: String, in directory: any StoreDirectory) -> Bool {
        guard let file = try? directory.open(name, .read) else { return false }
        defer { file.close() }
        guard let header = try? SegmentHeader.read(from: file), let length = try? file.size(),
            header.fileName == name,
            let trailer = try? SegmentTrailer.read(from: file, length: length, salt: header.salt)
        else { return false }
        return trailer.belongs(to: header)
    }
}
