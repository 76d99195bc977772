/// Entries by their id, in the order in which they came.
///
/// Saved as a plain list: the same history always gives the same bytes, whatever the order in
/// which a dictionary would hand out its keys.
struct Register<Entry: Identifiable & Codable & Sendable>: Sendable where Entry.ID: Sendable {
    private(set) var entries: [Entry] = []
    private var places: [Entry.ID: Int] = [:]

    init(_ entries: [Entry] = []) {
        self.entries = entries
        for (place, entry) in entries.enumerated() { places[entry.id] = place }
    }

    subscript(id: Entry.ID) -> Entry? { places[id].map { entries[$0] } }

    /// Adds an entry behind the others; a known id keeps its place.
    mutating func insert(_ entry: Entry) {
        if let place = places[entry.id] {
            entries[place] = entry
        } else {
            places[entry.id] = entries.count
            entries.append(entry)
        }
    }

    /// Changes an entry, if there is one.
    mutating func update(_ id: Entry.ID, _ change: (inout Entry) -> Void) {
        guard let place = places[id] else { return }
        change(&entries[place])
    }
}

extension Register: Codable {
    init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode([Entry].self))
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(entries)
    }
}
