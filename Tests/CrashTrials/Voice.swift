import ExampleSupport
import Foundation

/// Where a writer says what was acknowledged.
///
/// What has been said stays said, whatever happens a moment later.
enum Voice: Sendable {
    /// On standard output, which is a pipe: a line is one write.
    case output
    /// In the record of the disk that it writes to, between the writes.
    case marks(BlockRecorder)

    var isRecorded: Bool {
        if case .marks = self { true } else { false }
    }

    func say(_ line: String) throws {
        switch self {
        case .output: try StandardOutput.line(line)
        case .marks(let recorder): try recorder.mark(line)
        }
    }
}

/// The device mapper (dm-log-writes) where it records the writes to a disk.
struct BlockRecorder: Sendable {
    /// What the device mapper calls the disk.
    private let disk: String
    private let control: Int32

    init(disk: String) throws {
        self.disk = disk
        control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC)
        guard control >= 0 else { throw Wrong("there is no device mapper") }
    }

    /// Puts a text into the record, behind all that was surely on the disk by now.
    func mark(_ text: String) throws {
        #if os(Linux)
        // `struct dm_ioctl`, behind it `struct dm_target_msg`, whose words end at spaces.
        let message = "mark " + text.replacing(" ", with: "\\ ")
        var request = [UInt8](repeating: 0, count: 312 + 8) + message.utf8 + [0]
        request.withUnsafeMutableBytes { bytes in
            for (offset, value) in [(0, 4), (12, bytes.count), (16, 312)] {
                bytes.storeBytes(of: UInt32(value), toByteOffset: offset, as: UInt32.self)
            }
            bytes[48...].copyBytes(from: disk.utf8)
        }
        // `DM_TARGET_MSG`, which is `_IOWR(0xfd, 14, struct dm_ioctl)`.
        guard ioctl(control, 0xC138_FD0E, &request) == 0 else {
            throw Wrong("cannot mark \(disk): \(String(cString: strerror(errno)))")
        }
        #else
        throw Wrong("only Linux records the writes to a disk")
        #endif
    }
}
