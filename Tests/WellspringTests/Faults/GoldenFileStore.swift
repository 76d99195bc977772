import WellspringLog
import WellspringTestKit

/// A store of version 1 of the format, byte by byte.
///
/// What is not listed is zero.
enum GoldenFileStore {
    struct File {
        var name: String
        var length: Int
        /// Bytes in hexadecimal, by the offset at which they begin.
        var content: [Int: String]

        var bytes: [UInt8] {
            var all = [UInt8](repeating: 0, count: length)
            for (offset, text) in content {
                let digits = Array(text.utf8.filter { $0 != 10 && $0 != 32 })
                for place in 0..<digits.count / 2 {
                    let pair = String(decoding: digits[place * 2...place * 2 + 1], as: UTF8.self)
                    all[offset + place] = UInt8(pair, radix: 16) ?? 0
                }
            }
            return all
        }
    }

    /// A disk that holds the store.
    static func disk() throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        let directory = try disk.openStore(at: "store", create: true)
        for folder in ["log", "idx"] { try directory.makeDirectory(folder) }
        for file in files { disk.replaceContents(of: file.name, with: file.bytes) }
        return disk
    }
}
