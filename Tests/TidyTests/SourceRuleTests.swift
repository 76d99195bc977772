import XCTest

/// Shows that each rule about sources can be broken, and is not broken by what only looks like it.
final class SourceRuleTests: XCTestCase {
    private func lines(
        _ rule: (TextFile) -> [Finding], _ text: String
    ) -> [Int] {
        rule(TextFile("Sources/Sample.swift", text)).map(\.line)
    }

    func test_the_line_after_the_last_allowed_one_is_too_much() {
        let most = String(repeating: "\n", count: SourceRules.mostLines)
        XCTAssertEqual(lines(SourceRules.length, most), [])
        XCTAssertEqual(lines(SourceRules.length, most + "\n"), [SourceRules.mostLines + 1])
        XCTAssertEqual(lines(SourceRules.length, most + "end"), [SourceRules.mostLines + 1])
    }

    func test_forced_tries_and_casts_are_found_in_code_only() {
        XCTAssertEqual(lines(SourceRules.traps, "let a = 1\nlet b = try! f()"), [2])
        XCTAssertEqual(lines(SourceRules.traps, "let b = a as! Int"), [1])
        XCTAssertEqual(lines(SourceRules.traps, "let b = try f() // no try! here"), [])
        XCTAssertEqual(lines(SourceRules.traps, "let b = \"try! as! \""), [])
    }

    func test_a_trap_in_an_interpolation_is_code() {
        XCTAssertEqual(lines(SourceRules.traps, #"let b = "value \(try! f(")")) as! "; g()"#), [1])
        XCTAssertEqual(lines(SourceRules.traps, ##"let b = #"\(try!)"#"##), [])
        XCTAssertEqual(lines(SourceRules.traps, ##"let b = #"\#(try! f())"#"##), [1])
    }

    func test_a_stop_needs_a_reason_right_above() {
        for call in [
            "fatalError(", "preconditionFailure(", "precondition(", "assertionFailure(", "assert(",
        ] {
            XCTAssertEqual(lines(SourceRules.stops, "\(call)a)\nSwift.\(call)b)"), [1, 2], call)
            XCTAssertEqual(
                lines(SourceRules.stops, "    // TRAPS: never.\n    \(call)a)"), [], call)
            XCTAssertEqual(lines(SourceRules.stops, "// TRAPS: never.\n\n\(call)a)"), [3], call)
        }
        XCTAssertEqual(
            lines(SourceRules.stops, "my_assert(a)\nfile.precondition\n// assert(a)"), [])
    }

    func test_printing_is_found_and_fingerprints_are_not() {
        XCTAssertEqual(lines(SourceRules.prints, "print(1)\nSwift.print(2)"), [1, 2])
        XCTAssertEqual(lines(SourceRules.prints, "debugPrint(1)"), [1])
        XCTAssertEqual(lines(SourceRules.prints, "fingerprint(1)\nlet print = 1"), [])
    }

    func test_time_ids_and_threads_from_nowhere_are_found() {
        for call in ["Date()", "Date.now", "UUID()", "Task.detached { }", "DispatchQueue.main"] {
            XCTAssertEqual(lines(SourceRules.ambientEffects, "let a = \(call)"), [1], call)
        }
        XCTAssertEqual(
            lines(SourceRules.ambientEffects, "let a = Date(x)\nlet b = StoreUUID()"), [])
    }

    func test_work_left_over_is_found_in_comments_only() {
        XCTAssertEqual(lines(SourceRules.markers, "// TODO: more\nlet a = 1 // FIXME"), [1, 2])
        XCTAssertEqual(lines(SourceRules.markers, "/* a\n b /* XXX */ HACK\n*/"), [2, 2])
        XCTAssertEqual(lines(SourceRules.markers, "let text = \"TODO\""), [])
    }

    func test_unchecked_sendable_needs_a_reason_close_by() {
        let declaration = "final class A: @unchecked Sendable {\n"
        XCTAssertEqual(lines(SourceRules.uncheckedSendable, declaration), [1])
        XCTAssertEqual(
            lines(SourceRules.uncheckedSendable, declaration + "\n\n// SAFETY: alone."), [])
        XCTAssertEqual(
            lines(SourceRules.uncheckedSendable, declaration + "\n\n\n// SAFETY: alone."), [1])
    }

    func test_public_declarations_need_a_doc_comment() {
        XCTAssertEqual(lines(SourceRules.documentation, "public func f() {}"), [1])
        XCTAssertEqual(lines(SourceRules.documentation, "// No.\npublic struct S {}"), [2])
        XCTAssertEqual(
            lines(SourceRules.documentation, "/// One.\n\n    @frozen public struct S {}"), [3])
        XCTAssertEqual(
            lines(
                SourceRules.documentation, "/// One.\n@frozen\n#if A\npublic struct S {}\n#endif"),
            [])
        XCTAssertEqual(
            lines(SourceRules.documentation, "public import A\npublic extension A {}"), [])
    }

    func test_the_machine_is_reached_from_one_folder_only() {
        let source = "#if canImport(Glibc)\nimport Glibc\n#endif"
        let path = "Sources/WellspringLog/System/Posix.swift"
        XCTAssertEqual(ImportRules.fan(TextFile(path, source)), [])
        for folder in ["Sources/WellspringLog", "Sources/Wellspring/Store", "Examples/OrderApp"] {
            let findings = ImportRules.fan(TextFile("\(folder)/A.swift", source))
            XCTAssertEqual(findings.map(\.line), [2], folder)
        }
    }

    func test_imports_against_the_fan_are_found() {
        func isAllowed(_ line: String, in folder: String) -> Bool {
            ImportRules.fan(TextFile("\(folder)/A.swift", line)).isEmpty
        }
        XCTAssertTrue(isAllowed("package import WellspringLog", in: "Sources/Wellspring/Store"))
        XCTAssertFalse(isAllowed("import Wellspring", in: "Sources/WellspringLog"))
        XCTAssertFalse(isAllowed("import Foundation", in: "Sources/WellspringLog"))
        XCTAssertFalse(isAllowed("public import WellspringTestKit", in: "Sources/Wellspring"))
        XCTAssertFalse(isAllowed("@testable import WellspringLog", in: "Examples/OrderApp"))
        XCTAssertFalse(isAllowed("import struct WellspringLog.Frame", in: "Examples/OrderApp"))
        XCTAssertFalse(isAllowed("import NIOCore", in: "Sources/WellspringSQLite"))
        XCTAssertTrue(isAllowed("let a = 1 // import NIOCore", in: "Sources/Wellspring"))
        XCTAssertFalse(isAllowed("import Foundation", in: "Elsewhere"))
    }
}
