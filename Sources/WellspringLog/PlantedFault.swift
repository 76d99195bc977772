/// Protections that a test may switch off, one at a time, to show that the tests notice.
package enum PlantedFault: String, CaseIterable, Hashable, Sendable {
    /// Reports a commit as durable without having synced it.
    case skipSync
    /// Believes the one sync that makes a new size durable, without another call to confirm it.
    case believeFirstSync
    /// Says in the frame that the frame itself is durable already.
    case claimDurableEarly
    /// Does not compare a frame with the one before it.
    case ignoreChain
    /// Uses the same salt for every segment.
    case sharedSalt
    /// Tries a failed sync again and believes the second answer.
    case retryFailedSync
    /// Takes a failed write back without syncing that.
    case rollBackWithoutSync
    /// Believes the tail that recovery found, without writing it again.
    case skipRestamp
    /// Does not sync the directory after renaming the next segment into place.
    case skipDirectorySync
    /// Cuts the log at the first bad frame, whatever comes after it.
    case cutAtAnyDamage
    /// Ignores what the MANIFEST says about the end of the log.
    case ignoreKnownEnd
    /// Writes no mark at a clean close.
    case skipClosingMark
    /// Does not check that a frame lies where it was written.
    case ignoreOwnOffset
    /// Leaves the bytes of a torn tail in the file.
    case keepTornTail
    /// Replaces the MANIFEST without syncing the new one first.
    case unsyncedManifest
    /// Saves a projection's state as of events that are not durable yet.
    case checkpointAheadOfLog
    /// Makes events visible before they are durable.
    case publishBeforeSync
    /// Gives a frame the time of the clock, also when that is behind the last frame's.
    case clockGoesBack
    /// Reports a strict commit as taken back, and leaves its mark in place, however much of it was
    /// written, and the group that it speaks for.
    case leaveMarkOfLostGroup
    /// Forgets a failed write in memory and leaves its bytes in the file.
    case takeBackInMemoryOnly
    /// Goes on writing after a failed sync.
    case writeAfterPoison
    /// Cuts a torn tail off without keeping a copy.
    case forgetTornTail
    /// Writes an unproven tail again without syncing it.
    case restampWithoutSync
    /// Begins a new segment without listing it in the MANIFEST.
    case rollWithoutManifest
    /// Seals a segment without syncing the seal.
    case sealWithoutSync
    /// Leaves what was written ahead behind the closing mark.
    case leaveZerosAtClose
    /// Does not compare the body of a frame with its checksum when opening.
    case ignoreBodyChecksum
    /// Does not compare the end of a sealed segment with the MANIFEST.
    case believeSealedEnd
    /// Lists a rewritten segment without having synced it.
    case rewriteWithoutSync
    /// Removes the old file of a rewritten segment before the new one is listed.
    case removeSupersededEarly
    /// Opens the highest generation of a segment, whatever the MANIFEST lists.
    case believeHighestGeneration
    /// Leaves files of segments in place that no longer count.
    case keepSuperseded
    /// Goes on reading a rewritten segment at the offsets of the old one.
    case keepOldOffsets
    /// Says that requests are honoured before the segments are rewritten.
    case honourEarly
    /// Accepts an append whatever version it expects.
    case skipVersionCheck
    /// Reports a lost race before the winner can be read.
    case reportConflictEarly
    /// Accepts an append that was decided on events which were taken back since.
    case decideOnTakenBack
    /// Lets a command answer before what it decided on is durable.
    case answerBeforeDurable
    /// Acknowledges a group whose commit failed.
    case ignoreFailedCommit
    /// Keeps the queued events of a stream when their appends are taken back.
    case keepQueuedEvents
    /// Goes on counting positions behind appends that were taken back.
    case keepQueuedPositions
    /// Does not tell that appends were taken back.
    case keepEpoch
    /// Does not wake those who wait for new events.
    case loseWakeups
    /// Believes the version of a stream that was looked up before the stream was forgotten.
    case learnStaleVersion
    /// Leaves a stream in memory as it was when it is truncated.
    case forgetTruncation
    /// Never sets the timer that syncs an interval.
    case forgetTimer
    /// Closes the log while appends are queued.
    case closeOverPending
    /// Believes an index run without asking whether the log holds its end.
    case believeForeignIndex
    /// Takes index runs for complete although one between them is missing.
    case bridgeIndexGap
    /// Does not index what lies between the runs and the frames that were replayed.
    case leaveIndexGap
    /// Replays into the index what its runs have already.
    case indexTwice
    /// Continues one frame behind the place at which the index ends.
    case anchorOffByOne
    /// Leaves the oldest run out of a merge.
    case mergeDropsRun
    /// Takes a damaged index run for one without the name that is looked for.
    case takeIndexDamageForNothing
    /// Does not confirm by the record that the index means the right stream.
    case believeIndexKey
    /// Remembers the end of a page under the position before.
    case resumeOffByOne
    /// Looks for the next tagged event one position too late.
    case jumpOverTag
    /// Begins to read backward before the newest event.
    case missNewestBackward
    /// Does not compare the body of a frame with its checksum when reading the log.
    case believeFramesWhenReading
    /// Does not compare a record with its checksum when reading a stream.
    case ignoreRecordChecksum
    /// Believes the saved state of a projection over another history of the log.
    case believeForeignState
    /// Hands pages of the log to a projection as they are decoded, in whatever order that is.
    case applyOutOfOrder
    /// Reports an event that cannot be decoded before what comes before it was taken in.
    case failAhead
}
