import WellspringLog

extension SimulatedDisk {
    /// What a second recovery finds as the first one left it, byte for byte: every file but the lock,
    /// which says who has it, and the index, which is written when there is time; and of the MANIFEST
    /// all but how often it was replaced.
    ///
    /// Between the two nothing is appended and the store is not closed, which would write a mark.
    package var recoveredFiles: [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in fileNames where name != LogLayout.lockFile && !name.hasPrefix("idx/") {
            files[name] = contents(of: name)
        }
        let manifest = files[Manifest.fileName]?.withUnsafeBytes { try? Manifest(decoding: $0) }
        if var manifest {
            manifest.number = 0
            files[Manifest.fileName] = manifest.encoded()
        }
        return files
    }

    /// The names of the files in which a further recovery has changed what was recovered, in order.
    package func recoveredOtherwise(than before: [String: [UInt8]]) -> [String] {
        let now = recoveredFiles
        return Set(before.keys).union(now.keys).filter { before[$0] != now[$0] }.sorted()
    }
}
