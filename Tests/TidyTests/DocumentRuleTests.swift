import XCTest

/// Shows that each rule about documents and the package can be broken.
final class DocumentRuleTests: XCTestCase {
    func test_a_block_that_is_no_region_is_found() {
        let page = TextFile("Page.md", "# Page\n\n```swift\nlet a = 1\n\nlet b = 2\n```\n")
        XCTAssertEqual(
            DocumentRules.codeBlocks(page, regions: ["let a = 1\n\nlet b = 2"]), [])
        XCTAssertEqual(
            DocumentRules.codeBlocks(page, regions: ["let a = 1\nlet b = 2"]).map(\.line), [3])
    }

    func test_blocks_of_other_languages_are_left_alone() {
        let page = TextFile("Page.md", "```sh\nswift test\n```\n\n```\nplain\n```\n")
        XCTAssertEqual(DocumentRules.codeBlocks(page, regions: []), [])
    }

    func test_an_indented_block_is_read_without_its_indentation() {
        let page = TextFile("Page.md", "- Item:\n\n  ```swift\n  if a {\n      b()\n  }\n  ```\n")
        XCTAssertEqual(
            DocumentRules.blocks(in: page),
            [CodeBlock(language: "swift", text: "if a {\n    b()\n}", line: 3)])
    }

    func test_regions_lose_their_indentation_and_parts_of_one_name_join() {
        let source = TextFile(
            "A.swift",
            """
            func test() {
                // snippet: one
                if a {

                    b()
                }
                // end
                hidden()
                // snippet: one
                c()
                // end
            }
            """)
        XCTAssertEqual(
            Snippets.regions(in: source), ["one": "if a {\n\n    b()\n}\n\nc()"])
    }

    func test_a_region_that_no_document_shows_is_found() {
        let page = TextFile("Page.md", "```swift\nlet a = 1\n```")
        XCTAssertEqual(
            DocumentRules.unusedRegions(["a": "let a = 1", "b": "let b = 2"], documents: [page]),
            ["b"])
    }

    func test_a_page_without_a_link_is_found() {
        let front = TextFile("Wellspring.md", "- <doc:getting-started>")
        XCTAssertEqual(DocumentRules.linkedPages(["getting-started"], from: front), [])
        XCTAssertEqual(DocumentRules.linkedPages(["getting"], from: front).count, 1)
    }

    func test_a_folder_that_is_not_there_is_found() {
        let page = TextFile("README.md", "Look\nat `Sources/A` and `Tests/B`, not `swift test`.")
        XCTAssertEqual(
            DocumentRules.namedPaths(page, exists: { $0 == "Sources/A" }).map(\.message),
            ["there is no Tests/B"])
    }

    func test_a_link_that_leads_nowhere_is_found() {
        let page = TextFile(
            "Guides/a.md", "[a](b.md) [c](https://example.org/c)\n[d](../e.md) and (f.md)")
        XCTAssertEqual(
            DocumentRules.relativeLinks(page, exists: { $0 == "Guides/b.md" }).map(\.line), [2])
    }

    func test_a_stranger_at_the_top_is_found() {
        XCTAssertEqual(ManifestRules.topLevel(["README.md", "Sources"]), [])
        XCTAssertEqual(ManifestRules.topLevel(["NOTES.md", "Sources"]), ["NOTES.md"])
    }

    func test_a_package_dependency_is_found() {
        let none = "    dependencies: [],\n"
        let some = "    dependencies: [\n        .package(url: \"x\", from: \"1.0.0\")\n    ],\n"
        XCTAssertEqual(ManifestRules.noDependencies(TextFile("Package.swift", none)), [])
        XCTAssertEqual(
            ManifestRules.noDependencies(TextFile("Package.swift", some)).map(\.line), [2, 1])
        XCTAssertEqual(ManifestRules.noDependencies(TextFile("Package.swift", "")).count, 1)
    }
}
