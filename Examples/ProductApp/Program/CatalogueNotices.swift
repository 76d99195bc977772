import ExampleSupport
import Synchronization
import Wellspring

/// Hears what the catalogue's runner has to say, and passes on what a person should know.
final class CatalogueNotices: Sendable {
    private let reason = Mutex<String?>(nil)

    /// Why the saved catalogue was of no use, if so.
    var discarded: String? { reason.withLock { $0 } }

    func hear(_ notice: ProjectionNotice) {
        switch notice {
        case .checkpointDiscarded(let reason):
            self.reason.withLock { $0 = reason }
            StandardError.write("The catalogue is read from all events again: \(reason).\n")
        case .notSaved(let reason):
            StandardError.write("The catalogue could not be saved: \(reason)\n")
        default: break
        }
    }
}
