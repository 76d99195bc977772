import WellspringLog

/// Reads the log for a projection, page by page, and decodes what it reads.
///
/// Decoding an event costs several times what reading and applying it do, and one event does not
/// need another to be decoded. So while there is a backlog, pages are read ahead and decoded by
/// tasks of their own. Reading, and whatever is done with a page, stays with the caller's task, one
/// page after the other in the order of the log: what is made of the pages cannot depend on which
/// of them was decoded first.
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
        let failure = await withTaskGroup(of: DecodedPage<E>?.self) { group in
            // Nobody waits for pages that nobody wants.
            defer { group.cancelAll() }
            while true {
                await readAhead(&ahead, with: &group)
                guard let page = await next(of: &ahead, from: &group) else { return ahead.failure }
                guard !Task.isCancelled else { return .cancelled }
                guard await take(page) else { return nil }
                await Task.yield()
            }
        }
        if let failure { throw failure }
    }

    /// Reads as many pages as may be under way, and has them decoded.
    private func readAhead(
        _ ahead: inout PagesAhead<E>, with group: inout TaskGroup<DecodedPage<E>?>
    ) async {
        while ahead.wantsMore {
            guard !Task.isCancelled else { return ahead.noteFailure(.cancelled) }
            let start = ahead.end
            let page: LogPage
            do {
                page = try await read(after: start, limit: plan.pageLimit)
            } catch {
                return ahead.noteFailure(error)
            }
            ahead.noteRead(page)
            if plan.isWorthTask(page) {
                group.addTask { Task.isCancelled ? nil : DecodedPage(page, after: start) }
            } else {
                ahead.noteDecoded(DecodedPage(page, after: start))
            }
        }
    }

    /// Waits for the next page in the order of the log; `nil` when there is none.
    private func next(
        of ahead: inout PagesAhead<E>, from group: inout TaskGroup<DecodedPage<E>?>
    ) async -> DecodedPage<E>? {
        while ahead.underWay > 0 {
            if let page = ahead.takeNext() { return page }
            // A task that was called off has decoded nothing.
            guard case .some(.some(let decoded)) = await group.next() else {
                ahead.noteFailure(.cancelled)
                return nil
            }
            ahead.noteDecoded(decoded)
        }
        return nil
    }

    private func read(
        after start: LogPosition, limit: ReadLimit
    ) async throws(EventStoreError) -> LogPage {
        try await store.read(
            LogRead(.forward(after: start), filter: filter, limit: limit)
        ).checked(after: start)
    }
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
