import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// No bytes make a run trap: neither noise nor nonsense whose checksums are right.
final class IndexFuzzTests: XCTestCase {
    private static let rounds = StoreCrashRun.isOptimized ? 20_000 : 2_000
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
            try? run.verify()
            let directory = try SimulatedDisk().openStore(at: "store", create: true)
            _ = try? IndexRun.merge([run], in: directory, level: 1)
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
            signAgain(&bytes, run)
            if exercise(bytes, keys: lists.keys) { opened += 1 }
        }
        XCTAssertGreaterThan(opened, Self.rounds / 3, "most of it is not even looked at")
    }

    /// Makes all checksums right again, in a file whose parts are where those of `run` are.
    private func signAgain(_ bytes: inout [UInt8], _ run: IndexRun) {
        func sign(_ part: Range<Int>, seed: UInt32, at place: Int) {
            let checksum = crc32c(seed, Array(bytes[part]))
            for byte in 0..<4 {
                bytes[place + byte] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * byte))
            }
        }
        let salt = bytes.withUnsafeBytes {
            Salt(value: $0.loadUnaligned(fromByteOffset: 48, as: UInt64.self).littleEndian)
        }
        sign(0..<124, seed: 0, at: 124)
        sign(128..<run.header.length - 4, seed: salt.body, at: run.header.length - 4)
        let end = Int(run.trailer.directoryOffset)
        var start = run.header.length
        while start < end {
            let checksum = min(start + 4096, end) - 4
            sign(start..<checksum, seed: salt.seed(ofBlockAt: UInt64(start)), at: checksum)
            start = checksum + 4
        }
        let (filter, trailer) = (Int(run.trailer.filterOffset), Int(run.trailer.offset))
        sign(end..<filter, seed: salt.body, at: trailer + 48)
        sign(filter..<trailer, seed: salt.body, at: trailer + 52)
        sign(trailer..<trailer + 124, seed: salt.header, at: trailer + 124)
    }
}
