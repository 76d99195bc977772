import WellspringLog

/// A store as a backup finds it at one moment, and whether that may be copied.
///
/// The copy gets a MANIFEST of its own. What only the MANIFEST of the store would tell has to be
/// told before: that it is an older one, say, which knows but a part of the log.
struct BackupSource {
    let inspection: LogInspection
    let identity: StoreIdentity
    let manifest: Manifest
    private let directory: any StoreDirectory

    /// - Throws: When the store is damaged, or the disk fails.
    init(_ directory: any StoreDirectory) throws {
        self.directory = directory
        // The files first: a MANIFEST that is read later lists all of them, save a new one.
        let found = try directory.list(LogLayout.segments).compactMap { LogLayout.parse($0) }
        inspection = try LogInspection(directory)
        identity = try inspection.readIdentity()
        manifest = try inspection.readManifest()
        let last = manifest.segments.last?.number ?? 0
        try check(Set(found.map(\.number).filter { $0 > last }), behind: last)
    }

    /// Where the newest segment follows the one before; `nil` when there is none before it.
    ///
    /// Whoever reads on from here has the newest segment judged as a whole, against the MANIFEST too.
    var beginningOfNewest: LogEnd? {
        guard let previous = manifest.segments.dropLast().last, let seal = previous.seal else {
            return nil
        }
        let trailer = UInt64(SegmentTrailer.length)
        return LogEnd(
            segment: previous.number, offset: max(seal.fileLength, trailer) - trailer,
            sequence: seal.lastSequence, nextPosition: seal.nextPosition, recordedAt: .min,
            chain: seal.checksum)
    }

    // MARK: - Segments that are not listed

    /// Refuses them, but for one that a crash or a writer has named and not listed yet.
    ///
    /// That one holds nothing.
    private func check(_ unlisted: Set<UInt32>, behind last: UInt32) throws {
        guard let newest = unlisted.max() else { return }
        guard !manifest.isClean, newest - last == 1 else {
            throw Self.damaged(
                LogLayout.segment(newest), "the MANIFEST does not list the segment")
        }
        // A writer lists a segment before it writes commits to it.
        guard try holdsCommits(newest), try !isListed(newest) else { return }
        throw EventStoreError.storage(
            reason:
                "\(LogLayout.segment(newest)) holds commits, and the MANIFEST does not list it; "
                + "open and close the store, and back it up then")
    }

    private func holdsCommits(_ number: UInt32) throws -> Bool {
        var header = [UInt8](repeating: 0, count: FrameHeader.length)
        do {
            let file = try directory.open(LogLayout.segment(number), .read)
            defer { file.close() }
            _ = try header.withUnsafeMutableBytes {
                try file.read(into: $0, at: UInt64(SegmentHeader.length))
            }
        } catch let error as SystemError {
            // Rewritten since, or removed: whoever did that has listed it before, or holds nothing.
            guard error.kind == .notFound else { throw error }
        }
        return header.contains { $0 != 0 }
    }

    private func isListed(_ number: UInt32) throws -> Bool {
        try LogInspection(directory).readManifest().segments.contains { $0.number == number }
    }

    private static func damaged(_ file: String, _ reason: String) -> EventStoreError {
        .damaged(StoreDamage(file: file, offset: 0, reason: reason))
    }
}
