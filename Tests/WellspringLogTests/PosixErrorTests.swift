#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif
import XCTest

@testable import WellspringLog

/// What the numbers of the system mean to a store.
final class PosixErrorTests: XCTestCase {
    func test_a_number_of_the_system_means_what_a_store_acts_on() {
        let meanings: [(Int32, SystemError.Kind)] = [
            (ENOENT, .notFound), (EEXIST, .exists), (ENOSPC, .noSpace), (EDQUOT, .noSpace),
            (EACCES, .accessDenied), (EPERM, .accessDenied), (ELOOP, .accessDenied),
            (EROFS, .readOnly), (EMFILE, .tooManyFiles), (ENFILE, .tooManyFiles), (EIO, .io),
            (EINVAL, .other),
        ]
        for (code, kind) in meanings {
            XCTAssertEqual(SystemError(call: "c", file: "f", code: code).kind, kind, "\(code)")
        }
    }

    func test_what_a_file_system_says_of_its_own_damage_means_a_failing_disk() {
        var codes = [EBADMSG]
        #if !canImport(Darwin)
        codes.append(EUCLEAN)
        #endif
        for code in codes {
            XCTAssertEqual(SystemError(call: "c", file: "f", code: code).kind, .io, "\(code)")
        }
    }

    func test_a_number_without_words_is_told_all_the_same() {
        XCTAssertFalse(SystemError(call: "c", file: "f", code: 4_711).words.isEmpty)
    }

    func test_a_call_that_a_signal_interrupted_is_made_again() throws {
        var calls = 0
        let result = try retrying("read", "f") { () -> Int32 in
            calls += 1
            errno = EINTR
            return calls < 4 ? -1 : 7
        }
        XCTAssertEqual(result, 7)
        XCTAssertEqual(calls, 4)
    }

    func test_a_call_that_failed_otherwise_is_not_made_again() {
        var calls = 0
        XCTAssertThrowsError(
            try retrying("read", "f") { () -> Int32 in
                calls += 1
                errno = EIO
                return -1
            }
        ) {
            XCTAssertEqual($0 as? SystemError, SystemError(call: "read", file: "f", code: EIO))
        }
        XCTAssertEqual(calls, 1)
    }

    func test_a_sync_that_fails_is_not_tried_again() {
        XCTAssertThrowsError(try makeDurable(-1, "f", isDirectory: false)) {
            XCTAssertEqual(($0 as? SystemError)?.code, EBADF)
        }
    }
}
