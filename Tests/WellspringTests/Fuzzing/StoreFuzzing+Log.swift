@testable import Wellspring
@testable import WellspringLog
@testable import WellspringTestKit

// Frames that say anything, read by an index that says anything.

extension StoreFuzzing {
    private static let streams = [
        StreamID(category: "s", key: "1"), StreamID(category: "s", key: "2"),
    ]

    /// Reads a log in every way; returns whether an event was found.
    ///
    /// The first byte says how many entries the index has, the second how far the log can be read;
    /// then come the entries, nine bytes each, and the frames.
    static func readLog(_ input: [UInt8], on disk: SimulatedDisk) -> Bool {
        guard input.count >= 2 else { return false }
        let count = Int(input[0] % 16)
        let visible = min(telling(input[1]), UInt64(Int64.max) - 1)
        var rest = input[2...]
        let specs = (0..<count).map { _ in
            defer { rest = rest.dropFirst(9) }
            return Array(rest.prefix(9)) + [UInt8](repeating: 0, count: 9)
        }
        let (contents, frames) = segment(Array(rest))
        guard let file = opened(contents, on: disk) else { return false }
        let source = FuzzedLog(file)
        let index = LogIndex(hashKey: (0, 0))
        index.add(specs.map { item($0, index) })
        let names = NameCache()
        index.add(indexed(frames, of: contents, index, source, names))
        let reader = LogReader(source, index, names) { (error) throws(EventStoreError) in
            throw EventStoreError(error)
        }
        let inStreams = readStreams(reader, through: visible)
        return readPages(reader, through: visible) || inStreams
    }

    /// What an entry of the index says; the places of frames are multiples of eight behind a header.
    private static func item(
        _ spec: [UInt8], _ index: LogIndex
    ) -> (key: UInt64, item: MemoryIndex.Item) {
        let key =
            spec[0] % 3 == 2 ? index.key(of: Tag("t")) : index.key(of: streams[Int(spec[0] % 3)])
        let far = UInt32(truncatingIfNeeded: telling(spec[2])) &* 8
        let frame = spec[3] == 255 ? UInt32.max & ~7 : 4_096 &+ far
        let place = EventPlace(
            segment: spec[4] == 255 ? .max : 1,
            offset: spec[3] == 254 ? .max : frame &+ 64 &+ UInt32(spec[5]),
            frame: frame, index: UInt32(truncatingIfNeeded: telling(spec[6])))
        return (
            key,
            MemoryIndex.Item(
                entry: IndexEntry(number: telling(spec[1]), place: place),
                position: telling(spec[7]))
        )
    }

    /// What the frames add to the index by themselves.
    private static func indexed(
        _ frames: [FrameHeader], of contents: [UInt8], _ index: LogIndex, _ source: FuzzedLog,
        _ names: NameCache
    ) -> [(key: UInt64, item: MemoryIndex.Item)] {
        var indexing = FrameIndexing(index, source, names)
        var items: [(key: UInt64, item: MemoryIndex.Item)] = []
        for frame in frames where frame.kind == .group {
            let start = Int(frame.offset) + FrameHeader.length
            guard start + Int(frame.bodyLength) <= contents.count else { continue }
            contents[start..<start + Int(frame.bodyLength)].withUnsafeBytes { body in
                let place = FramePlace(frame, segment: 1)
                items += (try? indexing.items(of: place, body: body)) ?? []
            }
        }
        return items
    }

    private static func readStreams(_ reader: LogReader, through visible: UInt64) -> Bool {
        var found = 0
        for stream in streams {
            guard let version = try? reader.version(of: stream, through: visible) else { continue }
            let reads = [
                StreamRead(stream), StreamRead(stream, .backward(before: nil)),
                StreamRead(stream, .forward(after: StreamVersion(1)), limit: ReadLimit(events: 2)),
            ]
            for read in reads {
                found += (try? reader.events(read, in: StreamExtent(last: version)))?.count ?? 0
            }
        }
        return found > 0
    }

    private static func readPages(_ reader: LogReader, through visible: UInt64) -> Bool {
        var found = 0
        for filter in [EventFilter.all, .tagged("t"), .named(["n"])] {
            for limit in [ReadLimit(), ReadLimit(events: 1)] {
                var (after, before) = (UInt64(0), UInt64?.none)
                for _ in 0..<6 {
                    let read = LogRead(filter: filter, limit: limit)
                    guard let page = try? reader.page(after: after, read, through: visible) else {
                        break
                    }
                    after = page.end.rawValue
                    found += page.events.count
                }
                for _ in 0..<6 {
                    let read = LogRead(.backward(before: nil), filter: filter, limit: limit)
                    guard let page = try? reader.page(before: before, read, through: visible)
                    else { break }
                    before = page.end.rawValue
                    found += page.events.count
                }
            }
        }
        return found > 0
    }
}

/// A log of one segment, in which a search begins at its first frame.
private final class FuzzedLog: LogSource {
    private let file: any StoreFile
    private let place: SegmentPlace

    init(_ file: any StoreFile) {
        self.file = file
        place = SegmentPlace(StoreFuzzing.header)
    }

    func segment(
        _ number: UInt32
    ) throws(LogError) -> (file: any StoreFile, place: SegmentPlace) {
        guard number == 1 || number == .max else {
            throw .damaged(LogDamage(file: "f", offset: 0, reason: "no such segment"))
        }
        var place = place
        place.number = number
        return (file, place)
    }

    func place(before position: UInt64) throws(LogError) -> (segment: UInt32, offset: UInt64) {
        (1, UInt64(SegmentHeader.length))
    }
}
