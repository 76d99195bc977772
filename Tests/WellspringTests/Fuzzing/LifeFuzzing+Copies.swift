@testable import Wellspring
@testable import WellspringTestKit

// Copies of a store, with which life goes on: nothing of the store may be missing in them.

extension StoreLife {
    /// Copies a store that nobody has open, whether it was closed or not.
    func salvage() async throws {
        guard isTimeForCopy() else { return }
        if script.next() & 1 == 0 { await close() } else { drop() }
        guard !isDisturbed else { return }
        let copy = SimulatedDisk(seed: UInt64(script.next()))
        let report: SalvageReport
        do throws(EventStoreError) {
            report = try await FileEventStore.salvage(
                from: "store", in: disk, to: "store", in: copy)
        } catch {
            if case .notAStore = error, ledger.head == 0 { return }
            throw error
        }
        guard report.holes.isEmpty, report.problems.isEmpty, !report.mayHaveLostMore else {
            throw Problem("holes in the copy of a sound store: \(report)")
        }
        goOn(with: copy)
        did(.salvaged)
    }

    /// Copies an open store.
    func backup(_ store: FileEventStore) async throws {
        guard isTimeForCopy() else { return }
        let copy = SimulatedDisk(seed: UInt64(script.next()))
        do throws(EventStoreError) {
            let report = try await store.backup(to: "store", in: copy)
            guard !isPoisoned, report.eventCount == UInt64(ledger.head),
                report.unprovenEvents == 0, isDisturbed || report.wrongIndexRuns.isEmpty
            else { throw .storage(reason: "a wrong report: \(report)") }
        } catch {
            guard isDisturbed else { throw error }
            switch error {
            case .poisoned: isPoisoned = true
            // What cannot be read for ever is damage.
            case .damaged(let damage) where damage.reason.contains("cannot be read"): break
            default: guard error.isOfMachine else { throw error }
            }
            return
        }
        ledger.durable = ledger.head
        goOn(with: copy)
        did(.backedUp)
    }

    /// Not every time: a copy has nothing of what troubles have left behind.
    private func isTimeForCopy() -> Bool { script.next(below: 4) == 0 }
}
