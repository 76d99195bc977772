import ExampleSupport
import Wellspring

/// The products of a file, checked as far as that can be done without the store.
struct ImportPlan: Sendable {
    /// Every product once, in the order of the file.
    var lines: [ImportLine] = []
    var invalid: [InvalidLine] = []
    /// How many lines say what is known already: from an earlier line, or in the shop.
    var alreadyThere = 0
    /// Every line of a product: the first, and those that repeat it.
    private(set) var linesOf: [Product.ID: [ImportLine]] = [:]

    /// Reads a file to its end, whatever its lines are worth.
    ///
    /// - Throws: When the file cannot be read, or does not begin with the names of the columns.
    init(reading reader: CSVReader) throws {
        var reader = reader
        guard try reader.next()?.fields == ImportLine.columns else {
            let columns = ImportLine.columns.joined(separator: ",")
            throw Failure("The first line of the file must be \(columns).")
        }
        while true {
            do {
                guard let record = try reader.next() else { return }
                try add(ImportLine(record))
            } catch let line as InvalidLine {
                invalid.append(line)
            } catch CSVError.malformed(let number, let fault) {
                invalid.append(InvalidLine(number: number, reason: "\(fault)"))
            }
        }
    }

    private mutating func add(_ line: ImportLine) throws(InvalidLine) {
        guard let earlier = linesOf[line.sku]?.first else {
            linesOf[line.sku] = [line]
            lines.append(line)
            return
        }
        guard earlier.listing == line.listing else {
            let differences = earlier.listing.differences(from: line.listing)
            throw line.invalid("\(line.sku) is on line \(earlier.number) too, with \(differences)")
        }
        linesOf[line.sku]?.append(line)
        alreadyThere += 1
    }
}

/// A line that cannot be imported.
struct InvalidLine: Error, Hashable, CustomStringConvertible {
    let number: Int
    let reason: String

    var description: String { "line \(number): \(reason)" }
}
