/// Small files that are replaced whole, in one durable step.
package enum AtomicFile {
    /// Replaces the file `name`, or creates it.
    ///
    /// After a crash at any point the file holds either all of the old content or all of the new.
    package static func replace(
        _ directory: any StoreDirectory, name: String, contents: [UInt8]
    ) throws(SystemError) {
        switch replaceInSteps(directory, name: name, contents: contents) {
        case nil: return
        case .beforeSync(let error), .atSync(let error): throw error
        }
    }

    /// At which step a replacement failed.
    enum Failure: Error {
        /// The old content is still there, and nothing speaks against another attempt.
        case beforeSync(SystemError)
        /// The disk failed to make something durable.
        case atSync(SystemError)
    }

    static func replaceInSteps(
        _ directory: any StoreDirectory, name: String, contents: [UInt8], syncsContents: Bool = true
    ) -> Failure? {
        let temporary = name + ".tmp"
        do {
            let file = try createAnew(directory, temporary)
            defer { file.close() }
            try contents.withUnsafeBufferPointer { (bytes) throws(SystemError) in
                try file.write(UnsafeRawBufferPointer(bytes), at: 0)
            }
            // Without this sync the new name could outlive a crash that the content does not.
            if syncsContents, let failure = syncing({ () throws(SystemError) in try file.sync() }) {
                return failure
            }
            try directory.rename(temporary, to: name)
        } catch {
            return .beforeSync(error)
        }
        return syncing { () throws(SystemError) in
            try directory.syncDirectoryTwice(folder(of: name))
        }
    }

    private static func syncing(_ sync: () throws(SystemError) -> Void) -> Failure? {
        do {
            try sync()
            return nil
        } catch {
            return .atSync(error)
        }
    }

    /// Reads the file `name` whole; `nil` when there is none.
    package static func read(
        _ directory: any StoreDirectory, name: String, limit: Int
    ) throws(SystemError) -> [UInt8]? {
        let file: any StoreFile
        do {
            file = try directory.open(name, .read)
        } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
        defer { file.close() }
        return try contents(of: file, name: name, limit: limit)
    }

    /// The error of a file that is longer than it can be: EFBIG wherever Wellspring runs.
    static let tooLong: Int32 = 27

    /// Reads an open file whole.
    static func contents(
        of file: any StoreFile, name: String, limit: Int
    ) throws(SystemError) -> [UInt8] {
        let size = try file.size()
        guard let length = Int(exactly: size), length <= limit else {
            throw SystemError(call: "read", file: name, code: Self.tooLong, kind: .other)
        }
        var bytes = [UInt8](repeating: 0, count: length)
        let filled = try bytes.withUnsafeMutableBufferPointer { (buffer) throws(SystemError) in
            try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
        }
        bytes.removeLast(length - min(filled, length))
        return bytes
    }

    /// Creates `name`; what a crash left under it is removed first.
    static func createAnew(
        _ directory: any StoreDirectory, _ name: String
    ) throws(SystemError) -> any StoreFile {
        do {
            return try directory.open(name, .create)
        } catch {
            guard error.kind == .exists else { throw error }
        }
        try directory.remove(name)
        return try directory.open(name, .create)
    }

    /// The directory that holds `name`; `nil` is the store's own.
    private static func folder(of name: String) -> String? {
        guard let slash = name.lastIndex(of: "/") else { return nil }
        return String(name[..<slash])
    }
}
