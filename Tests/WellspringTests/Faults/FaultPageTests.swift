import Foundation
import WellspringLog
import XCTest

/// Holds the page that lists the planted faults against the code.
final class FaultPageTests: XCTestCase {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private func text(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    /// The first and the last cell of each row, without the marks of code.
    private func rows() throws -> [(fault: String, test: String)] {
        try text("Sources/Wellspring/Wellspring.docc/RELIABILITY.md")
            .split(separator: "\n").compactMap { line in
                let cells = line.split(separator: "|").map {
                    $0.trimmingCharacters(in: CharacterSet(charactersIn: " `"))
                }
                guard cells.count == 3, cells[0].contains("Fault.") else { return nil }
                return (cells[0], cells[2])
            }
    }

    func test_the_page_lists_every_planted_fault_once() throws {
        let all =
            PlantedFault.allCases.map { "PlantedFault.\($0)" }
            + FileFault.allCases.map { "FileFault.\($0)" }
            + CheckpointFault.allCases.map { "CheckpointFault.\($0)" }
            + QueueFault.allCases.map { "QueueFault.\($0)" }
        XCTAssertGreaterThanOrEqual(all.count, 60)
        XCTAssertEqual(try rows().map(\.fault).sorted(), all.sorted())
    }

    func test_each_fault_is_planted_by_the_test_that_the_page_names() throws {
        var tests: [String: String] = [:]
        for folder in ["Tests/WellspringTests", "Tests/WellspringLogTests"] {
            let files = FileManager.default.enumerator(atPath: Self.root.path + "/" + folder)
            while let file = files?.nextObject() as? String {
                guard file.contains("Planted") else { continue }
                let name = String(file.split(separator: "/").last?.dropLast(6) ?? "")
                tests[name] = try text(folder + "/" + file)
            }
        }
        for (fault, test) in try rows() {
            let parts = test.split(separator: ".").map(String.init)
            let body = tests[parts.first ?? ""]?.components(
                separatedBy: "func \(parts.last ?? "")("
            )
            .dropFirst().first?.components(separatedBy: "\n    }\n").first
            let name = String(fault.split(separator: ".").last ?? "")
            XCTAssertTrue(body?.contains(".\(name)") ?? false, "\(test) does not plant \(fault)")
        }
    }

    func test_each_bug_on_the_page_has_a_test() throws {
        let page = try text("Sources/Wellspring/Wellspring.docc/RELIABILITY.md")
        let record = page.components(separatedBy: "### Every data bug so far").last ?? ""
        var sources = ""
        let files = FileManager.default.enumerator(atPath: Self.root.path + "/Tests")
        while let file = files?.nextObject() as? String {
            if file.hasSuffix(".swift") { sources += try text("Tests/" + file) }
        }
        let tests = record.matches(of: /`(test_\w+)`/).map { String($0.output.1) }
        XCTAssertGreaterThanOrEqual(tests.count, 30)
        for test in tests {
            XCTAssertTrue(sources.contains("func \(test)("), "there is no \(test)")
        }
    }
}
