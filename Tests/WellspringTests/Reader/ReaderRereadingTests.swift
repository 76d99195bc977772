import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// What a reader does about bytes that are read wrong, as when they are written at the moment.
final class ReaderRereadingTests: XCTestCase {
    private let segment = "log/0000000001-0000.seg"

    func test_what_is_read_wrong_is_read_again_twice_before_it_is_called_damaged() async throws {
        for wrongReads in 1...4 {
            let disk = SimulatedDisk(seed: 5)
            let store = try await FileEventStore(on: disk)
            for number in 1...2 { try await store.appendSample(number) }
            let misreading = MisreadingDisk(disk, segment)
            let reader = try await FileEventReader(
                at: "store", in: misreading, configuration: .init())
            disk.startRecording()
            for number in 3...4 { try await store.appendSample(number) }
            let written = disk.takeRecording().map(\.operation)
            let frame = try XCTUnwrap(written.first { $0.kind == .write })
            misreading.misread(frame.offset + 70, times: wrongReads)
            let outcome = await outcome(of: reader, after: LogPosition(1))
            switch outcome {
            case .success(let count): XCTAssertEqual(count, wrongReads < 3 ? 2 : -1)
            case .failure(.damaged): XCTAssertGreaterThanOrEqual(wrongReads, 3)
            case .failure(let error): XCTFail("\(error)")
            }
            misreading.misread(0, times: 0)
            let events = try await reader.wholeLog()
            XCTAssertEqual(events.count, 3)
            await store.close()
        }
    }

    /// How many events there are after a position.
    private func outcome(
        of reader: FileEventReader, after position: LogPosition
    ) async -> Result<Int, EventStoreError> {
        do throws(EventStoreError) {
            return .success(try await reader.read(LogRead(.forward(after: position))).events.count)
        } catch {
            return .failure(error)
        }
    }

    func test_a_last_frame_that_is_read_wrong_once_is_not_another_store() async throws {
        let disk = SimulatedDisk(seed: 5)
        let store = try await FileEventStore(on: disk)
        for number in 1...2 { try await store.appendSample(number) }
        let misreading = MisreadingDisk(disk, segment)
        let reader = try await FileEventReader(at: "store", in: misreading, configuration: .init())
        misreading.misread(4_096 + 20, times: 1)
        let count = try await reader.wholeLog().count
        XCTAssertEqual(count, 1)
        await store.close()
    }

    func test_a_page_that_is_read_wrong_once_is_read_again() async throws {
        let disk = SimulatedDisk(seed: 5)
        let store = try await FileEventStore(on: disk)
        for number in 1...9 { try await store.appendSample(number) }
        let misreading = MisreadingDisk(disk, segment)
        let reader = try await FileEventReader(at: "store", in: misreading, configuration: .init())
        for times in 1...2 {
            misreading.misread(4_096 + 200, times: times)
            let page = try await reader.read(LogRead())
            XCTAssertEqual(page.events.count, 8)
        }
        await store.close()
    }
}

/// A disk of which one byte of a file is read wrong for some times.
private final class MisreadingDisk: FileSystem {
    fileprivate struct Misreading {
        var offset: UInt64 = 0
        var times = 0
    }

    private let disk: SimulatedDisk
    fileprivate let name: String
    fileprivate let misreading = Guarded(Misreading())

    init(_ disk: SimulatedDisk, _ name: String) {
        self.disk = disk
        self.name = name
    }

    func misread(_ offset: UInt64, times: Int) {
        misreading.withLock { $0 = Misreading(offset: offset, times: times) }
    }

    func openStore(
        at path: String, create: Bool
    ) throws(SystemError) -> any StoreDirectory {
        MisreadDirectory(try disk.openStore(at: path, create: create), self)
    }
}

private final class MisreadDirectory: ForwardingDirectory {
    let base: any StoreDirectory
    private let disk: MisreadingDisk

    init(_ base: any StoreDirectory, _ disk: MisreadingDisk) {
        self.base = base
        self.disk = disk
    }

    func open(_ name: String, _ mode: FileMode) throws(SystemError) -> any StoreFile {
        let file = try base.open(name, mode)
        return name == disk.name ? MisreadFile(file, disk) : file
    }

    // A reader does none of these.
    func makeDirectory(_ name: String) throws(SystemError) { try refuse(name) }
    func rename(_ old: String, to new: String) throws(SystemError) { try refuse(old) }
    func remove(_ name: String) throws(SystemError) { try refuse(name) }
    func syncDirectory(_ directory: String?) throws(SystemError) { try refuse(directory ?? "") }
    func lock(_ name: String, owner: String) throws(SystemError) -> LockOutcome {
        try refuse(name)
        return .held(owner: owner)
    }

    private func refuse(_ name: String) throws(SystemError) {
        XCTFail("a reader changes \(name)")
        throw SystemError(call: "write", file: name, code: 30, kind: .readOnly)
    }
}

private final class MisreadFile: ForwardingFile {
    let base: any StoreFile
    private let disk: MisreadingDisk

    init(_ base: any StoreFile, _ disk: MisreadingDisk) {
        self.base = base
        self.disk = disk
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        let count = try base.read(into: buffer, at: offset)
        let wrong = disk.misreading.withLock { misreading -> UInt64? in
            guard misreading.times > 0, misreading.offset >= offset,
                misreading.offset - offset < UInt64(count)
            else { return nil }
            misreading.times -= 1
            return misreading.offset
        }
        if let wrong { buffer[Int(wrong - offset)] ^= 0xFF }
        return count
    }

    func dropCache() {}
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        XCTFail("a reader writes")
    }
    func sync() throws(SystemError) { XCTFail("a reader syncs") }
    func truncate(to size: UInt64) throws(SystemError) { XCTFail("a reader truncates") }
}
