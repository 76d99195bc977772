// Reading a log that another process may be writing.
//
// A follower takes no lock and writes nothing. It goes along the frames from where its client's
// index ends, and hands over a frame only when the frame is known to be durable: because the
// MANIFEST says so, because a valid later frame says so, or because a further segment was begun,
// which happens only after the one before was synced. What a crash could take away is never shown.
//
// Bytes behind the last frame that was handed over may change in any way: a write may be half done,
// a failed one be taken back and another come in its place, a dead writer's rest be cut off. So
// nothing is remembered of them, and each look begins at the last frame that was handed over. What
// makes no sense there is damage only if something says that it was durable, and still does when it
// is read again.

/// The one on whose behalf a log is followed.
package protocol LogFollowerClient: AnyObject {
    /// The place up to which the client knows the log from an index on disk; `nil` for the
    /// beginning.
    ///
    /// - Parameter segments: Where names are read from that are defined before the place.
    func coverage(of log: LogOutline, in segments: any LogSource) -> LogAnchor?

    /// The frames that follow are in `segment`, behind the sequence `covered`.
    func segmentBegan(_ segment: UInt32, after covered: UInt64)

    /// Takes in a frame that is durable. May be handed the same frame again if it throws.
    ///
    /// - Throws: ``MalformedBody`` when the checksums hold and the content still makes no sense.
    func take(_ place: FramePlace, body: UnsafeRawBufferPointer) throws(MalformedBody)

    /// A segment ended at `anchor`, and the next one follows.
    func segmentEnded(_ anchor: LogAnchor)
}

/// Follows a log without a lock and without writing.
///
/// For one caller at a time. What others read, they read through ``segments``.
package final class LogFollower: @unchecked Sendable {
    // SAFETY: the owner lets one caller in at a time, and `segments` and `storeID` do not change.
    package let storeID: StoreUUID
    /// The files, for readers on any thread.
    package let segments: FollowedSegments

    let directory: any StoreDirectory
    let client: any LogFollowerClient
    /// Whether frames are handed over of which nobody says that they are durable.
    let includesUnproven: Bool
    private let fault: PlantedFault?
    private(set) var manifest: Manifest
    private var place: FollowedPlace
    /// The highest sequence that is known to be durable.
    private var proven: UInt64
    /// Whether the end of the log is yet to be looked at for the first time.
    private var isOpening = true

    /// How often the log is read before it is called damaged, or another one.
    package static let readings = 3

    /// Opens the log in `directory`, checks its sealed segments against the MANIFEST, and takes in
    /// everything that the client does not know yet.
    package static func open(
        _ directory: any StoreDirectory, includesUnproven: Bool, client: any LogFollowerClient,
        plantedFault: PlantedFault? = nil
    ) throws(LogError) -> LogFollower {
        let follower = try opening(directory) { (opening) throws(LogError) in
            try LogFollower(
                opening, includesUnproven: includesUnproven, client: client, plantedFault)
        }
        _ = try follower.advance()
        follower.isOpening = false
        return follower
    }

    /// Runs `body` with what the MANIFEST says now; some more times if it meets damage.
    ///
    /// A file may be missing because it was rewritten since. The MANIFEST is another one then, and
    /// the attempt does not count.
    private static func opening<Result>(
        _ directory: any StoreDirectory,
        _ body: (FollowerOpening) throws(LogError) -> Result
    ) throws(LogError) -> Result {
        var tries = 0
        var last: UInt64?
        for _ in 1...openingLimit {
            let opening = try rereading { () throws(LogError) in try FollowerOpening(directory) }
            if opening.manifest.number == last || last == nil { tries += 1 }
            last = opening.manifest.number
            do throws(LogError) {
                return try body(opening)
            } catch {
                switch error {
                case .damaged, .replaced:
                    if tries >= readings { throw error }
                default: throw error
                }
            }
        }
        throw .replaced(reason: "its segments are rewritten again and again")
    }

    /// How often in a row the segments may be rewritten while the log is opened.
    private static let openingLimit = 1_000

    private init(
        _ opening: FollowerOpening, includesUnproven: Bool, client: any LogFollowerClient,
        _ fault: PlantedFault?
    ) throws(LogError) {
        self.fault = fault
        directory = opening.directory
        storeID = opening.identity.storeID
        manifest = opening.manifest
        self.includesUnproven = includesUnproven
        self.client = client
        segments = FollowedSegments(
            SegmentFiles(opening.directory, isFollowed: true), of: opening.identity.storeID)
        let places = try opening.checkedSegments()
        segments.files.begin(
            places, file: try opening.openNewest(), positions: PositionTable())
        proven = manifest.knownEnd.sequence
        let anchor = client.coverage(of: opening.outline, in: segments)
        place = try opening.start(after: anchor)
        segments.files.note(anchor, in: place.header.number)
        proven = max(proven, place.end.sequence)
        client.segmentBegan(place.header.number, after: place.end.sequence)
        try checkPassedEnd()
    }

    /// The place behind the last frame that was handed over.
    package var end: LogEnd { place.end }

    /// What is known of the log now, for who looks for an index of it.
    package func outline() throws(LogError) -> LogOutline {
        let opening = try Self.rereading { () throws(LogError) in
            try FollowerOpening(directory)
        }
        try adopt(opening)
        return opening.outline
    }

    /// Makes sure that places in the segments still mean what they meant when they were read.
    package func checkIsCurrent() throws(LogError) { try askManifest() }

    // MARK: - Following

    /// Hands over what has become durable since the last time, up to about `bytes`.
    ///
    /// - Returns: Whether there was nothing more.
    package func advance(upTo bytes: Int = .max) throws(LogError) -> Bool {
        try Self.rereading { () throws(LogError) in try look(upTo: bytes) }
    }

    private static func rereading<Result>(
        _ body: () throws(LogError) -> Result
    ) throws(LogError) -> Result {
        for _ in 1..<readings {
            do throws(LogError) {
                return try body()
            } catch {
                switch error {
                case .damaged, .replaced: continue
                default: throw error
                }
            }
        }
        return try body()
    }

    /// One look at what lies behind the last frame that was handed over.
    private func look(upTo bytes: Int) throws(LogError) -> Bool {
        var budget = bytes
        while true {
            try checkFile()
            // A client may know the log to its very end; and who looks again after it was not met
            // stands behind it.
            try checkKnownEnd()
            let holdsMore = try place.mayHoldMore()
            guard isOpening || holdsMore || proven > place.end.sequence else { return true }
            if try hasNoNewWitness() { return true }
            var scan = try FollowedScan(place)
            while budget > 0, let frame = try scan.next() {
                proven = max(proven, includesUnproven ? frame.sequence : frame.durableSequence)
                budget -= frame.frameLength
                try take(&scan)
            }
            guard budget > 0 else { return false }
            if try enterNext(&scan) { continue }
            if scan.hasWaiting { try askManifest() }
            try take(&scan)
            try judge(&scan)
            place.waiting = scan.ahead
            return true
        }
    }

    /// Looks behind frames that wait for a witness already, where those are many and none came.
    private func hasNoNewWitness() throws(LogError) -> Bool {
        guard let waiting = place.waiting, proven <= place.end.sequence,
            try place.isUnchanged(waiting)
        else { return false }
        var scan = try FollowedScan(place, behind: waiting)
        while let frame = try scan.next() { proven = max(proven, frame.durableSequence) }
        guard scan.seal == nil else { return false }
        try askManifest()
        guard proven <= place.end.sequence else { return false }
        try judge(&scan)
        place.waiting = scan.ahead ?? waiting
        return true
    }

    /// Hands over the frames that are known to be durable.
    private func take(_ scan: inout FollowedScan) throws(LogError) {
        while let (header, body) = try scan.takeWaiting(through: proven) {
            if header.kind == .group {
                let frame = FramePlace(header, segment: place.header.number)
                do {
                    try client.take(frame, body: body)
                } catch {
                    throw LogError(error, of: frame, in: place.name)
                }
                segments.files.note(header, in: place.header.number)
            }
            place.pass(header)
            try checkKnownEnd()
        }
    }

    /// Goes on to the next segment, if the last frame found is a seal and there is one.
    private func enterNext(_ scan: inout FollowedScan) throws(LogError) -> Bool {
        guard let seal = scan.seal,
            let next = try next(behind: seal)
        else { return false }
        // A segment is begun only after the one before was synced.
        proven = max(proven, seal.sequence)
        try take(&scan)
        guard LogEnd(after: seal, in: place.header.number).holds(manifest.knownEnd) else {
            throw .otherLog(than: manifest.knownEnd, in: place.name)
        }
        place.pass(seal)
        let length = place.end.offset + UInt64(SegmentTrailer.length)
        client.segmentEnded(
            LogAnchor(
                endOfSegment: place.end, segments.rewrites(through: place.header.number)))
        segments.files.enter(next.header, file: next.file, sealedLength: length)
        place = next
        client.segmentBegan(next.header.number, after: next.end.sequence)
        try checkKnownEnd()
        return true
    }

    /// The beginning of the segment behind `seal`; `nil` when it is not there yet.
    private func next(behind seal: FrameHeader) throws(LogError) -> FollowedPlace? {
        if let next = try place.next(behind: seal, in: directory, manifest) { return next }
        // It may have been rewritten before it was ever looked at.
        let known = manifest.generation(of: place.header.number &+ 1)
        try askManifest()
        guard manifest.generation(of: place.header.number &+ 1) != known else { return nil }
        return try place.next(behind: seal, in: directory, manifest)
    }

    // MARK: - Witnesses

    /// Reads the MANIFEST again: whoever opened the log for writing since has synced all of it.
    private func askManifest() throws(LogError) {
        try adopt(try FollowerOpening(directory))
    }

    private func adopt(_ opening: FollowerOpening) throws(LogError) {
        guard opening.identity.storeID == storeID else {
            throw .replaced(reason: "the directory holds another store now")
        }
        if fault == .keepOldOffsets {
            try takeForCurrent(opening)
        } else {
            try checkGenerations(opening.manifest)
        }
        manifest = opening.manifest
        proven = max(proven, manifest.knownEnd.sequence)
        try checkKnownEnd()
    }

    /// Nothing that was read of a segment holds for another generation of it.
    private func checkGenerations(_ manifest: Manifest) throws(LogError) {
        for segment in manifest.segments {
            guard let known = segments.files.segment(segment.number),
                known.generation != segment.generation
            else { continue }
            throw .rewritten(segment: segment.number)
        }
    }

    private func takeForCurrent(_ opening: FollowerOpening) throws(LogError) {
        for place in try opening.checkedSegments() {
            segments.files.replace(place, positions: PositionTable())
        }
    }

    /// The known end must be met exactly: a log that passes it by is another one.
    private func checkKnownEnd() throws(LogError) {
        guard !place.end.agrees(with: manifest.knownEnd) else { return }
        throw .otherLog(than: manifest.knownEnd, in: place.name)
    }

    /// The same for a client that knows the log beyond it: the frame there has to follow it.
    private func checkPassedEnd() throws(LogError) {
        let known = manifest.knownEnd
        try checkKnownEnd()
        guard place.end.segment == known.segment, place.end.offset > known.offset else { return }
        let (header, file) = (place.header, place.file)
        let isFollowed = try system { () throws(SystemError) in
            try FrameScanner.isFollowed(known, header, in: try ReadWindow(file))
        }
        guard isFollowed else { throw .nothingFollows(known, in: place.name) }
    }

    /// Says whether the place where no valid frame begins must hold one.
    private func judge(_ scan: inout FollowedScan) throws(LogError) {
        if case .unknownKind(let kind) = scan.stop {
            throw .unsupportedFormat(file: place.name, reason: "frames of kind \(kind)")
        }
        // A seal is never the last frame; what follows it is a trailer, and then the next segment.
        guard scan.seal == nil else { return }
        let claim = try place.claim(behind: scan, looksBehindZeros: isOpening)
        guard max(proven, claim) >= scan.expected else { return }
        throw scan.damage(scan.stop.reason, through: max(proven, claim))
    }

    /// A file that is gone was rewritten, if the MANIFEST says so.
    private func checkIsNotRewritten() throws(LogError) {
        let opening: FollowerOpening
        do {
            opening = try FollowerOpening(directory)
        } catch {
            if case .system = error { throw error }
            return
        }
        if opening.identity.storeID == storeID { try checkGenerations(opening.manifest) }
    }

    /// The file must still be there, and hold what was read from it.
    private func checkFile() throws(LogError) {
        switch try place.state() {
        case .unchanged: return
        case .removed:
            try checkIsNotRewritten()
            throw .replaced(reason: "its files were removed")
        case .shorter(let size):
            throw .damaged(
                LogDamage(
                    file: place.name, offset: size,
                    reason: "the file has become shorter than what was read from it"))
        case .different:
            throw .replaced(
                reason: "\(place.name) no longer holds what was read from it before")
        }
    }
}
