/// What readers of a log ask of its segments, whoever writes it.
///
/// From any thread.
extension SegmentFiles {
    /// A place at which a frame begins, at or not far before the one that holds `position`.
    func place(
        before position: UInt64
    ) throws(LogError) -> (segment: UInt32, offset: UInt64) {
        guard let segment = segment(holding: position) else {
            throw .damaged(
                LogDamage(
                    file: Manifest.fileName, offset: 0,
                    reason: "no segment holds position \(position)"))
        }
        let positions = try table(of: segment)
        return (segment.number, positions.offset(before: position))
    }

    /// Where groups begin in a segment, for about every 64 KiB.
    func table(of segment: SegmentPlace) throws(LogError) -> PositionTable {
        if let known = positions(of: segment.number) { return known }
        let name = segment.fileName
        let file = try file(of: segment.number)
        do {
            let length = try segment.sealedLength ?? file.size()
            let trailer = try SegmentTrailer.read(from: file, length: length, salt: segment.salt)
            let window = try ReadWindow(file)
            guard let trailer,
                let bytes = try window.bytes(at: trailer.sealOffset, count: FrameHeader.length),
                let seal = FrameHeader(
                    decoding: bytes, at: trailer.sealOffset, salt: segment.salt),
                let body = try window.bytes(
                    at: seal.offset + UInt64(FrameHeader.length), count: seal.paddedBodyLength),
                crc32c(segment.salt.body, body) == seal.bodyChecksum
            else {
                throw FormatError.malformed(
                    offset: Int(length), reason: "the footer of the segment is damaged")
            }
            let content = UnsafeRawBufferPointer(rebasing: body[0..<Int(seal.bodyLength)])
            let positions = try SegmentFooter(decoding: content).positions
            keep(positions, of: segment.number)
            return positions
        } catch let error as SystemError {
            throw .system(error)
        } catch {
            throw FormatError(error).found(in: name)
        }
    }

    /// Hands over the groups from the one at `start` on (`nil`: the first of the log), each with
    /// its checksums checked, until `body` returns false or the frame `throughSequence` is done.
    ///
    /// Frames beyond `last` are never looked at.
    func forEachFrame(
        from start: (segment: UInt32, offset: UInt64)?, throughSequence last: UInt64,
        _ body: (FramePlace, UnsafeRawBufferPointer) throws(MalformedBody) -> Bool
    ) throws(LogError) {
        let range = range
        var expected: FrameScanner.Expectation?
        var number = start?.segment ?? range.lowerBound
        var offset = start?.offset
        while number <= range.upperBound {
            let (file, place) = try source(number)
            var scanner = try FrameScanner(place.fileName, file: file, at: offset)
            if let expected, scanner.expected.sequence != expected.sequence {
                throw scanner.damage("the segment does not follow the one before it")
            }
            guard try scanner.forEachGroup(through: last, body) else { return }
            expected = scanner.expected
            offset = nil
            number += 1
        }
    }

    /// The place behind the seal of a segment; `nil` if it is not sealed.
    func end(ofSealed number: UInt32) throws(LogError) -> LogEnd? {
        guard segment(number) != nil else { return nil }
        let (file, place) = try source(number)
        guard let length = place.sealedLength else { return nil }
        let trailer = try system { () throws(SystemError) in
            try SegmentTrailer.read(from: file, length: length, salt: place.salt)
        }
        guard let trailer else {
            throw .damaged(
                LogDamage(
                    file: place.fileName, offset: length,
                    reason: "the trailer of the segment is damaged"))
        }
        return LogEnd(behind: trailer)
    }
}

extension FrameScanner {
    /// Begins at `offset` of a segment's file, or at its first frame.
    fileprivate init(
        _ name: String, file: any StoreFile, at offset: UInt64?
    ) throws(LogError) {
        let window: ReadWindow
        let header: SegmentHeader
        do {
            window = try ReadWindow(file)
            let page = try window.bytes(at: 0, count: SegmentHeader.length)
            header = try SegmentHeader(
                decoding: page ?? UnsafeRawBufferPointer(start: nil, count: 0))
        } catch let error as FormatError {
            throw error.found(in: name)
        } catch let error as SystemError {
            throw .system(error)
        } catch {
            throw FormatError(error).found(in: name)
        }
        if let offset {
            self.init(header, in: window, at: offset, expecting: Expectation())
        } else {
            self.init(header, in: window)
        }
    }

    /// Hands over groups up to the sequence `last`; false when there is nothing more to do.
    fileprivate mutating func forEachGroup(
        through last: UInt64,
        _ body: (FramePlace, UnsafeRawBufferPointer) throws(MalformedBody) -> Bool
    ) throws(LogError) -> Bool {
        while (expected.sequence ?? 0) <= last {
            let frame: Frame?
            do {
                frame = try next()
            } catch {
                throw .system(error)
            }
            guard let frame else { throw damage(stop.reason) }
            guard frame.header.sequence <= last else { return false }
            if frame.header.kind == .seal { return frame.header.sequence < last }
            guard frame.header.kind == .group else { continue }
            let place = FramePlace(frame.header, segment: header.number)
            do {
                guard try body(place, frame.body) else { return false }
            } catch {
                throw LogError(error, of: place, in: header.fileName)
            }
        }
        return false
    }

    /// Damage at the place where reading stopped.
    func damage(_ reason: String) -> LogError {
        .damaged(
            LogDamage(
                file: header.fileName, offset: offset,
                sequences: expected.sequence.map { $0...$0 }, reason: reason))
    }
}

extension FrameScanner.Stop {
    /// The same in words.
    var reason: String {
        switch self {
        case .none: "nothing is wrong"
        case .nothing: "a frame is missing"
        case .damage(let reason): reason
        case .unknownKind(let kind): "a frame of the unknown kind \(kind)"
        }
    }
}

extension LogError {
    /// What is to be said of a frame whose owner cannot read its body.
    init(_ malformed: MalformedBody, of place: FramePlace, in file: String) {
        self =
            malformed.cause
            ?? .damaged(LogDamage(malformed: malformed, at: place, in: file))
    }
}

extension LogDamage {
    /// A body whose checksum holds and whose content makes no sense to its owner.
    init(malformed: MalformedBody, at place: FramePlace, in file: String) {
        self.init(
            file: file,
            offset: place.bodyOffset + UInt64(max(0, malformed.offset)),
            sequences: place.sequence...place.sequence, reason: malformed.reason)
    }
}

extension PositionTable {
    /// The offset of the last frame listed that begins at or before `position`, or else of the
    /// first frame of the segment.
    func offset(before position: UInt64) -> UInt64 {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].position <= position { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? UInt64(SegmentHeader.length) : entries[low - 1].offset
    }
}
