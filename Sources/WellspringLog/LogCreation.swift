extension LogOpening {
    /// Makes a store in a directory that has no file `STORE`.
    ///
    /// `STORE` comes last, so a store exists if and only if the file does, and a crash at any step
    /// before leaves something that this function recognises and begins anew.
    func create(over names: Set<String>) throws(LogError) {
        try checkNothingWasAcknowledged(names)
        guard configuration.createsStore else { throw .notAStore(path: directory.path) }
        let identity = StoreIdentity(
            storeID: StoreUUID(version4From: directory.random(), directory.random()),
            creationTime: directory.wallClock(),
            hashKey: SipKey(first: directory.random(), second: directory.random()))
        do {
            try directory.makeDirectory(LogLayout.segments)
            try directory.syncDirectory(nil)
            let header = try makeFirstSegment(identity)
            let manifest = Manifest(
                storeID: identity.storeID, number: 1, isClean: false,
                knownEnd: LogEnd(beginning: header), segments: [Manifest.Segment(header)])
            try AtomicFile.replace(
                directory, name: Manifest.fileName, contents: manifest.encoded())
            try AtomicFile.replace(
                directory, name: StoreIdentity.fileName, contents: identity.encoded())
        } catch {
            throw .system(error)
        }
    }

    private func makeFirstSegment(
        _ identity: StoreIdentity
    ) throws(SystemError) -> SegmentHeader {
        let salt =
            fault == .sharedSalt ? Salt(value: 0x5EED) : Salt(value: directory.random())
        let header = SegmentHeader(
            storeID: identity.storeID, number: 1, basePosition: 1, baseSequence: 1, salt: salt,
            created: identity.creationTime, previousRecordedAt: .min)
        let prepared = try PreparedSegment.make(
            in: directory, segmentBytes: configuration.segmentBytes)
        _ = try prepared.write(header)
        // A segment of an attempt that a crash ended is replaced; it holds no frame.
        try directory.rename(LogLayout.nextSegment, to: header.fileName)
        try directory.syncDirectory(LogLayout.segments)
        return header
    }

    /// Tells the remains of an unfinished creation from a store whose file `STORE` was lost.
    ///
    /// Frames are acknowledged only once `STORE` is there. Before that there is at most a first
    /// segment with nothing behind its header, and a MANIFEST that knows of no frame.
    private func checkNothingWasAcknowledged(_ names: Set<String>) throws(LogError) {
        let lost = LogError.damaged(
            LogDamage(
                file: StoreIdentity.fileName, offset: 0,
                reason: "the file is missing from a store that was in use"))
        do {
            if names.contains(Manifest.fileName) {
                let bytes = try AtomicFile.read(
                    directory, name: Manifest.fileName, limit: Manifest.fileLengthLimit)
                guard try Self.knowsNoFrame(bytes ?? []) else { throw lost }
            }
            guard names.contains(LogLayout.segments) else { return }
            for name in try directory.list(LogLayout.segments) {
                guard let (number, _) = LogLayout.parse(name) else { continue }
                guard number == 1 else { throw lost }
                let file = try directory.open(LogLayout.segments + "/" + name, .read)
                defer { file.close() }
                let content = try ReadWindow(file).endOfContent(from: UInt64(SegmentHeader.length))
                guard content == nil else { throw lost }
            }
        } catch let error as SystemError {
            throw .system(error)
        } catch {
            throw lost
        }
    }

    private static func knowsNoFrame(_ bytes: [UInt8]) throws(FormatError) -> Bool {
        try bytes.withUnsafeBufferPointer { (buffer) throws(FormatError) in
            let manifest = try Manifest(decoding: UnsafeRawBufferPointer(buffer))
            return manifest.knownEnd.sequence == 0 && !manifest.isClean
        }
    }
}

extension StoreUUID {
    /// A random identifier, in the form that RFC 9562 calls version 4.
    init(version4From high: UInt64, _ low: UInt64) {
        self.init(
            high: high & ~0xF000 | 0x4000, low: low & ~(0b11 << 62) | (0b10 << 62))
    }
}
