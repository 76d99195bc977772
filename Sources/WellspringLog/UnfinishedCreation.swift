/// What a crash may leave of the making of a store.
///
/// Frames are acknowledged only once the file `STORE` is there. Before that there is at most a first
/// segment with nothing behind its header, and a MANIFEST that knows of no frame.
enum UnfinishedCreation {
    /// Whether there is nothing else in a directory; then nothing of a store is lost in it.
    ///
    /// A store that was in use and whose file `STORE` was lost holds more.
    static func isAll(in directory: any StoreDirectory) throws(SystemError) -> Bool {
        let names = Set(try directory.list(nil))
        guard !names.contains(StoreIdentity.fileName) else { return false }
        if names.contains(Manifest.fileName) {
            guard try manifestKnowsNoFrame(directory) else { return false }
        }
        guard names.contains(LogLayout.segments) else { return true }
        for name in try directory.list(LogLayout.segments) {
            guard let (number, _) = LogLayout.parse(name) else {
                guard LogLayout.isLeftByCreation(name) else { return false }
                continue
            }
            guard number == 1 else { return false }
            let file = try directory.open(LogLayout.segments + "/" + name, .read)
            defer { file.close() }
            let content = try ReadWindow(file).endOfContent(from: UInt64(SegmentHeader.length))
            guard content == nil else { return false }
        }
        return true
    }

    private static func manifestKnowsNoFrame(
        _ directory: any StoreDirectory
    ) throws(SystemError) -> Bool {
        do {
            let bytes = try AtomicFile.read(
                directory, name: Manifest.fileName, limit: Manifest.fileLengthLimit)
            let manifest = try (bytes ?? []).withUnsafeBufferPointer {
                (buffer) throws(FormatError) in
                try Manifest(decoding: UnsafeRawBufferPointer(buffer))
            }
            return manifest.knownEnd.sequence == 0 && !manifest.isClean
        } catch let error as SystemError {
            throw error
        } catch {
            return false
        }
    }
}
