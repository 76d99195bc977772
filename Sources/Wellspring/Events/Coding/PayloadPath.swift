/// A place in the structure that is being coded: the keys that lead to it, innermost first.
///
/// A chain of small objects instead of an array, because a path is made for every nested value and
/// read only for an error.
final class PayloadPath {
    private let parent: PayloadPath?
    private let key: (any CodingKey)?
    private let index: Int

    init(_ key: any CodingKey, after parent: PayloadPath?) {
        self.parent = parent
        self.key = key
        index = 0
    }

    init(index: Int, after parent: PayloadPath?) {
        self.parent = parent
        key = nil
        self.index = index
    }

    var keys: [any CodingKey] {
        var keys: [any CodingKey] = []
        var place: PayloadPath? = self
        while let current = place {
            keys.append(current.key ?? PayloadKey(index: current.index))
            place = current.parent
        }
        return keys.reversed()
    }
}

extension PayloadPath? {
    var keys: [any CodingKey] { self?.keys ?? [] }
}

/// A key that no type declares: the place in an array, or `super`.
struct PayloadKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        stringValue = "\(intValue)"
        self.intValue = intValue
    }

    init(index: Int) {
        stringValue = "Index \(index)"
        intValue = index
    }

    static let superKey = PayloadKey(stringValue: "super")
}
