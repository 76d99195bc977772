import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// A medium that no longer gives back what it was given as an index.
final class StoreUnreadableIndexTests: XCTestCase {
    func test_an_index_that_cannot_be_read_is_made_again_from_the_log() async throws {
        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = 64 << 10
        configuration.streamLimit = 2
        let files = FilesWithBadIndex(base: SimulatedDisk())
        let first = try await FileEventStore(at: "s", in: files, configuration: configuration)
        for number in 0..<900 { try await first.appendSample(number, to: "\(number % 9)") }
        await first.close()

        let store = try await FileEventStore(at: "s", in: files, configuration: configuration)
        files.isBad.withLock { $0 = true }
        for key in 0..<9 {
            let page = try await store.read(StreamRead(sampleStream("\(key)")))
            XCTAssertEqual(page.version, StreamVersion(100))
            XCTAssertEqual(page.events.map(\.version.rawValue), Array(1...100))
        }
        try await store.appendSample(900, to: "0")
        await store.close()
    }

    func test_a_run_that_cannot_be_read_once_at_opening_has_no_other_removed() async throws {
        let disk = SimulatedDisk()
        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = 64 << 10
        let store = try await FileEventStore(on: disk, configuration: configuration)
        for number in 0..<900 { try await store.appendSample(number, to: "\(number % 9)") }
        await store.close()
        let runs = disk.runs
        XCTAssertGreaterThan(runs.count, 1)
        let sound = disk.afterCrash(seed: 1)
        await (try await FileEventStore(on: sound, configuration: configuration)).close()
        let start = try XCTUnwrap(sound.operations.first { $0.file == runs[0] }).number
        let failures: [(SimulatedDisk.Fault.Failure, SimulatedDisk.Operation.Kind)] = [
            (.tooManyFiles, .open), (.inputOutput, .read), (.inputOutput, .list),
        ]
        for (failure, kind) in failures {
            let failing = disk.afterCrash(seed: 1)
            let first = kind == .list ? start - 1 : start
            failing.inject(.init(failure, operations: [kind], from: first))
            let again = try await FileEventStore(on: failing, configuration: configuration)
            XCTAssertTrue(failing.operations.contains { $0.hasFailed && $0.kind == kind })
            XCTAssertEqual(
                failing.operations.filter { $0.kind == .remove && runs.contains($0.file) }, [],
                "after \(failure) at \(kind)")
            await again.close()
        }
    }
}

/// Files as they are, but for the index runs that were there when it went bad.
private struct FilesWithBadIndex: FileSystem {
    let base: SimulatedDisk
    let isBad = Guarded(false)

    func openStore(at path: String, create: Bool) throws(SystemError) -> any StoreDirectory {
        Directory(try base.openStore(at: path, create: create), self)
    }

    final class Directory: ForwardingDirectory {
        let base: any StoreDirectory
        private let files: FilesWithBadIndex

        init(_ base: any StoreDirectory, _ files: FilesWithBadIndex) {
            self.base = base
            self.files = files
        }

        func open(_ name: String, _ mode: FileMode) throws(SystemError) -> any StoreFile {
            let file = try base.open(name, mode)
            // What is written later lands in other sectors.
            let wasThere = name.hasPrefix("idx/") && !files.isBad.withLock { $0 }
            return wasThere ? File(file, files.isBad) : file
        }
    }

    final class File: ForwardingFile {
        let base: any StoreFile
        private let isBad: Guarded<Bool>

        init(_ base: any StoreFile, _ isBad: Guarded<Bool>) {
            self.base = base
            self.isBad = isBad
        }

        func read(
            into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
        ) throws(SystemError) -> Int {
            guard !isBad.withLock({ $0 }) else {
                throw SystemError(call: "pread", file: "idx", code: 5, kind: .io)
            }
            return try base.read(into: buffer, at: offset)
        }
    }
}
