import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// No bytes make a run trap: neither noise nor nonsense whose checksums are right.
final class IndexFuzzTests: XCTestCase {
    private static let rounds = StoreCrashRun.isOptimized ? 20_000 : 2_000
    private var merged = 0
    private let file = IndexRunName.run(IndexRange(first: 1, last: 9))

    /// Does everything with a file that can be done with a run.
    private func exercise(_ bytes: [UInt8], keys: [UInt64]) -> Bool {
        do {
            let run = try IndexFixture.open(bytes, as: file)
            for key in keys {
                for newestFirst in [false, true] {
                    _ = try? run.entries(
                        of: key, numbers: 2...UInt64.max, limit: 50, newestFirst: newestFirst)
                }
            }
            _ = try? run.verify()
            let directory = try SimulatedDisk().openStore(at: "store", create: true)
            if (try? IndexRun.merge([run], in: directory, level: 1)) != nil { merged += 1 }
            return true
        } catch {
            return false
        }
    }

    func test_noise_is_refused() {
        var generator = IndexGenerator(seed: 41)
        for _ in 0..<Self.rounds {
            let length = [0, 1, 127, 128, 300, 5_000][generator.below(6)]
            var bytes = (0..<length).map { _ in UInt8(generator.below(256)) }
            if generator.below(2) == 0 {
                bytes.replaceSubrange(
                    0..<min(8, length),
                    with: FilePreamble.Magic.indexRun.bytes.prefix(length))
            }
            XCTAssertFalse(exercise(bytes, keys: [1]))
        }
    }

    func test_nonsense_with_right_checksums_does_no_harm() throws {
        var generator = IndexGenerator(seed: 42)
        var lists = generator.log(700, streams: 12, hot: 30)
        lists[5] = generator.noise(30)
        let fixture = try IndexFixture()
        let run = try IndexFixture.write(
            lists, IndexRange(first: 1, last: 9), in: fixture.directory)
        let whole = try XCTUnwrap(fixture.disk.contents(of: run.name))
        let parts: [Range<Int>] = [
            0..<128, 128..<run.header.length, Int(run.blockOffset(0))..<4096,
            Int(run.blockOffset(0))..<Int(run.blockOffset(0)) + 60,
            Int(run.trailer.directoryOffset)..<Int(run.trailer.filterOffset),
            Int(run.trailer.filterOffset)..<Int(run.trailer.offset),
            Int(run.trailer.offset)..<whole.count,
        ]
        var opened = 0
        for _ in 0..<Self.rounds {
            var bytes = whole
            let part = parts[generator.below(parts.count)]
            for _ in 0...generator.below(4) {
                let offset = part.lowerBound + generator.below(part.count)
                bytes[offset] =
                    [0, 1, 0x7F, 0x80, 0xFF, UInt8(generator.below(256))][
                        generator.below(6)]
            }
            run.signAgain(&bytes)
            if exercise(bytes, keys: lists.keys) { opened += 1 }
        }
        XCTAssertGreaterThan(opened, Self.rounds / 3, "most of it is not even looked at")
        XCTAssertGreaterThan(merged, Self.rounds / 3, "most of it is not even looked at")
    }
}
