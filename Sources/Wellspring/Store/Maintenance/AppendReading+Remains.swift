import WellspringLog

// Records and definitions have checksums of their own, begun with their place in the file, so those
// in a damaged body can be proved one by one. What is not proved that way is how many records come
// before one, and so its position. It follows where everything before it makes sense, item by item;
// and where everything behind it does, to the very end of the body, because the frame's header tells
// how many records there are. Whole appends only: an append is there or not. One with a key is left
// out, because nothing but the body's checksum vouches for the key.

extension AppendReading {
    /// How many places behind the damage are tried.
    private static let attemptLimit = 1_000

    /// The appends in a damaged body that can be proved.
    mutating func remains(of frame: InspectedFrame) -> [InspectedAppend] {
        let count = UInt64(frame.place.eventCount)
        var beginning = stretch(of: frame, from: 0)
        if beginning.reachesEnd { return beginning.count == count ? beginning.appends : [] }
        // What ends the stretch may be the number of records in the append before it.
        if !beginning.lastIsConfirmed, !beginning.appends.isEmpty {
            beginning.appends.removeLast()
        }
        let known = beginning.appends.reduce(0) { $0 + UInt64($1.records.count) }
        guard known < count else { return [] }
        return beginning.appends
            + ending(of: frame, behind: beginning.stop, atMost: count - known)
    }

    /// The appends behind the last damage.
    private mutating func ending(
        of frame: InspectedFrame, behind damage: Int, atMost limit: UInt64
    ) -> [InspectedAppend] {
        var attempts = 0
        var place = damage
        while place + 8 <= frame.body.count, attempts < Self.attemptLimit {
            defer { place += 1 }
            guard frame.body[place] == RecordFormat.entry, frame.body[place + 1] == 0,
                frame.body[place + 2] == 0, frame.body[place + 3] == 0
            else { continue }
            attempts += 1
            var found = stretch(of: frame, from: place)
            guard found.reachesEnd, found.count > 0, found.count <= limit else { continue }
            found.move(by: UInt64(frame.place.eventCount) - found.count)
            return found.appends
        }
        return []
    }

    /// Appends that follow each other, up to the first item that makes no sense.
    private struct Stretch {
        var appends: [InspectedAppend] = []
        /// How many records there are, those of appends that are left out among them.
        var count: UInt64 = 0
        var reachesEnd = false
        /// Whether something that makes sense follows the last append.
        var lastIsConfirmed = true
        /// Where in the body it ends.
        var stop: Int

        /// Counts positions from another record on.
        mutating func move(by distance: UInt64) {
            for append in appends.indices {
                for record in appends[append].records.indices {
                    appends[append].records[record].position += distance
                }
            }
        }
    }

    private mutating func stretch(of frame: InspectedFrame, from begin: Int) -> Stretch {
        let rest = UnsafeRawBufferPointer(rebasing: frame.body[begin...])
        let start = frame.place.bodyOffset + UInt64(begin)
        var reader = BodyReader(rest, at: start)
        var stretch = Stretch(stop: begin)
        do {
            while true {
                let before = Int(reader.offset - start)
                guard let item = try reader.next() else { break }
                guard case .entry(let count) = item else {
                    stretch.lastIsConfirmed = true
                    stretch.stop = begin + Int(reader.offset - start)
                    continue
                }
                let after = Int(reader.offset - start)
                let first = rest[before..<after].firstIndex { $0 != 0 } ?? before
                var records: [InspectedRecord] = []
                for _ in 0..<count {
                    let at = Int(reader.offset - start)
                    let raw = try reader.nextRecord()
                    records.append(
                        record(
                            raw, at: begin + at,
                            position: frame.place.firstPosition + stretch.count
                                + UInt64(records.count), in: frame))
                }
                stretch.count += UInt64(records.count)
                // The records of an append vouch for the end of the one before.
                stretch.lastIsConfirmed = false
                stretch.stop = begin + Int(reader.offset - start)
                let hasKey = rest[first + 1] != 0
                guard !records.isEmpty, !hasKey else { continue }
                stretch.appends.append(
                    InspectedAppend(head: begin + first..<begin + after, records: records))
            }
            stretch.reachesEnd = true
        } catch {
            // What follows is damaged.
        }
        return stretch
    }
}
