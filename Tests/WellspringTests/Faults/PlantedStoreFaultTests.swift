import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// Shows of each protection of a store that the tests notice when it is switched off.
final class PlantedStoreFaultTests: XCTestCase {
    override class func tearDown() { FaultTable.shared.printRows(of: Self.self) }

    private func configuration(
        _ fault: PlantedFault, _ isPlanted: Bool
    ) -> FileEventStore.Configuration {
        var configuration = FileEventStore.Configuration()
        configuration.plantedFault = isPlanted ? fault : nil
        configuration.segmentBytes = 64 << 10
        configuration.syncsOnCallingTask = true
        return configuration
    }

    /// Takes the store and a list of events through random steps.
    private func model(
        _ fault: PlantedFault, _ durability: Durability = .everyCommit,
        test: String = #function, line: UInt = #line
    ) async {
        await assertNoticed(fault, seeds: 1...150, test: test, line: line) {
            (isPlanted, seed) in
            let steps = ModelStep.random(100, seed: seed, files: true)
            let run = ModelRun(.file(durability), seed: seed, fault: isPlanted ? fault : nil)
            return await run.run(steps).map { [$0] } ?? []
        }
    }

    /// Crashes lives of stores.
    private func crash(
        _ fault: PlantedFault, _ durability: Durability = .everyCommit, test: String = #function,
        line: UInt = #line
    ) async {
        await assertNoticed(fault, seeds: 1...60, test: test, line: line) {
            (isPlanted, seed) in
            await StoreCrashTrial(fault: isPlanted ? fault : nil)
                .crashes(of: durability, seed: seed).problems
        }
    }

    // MARK: - Found by crashes

    func test_a_projection_saved_ahead_of_the_log_is_noticed() async {
        await crash(.checkpointAheadOfLog, .osManaged)
    }

    // MARK: - Found by comparing with a list of events

    func test_an_append_that_expects_another_version_is_noticed() async {
        await model(.skipVersionCheck)
    }

    func test_a_failed_commit_that_is_acknowledged_is_noticed() async {
        await model(.ignoreFailedCommit)
    }

    func test_queued_events_that_outlive_their_append_are_noticed() async {
        await model(.keepQueuedEvents)
    }

    func test_positions_that_are_not_given_back_are_noticed() async {
        await model(.keepQueuedPositions)
    }

    func test_a_page_that_is_continued_one_event_too_late_is_noticed() async {
        await model(.resumeOffByOne)
    }

    func test_a_tagged_event_that_is_jumped_over_is_noticed() async {
        await model(.jumpOverTag)
    }

    func test_a_newest_event_that_is_missed_is_noticed() async {
        await model(.missNewestBackward)
    }

    // MARK: - The queue

    func test_publishing_before_the_sync_is_noticed() async {
        await assertNoticed(PlantedFault.publishBeforeSync) { (isPlanted, _) in
            let disk = SimulatedDisk()
            let store = try await FileEventStore(
                on: disk, configuration: configuration(.publishBeforeSync, isPlanted))
            try await store.appendSample(1)
            disk.inject(.init(.inputOutput, operations: [.sync]))
            _ = try? await store.appendSample(2)
            do {
                try await store.waitForEvents(after: LogPosition(1))
                return ["an event is announced of which nobody knows whether it is stored"]
            } catch {
                return []
            }
        }
    }

    func test_a_lost_race_that_is_reported_before_the_winner_is_there_is_noticed() async {
        await assertNoticed(PlantedFault.reportConflictEarly, seeds: 1...20) {
            (isPlanted, _) in
            let store = try await FileEventStore(
                on: SimulatedDisk(),
                configuration: configuration(.reportConflictEarly, isPlanted))
            let stream = sampleStream("1")
            let winner = try store.enqueue(
                AppendRequest([sampleEvent(1)], to: stream, expecting: .noStream), basedOn: nil)
            let seen = Guarded<StreamVersion?>(nil)
            let loser = Task {
                _ = try? await store.append(
                    AppendRequest([sampleEvent(2)], to: stream, expecting: .noStream))
                let version = try await store.read(StreamRead(stream)).version
                seen.withLock { $0 = version }
            }
            for _ in 0..<500 where seen.withLock({ $0 }) == nil { await Task.yield() }
            _ = try await winner.receipt()
            try await loser.value
            await store.close()
            let version = seen.withLock { $0 }
            return version == StreamVersion(1) ? [] : ["the loser cannot read the winner"]
        }
    }

    /// A store whose queue holds an event that cannot be written.
    private func doomedQueue(
        _ fault: PlantedFault, _ isPlanted: Bool
    ) async throws -> (store: FileEventStore, pending: PendingAppend, mark: QueueMark) {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(
            on: disk, configuration: configuration(fault, isPlanted))
        try await store.appendSample(1)
        disk.inject(.init(.inputOutput, operations: [.write]))
        let request = AppendRequest([sampleEvent(2)], to: sampleStream("1"), expecting: .any)
        let pending = try store.enqueue(request, basedOn: nil)
        let (_, mark) = try await store.readQueued(StreamRead(sampleStream("1")))
        return (store, pending, mark)
    }

    func test_an_append_that_was_decided_on_lost_events_is_noticed() async {
        await assertNoticed(PlantedFault.decideOnTakenBack) { (isPlanted, _) in
            let (store, pending, mark) = try await doomedQueue(.decideOnTakenBack, isPlanted)
            _ = try? await pending.receipt()
            let request = AppendRequest([sampleEvent(3)], to: sampleStream("1"), expecting: .any)
            let isAccepted = (try? store.enqueue(request, basedOn: mark)) != nil
            return isAccepted ? ["it was accepted"] : []
        }
    }

    func test_an_answer_that_rests_on_lost_events_is_noticed() async {
        for fault in [PlantedFault.answerBeforeDurable, .keepEpoch] {
            await assertNoticed(fault) { (isPlanted, _) in
                let (store, pending, mark) = try await doomedQueue(fault, isPlanted)
                _ = try? await pending.receipt()
                // Somebody else comes to the same position.
                try await store.appendSample(4)
                return try await store.settle(mark) ? ["what was taken back is vouched for"] : []
            }
        }
    }

    func test_a_wait_that_never_ends_is_noticed() async {
        await assertNoticed(PlantedFault.loseWakeups) { (isPlanted, _) in
            let store = try await FileEventStore(
                on: SimulatedDisk(), configuration: configuration(.loseWakeups, isPlanted))
            let isOver = Guarded(false)
            let wait = Task {
                try await store.waitForEvents(after: .start)
                isOver.withLock { $0 = true }
            }
            while store.core.state.withLock({ $0.waiters.isEmpty }) { await Task.yield() }
            try await store.appendSample(1)
            for _ in 0..<10_000 where !isOver.withLock({ $0 }) { await Task.yield() }
            wait.cancel()
            _ = try? await wait.value
            return isOver.withLock { $0 } ? [] : ["nobody was told of the event"]
        }
    }

    func test_a_stale_version_that_is_believed_is_noticed() async {
        await assertNoticed(PlantedFault.learnStaleVersion) { (isPlanted, _) in
            var state = CoreState(streamLimit: 2)
            state.plantedFault = isPlanted ? .learnStaleVersion : nil
            var ids = MessageIDGenerator(seed: 1)
            let (stream, now) = (sampleStream("1"), Timestamp(nanoseconds: 0))
            func append(to stream: StreamID) {
                let request = AppendRequest([sampleEvent(1)], to: stream, expecting: .any)
                state.learn(
                    state.unknownStreams(of: request).map { ($0, StreamExtent(last: 0)) })
                guard let heads = state.heads(of: request) else { return }
                state.heads.trim()
                _ = state.accept(
                    request, heads, for: .user, bytes: 1, now: now, ids: &ids)
                _ = state.takeGroup(bytes: .max, appends: .max)
                _ = state.publish()
            }
            // Somebody looks the version up, and is slow.
            let unknown = state.unknown(stream)
            append(to: stream)
            for key in 2...9 { append(to: sampleStream("\(key)")) }
            state.learn([(unknown, StreamExtent(last: 0))])
            let late = AppendRequest([sampleEvent(2)], to: stream, expecting: .noStream)
            guard let heads = state.heads(of: late) else { return [] }
            return state.conflict(with: late, heads) == nil ? ["a second first event"] : []
        }
    }

    func test_a_truncation_that_is_forgotten_in_memory_is_noticed() async {
        await assertNoticed(PlantedFault.forgetTruncation) { (isPlanted, _) in
            let store = try await FileEventStore(
                on: SimulatedDisk(), configuration: configuration(.forgetTruncation, isPlanted))
            for number in 1...3 { try await store.appendSample(number) }
            try await store.truncate(sampleStream("1"), before: StreamVersion(3))
            let page = try await store.read(StreamRead(sampleStream("1")))
            await store.close()
            return page.events.count == 1 ? [] : ["\(page.events.count) events are read"]
        }
    }

    // MARK: - The end

    func test_a_timer_that_is_forgotten_is_noticed() async {
        await assertNoticed(PlantedFault.forgetTimer) { (isPlanted, _) in
            let disk = SimulatedDisk()
            var configuration = configuration(.forgetTimer, isPlanted)
            configuration.durability = .interval(time: .milliseconds(10), bytes: 1 << 20)
            let store = try await FileEventStore(on: disk, configuration: configuration)
            let receipt = try await store.appendSample(1)
            disk.advanceClock(nanoseconds: 20_000_000)
            disk.fireTimers()
            return store.durablePosition < receipt.position ? ["never synced"] : []
        }
    }

    func test_a_close_that_does_not_wait_for_appends_is_noticed() async {
        await assertNoticed(PlantedFault.closeOverPending) { (isPlanted, _) in
            let disk = SimulatedDisk()
            let store = try await FileEventStore(
                on: disk, configuration: configuration(.closeOverPending, isPlanted))
            // More than one group takes.
            let big = EventPayload([UInt8](repeating: 1, count: 3 << 20))
            let request = AppendRequest(
                [NewEvent(EncodedEvent(name: "big", payload: big))], to: sampleStream("1"),
                expecting: .any)
            let pending = try (1...3).map { _ in try store.enqueue(request, basedOn: nil) }
            await store.close()
            for append in pending { _ = try await append.receipt() }
            return []
        }
    }

    func test_a_projection_of_another_history_that_is_believed_is_noticed() async {
        await assertNoticed(PlantedFault.believeForeignState) { (isPlanted, _) in
            let disk = SimulatedDisk()
            let configuration = configuration(.believeForeignState, isPlanted)
            var store = try await FileEventStore(on: disk, configuration: configuration)
            try await store.appendSample(1)
            await store.close()
            let backup = disk.afterCrash(keeping: .everything, seed: 1)
            store = try await FileEventStore(on: disk, configuration: configuration)
            let receipt = try await store.appendSample(2)
            try await store.checkpoints.save(
                Checkpoint(projection: "p", revision: 1, position: receipt.position, state: []))
            await store.close()
            // The log alone is restored, and goes on in another way.
            let copy = try await FileEventStore(on: backup, configuration: configuration)
            try await copy.appendSample(3)
            await copy.close()
            let file = disk.fileNames.first { $0.hasPrefix("views/") } ?? ""
            let directory = try backup.openStore(at: "store", create: false)
            try directory.makeDirectory("views")
            backup.replaceContents(of: file, with: disk.contents(of: file))
            let again = try await FileEventStore(on: backup, configuration: configuration)
            let loaded = try? await again.checkpoints.load("p")
            await again.close()
            return loaded == nil ? [] : ["state of events that are not in the log"]
        }
    }
}

extension WaitingList {
    /// Whether nobody waits.
    fileprivate var isEmpty: Bool { count == 0 }
}
