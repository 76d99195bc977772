import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// Stores of which whole files are gone or cannot be opened: all that is left is kept.
final class LostFileTests: XCTestCase {
    private func salvage(
        _ store: MaintainedStore, in files: (any FileSystem)? = nil
    ) async throws -> SalvageReport {
        try await FileEventStore.salvage(
            from: "store", in: files ?? store.disk, to: "new", in: SimulatedDisk(seed: 9))
    }

    // MARK: - MANIFEST

    func test_without_a_manifest_nobody_says_that_nothing_is_lost_at_the_end() async throws {
        let missing = try await MaintainedStore()
        missing.disk.replaceContents(of: Manifest.fileName, with: nil)
        let foreign = try await MaintainedStore()
        let bytes = try XCTUnwrap(foreign.disk.contents(of: Manifest.fileName))
        var manifest = try bytes.withUnsafeBytes { try Manifest(decoding: $0) }
        manifest.storeID = StoreUUID(high: 1, low: 2)
        foreign.disk.replaceContents(of: Manifest.fileName, with: manifest.encoded())

        for store in [missing, foreign] {
            // What is gone with it leaves no trace.
            let last = LogLayout.segment(store.segmentCount)
            store.disk.replaceContents(of: last, with: nil)
            let verified = try await store.verify()
            let problem = try XCTUnwrap(verified.problems.first)
            XCTAssertEqual(problem.kind, .manifest)
            XCTAssertTrue(problem.mayBeMore)
            XCTAssertTrue("\(problem)".contains("events at the end may be lost"), "\(problem)")
            XCTAssertFalse(problem.advice.contains("No event is lost"), problem.advice)
            let report = try await salvage(store)
            XCTAssertTrue(report.mayHaveLostMore)
            XCTAssertEqual(report.holes, [])
        }
    }

    func test_a_lost_identity_leaves_no_doubt_about_the_end() async throws {
        let store = try await MaintainedStore()
        store.disk.replaceContents(of: StoreIdentity.fileName, with: nil)
        let report = try await salvage(store)
        XCTAssertFalse(report.mayHaveLostMore)
    }

    // MARK: - Segments

    func test_a_segment_that_cannot_be_opened_is_a_hole_and_all_others_are_kept() async throws {
        let store = try await MaintainedStore()
        for segment in 1...store.segmentCount {
            let places = try store.places(in: segment)
            let first = try XCTUnwrap(places.first?.firstPosition)
            let count = places.reduce(0) { $0 + UInt64($1.eventCount) }
            let files = HookedFiles(store.disk, unopenable: LogLayout.segment(segment), .io)

            let report = try await salvage(store, in: files)
            XCTAssertEqual(report.holes, [first..<first + count])
            XCTAssertEqual(report.eventCount, UInt64(store.events.count) - count)

            let verified = try await FileEventStore.verify(at: "store", in: files)
            let problem = try XCTUnwrap(verified.problems.first)
            XCTAssertEqual(problem.kind, .missingSegment)
            XCTAssertEqual(problem.file, LogLayout.segment(segment))
            XCTAssertEqual(problem.reason, "the segment cannot be read: open, error 5")
            XCTAssertEqual(verified.lostPositions, [first..<first + count])
        }
    }

    func test_a_segment_that_may_not_be_opened_ends_a_salvage_and_is_not_given_up() async throws {
        let store = try await MaintainedStore()
        for kind in [SystemError.Kind.accessDenied, .tooManyFiles, .other] {
            let files = HookedFiles(store.disk, unopenable: LogLayout.segment(2), kind)
            let error = await storeError { _ = try await self.salvage(store, in: files) }
            guard case .io? = error else { return XCTFail("\(error as Any)") }
        }
    }

    func test_a_first_page_is_worked_out_though_both_small_files_are_lost_too() async throws {
        for segment in UInt32(1)...3 {
            let store = try await MaintainedStore()
            try store.overwrite(0..<4_096, of: LogLayout.segment(segment))
            store.disk.replaceContents(of: StoreIdentity.fileName, with: nil)
            store.disk.replaceContents(of: Manifest.fileName, with: nil)
            let report = try await salvage(store)
            XCTAssertEqual(report.holes, [])
            XCTAssertEqual(report.eventCount, UInt64(store.events.count))
        }
    }

    func test_the_frames_of_a_file_of_which_nothing_else_is_left_are_kept() async throws {
        let store = try await MaintainedStore(appends: 20)
        XCTAssertEqual(store.segmentCount, 1)
        try store.overwrite(0..<4_096, of: LogLayout.segment(1))
        store.disk.replaceContents(of: StoreIdentity.fileName, with: nil)
        store.disk.replaceContents(of: Manifest.fileName, with: nil)
        let report = try await salvage(store)
        XCTAssertEqual(report.eventCount, UInt64(store.events.count))
    }
}

extension HookedFiles {
    fileprivate init(_ base: SimulatedDisk, unopenable lost: String, _ kind: SystemError.Kind) {
        self.init(base)
        onOpen = { (name, _) throws(SystemError) in
            guard name != lost else {
                throw SystemError(call: "open", file: name, code: 5, kind: kind)
            }
        }
    }
}
