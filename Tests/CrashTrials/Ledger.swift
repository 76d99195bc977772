/// What was acknowledged, and what was found before: both have to be there.
struct Ledger {
    /// The order of the log when it was last looked at.
    private var settled: [Deed] = []
    private var settledCounts = [Int](repeating: 0, count: Deed.clientCount)
    /// The appends acknowledged since then, with their positions.
    private var acknowledged: [(deed: Deed, position: UInt64)] = []
    /// The position of the last acknowledged event that belongs to no client.
    private var passed: UInt64 = 0
    /// How much of these no mode may lose.
    private var firm: (count: Int, passed: UInt64) = (0, 0)
    private var counts = [Int](repeating: 0, count: Deed.clientCount)
    /// How many writers have begun since then: each leaves one append of each client in doubt.
    private var writers = 0

    private(set) var totals = Totals()

    struct Totals {
        var acknowledged = 0
        /// Found although it was not acknowledged: the process ended in between.
        var unacknowledged = 0
        /// Acknowledged and not there, where the mode allows it.
        var allowedLosses = 0
        var checks = 0
    }

    mutating func noteWriter() { writers += 1 }

    /// Takes down what a writer said.
    mutating func note(_ line: Child.Line) throws {
        switch line {
        case .acknowledged(let deed, let position): try note(deed, at: position)
        case .passed(let position):
            passed = position
            totals.acknowledged += 1
        case .closed: firm = (acknowledged.count, passed)
        default: break
        }
    }

    private mutating func note(_ deed: Deed, at position: UInt64) throws {
        // A client goes on where its stream ends, so it makes again only what is not there.
        guard deed.number >= counts[deed.client] else {
            throw Wrong("\(deed) is acknowledged twice: the first time it was not made, or is lost")
        }
        let most = max(settledCounts[deed.client], counts[deed.client]) + writers
        guard deed.number <= most else {
            throw Wrong("\(deed) is acknowledged after \(counts[deed.client]) others")
        }
        counts[deed.client] = deed.number + 1
        acknowledged.append((deed, position))
        totals.acknowledged += 1
    }

    /// Compares the log that was found with what was acknowledged.
    ///
    /// - Parameter mayLose: Whether the mode allows that the newest acknowledged appends are gone,
    ///   back to when the store was last closed.
    mutating func check(_ found: FoundLog, mayLose: Bool) throws {
        guard found.order.starts(with: settled) else {
            throw Wrong("what was found after an earlier crash is gone, or is not the same")
        }
        for client in 0..<Deed.clientCount {
            let most = max(counts[client], settledCounts[client]) + writers
            guard found.counts[client] <= most else {
                throw Wrong("client \(client) never made append \(found.counts[client] - 1)")
            }
        }
        let passed = mayLose ? firm.passed : passed
        guard found.position >= passed else {
            throw Wrong("an event was acknowledged at position \(passed) and is lost")
        }
        let places = Dictionary(uniqueKeysWithValues: zip(found.order, found.places))
        for (index, (deed, position)) in acknowledged.enumerated() {
            if let place = places[deed] {
                // A writer that lies may say no position.
                guard place == position || position == 0 else {
                    throw Wrong("\(deed) is at \(place) and was acknowledged at \(position)")
                }
            } else {
                guard mayLose, index >= firm.count, position > found.position else {
                    throw Wrong("\(deed) was acknowledged at position \(position) and is lost")
                }
                totals.allowedLosses += 1
            }
        }
        let known = settled.count + acknowledged.count { places[$0.deed] != nil }
        totals.unacknowledged += found.order.count - known
        totals.checks += 1
        settle(found)
    }

    /// There is no store: nobody may have been promised anything.
    func checkNothing() throws {
        guard settled.isEmpty, acknowledged.isEmpty, passed == 0 else {
            throw Wrong("the whole store is gone")
        }
    }

    private mutating func settle(_ found: FoundLog) {
        settled = found.order
        settledCounts = found.counts
        counts = found.counts
        acknowledged = []
        passed = 0
        firm = (0, 0)
        writers = 0
    }

    /// Begins with an empty store.
    mutating func startOver() {
        let totals = totals
        self = Ledger()
        self.totals = totals
    }
}
