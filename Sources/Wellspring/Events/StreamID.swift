/// Names one stream: the events of one aggregate instance, in order.
///
/// A category and a key, compared as UTF-8 bytes. Shown and stored as `category/key`; the key may
/// hold `/`, may not be empty or hold NUL, and the whole has at most 1,024 bytes.
public struct StreamID: Hashable, Sendable {
    let exact: ExactString
    let categoryLength: Int

    /// Creates the name of the stream of `key` in `category`.
    public init(category: StreamCategory, key: String) {
        exact = ExactString("\(category.rawValue)/\(key)")
        categoryLength = category.rawValue.utf8.count
    }

    /// Reads the form `category/key`; `nil` when there is no `/` or nothing on one side of it.
    public init?(_ description: String) {
        guard let slash = description.utf8.firstIndex(of: UInt8(ascii: "/")) else { return nil }
        let length = description.utf8.distance(from: description.utf8.startIndex, to: slash)
        guard length > 0, length < description.utf8.count - 1 else { return nil }
        exact = ExactString(description)
        categoryLength = length
    }

    /// What kind of stream it is.
    public var category: StreamCategory {
        StreamCategory(String(Substring(exact.value.utf8.prefix(categoryLength))))
    }

    /// Which one of its kind it is.
    public var key: String {
        String(Substring(exact.value.utf8.dropFirst(categoryLength + 1)))
    }

    /// Whether two names have the same bytes.
    public static func == (a: StreamID, b: StreamID) -> Bool {
        a.categoryLength == b.categoryLength && a.exact == b.exact
    }

    /// Hashes the bytes of the name.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(exact)
    }
}

extension StreamID: CustomStringConvertible, LosslessStringConvertible {
    /// The form `category/key`.
    public var description: String { exact.value }
}
