import Wellspring
import WellspringLog
import WellspringTestKit

// Between two lives: the store is scavenged, with readers beside it, and whatever goes wrong meanwhile.
extension Simulation {
    private enum Trouble {
        case none, powerCut, cancellation
        case fault(SimulatedDisk.Fault.Failure, SimulatedDisk.Operation.Kind)

        init(_ dice: inout SmallDice) {
            switch dice.below(12) {
            case 0, 1, 2: self = .powerCut
            case 3: self = .cancellation
            case 4: self = .fault(.inputOutput, .write)
            case 5: self = .fault(.noSpace, .write)
            case 6: self = .fault(.inputOutput, .read)
            case 7: self = .fault(.inputOutput, .sync)
            default: self = .none
            }
        }

        /// Whether a scavenge may end so.
        func explains(_ error: any Error) -> Bool {
            switch (self, error as? EventStoreError) {
            // The power may have been cut while the store was being made.
            case (_, .notAStore?): true
            case (.cancellation, .cancelled?): true
            case (.powerCut, .io?), (.fault, .io?), (.fault(.noSpace, _), .storageFull?): true
            default: false
            }
        }
    }

    /// Scavenges the store, mostly, after a life that ended like this.
    func scavenge(
        _ upkeep: SimulatedUpkeep, after end: Ending, _ dice: inout SmallDice
    ) async {
        guard dice.below(4) > 0 else { return }
        var trouble = Trouble(&dice)
        let isSafe = isDurable || end != .dropped
        // In the weaker modes, what nobody synced may go with the power, or with a failed sync.
        if !isSafe, case .powerCut = trouble { trouble = .none }
        if !isSafe, case .fault(_, .sync) = trouble { trouble = .none }
        inject(trouble, &dice)
        await scavenge(upkeep, trouble, &dice)
        var isCut = false
        if case .powerCut = trouble { isCut = true }
        if isCut || isSafe && dice.below(4) == 0 {
            disk.crash(keeping: .chance)
            upkeep.reader.lose()
        }
        disk.heal()
    }

    /// Scavenges the store in peace, after all lives: what is left to be done is done then.
    func scavengeAtLast(_ upkeep: SimulatedUpkeep, _ dice: inout SmallDice) async {
        guard dice.below(2) == 0 else { return }
        await scavenge(upkeep, .none, &dice)
    }

    private func scavenge(
        _ upkeep: SimulatedUpkeep, _ trouble: Trouble, _ dice: inout SmallDice
    ) async {
        let isWatched = dice.below(3) == 0
        if isWatched { disk.startRecording() }
        let report = await scavenge(beside: upkeep.reader, trouble, &dice)
        let moments = isWatched ? disk.takeRecording() : []
        upkeep.noteScavenge(report)
        notes.withLock {
            $0.scavenges += 1
            $0.unfinishedScavenges += report == nil ? 1 : 0
        }
        await look(at: moments, upkeep, &dice)
    }

    private func inject(_ trouble: Trouble, _ dice: inout SmallDice) {
        // Where nothing is to be done it takes about 100 operations, and else most of it comes behind.
        let first = disk.operationCount + dice.below(dice.below(3) == 0 ? 120 : 420)
        switch trouble {
        case .powerCut: disk.inject(.powerCut(at: first))
        case .fault(let failure, let kind):
            disk.inject(.init(failure, operations: [kind], from: first))
        case .none, .cancellation: break
        }
    }

    /// - Returns: What was done; `nil` when it came to no end.
    private func scavenge(
        beside reader: SimulatedReader, _ trouble: Trouble, _ dice: inout SmallDice
    ) async -> ScavengeReport? {
        let reading = Task(executorPreference: executor) { [disk] in
            await self.busy("reading beside a scavenge") {
                await reader.follow(on: disk)
            }.map(self.note)
        }
        let scavenging = Task(executorPreference: executor) { [disk] in
            try await self.busy("scavenging") {
                try await FileEventStore.scavenge(at: "store", in: disk)
            }
        }
        if case .cancellation = trouble {
            for _ in 0..<dice.below(6) { await Task.yield() }
            scavenging.cancel()
        }
        let result = await scavenging.result
        for _ in 0..<dice.below(20) { await Task.yield() }
        reading.cancel()
        await reading.value
        switch result {
        case .success(let report): return report
        case .failure(let error):
            if !trouble.explains(error) { note("scavenging with \(trouble): \(error)") }
            return nil
        }
    }

    /// Has one reader that stays open, and new ones, look at the log between operations of a scavenge.
    private func look(
        at moments: [SimulatedDisk.Moment], _ upkeep: SimulatedUpkeep, _ dice: inout SmallDice
    ) async {
        let shown = SimulatedDisk(seed: seed)
        var patient: FileEventReader?
        var number = 0
        for _ in 0..<5 {
            number += 1 + dice.below(moments.count / 4)
            guard number < moments.count else { return }
            shown.turn(to: moments[number])
            do {
                let fresh = try await FileEventReader(on: shown)
                upkeep.noteSight(try await (patient ?? fresh).wholeLog())
                if dice.below(4) == 0 { upkeep.noteSight(try await fresh.wholeLog()) }
                if patient == nil { patient = fresh }
            } catch EventStoreError.notAStore where patient == nil {
            } catch {
                note("a reader in a scavenge, after \(moments[number].operation): \(error)")
            }
        }
    }

    // MARK: - What came of it

    /// Compares the log of a store that was just opened with what was asked for.
    func lookAtScavenged(_ log: [RecordedEvent], _ upkeep: SimulatedUpkeep) throws {
        for complaint in contents.complaints(about: log) + (try upkeep.complaints(about: log)) {
            note(complaint)
        }
    }

    /// Compares all that was seen of the log, and every way to read what is left, with its end.
    func judge(_ upkeep: SimulatedUpkeep, _ file: FileEventStore, _ log: [RecordedEvent])
        async throws
    {
        try await upkeep.reader.catchUp(on: disk)
        let truncations = try StoreHistory.Truncation.all(in: log)
        for complaint in upkeep.reader.complaints(about: log, truncations, contents) {
            note(complaint)
        }
        for sight in upkeep.sights {
            contents.complaint(about: sight, of: log, by: "a reader in a scavenge").map(note)
        }
        try await judgeStreams(file, log, truncations)
        notes.withLock {
            $0.truncations = truncations.count
            $0.redactions = log.count(where: \.isRedacted)
            $0.eventsBeside = upkeep.reader.eventCount + upkeep.sights.reduce(0) { $0 + $1.count }
        }
    }

    /// Streams begin where they are to begin, and aggregates are the fold of what is left of them.
    private func judgeStreams(
        _ file: FileEventStore, _ log: [RecordedEvent], _ truncations: [StoreHistory.Truncation]
    ) async throws {
        for stream in Set(truncations.map(\.stream)).sorted(by: { "\($0)" < "\($1)" }) {
            let first = truncations.last { $0.stream == stream }?.before ?? 1
            let left = log.filter { $0.stream == stream && $0.version.rawValue >= first }
            for order in [.forward(after: .start), .backward(before: nil)]
                as [ReadOrder<StreamVersion>]
            {
                let page = try await file.read(StreamRead(stream, order))
                let events = order == .backward(before: nil) ? page.events.reversed() : page.events
                if events != left || page.firstVersion.rawValue != first {
                    note("\(stream) reads wrongly from \(first) on")
                }
            }
        }
        for id in [Purse.ID("0"), Purse.ID("1")] {
            let first = truncations.last { $0.stream == id.stream }?.before ?? 1
            var expected = Purse()
            for event in log
            where event.stream == id.stream && event.version.rawValue >= first && !event.isRedacted
            {
                if let original = contents.original(of: event) { expected.apply(original.event) }
            }
            let loaded = try await file.load(Purse.self, id)
            if loaded.state.cents != expected.cents {
                note("\(id) is not the fold of what is left")
            }
        }
    }
}
