import Foundation

/// Rules about single source files.
///
/// Each returns the places where it does not hold.
enum SourceRules {
    static let mostLines = 400

    /// A file tells one story, and a story has an end.
    static func length(_ file: TextFile) -> [Finding] {
        let count = file.lines.count - (file.text.hasSuffix("\n") ? 1 : 0)
        guard count > mostLines else { return [] }
        return [Finding(file, line: count, "\(count) lines, the most is \(mostLines)")]
    }

    /// Nothing that turns a mistake into a crash.
    static func traps(_ file: TextFile) -> [Finding] {
        find(["try!", "as!"], in: file) { "\($0) crashes where it could report" }
    }

    /// What stops the process at a mistake of the program says why no data can lead there.
    static func stops(_ file: TextFile) -> [Finding] {
        let calls = [
            "fatalError(", "preconditionFailure(", "precondition(", "assertionFailure(", "assert(",
        ]
        let lines = file.lines
        return find(calls, in: file) { "\($0) without a TRAPS line above" }.filter { finding in
            let above = finding.line > 1 ? lines[finding.line - 2] : ""
            return !above.drop { $0 == " " }.hasPrefix("// TRAPS: ")
        }
    }

    /// A library does not write to its host's output.
    static func prints(_ file: TextFile) -> [Finding] {
        find(["print(", "debugPrint(", "dump("], in: file) { "\($0) in a library" }
    }

    /// Time, ids and threads are passed in, so that a test can hold them still.
    static func ambientEffects(_ file: TextFile) -> [Finding] {
        let calls = ["Date()", "Date.now", "UUID()", "Task.detached", "DispatchQueue"]
        return find(calls, in: file) { "\($0) is to be passed in" }
    }

    /// What is left to do is not left in the sources.
    static func markers(_ file: TextFile) -> [Finding] {
        find(["TODO", "FIXME", "XXX", "HACK"], inLines: SwiftText(file.text).comments, of: file) {
            "\($0) is to be done, or said in a sentence"
        }
    }

    /// Who checks concurrency in place of the compiler says why it is safe.
    static func uncheckedSendable(_ file: TextFile) -> [Finding] {
        let lines = file.lines
        return find(["@unchecked Sendable"], in: file) { "\($0) without a SAFETY line below" }
            .filter { finding in
                let below = lines[finding.line..<min(finding.line + 3, lines.count)]
                return !below.contains { $0.contains("// SAFETY:") }
            }
    }

    /// What others may call is described.
    ///
    /// `swift format lint` looks closer; this one needs no tool.
    static func documentation(_ file: TextFile) -> [Finding] {
        let lines = file.lines.map { $0.drop { $0 == " " } }
        let code = SwiftText(file.text).code.map { $0.drop { $0 == " " } }
        return code.indices.compactMap { index in
            guard isPublicDeclaration(code[index]) else { return nil }
            let above = lines[..<index].last { !$0.hasPrefix("@") && !$0.hasPrefix("#") }
            guard above?.hasPrefix("///") != true else { return nil }
            return Finding(file, line: index + 1, "no doc comment: \(lines[index])")
        }
    }

    private static func isPublicDeclaration(_ line: Substring) -> Bool {
        let words = line.drop { $0 == " " }.split(separator: " ")
        guard let publicIndex = words.firstIndex(of: "public"), publicIndex < 2 else {
            return false
        }
        let rest = words[(publicIndex + 1)...]
        return rest.first != "import" && rest.first != "extension" && !rest.isEmpty
    }
}

/// Finds calls and words in code, where they are not the end of a longer word.
private func find(
    _ words: [String], in file: TextFile, message: (String) -> String
) -> [Finding] {
    find(words, inLines: SwiftText(file.text).code, of: file, message: message)
}

private func find(
    _ words: [String], inLines lines: [String], of file: TextFile, message: (String) -> String
) -> [Finding] {
    lines.indices.flatMap { index in
        words.filter { lines[index].containsWord($0) }.map {
            Finding(file, line: index + 1, message($0))
        }
    }
}

extension String {
    /// Whether the text occurs, and does not begin in the middle of a name.
    func containsWord(_ word: String) -> Bool {
        var rest = self[...]
        while let range = rest.range(of: word) {
            let before = self[..<range.lowerBound].last
            if before.map({ !$0.isLetter && !$0.isNumber && $0 != "_" }) ?? true { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }
}
