import Foundation

/// The files of the repository, as the rules see them.
struct Repository {
    let root: URL

    /// The repository that holds this file.
    init(file: String = #filePath) {
        root = URL(fileURLWithPath: file)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    }

    /// The names at the top, without those that begin with a dot.
    func topLevel() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.path)
            .filter { !$0.hasPrefix(".") }.sorted()
    }

    /// The files under `folder` with one of the endings, by path.
    func files(in folder: String, endings: Set<String> = ["swift"]) throws -> [TextFile] {
        let base = root.appendingPathComponent(folder)
        guard let walk = FileManager.default.enumerator(atPath: base.path) else { return [] }
        let names = walk.compactMap { $0 as? String }.filter {
            endings.contains(($0 as NSString).pathExtension)
        }
        return try names.sorted().map { try file("\(folder)/\($0)") }
    }

    func file(_ path: String) throws -> TextFile {
        let url = root.appendingPathComponent(path)
        return TextFile(path, try String(contentsOf: url, encoding: .utf8))
    }

    func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }
}

/// A file and its lines.
struct TextFile {
    /// Relative to the repository.
    let path: String
    let text: String
    var lines: [String] { text.components(separatedBy: "\n") }

    init(_ path: String, _ text: String) {
        self.path = path
        self.text = text
    }
}

/// A place where a rule does not hold.
struct Finding: Equatable, CustomStringConvertible {
    let path: String
    /// Counted from 1.
    let line: Int
    let message: String

    init(_ file: TextFile, line: Int, _ message: String) {
        path = file.path
        self.line = line
        self.message = message
    }

    var description: String { "\(path):\(line): \(message)" }
}
