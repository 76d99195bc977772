/// What a scavenge did, see ``FileEventStore/scavenge(at:allowsNetworkFileSystem:progress:)``.
public struct ScavengeReport: Hashable, Sendable {
    /// How many files of the log were written anew.
    public internal(set) var segmentCount = 0
    /// How many events lost their content.
    ///
    /// Those that had lost it before do not count.
    public internal(set) var redactedCount: UInt64 = 0
    /// How many bytes the files of the log had before.
    public internal(set) var bytesBefore: UInt64 = 0
    /// How many bytes they have now.
    public internal(set) var bytesAfter: UInt64 = 0
    /// Files that hold bytes which an opening once cut off or set aside, relative to the store.
    ///
    /// They may hold copies of what was to go, and nothing in the store needs them. Remove them when
    /// nobody wants to look into them any more.
    public internal(set) var quarantined: [String] = []
    /// Saved states of projections, relative to the store.
    ///
    /// They may hold what a projection learned of events before those lost their content. Rebuild the
    /// projections, or remove the files, where it matters.
    public internal(set) var savedStates: [String] = []

    /// Whether there was anything to do.
    public var hasChanged: Bool { segmentCount > 0 }
}
