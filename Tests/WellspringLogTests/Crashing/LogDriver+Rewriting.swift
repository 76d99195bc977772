import WellspringLog
import WellspringTestKit

/// What a rewriting makes of a body here: one that is shorter or longer, and other bytes.
enum Rewritten {
    static func body(_ old: some Collection<UInt8>) -> [UInt8] {
        let keeps = old.count % 2 == 0 ? old.count / 3 : old.count
        let more = old.count % 2 == 0 ? 1 : 40
        return old.prefix(keeps).map { $0 ^ 0x5A } + [UInt8](repeating: 7, count: more)
    }
}

/// Rewrites every body.
final class RewritingAll: RewritingClient {
    func rewrite(
        _ place: FramePlace, body: UnsafeRawBufferPointer, for context: FrameContext,
        into writer: inout ByteWriter
    ) throws(MalformedBody) {
        writer.append(Rewritten.body(body))
    }

    func footerContent(ofRewritten segment: UInt32) -> [UInt8] {
        [UInt8](repeating: UInt8(truncatingIfNeeded: segment) ^ 0xFF, count: 11)
    }
}

extension LogDriver.Commit {
    func body(rewritten rounds: Int) -> [UInt8] {
        if rounds <= 0 { return body }
        if rounds <= rewritten.count { return rewritten[rounds - 1] }
        return Rewritten.body(body(rewritten: rounds - 1))
    }

    /// Works out what up to so many rewritings make of the body, so that nobody has to again.
    mutating func foresee(rewritings: Int) {
        for rounds in 0..<rewritings { rewritten.append(Rewritten.body(body(rewritten: rounds))) }
    }
}

extension FramePlace {
    /// What a rewriting must not have changed, and did.
    func misfit(with original: FramePlace) -> String? {
        let isSame =
            segment == original.segment && sequence == original.sequence
            && (eventCount == 0 || firstPosition == original.firstPosition)
            && eventCount == original.eventCount && recordedAt == original.recordedAt
        return isSame ? nil : "\(self) was \(original)"
    }
}

extension LogDriver {
    /// Ends the active segment.
    func sealActive() {
        guard let log else { return }
        do {
            try log.sealActive(client: client)
            promise { $0.durable = $0.order.count }
        } catch {
            noteFailure(error)
        }
    }

    /// Rewrites every segment that is sealed.
    func rewriteAll() {
        guard let numbers = log?.segmentNumbers else { return }
        for number in numbers.dropLast() { rewrite(number) }
    }

    @discardableResult
    func rewrite(_ number: UInt32) -> RewriteFailure? {
        guard let log else { return .failed(.closed) }
        let rounds = promise.rounds[number] ?? 0...0
        let before = rounds.lowerBound
        guard log.segmentNumbers.dropLast().contains(number) else { return nil }
        promise { $0.rounds[number] = before...before + 1 }
        do {
            try log.rewrite(number, with: RewritingAll(), client: client)
            promise { $0.rounds[number] = before + 1...before + 1 }
            readAnew()
            return nil
        } catch {
            note(error, of: number, rounds)
            return error
        }
    }

    private func note(
        _ failure: RewriteFailure, of number: UInt32, _ before: ClosedRange<Int>
    ) {
        switch failure {
        case .failed(.poisoned): promise { $0.written = $0.durable }
        case .oldFileRemains:
            promise { $0.rounds[number] = before.lowerBound + 1...before.lowerBound + 1 }
            readAnew()
        case .failed:
            promise { $0.rounds[number] = before }
            if before.count == 1 { readAnew() }
        case .notSealed, .damaged, .unsupportedFormat, .beyondLimits:
            report("a sound segment was not rewritten: \(failure)")
        }
        if !hasFaults, disk.capacity == nil { report("it failed without a cause: \(failure)") }
    }

    /// Reads all frames of the open log again, and holds them against what was promised.
    private func readAnew() {
        guard let log else { return }
        var seen: [CollectingClient.Frame] = []
        do {
            try log.forEachFrame(from: nil, throughSequence: .max) { place, body in
                seen.append(.init(place: place, body: [UInt8](body)))
                return true
            }
        } catch {
            if case .system = error, hasFaults { return }
            return report("AFTER REWRITING: \(error)")
        }
        frames = seen
        if let violation = Self.compare(seen, promise, required: promise.written, commits) {
            report("AFTER REWRITING: \(violation)")
        }
    }

    /// Nothing is left of the rewriting that a crash interrupted.
    func checkNothingIsLeftOver() {
        var known: Set<UInt32> = []
        let names = disk.fileNames
        let folder = LogLayout.segments + "/"
        for name in names where name.hasPrefix(folder) {
            let isTwice =
                LogLayout.parse(String(name.dropFirst(folder.count)))
                .map { !known.insert($0.number).inserted } ?? false
            if isTwice || name == LogLayout.rewrittenSegment {
                report("LEFT OVER: \(name) of \(names)")
            }
        }
    }

    /// What was found is what stays.
    func settleRounds() {
        let found = Self.rounds(of: frames, promise, commits)
        promise { promise in
            for (number, rounds) in promise.rounds where rounds.count > 1 {
                guard let round = found[number] else { continue }
                promise.rounds[number] = round...round
            }
        }
    }

    /// How often each segment of which nobody can know it was rewritten, from what is in it; none
    /// where its frames disagree.
    static func rounds(
        of frames: [CollectingClient.Frame], _ promise: Promise, _ commits: [Commit]
    ) -> [UInt32: Int] {
        var possible: [UInt32: [Int]] = [:]
        for (number, rounds) in promise.rounds where rounds.count > 1 {
            possible[number] = Array(rounds)
        }
        if possible.isEmpty { return [:] }
        for (frame, number) in zip(frames, promise.order) {
            let segment = frame.place.segment
            guard let rounds = possible[segment] else { continue }
            let fitting = rounds.filter { commits[number].body(rewritten: $0) == frame.body }
            possible[segment] = fitting
        }
        return possible.compactMapValues(\.first)
    }
}
