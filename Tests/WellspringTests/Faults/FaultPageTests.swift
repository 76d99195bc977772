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

    private struct Row {
        let fault: String
        let place: String
        let test: String
        let result: String
    }

    /// The rows of the table, without the marks of code.
    private func rows() throws -> [Row] {
        try text("Sources/Wellspring/Wellspring.docc/RELIABILITY.md")
            .split(separator: "\n").compactMap { line in
                let cells = line.split(separator: "|").map {
                    $0.trimmingCharacters(in: CharacterSet(charactersIn: " `"))
                }
                guard cells[0].contains("Fault."), cells.count == 5 else { return nil }
                return Row(fault: cells[0], place: cells[2], test: cells[3], result: cells[4])
            }
    }

    /// The Swift files of folders, by the last part of their names.
    private func sources(_ folders: String...) throws -> [String: String] {
        var sources: [String: String] = [:]
        for folder in folders {
            let files = FileManager.default.enumerator(atPath: Self.root.path + "/" + folder)
            while let file = files?.nextObject() as? String {
                guard file.hasSuffix(".swift") else { continue }
                let name = String(file.split(separator: "/").last ?? "")
                sources[name, default: ""] += try text(folder + "/" + file)
            }
        }
        return sources
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

    func test_each_fault_is_planted_in_the_file_that_the_page_names_and_was_noticed() throws {
        let sources = try sources("Sources", "Tests/WellspringTests/Faults")
        for row in try rows() {
            let name = String(row.fault.split(separator: ".").last ?? "")
            let isThere = sources[row.place]?.contains(".\(name)") ?? false
            XCTAssertTrue(isThere, "\(row.fault) is not in \(row.place)")
            XCTAssertTrue(row.result.contains(": "), "nothing noticed \(row.fault)")
        }
    }

    func test_each_fault_is_planted_by_the_test_that_the_page_names() throws {
        let tests = try sources("Tests/WellspringTests", "Tests/WellspringLogTests")
        for row in try rows() {
            let parts = row.test.split(separator: ".").map(String.init)
            let body = tests[(parts.first ?? "") + ".swift"]?.components(
                separatedBy: "func \(parts.last ?? "")("
            )
            .dropFirst().first?.components(separatedBy: "\n    }\n").first
            let name = String(row.fault.split(separator: ".").last ?? "")
            XCTAssertTrue(
                body?.contains(".\(name)") ?? false, "\(row.test) does not plant \(row.fault)")
        }
    }

    func test_each_bug_on_the_page_has_a_test() throws {
        let page = try text("Sources/Wellspring/Wellspring.docc/RELIABILITY.md")
        let record = page.components(separatedBy: "### Every data bug so far").last ?? ""
        let sources = try sources("Tests").values.joined()
        let tests = record.matches(of: /`(test_\w+)`/).map { String($0.output.1) }
        XCTAssertGreaterThanOrEqual(tests.count, 70)
        for test in tests {
            XCTAssertTrue(sources.contains("func \(test)("), "there is no \(test)")
        }
    }
}
