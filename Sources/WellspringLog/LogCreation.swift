extension LogOpening {
    /// Makes a store in a directory that has no file `STORE`.
    ///
    /// `STORE` comes last, so a store exists if and only if the file does, and a crash at any step
    /// before leaves something that this function recognises and begins anew.
    func create() throws(LogError) {
        try checkNothingWasAcknowledged()
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
                knownEnd: LogEnd(beginning: header), segments: [Manifest.Segment(header)],
                honouredPosition: 0)
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
    private func checkNothingWasAcknowledged() throws(LogError) {
        let isUnfinished: Bool
        do {
            isUnfinished = try UnfinishedCreation.isAll(in: directory)
        } catch {
            throw .system(error)
        }
        guard !isUnfinished else { return }
        throw .damaged(
            LogDamage(
                file: StoreIdentity.fileName, offset: 0,
                reason: "the file is missing from a store that was in use"))
    }
}

extension StoreUUID {
    /// A random identifier, in the form that RFC 9562 calls version 4.
    init(version4From high: UInt64, _ low: UInt64) {
        self.init(
            high: high & ~0xF000 | 0x4000, low: low & ~(0b11 << 62) | (0b10 << 62))
    }
}
