/// What the end of the newest segment means, and what must be done about it.
///
/// A frame that is not valid is either the rest of a write that a crash interrupted, which was
/// never acknowledged and goes, or damage to something that was, which is reported. The witnesses
/// are the frames behind it, each of which says what was durable when it was written, and the
/// MANIFEST, which knows an end that the log once had.
struct TailJudgement {
    /// What was written behind the last valid frame; `nil` when there is nothing but zeros.
    private(set) var tornTail: Range<UInt64>?
    /// The positions that the events in it had, as far as it still says.
    private(set) var tornPositions: Range<UInt64>?
    /// From here on frames are written again: nothing shows that they have reached the disk.
    private(set) var rewritesFrom: UInt64?
    private(set) var rewrittenFrames: UInt64 = 0

    init(_ replay: LogReplay, _ manifest: Manifest, fault: PlantedFault?) throws(LogError) {
        guard let newest = replay.newest else {
            throw .damaged(
                LogDamage(file: Manifest.fileName, offset: 44, reason: "a log without segments"))
        }
        if fault != .ignoreKnownEnd { try Self.checkReachesKnownEnd(newest, manifest) }
        if manifest.isClean && fault != .ignoreKnownEnd {
            try Self.checkCleanEnd(newest, manifest)
            return
        }
        let remains = try system { () throws(SystemError) in
            try newest.scanner.remains(from: newest.end.sequence &+ 1)
        }
        if fault != .cutAtAnyDamage { try Self.checkNothingWasDurable(in: remains, behind: newest) }
        let end = newest.fileLength
        let content = try system { () throws(SystemError) in
            try newest.window.endOfContent(from: end)
        }
        tornTail = content.map { end..<$0 }
        let next = newest.end.nextPosition
        tornPositions = content.map { _ in next..<max(next, remains.nextPosition) }
        rewritesFrom = newest.unproven.first?.offset
        rewrittenFrames = UInt64(newest.unproven.count)
    }

    private static func checkReachesKnownEnd(
        _ newest: ReplayedSegment, _ manifest: Manifest
    ) throws(LogError) {
        let known = manifest.knownEnd
        guard newest.header.number == known.segment, newest.end.offset < known.offset else {
            return
        }
        throw damage(newest, through: known.sequence)
    }

    /// After a proper close the log ends in the closing mark, and the file ends with the log.
    private static func checkCleanEnd(
        _ newest: ReplayedSegment, _ manifest: Manifest
    ) throws(LogError) {
        guard newest.end == manifest.knownEnd, newest.trailer == nil,
            newest.window.fileSize == newest.end.offset,
            newest.lastFlags & FrameHeader.cleanCloseFlag != 0
        else {
            throw .damaged(
                LogDamage(
                    file: newest.header.fileName, offset: newest.end.offset,
                    reason: "the log was closed properly and does not end that way"))
        }
    }

    /// If any frame behind the first invalid one says that this one was durable, it was
    /// acknowledged, and what is there now is damage.
    private static func checkNothingWasDurable(
        in remains: FrameScanner.Remains, behind newest: ReplayedSegment
    ) throws(LogError) {
        guard remains.strongestClaim >= newest.end.sequence &+ 1 else { return }
        throw damage(newest, through: remains.strongestClaim)
    }

    private static func damage(_ newest: ReplayedSegment, through last: UInt64) -> LogError {
        let first = newest.end.sequence &+ 1
        return .damaged(
            LogDamage(
                file: newest.header.fileName, offset: newest.end.offset,
                sequences: first...max(first, last), reason: newest.scanner.stop.reason))
    }
}
