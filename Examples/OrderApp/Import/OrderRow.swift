import ExampleSupport
import Wellspring

/// One line of an import file: an order and its number.
struct OrderRow: Hashable, Sendable {
    static let header = ["order_id", "customer_id", "date", "quantity", "amount_cents"]

    let id: Order.ID
    let terms: Order.Terms

    /// Reads the fields of one record.
    init(fields: [String]) throws(RowFault) {
        guard fields.count == Self.header.count else { throw .fieldCount(fields.count) }
        id = Order.ID(try Identifier.checked(fields[0], "order_id"))
        guard let date = CalendarDate(fields[2]) else { throw .notADate(fields[2]) }
        terms = Order.Terms(
            customer: CustomerID(try Identifier.checked(fields[1], "customer_id")), date: date,
            quantity: try Self.number(fields[3], "quantity"),
            amountCents: try Self.number(fields[4], "amount_cents"))
    }

    /// Reads digits with nothing around them but a minus sign: no blanks, no `+`, no `1e3`.
    private static func number(_ text: String, _ field: String) throws(RowFault) -> Int64 {
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        let decimal = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard !digits.isEmpty, digits.allSatisfy({ decimal.contains($0) }) else {
            throw .notANumber(field: field, text)
        }
        guard let number = Int64(text) else { throw .numberTooLarge(field: field, text) }
        return number
    }
}

/// What an order or a customer may be called: anything, within reason.
enum Identifier {
    static let limitBytes = 512

    /// Returns `text` if it can name something in the shop.
    static func checked(_ text: String, _ field: String) throws(RowFault) -> String {
        guard !text.isEmpty else { throw .emptyIdentifier(field: field) }
        guard text.utf8.count <= limitBytes else { throw .longIdentifier(field: field) }
        guard !text.utf8.contains(0) else { throw .zeroByte(field: field) }
        return text
    }
}

/// Why a line is not an order.
enum RowFault: Error, Hashable, Sendable {
    case fieldCount(Int)
    case emptyIdentifier(field: String)
    case longIdentifier(field: String)
    case zeroByte(field: String)
    case notADate(String)
    case notANumber(field: String, String)
    case numberTooLarge(field: String, String)
}

extension RowFault: CustomStringConvertible {
    var description: String {
        switch self {
        case .fieldCount(let count):
            "there should be \(OrderRow.header.count) fields, and there are \(count)"
        case .emptyIdentifier(let field): "\(field) is empty"
        case .longIdentifier(let field): "\(field) is longer than \(Identifier.limitBytes) bytes"
        case .zeroByte(let field): "\(field) contains a zero byte"
        case .notADate(let text):
            "'\(text.printable)' is not a date like 2026-02-28 in the years "
                + "\(CalendarDate.years.lowerBound) to \(CalendarDate.years.upperBound)"
        case .notANumber(let field, let text):
            "\(field) is '\(text.printable)' and not a whole number"
        case .numberTooLarge(let field, let text):
            "\(field) is '\(text.printable)' and too large to count with"
        }
    }
}
