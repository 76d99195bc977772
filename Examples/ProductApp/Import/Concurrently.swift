/// How many commands may wait for the disk together.
///
/// They share its syncs, so that many cost little more than one.
let commandsInFlight = 256

/// Runs `work` for every element, not more than `limit` at once, and ends with the first error.
func concurrently<Element: Sendable, Ignored>(
    _ elements: some Collection<Element>, limit: Int = commandsInFlight,
    progress: (Int) -> Void = { _ in },
    _ work: @escaping @Sendable (Element) async throws -> Ignored
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        var done = 0
        for (started, element) in elements.enumerated() {
            if started - done == limit, try await group.next() != nil {
                done += 1
                progress(done)
            }
            group.addTask { _ = try await work(element) }
        }
        while try await group.next() != nil {
            done += 1
            progress(done)
        }
    }
}
