/// Which version every stream has reached, to notice versions that are missing.
///
/// The one thing of which an inspection keeps something for every stream: its name and two numbers.
struct StreamLedger {
    private struct Head {
        var version: UInt64
        var position: UInt64
    }

    private var heads: [StreamID: Head] = [:]
    /// Ranges of positions whose events are lost, in order and apart from each other.
    private(set) var lost: [Range<UInt64>] = []

    var streamCount: Int { heads.count }

    /// Notes that the events at some positions are lost.
    mutating func lose(_ positions: Range<UInt64>) {
        guard !positions.isEmpty else { return }
        if let last = lost.last, last.upperBound >= positions.lowerBound {
            lost[lost.count - 1] = last.lowerBound..<max(last.upperBound, positions.upperBound)
        } else {
            lost.append(positions)
        }
    }

    /// Notes an event, and returns why it cannot follow what came before it, if so.
    mutating func note(_ stream: StreamID, _ version: UInt64, at position: UInt64) -> String? {
        let reason = objection(to: stream, version, at: position)
        heads[stream] = Head(version: version, position: position)
        return reason
    }

    /// Why an event cannot follow what came before it; `nil` when it can.
    ///
    /// A version may be missing exactly where a lost event explains it: not more of them than
    /// there are lost positions between the stream's last event and this one.
    func objection(to stream: StreamID, _ version: UInt64, at position: UInt64) -> String? {
        let head = heads[stream] ?? Head(version: 0, position: 0)
        guard version != head.version &+ 1 else { return nil }
        guard version > head.version else {
            return "version \(version) of stream \(stream) after version \(head.version)"
        }
        let missing = version - head.version - 1
        guard missing > lostCount(between: head.position, and: position) else { return nil }
        return "version \(version) of stream \(stream) where \(head.version + 1) follows"
    }

    /// How many positions are lost between two.
    private func lostCount(between first: UInt64, and last: UInt64) -> UInt64 {
        var count: UInt64 = 0
        for range in lost.reversed() {
            guard range.upperBound > first else { break }
            let part = range.clamped(to: min(first, last)..<last)
            count += part.upperBound - part.lowerBound
        }
        return count
    }
}
