import Foundation

/// Where a reader gets its bytes from.
protocol ByteSource: Sendable {
    /// How many bytes there are, if that is known.
    var size: Int? { get }
    /// Appends some bytes; none at the end.
    mutating func read(into buffer: inout [UInt8]) throws(CSVError)
}

struct MemorySource: ByteSource {
    let bytes: [UInt8]
    private var isRead = false

    init(bytes: [UInt8]) { self.bytes = bytes }

    var size: Int? { bytes.count }

    mutating func read(into buffer: inout [UInt8]) throws(CSVError) {
        if !isRead { buffer += bytes }
        isRead = true
    }
}

/// A file that is closed when nobody refers to it any more.
final class FileSource: ByteSource {
    private static let chunkBytes = 262_144

    let path: String
    let size: Int?
    private let descriptor: Int32

    init(path: String) throws(CSVError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        self.path = path
        var status = stat()
        let isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        size = isFile ? Int(status.st_size) : nil
    }

    deinit { close(descriptor) }

    func read(into buffer: inout [UInt8]) throws(CSVError) {
        let chunk = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.chunkBytes, alignment: 16)
        defer { chunk.deallocate() }
        while true {
            let count = Foundation.read(descriptor, chunk.baseAddress, chunk.count)
            if count >= 0 {
                buffer += chunk[..<count]
                return
            }
            if errno != EINTR {
                throw .unreadable(path: path, reason: String(cString: strerror(errno)))
            }
        }
    }
}
