public import Wellspring

extension FileEventStore {
    /// Opens a store on a simulated disk.
    ///
    /// Commits run on the caller's thread and the clock is the disk's, so that the same calls on a
    /// disk with the same seed do the same, byte for byte.
    public convenience init(
        on disk: SimulatedDisk, at path: String = "store",
        configuration: Configuration = Configuration()
    ) async throws(EventStoreError) {
        try await self.init(at: path, in: disk, configuration: configuration)
    }
}

extension FileEventReader {
    /// Opens a store on a simulated disk for reading.
    ///
    /// What waits for events looks at the disk when ``SimulatedDisk/fireTimers()`` says that it is
    /// time.
    public convenience init(
        on disk: SimulatedDisk, at path: String = "store",
        configuration: Configuration = Configuration()
    ) async throws(EventStoreError) {
        try await self.init(at: path, in: disk, configuration: configuration)
    }
}
