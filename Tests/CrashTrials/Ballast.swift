import Foundation

/// A file that takes up room, so that others have none.
struct Ballast {
    let path: String

    init(in directory: String) { path = directory + "/ballast" }

    /// Leaves about so many bytes.
    func fill(leaving room: Int) throws {
        let directory = (path as NSString).deletingLastPathComponent
        let attributes = try FileManager.default.attributesOfFileSystem(forPath: directory)
        guard let free = attributes[.systemFreeSize] as? Int else {
            throw Wrong("nobody knows how much room there is")
        }
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        let block = Data(repeating: 1, count: 256 << 10)
        for _ in 0..<max(0, free - room) / block.count {
            // The writer takes from the same room meanwhile; what it has taken needs no filling.
            guard (try? file.write(contentsOf: block)) != nil else { break }
        }
        try file.close()
    }

    func remove() throws { try FileManager.default.removeItem(atPath: path) }
}
