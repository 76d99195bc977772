/// A check that did not hold.
///
/// The test kit imports no test framework: a check that fails throws, which XCTest and Swift
/// Testing both report.
public struct Mismatch: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which check it was; empty for a ``Scenario``.
    public let check: String
    /// What was expected and what was seen.
    public let message: String

    /// The check and what was seen.
    public var description: String { check.isEmpty ? message : "\(check): \(message)" }

    init(_ message: String, check: String = "") {
        self.check = check
        self.message = message
    }

    init(_ message: String, at file: StaticString, _ line: UInt) {
        self.init("\(file):\(line): \(message)")
    }
}
