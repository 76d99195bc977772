import Wellspring

/// Who makes a product.
///
/// Like a category, a brand keeps its id when its name changes.
struct Brand: Aggregate {
    static let category: StreamCategory = "brand"

    /// `nil` until the brand is created.
    private(set) var name: String?

    enum Event: DomainEvent, Equatable {
        case created(name: String)
        case renamed(name: String)

        enum CodingKeys: String, EventNames {
            case created = "brand.created"
            case renamed = "brand.renamed"
        }
    }

    mutating func apply(_ event: Event) {
        switch event {
        case .created(let name), .renamed(let name): self.name = name
        }
    }

    typealias Rejection = NameRejection
}

/// Creates a brand; one that exists stays as it is, for it may have been renamed since.
struct CreateBrand: AggregateCommand {
    let name: String

    func decide(given brand: Brand) throws(NameRejection) -> [Brand.Event] {
        guard brand.name == nil else { return [] }
        guard !name.isEmpty else { throw .empty }
        return [.created(name: name)]
    }
}

/// Gives a brand another name, which every product of it shows from then on.
struct RenameBrand: AggregateCommand {
    let name: String

    func decide(given brand: Brand) throws(NameRejection) -> [Brand.Event] {
        guard let current = brand.name else { throw .nothingToRename }
        guard !name.isEmpty else { throw .empty }
        return current == name ? [] : [.renamed(name: name)]
    }
}
