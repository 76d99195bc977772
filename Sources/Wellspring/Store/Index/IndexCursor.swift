import WellspringLog

/// Goes through the chunks of a run in order.
struct IndexCursor {
    private let run: IndexRun
    private let directory: IndexDirectory
    private(set) var blockNumber = 0
    private var chunk = 0
    private var block: IndexBlock?

    /// The key of the current chunk; `nil` at the end.
    private(set) var key: UInt64?

    init(_ run: IndexRun) throws(IndexError) {
        self.run = run
        directory = try run.readDirectory()
        try readBlock()
        key = block?.key(at: chunk)
    }

    /// The entries of the current chunk.
    func entries() throws(IndexError) -> [IndexEntry] {
        guard let block else { return [] }
        var entries: [IndexEntry] = []
        do {
            try block.forEachEntry(of: chunk) {
                entries.append($0)
                return true
            }
        } catch {
            throw run.damaged(error, at: run.blockOffset(blockNumber))
        }
        return entries
    }

    /// Goes on to the next chunk.
    mutating func advance() throws(IndexError) {
        guard let last = block, let lastKey = key else { return }
        chunk += 1
        let beginsBlock = chunk == last.chunkCount
        if beginsBlock {
            chunk = 0
            blockNumber += 1
            try readBlock()
        }
        key = block?.key(at: chunk)
        guard let key, key < lastKey || key == lastKey && !beginsBlock else { return }
        throw run.damaged(
            MalformedBody(offset: 0, reason: "keys that do not ascend"),
            at: run.blockOffset(blockNumber))
    }

    private mutating func readBlock() throws(IndexError) {
        block = nil
        guard blockNumber < directory.entries.count else { return }
        block = try run.readBlock(blockNumber, directory)
    }
}
