@testable import Wellspring
@testable import WellspringLog
@testable import WellspringTestKit

// A store whose one segment says anything, and whose MANIFEST may be right about it.

extension StoreFuzzing {
    /// Opens a store, reads all there is in it and verifies it; returns whether it was opened.
    ///
    /// The first four bytes are what the MANIFEST says, the others are frames.
    static func openSegment(_ input: [UInt8], on disk: SimulatedDisk) -> Bool {
        guard input.count >= 4, let directory = try? disk.openStore(at: "store", create: true),
            (try? directory.makeDirectory(LogLayout.segments)) != nil
        else { return false }
        let (contents, frames) = segment(Array(input.dropFirst(4)))
        let identity = StoreIdentity(
            storeID: storeID, creationTime: 0, hashKey: SipKey(first: 1, second: 2))
        disk.replaceContents(of: StoreIdentity.fileName, with: identity.encoded())
        disk.replaceContents(
            of: Manifest.fileName, with: manifest(Array(input.prefix(4)), about: frames).encoded())
        disk.replaceContents(of: LogLayout.segment(1), with: contents)
        var isOpen = false
        if let log = try? FileLog.open(directory, LogConfiguration()) {
            isOpen = true
            readAll(of: log)
            if input[0] & 16 == 0 { try? log.close() } else { log.abandon() }
        }
        let tracker = ProgressTracker(totalBytes: 0, isCancelled: { false }, nil)
        _ = try? StoreVerifier(directory, tracker).run()
        return isOpen
    }

    private static func manifest(_ spec: [UInt8], about frames: [FrameHeader]) -> Manifest {
        let place = LogEnd(beginning: header)
        let end = frames.isEmpty ? nil : frames[Int(spec[1]) % frames.count]
        var known = end.map { LogEnd(after: $0, in: 1) } ?? place
        if spec[0] & 2 != 0 { known.sequence = telling(spec[2]) }
        if spec[0] & 4 != 0 { known.nextPosition = telling(spec[2]) }
        var listed = Manifest.Segment(
            number: 1, generation: 0, basePosition: header.basePosition,
            baseSequence: header.baseSequence, seal: nil)
        if spec[0] & 8 != 0 {
            listed.seal = .init(
                nextPosition: known.nextPosition, lastSequence: known.sequence,
                fileLength: known.offset, checksum: known.chain)
        }
        return Manifest(
            storeID: storeID, number: 1, isClean: spec[0] & 1 != 0, knownEnd: known,
            segments: [listed], honouredPosition: telling(spec[3]))
    }

    private static func readAll(of log: FileLog) {
        for filter in [EventFilter.all, .tagged("t")] {
            var after = LogPosition.start
            for _ in 0..<20 {
                let read = LogRead(.forward(after: after), filter: filter)
                guard let page = try? log.page(read, through: log.writtenPosition),
                    page.end > after
                else { break }
                after = page.end
                for stream in Set(page.events.map(\.stream)) {
                    guard let last = try? log.version(of: stream, through: log.writtenPosition)
                    else { continue }
                    _ = try? log.events(StreamRead(stream), in: StreamExtent(last: last))
                }
            }
        }
    }
}
