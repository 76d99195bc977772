extension String {
    /// The text with control characters written out, so that nothing in it can move the cursor
    /// or break a line.
    package var printable: String {
        var text = ""
        for scalar in unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// The text with spaces behind it until it has `width` characters.
    package func padding(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }

    /// The text with spaces before it until it has `width` characters.
    package func leftPadding(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}

extension BinaryInteger {
    /// The number with a comma every three digits: `1,234,567`.
    package var grouped: String {
        let digits = String(magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return (self < 0 ? "-" : "") + text
    }

    /// The number of cents as an amount: `1,234.56`.
    package var money: String {
        let (whole, cents) = magnitude.quotientAndRemainder(dividingBy: 100)
        return (self < 0 ? "-" : "") + whole.grouped + "." + (cents < 10 ? "0" : "") + "\(cents)"
    }
}
