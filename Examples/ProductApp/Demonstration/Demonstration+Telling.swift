import ExampleSupport
import Foundation
import Wellspring

extension Demonstration {
    /// What the shop begins with.
    static let delivery = """
        sku,name,category,brand,price_cents,stock
        L-1,Desk lamp,lighting,Lumen,2999,3
        L-2,Head torch,lighting,Northway,1950,12
        B-1,Atlas of rivers,books,Quill,3400,4
        B-2,"Salt, a history",books,Quill,1290,7
        G-1,Garden spade,garden,Northway,2250,0

        """

    /// What comes while somebody reads.
    static let favourite = Listing(
        name: "Reading lamp", category: "lighting", brand: "Lumen", price: Money(cents: 3900),
        stock: 1)

    static func say(_ line: String) throws {
        try StandardOutput.line(line)
    }

    /// Shows a page in short.
    static func show(_ page: SearchCatalogue.Page) throws {
        for entry in page.items {
            let stock = entry.isInStock ? "\(entry.stock) in stock" : "sold out"
            try say(
                "     \(entry.sku)  \(entry.name.padding(to: 16)) \(entry.categoryName) by "
                    + "\(entry.brandName), \(entry.price), \(stock)")
        }
    }

    /// Tells about an attempt that has to fail.
    static func refused(_ attempt: String, _ change: () async throws -> CatalogueEntry) async throws
    {
        do {
            _ = try await change()
        } catch let failure as Failure {
            return try say("   \(attempt)\n     \(failure)")
        }
        throw Failure("\(attempt) Nobody said no.")
    }

    /// Lends a directory that is gone afterwards.
    static func withTemporaryDirectory(_ body: (String) async throws -> Void) async throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("ProductApp-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: url) }
        try await body(url.appendingPathComponent("store").path)
    }
}
