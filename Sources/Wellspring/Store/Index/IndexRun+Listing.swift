import WellspringLog

/// What is in the directory of index runs.
struct IndexListing: Hashable, Sendable {
    struct Run: Hashable, Sendable {
        /// The name of the file, relative to the store.
        var name: String
        var range: IndexRange
    }

    /// By their first commits; of those that begin with the same one the longest first.
    var runs: [Run] = []
    /// Runs that a crash kept from being finished, to be removed.
    ///
    /// Files of any other name are somebody else's.
    var leftovers: [String] = []
}

extension IndexRun {
    /// Removes runs by their names relative to the store, or what a crash left of some.
    static func remove(
        _ names: some Collection<String>, in directory: any StoreDirectory
    ) throws(SystemError) {
        guard !names.isEmpty else { return }
        for name in names { try directory.remove(name) }
        try directory.syncDirectory(IndexRunName.directory)
    }

    /// Lists the runs of a store, without opening them.
    ///
    /// After a crash amid a merge there may be the merged run and those it was made from.
    static func list(_ directory: any StoreDirectory) throws(SystemError) -> IndexListing {
        let names: [String]
        do {
            names = try directory.list(IndexRunName.directory)
        } catch {
            guard error.kind != .notFound else { return IndexListing() }
            throw error
        }
        var listing = IndexListing()
        for name in names.sorted() {
            let path = "\(IndexRunName.directory)/\(name)"
            if let range = IndexRunName.parse(name) {
                listing.runs.append(.init(name: path, range: range))
            } else if IndexRunName.isTemporary(name) {
                listing.leftovers.append(path)
            }
        }
        listing.runs.sort {
            ($0.range.first, $1.range.last) < ($1.range.first, $0.range.last)
        }
        return listing
    }
}
