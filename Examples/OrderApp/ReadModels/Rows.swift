import Wellspring

// Models of many thousand entries are saved and loaded often. An entry saved as a row, a list of
// plain values without their names, takes less room and time than an object.

extension UnkeyedEncodingContainer {
    mutating func encode(_ id: Order.ID) throws { try encode(id.rawValue) }
    mutating func encode(_ customer: CustomerID) throws { try encode(customer.text) }
    mutating func encode(_ date: CalendarDate) throws { try encode(date.description) }
    mutating func encode(_ status: Order.Status) throws { try encode(status.rawValue) }

    mutating func encode(_ terms: Order.Terms) throws {
        try encode(terms.customer)
        try encode(terms.date)
        try encode(terms.quantity)
        try encode(terms.amountCents)
    }
}

extension UnkeyedDecodingContainer {
    mutating func orderID() throws -> Order.ID { Order.ID(try decode(String.self)) }
    mutating func customer() throws -> CustomerID { CustomerID(try decode(String.self)) }
    mutating func number() throws -> Int64 { try decode(Int64.self) }

    mutating func date() throws -> CalendarDate {
        try known(CalendarDate(try decode(String.self)), "date")
    }

    mutating func status() throws -> Order.Status {
        try known(Order.Status(rawValue: try decode(String.self)), "status")
    }

    mutating func terms() throws -> Order.Terms {
        Order.Terms(
            customer: try customer(), date: try date(), quantity: try number(),
            amountCents: try number())
    }

    private func known<Value>(_ value: Value?, _ what: String) throws -> Value {
        guard let value else {
            throw DecodingError.dataCorruptedError(in: self, debugDescription: "not a \(what)")
        }
        return value
    }
}
