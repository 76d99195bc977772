import Foundation

/// A directory for one test.
package struct TemporaryDirectory: Sendable {
    private let url: URL

    package init() throws {
        url = FileManager.default.temporaryDirectory
            .appendingPathComponent("wellspring-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    /// The path of `name` in the directory.
    package func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    /// Writes a file and returns its path.
    package func write(_ text: String, to name: String) throws -> String {
        let path = path(name)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// Deletes the directory with all that is in it.
    package func remove() { try? FileManager.default.removeItem(at: url) }
}
