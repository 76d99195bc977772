/// Rules about what may import what.
enum ImportRules {
    private static let systemModules: Set<String> = ["Glibc", "Musl", "Darwin"]
    private static let foundation: Set<String> = ["Foundation", "FoundationEssentials"]

    /// What the sources in a folder may import; folders are looked up from the inside out.
    private static let allowed: [String: Set<String>] = [
        "Sources/WellspringLog": ["CWellspring", "Synchronization"],
        "Sources/WellspringLog/System": systemModules.union(["CWellspring", "Synchronization"]),
        "Sources/Wellspring": foundation.union(["WellspringLog", "Synchronization"]),
        "Sources/WellspringTestKit": foundation.union(["Wellspring", "WellspringLog"]),
        "Sources/WellspringBenchmarks": foundation.union([
            "Wellspring", "WellspringLog", "CSQLite",
        ]),
        "Sources/wellspringctl": foundation.union([
            "Wellspring", "WellspringLog", "ExampleSupport",
        ]),
        "Sources": foundation.union(["Wellspring"]),
        "Examples/Support": foundation.union(["Synchronization"]),
        "Examples/Bank": ["Wellspring"],
        "Examples": foundation.union(["Wellspring", "ExampleSupport", "Synchronization"]),
    ]

    /// Imports form a fan: WellspringLog, then Wellspring, then everything else.
    ///
    /// The machine is reached from one folder only.
    static func fan(_ file: TextFile) -> [Finding] {
        guard let allowed = allowedImports(of: file.path) else {
            return [Finding(file, line: 1, "no rule says what this folder may import")]
        }
        return imports(in: file).filter { !allowed.contains($0.module) }.map {
            Finding(file, line: $0.line, "\($0.module) may not be imported here")
        }
    }

    private static func allowedImports(of path: String) -> Set<String>? {
        var folders = path.split(separator: "/").dropLast()
        while !folders.isEmpty {
            if let found = allowed[folders.joined(separator: "/")] { return found }
            folders = folders.dropLast()
        }
        return nil
    }

    static func imports(in file: TextFile) -> [(module: String, line: Int)] {
        let code = SwiftText(file.text).code
        return code.indices.compactMap { index in
            let words = code[index].split(separator: " ")
            guard let place = words.firstIndex(of: "import"), place + 1 < words.count,
                words[..<place].allSatisfy({ isModifier($0) })
            else { return nil }
            var rest = words[(place + 1)...]
            if kinds.contains(rest.first ?? "") { rest = rest.dropFirst() }
            let module = rest.first?.split(separator: ".").first.map(String.init)
            return module.map { ($0, index + 1) }
        }
    }

    private static let kinds: Set<Substring> = [
        "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
    ]

    private static func isModifier(_ word: Substring) -> Bool {
        word.hasPrefix("@")
            || ["public", "package", "internal", "fileprivate", "private"].contains(word)
    }
}
