import WellspringLog

/// Which pages of the log were read ahead, and whose turn it is: the decisions of a ``PageReader``.
///
/// Free of locks, tasks and I/O. Pages are decoded in any order and handed over in that of the log:
/// next is the one that begins where the last one ended, and no other.
struct PagesAhead<E: ReadableEvent> {
    /// Where the page begins that is to be handed over next.
    private var next: LogPosition
    /// Pages that are decoded and not handed over, by where they begin.
    private var decoded: [LogPosition: DecodedPage<E>] = [:]
    /// Pages that were begun to be read and are not handed over.
    private var underWay = 0
    /// What ended the reading, to be told when all that was read before is handed over.
    private(set) var failure: EventStoreError?
    private var isAtEnd = false
    private let limit: Int
    private let fault: PlantedFault?

    init(after start: LogPosition, limit: Int, fault: PlantedFault?) {
        next = start
        self.limit = limit
        self.fault = fault
    }

    /// Whether another page may be read; there is no end to what a slow projection leaves behind.
    var wantsMore: Bool { !isAtEnd && failure == nil && underWay < limit }

    /// Whether something is still to come.
    var isWaiting: Bool { underWay > decoded.count }

    mutating func noteBegun() { underWay += 1 }

    mutating func note(_ arrival: PageArrival<E>) {
        switch arrival {
        case .page(let page):
            decoded[page.start] = page
            if page.page.isLast(after: page.start) { isAtEnd = true }
        case .failure(let error):
            underWay -= 1
            // A page that was called off is missing: what failed behind it is not told any more.
            failure = error == .cancelled ? error : failure ?? error
        case .nothing:
            underWay -= 1
            isAtEnd = true
        }
    }

    /// Takes out the next page in the order of the log, if it is decoded.
    mutating func takeNext() -> DecodedPage<E>? {
        guard let page = decoded.removeValue(forKey: choice) else { return nil }
        next = page.page.end
        underWay -= 1
        return page
    }

    private var choice: LogPosition {
        switch fault {
        case .applyOutOfOrder: decoded.keys.max() ?? next
        case .failAhead: decoded.values.first { $0.failure != nil }?.start ?? next
        default: next
        }
    }
}
