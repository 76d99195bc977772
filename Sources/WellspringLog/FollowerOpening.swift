/// What a follower reads of a store before its frames: the small files and the ends of sealed
/// segments.
struct FollowerOpening {
    let directory: any StoreDirectory
    let identity: StoreIdentity
    let manifest: Manifest

    init(_ directory: any StoreDirectory) throws(LogError) {
        self.directory = directory
        let manifest = try Self.small(
            directory, Manifest.fileName, limit: Manifest.fileLengthLimit
        ) { (bytes) throws(FormatError) in try Manifest(decoding: bytes) }
        let identity = try Self.small(
            directory, StoreIdentity.fileName, limit: StoreIdentity.fileLength
        ) { (bytes) throws(FormatError) in try StoreIdentity(decoding: bytes) }
        guard let identity else {
            // A store is one when it has this file; it is the last thing to be made.
            guard let manifest, manifest.knownEnd.sequence > 0 || manifest.isClean else {
                throw .notAStore(path: directory.path)
            }
            throw Self.missing(StoreIdentity.fileName)
        }
        guard let manifest else { throw Self.missing(Manifest.fileName) }
        guard manifest.storeID == identity.storeID else {
            throw .damaged(
                LogDamage(
                    file: Manifest.fileName, offset: 16, reason: "it belongs to another store"))
        }
        self.identity = identity
        self.manifest = manifest
    }

    var outline: LogOutline {
        LogOutline(directory: directory, identity: identity, segments: manifest.segments)
    }

    private static func missing(_ name: String) -> LogError {
        .damaged(LogDamage(file: name, offset: 0, reason: "the file is missing"))
    }

    /// Reads a small file; `nil` when there is none.
    private static func small<Content>(
        _ directory: any StoreDirectory, _ name: String, limit: Int,
        _ decode: (UnsafeRawBufferPointer) throws(FormatError) -> Content
    ) throws(LogError) -> Content? {
        let bytes = try system { () throws(SystemError) in
            try AtomicFile.read(directory, name: name, limit: limit)
        }
        guard let bytes else { return nil }
        do {
            return try bytes.withUnsafeBufferPointer { (bytes) throws(FormatError) in
                try decode(UnsafeRawBufferPointer(bytes))
            }
        } catch {
            throw error.found(in: name)
        }
    }

    // MARK: - Segments

    /// The segments that the MANIFEST lists, after a look at the header and the trailer of each.
    func checkedSegments() throws(LogError) -> [SegmentPlace] {
        var places: [SegmentPlace] = []
        for segment in manifest.segments {
            let (file, header) = try open(segment.number)
            guard let seal = segment.seal else {
                places.append(SegmentPlace(header))
                continue
            }
            let trailer = try system { () throws(SystemError) in
                guard try file.size() == seal.fileLength else { return nil as SegmentTrailer? }
                return try SegmentTrailer.read(
                    from: file, length: seal.fileLength, salt: header.salt)
            }
            guard let trailer, trailer.manifestEntry(seal.fileLength) == seal,
                trailer.belongs(to: header)
            else {
                throw .damaged(
                    LogDamage(
                        file: segment.fileName, offset: seal.fileLength,
                        reason: "the end of the segment is not the one that the MANIFEST knows"))
            }
            places.append(SegmentPlace(header, sealedLength: seal.fileLength))
        }
        return places
    }

    func openNewest() throws(LogError) -> any StoreFile {
        try open(manifest.knownEnd.segment).file
    }

    /// Where the frames begin that a client does not know which knows the log up to `anchor`.
    func start(after anchor: LogAnchor?) throws(LogError) -> FollowedPlace {
        let first = manifest.segments.first?.number ?? manifest.knownEnd.segment
        guard let anchor else {
            let (file, header) = try open(first)
            return FollowedPlace(header, file: file)
        }
        let segment = manifest.segments.first { $0.number == anchor.end.segment }
        if let seal = segment?.seal, seal.lastSequence == anchor.end.sequence {
            let (file, header) = try open(anchor.end.segment + 1)
            return FollowedPlace(header, file: file)
        }
        let (file, header) = try open(anchor.end.segment)
        return FollowedPlace(
            header, file: file, end: anchor.end, lastFrame: anchor.lastFrame)
    }

    private func open(
        _ number: UInt32
    ) throws(LogError) -> (file: any StoreFile, header: SegmentHeader) {
        let listed = manifest.segments.first { $0.number == number }
        let generation = manifest.generation(of: number)
        let name = LogLayout.segment(number, generation: generation)
        do {
            let file = try directory.open(name, .read)
            let header = try SegmentHeader.read(from: file)
            guard header.storeID == identity.storeID, header.number == number,
                header.generation == generation,
                listed?.baseSequence ?? header.baseSequence == header.baseSequence,
                listed?.basePosition ?? header.basePosition == header.basePosition
            else {
                throw FormatError.malformed(
                    offset: 16, reason: "the segment is not the one that the MANIFEST knows")
            }
            return (file, header)
        } catch let error as SystemError {
            guard error.kind == .notFound else { throw .system(error) }
            throw .damaged(LogDamage(file: name, offset: 0, reason: "the file is missing"))
        } catch {
            throw FormatError(error).found(in: name)
        }
    }
}
