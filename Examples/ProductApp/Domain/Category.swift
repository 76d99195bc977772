import Wellspring

/// A shelf of the shop.
///
/// Products refer to it by its id, so its name may change at any time.
struct Category: Aggregate {
    static let category: StreamCategory = "category"

    /// `nil` until the category is created.
    private(set) var name: String?

    enum Event: DomainEvent, Equatable {
        case created(name: String)
        case renamed(name: String)

        enum CodingKeys: String, EventNames {
            case created = "category.created"
            case renamed = "category.renamed"
        }
    }

    mutating func apply(_ event: Event) {
        switch event {
        case .created(let name), .renamed(let name): self.name = name
        }
    }

    typealias Rejection = NameRejection
}

/// Creates a category; one that exists stays as it is, for it may have been renamed since.
struct CreateCategory: AggregateCommand {
    let name: String

    func decide(given category: Category) throws(NameRejection) -> [Category.Event] {
        guard category.name == nil else { return [] }
        guard !name.isEmpty else { throw .empty }
        return [.created(name: name)]
    }
}

/// Gives a category another name, which every product of it shows from then on.
struct RenameCategory: AggregateCommand {
    let name: String

    func decide(given category: Category) throws(NameRejection) -> [Category.Event] {
        guard let current = category.name else { throw .nothingToRename }
        guard !name.isEmpty else { throw .empty }
        return current == name ? [] : [.renamed(name: name)]
    }
}

/// Why a name is refused, of a category or of a brand.
enum NameRejection: Error, Hashable {
    case empty
    case nothingToRename
}

extension NameRejection: CustomStringConvertible {
    var description: String {
        switch self {
        case .empty: "a name cannot be empty"
        case .nothingToRename: "it does not exist"
        }
    }
}
