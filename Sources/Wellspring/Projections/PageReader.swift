import WellspringLog

/// Reads the log for a projection, page by page, and decodes what it reads.
///
/// Decoding an event costs several times what applying it does, and one event does not need another
/// to be decoded. So while there is a backlog, tasks of their own read a page each and decode it:
/// they read one after the other, for a page begins where the one before ends, and decode at once.
/// Whatever is done with a page stays with the caller's task, one page after the other in the order
/// of the log: what is made of the pages cannot depend on which of them was decoded first.
struct PageReader<E: ReadableEvent>: Sendable {
    let store: any EventSource
    let filter = EventFilter.named(E.names)
    let plan: DecodingPlan

    /// Reads a page and decodes it here and now.
    func page(
        after start: LogPosition, limit: ReadLimit
    ) async throws(EventStoreError) -> DecodedPage<E> {
        DecodedPage(try await read(after: start, limit: limit), after: start)
    }

    /// Hands over the pages after `start`, up to the end of the log.
    ///
    /// - Parameter take: Gets each page in the order of the log, and says whether it wants more.
    /// - Throws: What ended the reading, after all that was read before has been handed over; at
    ///   once when the task is cancelled.
    func forEachPage(
        after start: LogPosition, _ take: (DecodedPage<E>) async -> Bool
    ) async throws(EventStoreError) {
        var ahead = PagesAhead<E>(after: start, limit: plan.pagesAhead, fault: plan.plantedFault)
        let place = ReadingPlace(after: start)
        let failure = await withTaskGroup(of: PageArrival<E>.self) {
            group -> EventStoreError? in
            // Nobody waits for pages that nobody wants.
            defer { group.cancelAll() }
            while true {
                while ahead.wantsMore {
                    ahead.noteBegun()
                    if plan.tasks > 1 {
                        group.addTask { await readNext(from: place) }
                    } else {
                        ahead.note(await readNext(from: place))
                    }
                }
                if let page = ahead.takeNext() {
                    guard !Task.isCancelled else { return .cancelled }
                    guard await take(page) else { return nil }
                    await Task.yield()
                } else if ahead.isWaiting, let arrival = await group.next() {
                    ahead.note(arrival)
                } else {
                    return ahead.failure
                }
            }
        }
        if let failure { throw failure }
    }

    /// Reads the next page that nobody has read yet, and decodes it while the others read on.
    private func readNext(from place: ReadingPlace) async -> PageArrival<E> {
        let found = await place.advance { start in
            do throws(EventStoreError) {
                return .success(try await read(after: start, limit: plan.pageLimit))
            } catch {
                return .failure(error)
            }
        }
        // Whoever reads next goes first: all others wait for that, and nobody for this task alone.
        await Task.yield()
        switch found?.page {
        case .success(let page)?:
            guard let found, !Task.isCancelled else { return .failure(.cancelled) }
            return .page(DecodedPage(page, after: found.start))
        case .failure(let error)?: return .failure(error)
        case nil: return .nothing
        }
    }

    private func read(
        after start: LogPosition, limit: ReadLimit
    ) async throws(EventStoreError) -> LogPage {
        try await store.read(
            LogRead(.forward(after: start), filter: filter, limit: limit)
        ).checked(after: start)
    }
}

/// Where several tasks go on reading, one after the other.
private final class ReadingPlace: Sendable {
    typealias Outcome = Result<LogPage, EventStoreError>

    /// `nil` once there is nothing more to be read.
    private let next: Guarded<LogPosition?>
    private let turns = Turns<Int>()

    init(after start: LogPosition) { next = Guarded(start) }

    /// Reads from where the last one ended; `nil` when there is nothing more.
    func advance(
        _ read: (LogPosition) async -> Outcome
    ) async -> (start: LogPosition, page: Outcome)? {
        do {
            return try await turns.take(0) { _ in
                guard let start = next.withLock({ $0 }) else { return (nil, nil) }
                let page = await read(start)
                next.withLock { $0 = page.next(after: start) }
                return ((start, page), nil)
            }
        } catch {
            return (.start, .failure(.cancelled))
        }
    }
}

extension Result where Success == LogPage, Failure == EventStoreError {
    /// Where the next page begins; `nil` after a failure and at the end of the log.
    fileprivate func next(after start: LogPosition) -> LogPosition? {
        guard case .success(let page) = self, !page.isLast(after: start) else { return nil }
        return page.end
    }
}

/// What came of a task that was to read a page.
enum PageArrival<E: ReadableEvent>: Sendable {
    case page(DecodedPage<E>)
    case failure(EventStoreError)
    /// There was nothing more to be read.
    case nothing
}

/// A page with its events in the form that a projection reads.
struct DecodedPage<E: ReadableEvent>: Sendable {
    let page: LogPage
    /// The position after which it was read.
    let start: LogPosition
    /// The events of the page, one for one, up to the first that cannot be read.
    let events: [Recorded<E>]
    /// The first event that cannot be read.
    let failure: FailedEvent?

    init(_ page: LogPage, after start: LogPosition) {
        self.page = page
        self.start = start
        var decoded: [Recorded<E>] = []
        var failure: FailedEvent?
        decoded.reserveCapacity(page.events.count)
        for recorded in page.events {
            do {
                decoded.append(try recorded.decoded(as: E.self))
            } catch {
                failure = FailedEvent(recorded, error: error)
                break
            }
        }
        events = decoded
        self.failure = failure
    }
}

extension LogPage {
    /// Whether nothing more is to be read for now; also of a page that leads nowhere yet.
    func isLast(after start: LogPosition) -> Bool { end >= head || end == start }

    /// Refuses a page that leads nowhere: its events would be taken in again and again.
    ///
    /// Leaves out redacted events: no model can take them in, and its position passes them all the
    /// same.
    fileprivate func checked(after start: LogPosition) throws(EventStoreError) -> LogPage {
        guard end > start || end == start && events.isEmpty else {
            throw .storage(reason: "a page after position \(start) ends at \(end)")
        }
        guard events.contains(where: \.isRedacted) else { return self }
        return LogPage(events: events.filter { !$0.isRedacted }, end: end, head: head)
    }
}
