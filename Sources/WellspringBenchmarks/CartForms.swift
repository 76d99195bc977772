import Wellspring

// The sample event in every form of payload.

/// The event as JSON, the form of events that say nothing of it.
enum CartEvent: CartForm, Equatable {
    case itemAdded(
        orderId: String, customerId: String, sku: String, quantity: Int, amountCents: Int,
        note: String)

    enum CodingKeys: String, EventNames {
        case itemAdded = "cart.itemAdded"
    }

    static let form = "json"

    var customerId: String {
        switch self {
        case .itemAdded(_, let customer, _, _, _, _): customer
        }
    }

    var amountCents: Int {
        switch self {
        case .itemAdded(_, _, _, _, let amount, _): amount
        }
    }
}

/// The event in the compact binary form.
enum BinaryCartEvent: CartForm {
    case itemAdded(
        orderId: String, customerId: String, sku: String, quantity: Int, amountCents: Int,
        note: String)

    enum CodingKeys: String, EventNames {
        case itemAdded = "cart.itemAdded"
    }

    static let form = "binary"
    static let payloadFormat = PayloadFormat.binary

    var customerId: String {
        switch self {
        case .itemAdded(_, let customer, _, _, _, _): customer
        }
    }

    var amountCents: Int {
        switch self {
        case .itemAdded(_, _, _, _, let amount, _): amount
        }
    }
}

/// The event in the binary form with a list of its fields.
enum ListedCartEvent: CartForm {
    case itemAdded(
        orderId: String, customerId: String, sku: String, quantity: Int, amountCents: Int,
        note: String)

    enum CodingKeys: String, EventNames {
        case itemAdded = "cart.itemAdded"
    }

    static let form = "fields"
    static let payloadFormat = PayloadFormat.binary(
        fields: ["orderId", "customerId", "sku", "quantity", "amountCents", "note"])

    var customerId: String {
        switch self {
        case .itemAdded(_, let customer, _, _, _, _): customer
        }
    }

    var amountCents: Int {
        switch self {
        case .itemAdded(_, _, _, _, let amount, _): amount
        }
    }
}

/// The event that writes and reads its fields itself.
enum SelfCodedCartEvent: CartForm, SelfCodingEvent {
    case itemAdded(
        orderId: String, customerId: String, sku: String, quantity: Int, amountCents: Int,
        note: String)

    enum CodingKeys: String, EventNames {
        case itemAdded = "cart.itemAdded"
    }

    static let form = "selfcoded"

    var customerId: String {
        switch self {
        case .itemAdded(_, let customer, _, _, _, _): customer
        }
    }

    var amountCents: Int {
        switch self {
        case .itemAdded(_, _, _, _, let amount, _): amount
        }
    }

    func write(to payload: inout PayloadWriter) -> CodingKeys {
        switch self {
        case .itemAdded(let order, let customer, let sku, let quantity, let cents, let note):
            payload.write(order)
            payload.write(customer)
            payload.write(sku)
            payload.write(quantity)
            payload.write(cents)
            payload.write(note)
            return .itemAdded
        }
    }

    init(_ name: CodingKeys, from payload: inout PayloadReader) throws(PayloadError) {
        switch name {
        case .itemAdded:
            self = .itemAdded(
                orderId: try payload.read(), customerId: try payload.read(),
                sku: try payload.read(), quantity: try payload.read(),
                amountCents: try payload.read(), note: try payload.read())
        }
    }
}
