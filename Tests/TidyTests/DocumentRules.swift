import Foundation

/// A block of code in a document.
struct CodeBlock: Equatable {
    let language: String
    let text: String
    /// The line of the opening fence, from 1.
    let line: Int
}

/// Rules about the README and the pages of the documentation.
enum DocumentRules {
    /// Every Swift block is the text of a marked region of compiled code.
    static func codeBlocks(_ file: TextFile, regions: Set<String>) -> [Finding] {
        blocks(in: file).filter { $0.language == "swift" && !regions.contains($0.text) }.map {
            Finding(file, line: $0.line, "this block is not the text of any marked region")
        }
    }

    /// Every marked region is shown somewhere, so that no code is kept for nothing.
    static func unusedRegions(
        _ regions: [String: String], documents: [TextFile]
    ) -> [String] {
        let shown = Set(documents.flatMap { blocks(in: $0).map(\.text) })
        return regions.filter { !shown.contains($0.value) }.map(\.key).sorted()
    }

    /// Every page can be reached from the front page.
    static func linkedPages(_ pages: [String], from front: TextFile) -> [Finding] {
        pages.filter { !front.text.contains("<doc:\($0)>") }.map {
            Finding(front, line: 1, "no link to \($0)")
        }
    }

    /// Folders and files that a document names are there.
    static func namedPaths(_ file: TextFile, exists: (String) -> Bool) -> [Finding] {
        file.lines.enumerated().flatMap { index, line in
            line.components(separatedBy: "`").enumerated()
                .filter { $0.offset % 2 == 1 }.map(\.element)
                .filter {
                    $0.hasPrefix("Sources/") || $0.hasPrefix("Tests/") || $0.hasPrefix("Examples/")
                }
                .filter { !exists($0) }
                .map { Finding(file, line: index + 1, "there is no \($0)") }
        }
    }

    /// Links to files of the repository lead somewhere.
    static func relativeLinks(_ file: TextFile, exists: (String) -> Bool) -> [Finding] {
        let folder = (file.path as NSString).deletingLastPathComponent
        return file.lines.enumerated().flatMap { index, line in
            line.components(separatedBy: "](").dropFirst()
                .compactMap { $0.components(separatedBy: ")").first }
                .filter { !$0.contains("://") && !$0.hasPrefix("#") }
                .filter { !exists((folder as NSString).appendingPathComponent($0)) }
                .map { Finding(file, line: index + 1, "the link leads to no file: \($0)") }
        }
    }

    static func blocks(in file: TextFile) -> [CodeBlock] {
        var blocks: [CodeBlock] = []
        var open: (language: String, line: Int, indent: Int)?
        var content: [String] = []
        for (index, line) in file.lines.enumerated() {
            let trimmed = line.drop { $0 == " " }
            if let fence = open {
                if trimmed.hasPrefix("```") {
                    blocks.append(
                        CodeBlock(
                            language: fence.language, text: content.joined(separator: "\n"),
                            line: fence.line))
                    open = nil
                } else {
                    content.append(String(line.dropFirst(min(fence.indent, line.indent))))
                }
            } else if trimmed.hasPrefix("```") {
                open = (String(trimmed.dropFirst(3)), index + 1, line.indent)
                content = []
            }
        }
        return blocks
    }
}

/// Pieces of source between `// snippet: name` and `// end`, which documents show.
enum Snippets {
    /// The regions of a file by name, without their common indentation.
    ///
    /// Parts of one name in one file belong together, with an empty line between them.
    static func regions(in file: TextFile) -> [String: String] {
        var regions: [String: String] = [:]
        var name: String?
        var content: [String] = []
        for line in file.lines {
            let trimmed = line.trimmingCharacters(in: .whitespaces)
            if trimmed.hasPrefix("// snippet: ") {
                name = String(trimmed.dropFirst("// snippet: ".count))
                content = []
            } else if trimmed == "// end", let ended = name {
                let text = dedented(content)
                regions[ended] = regions[ended].map { $0 + "\n\n" + text } ?? text
                name = nil
            } else if name != nil {
                content.append(line)
            }
        }
        return regions
    }

    private static func dedented(_ lines: [String]) -> String {
        let indent = lines.filter { !$0.isEmpty }.map(\.indent).min() ?? 0
        return lines.map { String($0.dropFirst(min(indent, $0.count))) }.joined(separator: "\n")
    }
}

extension String {
    fileprivate var indent: Int { prefix { $0 == " " }.count }
}
