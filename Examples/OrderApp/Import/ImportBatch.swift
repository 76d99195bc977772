import ExampleSupport
import Wellspring

/// Why a line is left out.
enum LineFault: Error, Hashable, Sendable {
    case csv(CSVFault)
    case row(RowFault)
    /// The shop would not take this order.
    case rejected(Order.Rejection)
    /// The number is taken by another order: in the store, or further up in the file.
    case differs(id: Order.ID, known: Order.Terms, here: Order.Terms)
}

extension LineFault: CustomStringConvertible {
    var description: String {
        switch self {
        case .csv(let fault): "\(fault)"
        case .row(let fault): "\(fault)"
        case .rejected(let rejection): "\(rejection)"
        case .differs(let id, let known, let here):
            "order '\(id.rawValue.printable)' exists with other content\n"
                + "  known: \(known)\n  here:  \(here)"
        }
    }
}

/// A line that was left out.
struct InvalidLine: Hashable, Sendable {
    let number: Int
    let fault: LineFault
}

/// Some lines in a row, sorted into what has to be done about each.
///
/// Each line is put to the same rule that the command bus will apply, on the orders as they are and
/// as the lines before it will have made them. So it is known before the first command is sent how
/// far the import goes, and a bad line stops it at the same place every time, whatever is in flight.
struct ImportBatch: Sendable {
    private(set) var additions: [OrderRow] = []
    private(set) var alreadyThere = 0
    private(set) var invalid: [InvalidLine] = []

    /// Sorts `lines`, given the orders they name, up to the first invalid one or to the end.
    init(
        _ lines: [ImportLine], given orders: [Order.ID: Order], skippingInvalid: Bool
    ) {
        var orders = orders
        for line in lines {
            do throws(LineFault) {
                try sort(try line.content.get(), &orders)
            } catch {
                invalid.append(InvalidLine(number: line.number, fault: error))
                if !skippingInvalid { return }
            }
        }
    }

    private mutating func sort(
        _ row: OrderRow, _ orders: inout [Order.ID: Order]
    ) throws(LineFault) {
        var order = orders[row.id] ?? Order()
        do throws(Order.Rejection) {
            for event in try PlaceOrder(terms: row.terms).decide(given: order) {
                order.apply(event)
            }
            orders[row.id] = order
            additions.append(row)
        } catch .alreadyPlaced(let known) {
            guard known == row.terms else {
                throw .differs(id: row.id, known: known, here: row.terms)
            }
            alreadyThere += 1
        } catch {
            throw .rejected(error)
        }
    }
}
