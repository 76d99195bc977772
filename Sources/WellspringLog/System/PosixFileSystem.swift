#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The file system of the operating system.
package struct PosixFileSystem: FileSystem {
    package init() {}

    package func openStore(
        at path: String, create: Bool
    ) throws(SystemError) -> any StoreDirectory {
        // For the system the path would end there, and be another directory's.
        guard !path.utf8.contains(0) else {
            throw SystemError(call: "open", file: path, code: EINVAL)
        }
        let path = Self.withoutTrailingSlashes(path)
        if create { try Self.makeDirectories(path) }
        let descriptor = try Self.openDirectory(at: path)
        let directory = PosixDirectory(descriptor: descriptor, path: path)
        try directory.refuseForeignOwner()
        // Whoever put something into it went through here, and so made the directory durable.
        if create, try directory.list(nil).isEmpty { try Self.makeAncestorsDurable(path) }
        return directory
    }

    /// A slash at the end would have the system follow a symbolic link in spite of `O_NOFOLLOW`.
    private static func withoutTrailingSlashes(_ path: String) -> String {
        var path = path
        while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    private static func openDirectory(at path: String) throws(SystemError) -> Int32 {
        do throws(SystemError) {
            return try retrying("open", path) {
                open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            }
        } catch {
            var status = stat()
            let isLink = lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
            throw isLink ? SystemError(call: "open", file: path, code: ELOOP) : error
        }
    }

    private static func makeDirectories(_ path: String) throws(SystemError) {
        for directory in ancestors(of: path).reversed() + [path] {
            guard mkdir(directory, 0o700) != 0, errno != EEXIST else { continue }
            let failure = SystemError.last("mkdir", directory)
            // Others' directories on the way are refused in many words (EACCES, EROFS, EISDIR),
            // and they exist.
            var status = stat()
            guard stat(directory, &status) == 0 else { throw failure }
        }
    }

    private static func makeAncestorsDurable(_ path: String) throws(SystemError) {
        for directory in ancestors(of: path) {
            // A directory that we may not even open is not one in which we made anything.
            let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor != -1 else {
                guard errno == EACCES || errno == EPERM else { throw .last("open", directory) }
                continue
            }
            defer { closeDescriptor(descriptor) }
            do throws(SystemError) {
                try makeDurable(descriptor, directory, isDirectory: true)
            } catch {
                // Nothing was made in a directory that cannot be written to.
                guard error.kind == .readOnly || error.kind == .other else { throw error }
            }
        }
    }

    /// The directories above `path`, the nearest first.
    ///
    /// In bytes, as the system sees it: a slash with an accent is no `Character("/")`.
    private static func ancestors(of path: String) -> [String] {
        let separator = UInt8(ascii: "/")
        var result: [String] = []
        var rest = Substring(path).utf8
        while let slash = rest.lastIndex(of: separator) {
            rest = rest[..<slash]
            while rest.last == separator { rest.removeLast() }
            if rest.isEmpty {
                if path != "/" { result.append("/") }
                return result
            }
            result.append(String(Substring(rest)))
        }
        return result + ["."]
    }
}
