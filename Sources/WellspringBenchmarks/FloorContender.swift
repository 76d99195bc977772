import Foundation
import Wellspring
import WellspringLog

/// A bare log: frames with a checksum in a file written ahead with zeros, one sync for all that wait,
/// on threads.
///
/// No index, no versions, no recovery. It is there to be compared with and no bound: who shares
/// syncs among more appends is quicker.
final class FloorContender: Contender {
    static let row = "floor"
    static let hasStreams = false
    private let directory: any StoreDirectory
    private let file: any StoreFile
    private let isDurable: Bool
    private let state = NSCondition()
    // Under `state`.
    nonisolated(unsafe) private var pending: [UInt8] = []
    nonisolated(unsafe) private var pendingRound = 1
    nonisolated(unsafe) private var doneRound = 0
    nonisolated(unsafe) private var isWriting = false
    nonisolated(unsafe) private var doneEnd: UInt64 = 0
    nonisolated(unsafe) private var hasLeft = false
    nonisolated(unsafe) private var end: UInt64 = 0
    nonisolated(unsafe) private var zeroedEnd: UInt64 = 0

    private static let step: UInt64 = 8 << 20

    init(at directory: String, isDurable: Bool) async throws {
        self.directory = try PosixFileSystem().openStore(at: directory, create: true)
        let name = "floor.log"
        if try self.directory.list(nil).contains(name) {
            file = try self.directory.open(name, .readWrite)
            end = try file.size()
            zeroedEnd = end
        } else {
            file = try self.directory.open(name, .create)
        }
        self.isDurable = isDurable
    }

    var append: StoreOperation {
        let samples = SampleEvents(of: CartEvent.self)
        return .threads { [self] numbers, stream in
            var frames: [UInt8] = []
            for number in numbers {
                frames += Self.frame(try samples[number].encoded().payload, stream)
            }
            try commit(frames)
        }
    }

    func fill(_ batches: [Range<Int>], streams: Int) async throws {
        let samples = SampleEvents(of: CartEvent.self)
        for numbers in batches {
            var frames: [UInt8] = []
            for number in numbers {
                frames += Self.frame(try samples[number].encoded().payload, number % streams)
            }
            try write(frames)
        }
    }

    private static func frame(_ payload: EventPayload, _ stream: Int) -> [UInt8] {
        var writer = ByteWriter(capacity: payload.count + 64)
        writer.append(UInt32(payload.count))
        writer.append(0 as UInt32)
        writer.append(UInt64(stream))
        // As much as an event's id, its correlation and its time take.
        writer.appendZeros(40)
        payload.withUnsafeBytes { writer.append($0) }
        let checksum = writer.withUnsafeBytes {
            crc32c(0, UnsafeRawBufferPointer(rebasing: $0[8...]))
        }
        writer.patch(checksum, at: 4)
        return writer.bytes
    }

    /// Joins the group that is waiting, and writes it if nobody else does.
    private func commit(_ frames: [UInt8]) throws {
        state.lock()
        defer { state.unlock() }
        pending += frames
        let round = pendingRound
        while doneRound < round {
            guard !isWriting else {
                state.wait()
                continue
            }
            try writePending()
        }
    }

    /// Writes what is pending, with the lock given up meanwhile.
    private func writePending() throws {
        let group = pending
        let round = pendingRound
        isWriting = true
        pending = []
        pendingRound += 1
        state.unlock()
        defer {
            state.lock()
            isWriting = false
            doneRound = round
            doneEnd = end
            state.broadcast()
        }
        try write(group)
    }

    private func write(_ group: [UInt8]) throws {
        let place = end
        end += UInt64(group.count)
        if end > zeroedEnd {
            zeroedEnd = end + Self.step
            let zeros = [UInt8](repeating: 0, count: Int(Self.step))
            try zeros.withUnsafeBytes { try file.write($0, at: end) }
        }
        try group.withUnsafeBytes { try file.write($0, at: place) }
        if isDurable { try file.sync() }
    }

    /// A thread that waits for the condition, and reads what was written since.
    func subscribe(
        _ seen: @escaping @Sendable (_ position: UInt64) -> Void
    ) -> Task<Void, Never>? {
        Task {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    Thread.detachNewThread { [self] in
                        follow(seen)
                        continuation.resume()
                    }
                }
            } onCancel: {
                state.withLock {
                    hasLeft = true
                    state.broadcast()
                }
            }
        }
    }

    private func follow(_ seen: (_ position: UInt64) -> Void) {
        var known = Replayed()
        var offset: UInt64 = 0
        var window = [UInt8](repeating: 0, count: 1 << 16)
        while let end = waitForMore(than: offset) {
            let before = known.events
            let wanted = min(window.count, Int(end - offset))
            let used = try? window.withUnsafeMutableBytes {
                let rest = UnsafeMutableRawBufferPointer(rebasing: $0[..<wanted])
                let count = try file.read(into: rest, at: offset)
                return try Self.scan(UnsafeRawBufferPointer(rebasing: rest[..<count]), &known)
            }
            // Whoever waits for what cannot be read waits for ever, and so is noticed.
            guard let used, used > 0 else { return }
            offset += UInt64(used)
            for position in before..<known.events { seen(UInt64(position + 1)) }
        }
    }

    /// Returns the end of what is written once it lies behind `offset`; `nil` when nobody listens.
    private func waitForMore(than offset: UInt64) -> UInt64? {
        state.withLock {
            while doneEnd <= offset, !hasLeft { state.wait() }
            return hasLeft ? nil : doneEnd
        }
    }

    func version(of stream: Int) async throws -> Int { throw NotMeasured() }
    func load(stream: Int) async throws -> CartTotals { throw NotMeasured() }
    func claim(counting tries: Tally) -> StoreOperation? { nil }
    func command(counting tries: Tally?) -> StoreOperation? { nil }

    func replay(decodes: Bool) async throws -> Replayed {
        guard !decodes else { throw NotMeasured() }
        var seen = Replayed()
        var offset: UInt64 = 0
        var window = [UInt8](repeating: 0, count: 1 << 20)
        while offset < end {
            let count = try window.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
            let used = try window.withUnsafeBytes {
                try Self.scan(UnsafeRawBufferPointer(rebasing: $0[..<count]), &seen)
            }
            guard used > 0 else { break }
            offset += UInt64(used)
        }
        return seen
    }

    private static func scan(
        _ bytes: UnsafeRawBufferPointer, _ seen: inout Replayed
    ) throws -> Int {
        var offset = 0
        while bytes.count - offset >= 56 {
            let length = Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            guard length > 0, bytes.count - offset >= 56 + length else { break }
            let checksum = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
            let covered = UnsafeRawBufferPointer(rebasing: bytes[offset + 8..<offset + 56 + length])
            guard crc32c(0, covered) == checksum else { throw NotMeasured() }
            seen.events += 1
            seen.bytes += length
            offset += 56 + length
        }
        return offset
    }

    func close() async throws {
        try file.truncate(to: end)
        try file.sync()
        file.close()
    }
}

/// The row does not do what the workload measures.
struct NotMeasured: Error {}
