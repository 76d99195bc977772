import Wellspring

extension Catalogue {
    /// Where this catalogue, replayed from the events, differs from one that was `saved`.
    func differences(from saved: Catalogue) -> [String] {
        func compare<ID: Hashable & Comparable, Value: Equatable>(
            _ what: String, _ replayed: [ID: Value], _ saved: [ID: Value]
        ) -> [String] {
            Set(replayed.keys).union(saved.keys).sorted().compactMap { id in
                switch (replayed[id], saved[id]) {
                case (nil, _): "\(what) \(id) was saved without an event"
                case (_, nil): "\(what) \(id) was not saved"
                case (let replayed, let saved):
                    replayed == saved ? nil : "\(what) \(id) was saved with other content"
                }
            }
        }
        return compare("product", entries, saved.entries)
            + compare("category", categories, saved.categories)
            + compare("brand", brands, saved.brands)
    }
}
