/// A durable log of opaque frames.
package final class CommitLog: Sendable {
    package let recovery: LogRecovery
    package let storeID: StoreUUID
    package let creationTime: Int64
    package let hashKey: (UInt64, UInt64)

    init(recovery: LogRecovery, storeID: StoreUUID, creationTime: Int64, hashKey: (UInt64, UInt64))
    {
        self.recovery = recovery
        self.storeID = storeID
        self.creationTime = creationTime
        self.hashKey = hashKey
    }

    package static func open(
        _ directory: any StoreDirectory, configuration: LogConfiguration, client: any LogClient
    ) throws(LogError) -> CommitLog { throw .closed }

    package func commit(
        client: any LogClient, eventCount: UInt32, sizeHint: Int,
        body: (FrameContext, inout ByteWriter) -> Void
    ) throws(CommitFailure) -> FramePlace { throw .closed }

    package var writtenPosition: UInt64 { 0 }
    package var durablePosition: UInt64 { 0 }
    package var unsyncedBytes: UInt64 { 0 }
    package var wantsMark: Bool { false }
    package var poison: SystemError? { nil }

    package func sync() throws(CommitFailure) { throw .closed }
    package func writeMark() throws(CommitFailure) { throw .closed }
    package func close() throws(CommitFailure) { throw .closed }
    package func abandon() {}

    package func read(
        segment: UInt32, at offset: UInt64, count: Int
    ) throws(LogError) -> [UInt8] { throw .closed }

    package func read(
        segment: UInt32, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(LogError) { throw .closed }

    package func forEachFrame(
        from start: (segment: UInt32, offset: UInt64)?, throughSequence: UInt64,
        _ body: (FramePlace, UnsafeRawBufferPointer) throws(MalformedBody) -> Bool
    ) throws(LogError) { throw .closed }
}
