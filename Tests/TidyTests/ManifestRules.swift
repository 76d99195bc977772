/// Rules about the package and its top folder.
enum ManifestRules {
    private static let topLevelNames: Set<String> = [
        "Package.swift", "Sources", "Tests", "Examples", "README.md", "LICENSE", "CHANGELOG.md",
    ]

    /// Nobody has to ask what a file at the top is for.
    static func topLevel(_ names: [String]) -> [String] {
        names.filter { !topLevelNames.contains($0) }
    }

    /// The package depends on no other.
    static func noDependencies(_ manifest: TextFile) -> [Finding] {
        let code = SwiftText(manifest.text).code
        var findings = code.indices.filter { code[$0].contains(".package(") }.map {
            Finding(manifest, line: $0 + 1, "a package dependency")
        }
        if !code.contains(where: { $0.hasPrefix("    dependencies: [],") }) {
            findings.append(
                Finding(manifest, line: 1, "the manifest does not say that it has none"))
        }
        return findings
    }
}
