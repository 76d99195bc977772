#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Tells whether a directory is on a network file system.
///
/// The lock of such a file system may not keep out a writer on another machine, and what it calls
/// synced may be in the memory of a server only. A store relies on both.
enum NetworkFileSystem {
    #if canImport(Darwin)
    /// The kind of network file system that an open directory is on, if it is on one.
    static func kind(ofDescriptor descriptor: Int32) -> String? {
        var status = statfs()
        guard fstatfs(descriptor, &status) == 0, status.f_flags & UInt32(MNT_LOCAL) == 0 else {
            return nil
        }
        return withUnsafeBytes(of: status.f_fstypename) { name in
            String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
    #else
    /// The kind of network file system that an open directory is on, if it is on one.
    static func kind(ofDescriptor descriptor: Int32) -> String? {
        fileSystem(ofDescriptor: descriptor).flatMap { kinds.contains($0) ? $0 : nil }
    }

    /// The file systems whose files are on another machine, or on the host of this one.
    private static let kinds: Set = [
        "9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "gpfs", "lustre", "ncpfs", "nfs",
        "nfs4", "ocfs2", "orangefs", "panfs", "smb3", "smbfs", "vboxsf", "vmhgfs",
        "fuse.ceph-fuse", "fuse.gcsfuse", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs",
        "fuse.sshfs", "fuse.vmhgfs-fuse",
    ]

    /// The kind of file system that a file is on.
    ///
    /// The kernel's own tables tell it by name, also for what runs outside the kernel (FUSE), which
    /// all has the same number. Where `/proc` is missing nobody knows.
    static func fileSystem(ofDescriptor descriptor: Int32) -> String? {
        guard let information = contents(of: "/proc/self/fdinfo/\(descriptor)"),
            let mount = mount(inDescriptorInfo: information),
            let mounts = contents(of: "/proc/self/mountinfo")
        else { return nil }
        return fileSystem(ofMount: mount, in: mounts)
    }

    /// Finds the number of the mount in `mnt_id: 29`.
    static func mount(inDescriptorInfo text: String) -> Substring? {
        for line in text.split(separator: "\n") where line.hasPrefix("mnt_id:") {
            return line.dropFirst("mnt_id:".count).split(whereSeparator: \.isWhitespace).first
        }
        return nil
    }

    /// Finds the type of a mount, which stands behind the dash in lines like
    /// `29 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw`.
    static func fileSystem(ofMount mount: Substring, in mounts: String) -> String? {
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.first == mount, let dash = fields.firstIndex(of: "-") else { continue }
            return fields.dropFirst(dash + 1).first.map(String.init)
        }
        return nil
    }

    /// More than the longest table of mounts.
    private static let lengthLimit = 16 << 20

    private static func contents(of path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file != -1 else { return nil }
        defer { closeDescriptor(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count < lengthLimit {
            guard
                let count = try? retrying("read", path, { read(file, &piece, piece.count) })
            else { return nil }
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
    #endif
}
