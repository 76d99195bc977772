@testable import Wellspring
import WellspringTestKit

// A reader in another process, beside whoever writes or when nobody does.

extension StoreLife {
    /// Reads everything that has come since the last time, and holds on to it: what was shown stays.
    func follow() async throws {
        do throws(EventStoreError) {
            if follower == nil {
                follower = try await FileEventReader(on: disk)
                followed = 0
            }
            guard let follower else { return }
            while try await readPage(from: follower) {}
        } catch {
            follower = nil
            if case .notAStore = error, ledger.head == 0 { return }
            guard isDisturbed, error.isOfMachine else { throw error }
            return
        }
        did(.readBeside)
    }

    /// Reads the next page; false when there is nothing more.
    private func readPage(from reader: FileEventReader) async throws(EventStoreError) -> Bool {
        let limit = ReadLimit(events: 1 + script.next(below: 9))
        let page = try await reader.read(
            LogRead(.forward(after: LogPosition(UInt64(followed))), limit: limit))
        let end = Int(page.end.rawValue)
        guard end > followed else { return false }
        let new = Array(followed..<end)
        do {
            guard end <= ledger.head + ledger.doubtful.count, page.events.count == new.count else {
                throw Problem("\(page.events.count) events were shown, the last one at \(end)")
            }
            // Of what nobody knows whether it is stored, only that much is known.
            let known = new.filter { $0 < ledger.head }
            try ledger.check(Array(page.events.prefix(known.count)), being: known)
        } catch {
            throw .storage(reason: "\(error)")
        }
        followed = end
        ledger.durable = max(ledger.durable, end)
        return true
    }
}
