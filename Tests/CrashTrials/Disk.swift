import Foundation

/// A file system that can be mounted and lose its power.
struct Disk {
    /// A device, or an image of one.
    let device: String
    let directory: String
    var isImage = false
    var options = "rw"

    func mount() throws {
        try run("mount", "-o", options + (isImage ? ",loop" : ""), device, directory)
    }

    /// Waits until nobody uses it: a thread of a store that was let go may still be closing files.
    func unmount() throws {
        for _ in 0..<100 {
            if (try? run("umount", directory)) != nil { return }
            usleep(20_000)
        }
        try run("umount", directory)
    }

    /// Mends what failed writes have left of an ext4, as the start of a system would.
    ///
    /// Mounted without that, it may give the blocks of a file to another one.
    func mend() throws { try run("e2fsck", "-f", "-y", device, allowing: 1) }

    /// How the file system ends: with what its journal holds, or without.
    enum Cut: UInt32 {
        /// The journal is written first, file contents are not.
        case keepingJournal = 1
        /// Nothing is written any more.
        case losingJournal = 2
    }

    /// Cuts the power: from now on nothing reaches the device, as the file system sees it.
    func cutPower(_ cut: Cut) throws {
        #if os(Linux)
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY)
        guard descriptor >= 0 else { throw Wrong("cannot open \(directory)") }
        defer { close(descriptor) }
        var flags = cut.rawValue
        // `_IOR('X', 125, __u32)`: the same for ext4, XFS and F2FS.
        guard ioctl(descriptor, 0x8004_587D, &flags) == 0 else {
            throw Wrong("cannot shut down: \(String(cString: strerror(errno)))")
        }
        #else
        throw Wrong("only Linux can shut a file system down")
        #endif
    }

    /// Runs a program, which has to end with the status 0 or an `allowed` one.
    private func run(_ words: String..., allowing allowed: Int32 = 0) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard [0, allowed].contains(process.terminationStatus) else {
            throw Wrong("`\(words.joined(separator: " "))` failed")
        }
    }
}
