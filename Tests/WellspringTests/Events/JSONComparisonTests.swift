import Foundation
import WellspringLog
import XCTest

@testable import Wellspring

/// Both coders on generated values and on texts that were damaged.
///
/// WELLSPRING_JSON_CASES multiplies the number of cases, WELLSPRING_JSON_SEED changes them.
final class JSONComparisonTests: XCTestCase {
    private static let compared = Guarded(0)

    override class func tearDown() {
        print("totals: JSON compared with Foundation's: \(compared.withLock { $0 }) times")
    }

    private var seed: UInt64 {
        ProcessInfo.processInfo.environment["WELLSPRING_JSON_SEED"].flatMap(UInt64.init) ?? 2026
    }

    private func check<T: JSONSample>(_ type: T.Type, line: UInt = #line) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<JSONComparison.cases(60) {
            let value = T.random(&generator)
            assertNone(JSONComparison.difference(encoding: value), line)
            let text = Array(try JSONComparison.foundationEncoder.encode(value))
            assertNone(JSONComparison.difference(T.self, text), line)
            for _ in 0..<6 {
                assertNone(JSONComparison.difference(T.self, generator.damaged(text)), line)
            }
        }
    }

    private func assertNone(_ difference: String?, _ line: UInt) {
        Self.compared.withLock { $0 += 1 }
        if let difference { XCTFail(difference, line: line) }
    }

    func test_every_primitive_is_coded_as_by_foundation() throws { try check(Primitives.self) }
    func test_optionals_are_coded_as_by_foundation() throws { try check(Optionals.self) }
    func test_foundation_types_are_coded_as_by_foundation() throws {
        try check(FoundationTypes.self)
    }
    func test_enums_are_coded_as_by_foundation() throws { try check(Cases.self) }
    func test_collections_are_coded_as_by_foundation() throws { try check(Collections.self) }
    func test_containers_filled_in_turns_are_coded_as_by_foundation() throws {
        try check(Interleaved.self)
    }
    func test_superclasses_are_coded_as_by_foundation() throws { try check(Dog.self) }
    func test_arrays_of_different_things_are_coded_as_by_foundation() throws {
        try check(Mixture.self)
    }
    func test_wrapped_values_are_coded_as_by_foundation() throws { try check(Wrapped.self) }
    func test_wide_objects_are_coded_as_by_foundation() throws { try check(Wide.self) }

    func test_generated_texts_are_read_as_by_foundation() {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<JSONComparison.cases(150) {
            let value = generator.json()
            assertNone(JSONComparison.difference(encoding: value), #line)
            let text = Array(generator.written(value).utf8)
            assertNone(JSONComparison.difference(AnyJSON.self, text), #line)
            assertNone(JSONComparison.difference([String: Int].self, text), #line)
        }
    }

    func test_damaged_texts_are_accepted_or_refused_as_by_foundation() {
        var generator = SeededGenerator(seed: seed &+ 1)
        for _ in 0..<JSONComparison.cases(150) {
            let text = Array(generator.written(generator.json()).utf8)
            for _ in 0..<6 {
                let damaged = generator.damaged(text)
                assertNone(JSONComparison.difference(AnyJSON.self, damaged), #line)
                assertNone(JSONComparison.difference([String: AnyJSON].self, damaged), #line)
                assertNone(JSONComparison.difference([String: Double?].self, damaged), #line)
            }
        }
    }

    func test_numbers_in_every_form_are_read_as_by_foundation() {
        var generator = SeededGenerator(seed: seed &+ 2)
        let parts = ["0", "1", "9", "00", "123456789", "5", "-", "+", ".", "e", "E", "e-", "E+22"]
        for _ in 0..<JSONComparison.cases(400) {
            let text = (0...generator.below(7)).map { _ in parts[generator.below(parts.count)] }
                .joined()
            assertNone(JSONComparison.difference(Double.self, text), #line)
            assertNone(JSONComparison.difference(Float.self, text), #line)
            assertNone(JSONComparison.difference(Int.self, text), #line)
            assertNone(JSONComparison.difference([Int8].self, "[\(text)]"), #line)
            assertNone(JSONComparison.difference(UInt64.self, text), #line)
            assertNone(JSONComparison.difference(Int128.self, text), #line)
            assertNone(JSONComparison.difference([Decimal].self, "[\(text)]"), #line)
        }
    }
}
