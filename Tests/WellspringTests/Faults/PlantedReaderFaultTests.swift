import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// Shows of what protects a reader beside a writer that the tests notice when it is switched off.
final class PlantedReaderFaultTests: XCTestCase {
    override class func tearDown() { FaultTable.shared.printRows(of: Self.self) }

    func test_a_reader_that_keeps_the_places_of_a_rewritten_segment_is_noticed() async {
        await assertNoticed(PlantedFault.keepOldOffsets) { (isPlanted, seed) in
            let disk = SimulatedDisk(seed: seed)
            var small = FileEventStore.Configuration()
            small.segmentBytes = 64 << 10
            var ledger = Ledger()
            let store = try await FileEventStore(on: disk, configuration: small)
            try await ledger.append(120, to: store, seed: seed)
            await store.close()
            var configuration = FileEventReader.Configuration()
            configuration.plantedFault = isPlanted ? .keepOldOffsets : nil
            let reader = try await FileEventReader(
                at: "store", in: disk, configuration: configuration)
            let before = try await reader.wholeLog()
            try disk.rewriteSegments(sealing: false) { $0 % 2 == 0 }
            let fresh = try await FileEventReader(on: disk)
            var problems: [String] = []
            for stream in Set(before.map(\.stream)) {
                let request = StreamRead(stream, limit: ReadLimit(events: 10_000))
                let found = try await reader.read(request)
                if found.events != (try await fresh.read(request)).events {
                    problems.append("the reader shows other events of \(stream)")
                }
            }
            return problems
        }
    }

    func test_requests_that_are_called_honoured_too_early_are_noticed() async {
        await assertNoticed(PlantedFault.honourEarly) { (isPlanted, seed) in
            let fixture = try await ScavengeFixture(seed: seed)
            let directory = try fixture.disk.openStore(at: "store", create: false)
            fixture.disk.startRecording()
            _ = try StoreScavenge(
                directory, isCancelled: { false }, nil,
                plantedFault: isPlanted ? .honourEarly : nil
            ).run()
            let moments = fixture.disk.takeRecording()
            var problems: [String] = []
            for (number, moment) in moments.enumerated() where number % 9 == 0 {
                let image = SimulatedDisk(after: moment, keeping: .everything, seed: seed)
                try await fixture.scavenge(image)
                let left = fixture.positionsWithContent(on: image).intersection(fixture.going)
                if !left.isEmpty { problems.append("\(left.count) events kept their content") }
            }
            return problems
        }
    }
}
