/// One walk of an inspection through all segments.
final class LogWalk {
    let inspection: LogInspection
    var manifest: Manifest?
    private var list: SegmentList?
    private let visit: (InspectedItem) throws -> Bool
    private let start: LogEnd?

    /// What must come next; `nil` before the first frame of a log of which nothing else is known.
    var cursor: Cursor?
    /// Damage behind which no sense has begun again yet.
    var pending: [InspectedDamage] = []
    /// The place behind the last frame that is known to be durable.
    private(set) var provenEnd: LogEnd?
    /// Whether a frame was met of which nobody says that it is durable.
    var isInDoubt = false
    /// Whether the last segment was found to be sealed.
    var lastIsSealed = false
    /// Frames up to this one were handed over by an earlier walk.
    private var passed: UInt64 = 0

    struct Cursor {
        var sequence: UInt64
        var position: UInt64
    }

    init(
        _ inspection: LogInspection, after start: LogEnd?,
        _ visit: @escaping (InspectedItem) throws -> Bool
    ) {
        self.inspection = inspection
        self.visit = visit
        self.start = start
        provenEnd = start
        manifest = inspection.manifest
        if let start {
            cursor = Cursor(sequence: start.sequence &+ 1, position: start.nextPosition)
        } else if let first = inspection.manifest?.segments.first {
            cursor = Cursor(sequence: first.baseSequence, position: first.basePosition)
        }
    }

    var directory: any StoreDirectory { inspection.directory }

    func emit(_ item: InspectedItem) throws {
        switch item {
        case .frame(let frame) where frame.header.sequence <= passed: return
        case .remains(let frame) where frame.header.sequence <= passed: return
        default: break
        }
        guard try visit(item) else { throw InspectionStopped() }
    }

    // MARK: - Segments

    func run() throws {
        try list = SegmentList(directory)
        var expected = start?.segment ?? manifest?.segments.first?.number ?? 1
        var next = number(from: expected)
        while let number = next {
            if number > expected { miss(expected...number - 1) }
            let isNewest = isNewest(number)
            try walk(number)
            guard number < .max else { break }
            // The log ended there when it was read. A writer may have gone on since, in this segment and in
            // new ones, which are no concern of this walk.
            if isNewest, !lastIsSealed, pending.isEmpty { break }
            expected = number + 1
            next = self.number(from: expected)
            if next == nil, lastIsSealed {
                // Beside a writer a new segment may have begun meanwhile.
                try lookAgain()
                next = self.number(from: expected)
            }
        }
        try finish()
    }

    /// The first segment from `lowest` on of which there is a file or an entry.
    private func number(from lowest: UInt32) -> UInt32? {
        let listed = manifest?.segments.lazy.map(\.number).filter { $0 >= lowest }.min()
        let found = list?.numbers.lazy.filter { $0 >= lowest }.min()
        guard let listed, let found else { return listed ?? found }
        return min(listed, found)
    }

    /// Reads the list of files and the MANIFEST once more.
    func lookAgain() throws {
        try list = SegmentList(directory)
        let again = try LogInspection(directory)
        manifest = again.manifest ?? manifest
    }

    private static let missing = "the segment is missing"

    private func miss(_ numbers: ClosedRange<UInt32>, because reason: String = missing) {
        // Numbers that are far apart are a wrong name rather than a million lost files.
        for number in numbers.prefix(1_024) {
            pending.append(
                InspectedDamage(
                    .missingSegment,
                    LogLayout.segment(
                        number, generation: manifest?.generation(of: number) ?? 0),
                    at: 0, reason))
        }
    }

    private func walk(_ number: UInt32) throws {
        lastIsSealed = false
        try checkIsListed(number)
        guard let file = try open(number) else { return }
        var begin = start?.segment == number ? start : nil
        if let start = begin, try !file.holds(start) {
            // It was rewritten meanwhile, so places in it mean nothing any more. It is read from its
            // beginning, and what was handed over is passed over.
            begin = nil
            passed = start.sequence
            cursor = nil
        }
        try SegmentWalk(self, number, file, after: begin)?.run()
    }

    /// There may be one segment more than the MANIFEST lists, which a crash kept from being listed;
    /// after a proper close there is none.
    private func checkIsListed(_ number: UInt32) throws {
        guard isUnknown(number) else { return }
        try lookAgain()
        guard isUnknown(number) else { return }
        try emit(
            .damage(
                InspectedDamage(
                    .end, LogLayout.segment(number), at: 0,
                    "the MANIFEST does not know the segment")))
    }

    private func isUnknown(_ number: UInt32) -> Bool {
        guard let manifest else { return false }
        let last = manifest.knownEnd.segment
        return manifest.isClean ? number > last : number - min(number, last) > 1
    }

    /// Opens a segment's file; `nil`, and noted as damage, when that fails twice.
    ///
    /// - Throws: What is no fault of the file, as when too many are open.
    private func open(_ number: UInt32) throws -> InspectedFile? {
        for attempt in 0..<2 {
            let name = LogLayout.segment(
                number,
                generation: list?.generation(of: number, manifest, in: directory) ?? 0)
            do throws(SystemError) {
                return try InspectedFile(directory, name)
            } catch {
                guard error.isOfFile else { throw LogError.system(error) }
                if attempt == 1 {
                    miss(
                        number...number,
                        because: error.kind == .notFound
                            ? Self.missing
                            : "the segment cannot be read: \(error.call), error \(error.code)")
                }
            }
            // It may have been rewritten meanwhile, and have another name.
            if attempt == 0 { try lookAgain() }
        }
        return nil
    }

    /// Whether `number` is the last segment that there is.
    func isNewest(_ number: UInt32) -> Bool {
        number == .max || self.number(from: number + 1) == nil
    }

    // MARK: - Where sense begins again

    /// Goes on at a valid frame or segment, and tells what is lost before it.
    func resume(_ sequence: UInt64, _ position: UInt64, _ file: String, at offset: UInt64) throws {
        let expected = cursor
        cursor = Cursor(sequence: sequence, position: position)
        guard let expected else { return try tellPending() }
        let isNext = expected.sequence == sequence && expected.position == position
        if pending.isEmpty, isNext { return }
        if pending.isEmpty {
            pending.append(
                InspectedDamage(
                    .frames, file, at: offset, "frame \(expected.sequence) is missing before it"))
        }
        lose(from: expected, to: sequence, position)
        try tellPending()
    }

    /// Counts what is lost with the first damage of a row.
    private func lose(from expected: Cursor, to sequence: UInt64, _ position: UInt64) {
        if sequence > expected.sequence {
            pending[0].sequences = expected.sequence...sequence - 1
        }
        pending[0].positions = expected.position..<max(expected.position, position)
    }

    func tellPending() throws {
        let told = pending
        pending = []
        for damage in told { try emit(.damage(damage)) }
    }

    /// Tells what is lost at the end of the log, as far as the MANIFEST knows.
    private func finish() throws {
        guard let cursor, !pending.isEmpty else { return try tellPending() }
        let known = manifest?.knownEnd
        let lastKnown = max(known?.sequence ?? 0, lastClaim)
        var end = known?.nextPosition ?? 0
        // No log reaches so far: the number is wrong, though its checksum is not.
        if end > UInt64(Int64.max) { end = 0 }
        lose(
            from: cursor, to: max(cursor.sequence, lastKnown &+ 1), max(cursor.position, end))
        pending[0].isOpenEnded = manifest?.isClean != true
        try tellPending()
    }

    /// The highest sequence that a header of the newest segment calls durable.
    var lastClaim: UInt64 = 0

    func noteProven(_ end: LogEnd) { provenEnd = end }
}

/// A segment's file and what is read of it.
struct InspectedFile {
    let name: String
    let file: PatchyFile
    let window: ReadWindow

    init(_ directory: any StoreDirectory, _ name: String) throws(SystemError) {
        try self.init(name, PatchyFile(try directory.open(name, .read)))
    }

    private init(_ name: String, _ file: PatchyFile) throws(SystemError) {
        self.name = name
        self.file = file
        window = try ReadWindow(file)
    }

    /// The generation that the name tells.
    var generation: UInt32 {
        name.split(separator: "/").last.flatMap { LogLayout.parse(String($0)) }?.generation ?? 0
    }

    /// The same file, read anew.
    func reread(in directory: any StoreDirectory) throws(SystemError) -> InspectedFile {
        do {
            return try InspectedFile(directory, name)
        } catch {
            // Rewritten meanwhile, or not to be opened again: what is open is still what it was.
            guard error.isOfFile else { throw error }
            return try InspectedFile(name, file)
        }
    }

    /// Whether a place that an earlier walk returned still is one in the file.
    ///
    /// Only what is rewritten loses its places.
    func holds(_ place: LogEnd) throws -> Bool {
        guard generation > 0, let page = try window.bytes(at: 0, count: SegmentHeader.length),
            let header = try? SegmentHeader(decoding: page)
        else { return true }
        let length = UInt64(SegmentTrailer.length)
        let last = window.fileSize - min(length, window.fileSize)
        if let bytes = try window.bytes(at: last, count: SegmentTrailer.length),
            SegmentTrailer(decoding: bytes, salt: header.salt)?.sealChecksum == place.chain
        {
            return true
        }
        guard let bytes = try window.bytes(at: place.offset, count: FrameHeader.length) else {
            return false
        }
        return FrameHeader(decoding: bytes, at: place.offset, salt: header.salt)?.chain
            == place.chain
    }
}

extension SystemError {
    /// Whether the file is the cause, and not what this process may do at this moment.
    fileprivate var isOfFile: Bool { kind == .notFound || kind == .io }
}
