import Wellspring

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Where a page ended: handed to the reader as text, to be handed back for the next page.
///
/// It names a place in the order, not a number of entries to skip. What is added or moved in
/// front of it can therefore neither hide an entry nor show one twice.
struct CatalogueCursor: Codable, Hashable, Sendable {
    let category: String?
    let place: CataloguePlace
}

extension CatalogueCursor: LosslessStringConvertible {
    /// JSON in the alphabet of base64 that needs no quoting in a URL or a shell.
    var description: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let json = try? encoder.encode(self) else { return "" }
        return json.base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Reads the text form; `nil` for anything that no page ended with.
    init?(_ description: String) {
        var base64 = description.replacing("-", with: "+").replacing("_", with: "/")
        base64 += String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4)
        guard let json = Data(base64Encoded: base64),
            let cursor = try? JSONDecoder().decode(Self.self, from: json)
        else { return nil }
        self = cursor
    }
}
