import XCTest

/// Holds the rules over the whole repository.
final class RepositoryTests: XCTestCase {
    private let repository = Repository()

    private func check(_ findings: [Finding], line: UInt = #line) {
        for finding in findings { XCTFail("\(finding)", line: line) }
    }

    private func sources(_ folders: String...) throws -> [TextFile] {
        let files = try folders.flatMap { try repository.files(in: $0) }
        XCTAssertFalse(files.isEmpty, "no sources in \(folders): the rule would hold for nothing")
        return files
    }

    // MARK: - Sources

    func test_no_file_is_longer_than_four_hundred_lines() throws {
        check(try sources("Sources", "Tests", "Examples").flatMap(SourceRules.length))
    }

    func test_nothing_crashes_where_it_could_report() throws {
        check(try sources("Sources", "Tests", "Examples").flatMap(SourceRules.traps))
    }

    func test_whatever_stops_the_process_says_why_no_data_can() throws {
        check(try sources("Sources", "Examples").flatMap(SourceRules.stops))
    }

    func test_the_library_prints_nothing() throws {
        check(try sources("Sources").flatMap(SourceRules.prints))
    }

    func test_the_log_and_the_library_are_handed_their_time_and_their_ids() throws {
        let files = try sources("Sources/WellspringLog", "Sources/Wellspring")
        // The one place where the system's clock becomes a `Timestamp`.
        let clock = "Sources/Wellspring/Events/Timestamp.swift"
        check(files.filter { $0.path != clock }.flatMap(SourceRules.ambientEffects))
        let inClock = files.filter { $0.path == clock }.flatMap(SourceRules.ambientEffects)
        XCTAssertEqual(inClock.count, 1, "\(inClock)")
    }

    func test_nothing_is_left_to_do_in_a_comment() throws {
        check(try sources("Sources", "Tests", "Examples").flatMap(SourceRules.markers))
    }

    func test_every_unchecked_sendable_says_why_it_is_safe() throws {
        check(try sources("Sources", "Examples").flatMap(SourceRules.uncheckedSendable))
    }

    func test_every_public_declaration_has_a_doc_comment() throws {
        check(try sources("Sources").flatMap(SourceRules.documentation))
    }

    func test_imports_form_a_fan() throws {
        check(try sources("Sources", "Examples").flatMap(ImportRules.fan))
    }

    // MARK: - The package

    func test_the_top_holds_only_what_belongs_there() throws {
        XCTAssertEqual(ManifestRules.topLevel(try repository.topLevel()), [])
    }

    func test_the_package_depends_on_no_other() throws {
        check(ManifestRules.noDependencies(try repository.file("Package.swift")))
    }

    // MARK: - Documents

    private static let catalogue = "Sources/Wellspring/Wellspring.docc"

    private func documents() throws -> [TextFile] {
        [try repository.file("README.md")]
            + (try repository.files(in: Self.catalogue, endings: ["md"]))
    }

    private func snippets() throws -> [String: String] {
        try repository.files(in: "Tests/DocumentationTests").map(Snippets.regions)
            .reduce(into: [:]) { all, regions in
                all.merge(regions) { first, _ in
                    XCTFail("two files have a region of one name")
                    return first
                }
            }
    }

    func test_the_code_in_documents_is_code_that_was_compiled() throws {
        let program = try repository.file("Examples/Bank/main.swift").text
            .trimmingCharacters(in: .newlines)
        let regions = Set(try snippets().values).union([program])
        check(try documents().flatMap { DocumentRules.codeBlocks($0, regions: regions) })
    }

    func test_the_readme_shows_a_whole_program() throws {
        let program = try repository.file("Examples/Bank/main.swift").text
            .trimmingCharacters(in: .newlines)
        let blocks = DocumentRules.blocks(in: try repository.file("README.md"))
        XCTAssertTrue(blocks.contains { $0.text == program })
    }

    func test_every_marked_region_is_shown_in_a_document() throws {
        XCTAssertEqual(
            DocumentRules.unusedRegions(try snippets(), documents: try documents()), [])
    }

    func test_every_page_is_linked_from_the_front_page() throws {
        let front = try repository.file("\(Self.catalogue)/Wellspring.md")
        let pages = try ["Guides", "Decisions"].flatMap {
            try repository.files(in: "\(Self.catalogue)/\($0)", endings: ["md"])
        }
        let names = pages.map {
            (($0.path as NSString).lastPathComponent as NSString).deletingPathExtension
        }
        XCTAssertFalse(names.isEmpty)
        check(DocumentRules.linkedPages(names + ["FileFormat"], from: front))
    }

    func test_the_folders_that_documents_name_are_there() throws {
        check(
            try documents().flatMap {
                DocumentRules.namedPaths($0, exists: repository.exists)
            })
    }

    func test_the_links_of_documents_lead_somewhere() throws {
        check(
            try (documents() + [repository.file("CHANGELOG.md")]).flatMap {
                DocumentRules.relativeLinks($0, exists: repository.exists)
            })
    }

    func test_the_changelog_has_a_place_for_what_comes_next() throws {
        XCTAssertTrue(try repository.file("CHANGELOG.md").text.contains("## [Unreleased]"))
    }
}
