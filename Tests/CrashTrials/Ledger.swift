/// What was acknowledged, and what was found before: both have to be there.
struct Ledger {
    /// The order of the log when it was last looked at.
    private var settled: [Deed] = []
    private var settledCounts = [Int](repeating: 0, count: Deed.clientCount)
    /// The appends acknowledged since then, with their positions.
    private var acknowledged: [(deed: Deed, position: UInt64)] = []
    /// The position of the last acknowledged event that belongs to no client.
    private var passed: UInt64 = 0
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

    mutating func note(_ deed: Deed, at position: UInt64) throws {
        let most = max(settledCounts[deed.client], counts[deed.client]) + writers
        guard deed.number >= counts[deed.client], deed.number <= most else {
            throw Wrong("\(deed) is acknowledged after \(counts[deed.client]) others")
        }
        counts[deed.client] = deed.number + 1
        acknowledged.append((deed, position))
        totals.acknowledged += 1
    }

    mutating func notePassing(at position: UInt64) {
        passed = position
        totals.acknowledged += 1
    }

    /// Compares the log that was found with what was acknowledged.
    ///
    /// - Parameter mayLose: Whether the mode allows that the newest acknowledged appends are gone.
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
        guard found.position >= passed else {
            throw Wrong("an event was acknowledged at position \(passed) and is lost")
        }
        let places = Dictionary(uniqueKeysWithValues: zip(found.order, found.places))
        for (deed, position) in acknowledged {
            if let place = places[deed] {
                // A writer that lies may say no position.
                guard place == position || position == 0 else {
                    throw Wrong("\(deed) is at \(place) and was acknowledged at \(position)")
                }
            } else {
                guard mayLose, position > found.position else {
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
        writers = 0
    }

    /// Begins with an empty store.
    mutating func startOver() {
        let totals = totals
        self = Ledger()
        self.totals = totals
    }
}
