import ExampleSupport
import Foundation
import XCTest

final class CSVReaderTests: XCTestCase {
    func test_fields_are_separated_by_commas() throws {
        XCTAssertEqual(try fields("a,b,c\nd,,f\n"), [["a", "b", "c"], ["d", "", "f"]])
    }

    func test_the_last_line_may_lack_its_ending() throws {
        XCTAssertEqual(try fields("a,b\nc,d"), [["a", "b"], ["c", "d"]])
        XCTAssertEqual(try fields("a,"), [["a", ""]])
        XCTAssertEqual(try fields("a,\""), [], "reported below, not returned")
    }

    func test_lines_may_end_with_carriage_return_and_line_feed() throws {
        XCTAssertEqual(
            try fields("a,b\r\n\"c\",d\r\ne,f\r"), [["a", "b"], ["c", "d"], ["e", "f"]])
    }

    func test_a_carriage_return_inside_a_line_is_content() throws {
        XCTAssertEqual(try fields("a\rb,c\n"), [["a\rb", "c"]])
    }

    func test_a_byte_order_mark_is_skipped_once() throws {
        XCTAssertEqual(
            try fields("\u{FEFF}a,b\n\u{FEFF}c,d\n"), [["a", "b"], ["\u{FEFF}c", "d"]])
    }

    func test_empty_lines_are_skipped_and_counted() throws {
        XCTAssertEqual(
            try records("\n\r\na\n\n\nb\n\n"),
            [CSVRecord(line: 3, fields: ["a"]), CSVRecord(line: 6, fields: ["b"])])
        XCTAssertEqual(try records(""), [])
    }

    func test_quoted_fields_hold_commas_quotes_and_line_breaks() throws {
        XCTAssertEqual(
            try records("\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\r\n\"\n\"\",\"\"\"\"\n"),
            [
                CSVRecord(line: 1, fields: ["a,b", "say \"hi\"", "two\nlines\r\n"]),
                CSVRecord(line: 4, fields: ["", "\""]),
            ])
    }

    func test_text_after_a_closing_quote_is_a_fault_of_its_line_only() {
        XCTAssertEqual(
            outcomes("a\n\"b\"x,c\nd\n"),
            [
                .success(CSVRecord(line: 1, fields: ["a"])),
                .failure(.malformed(line: 2, .textAfterQuote)),
                .success(CSVRecord(line: 3, fields: ["d"])),
            ])
    }

    func test_a_forgotten_quote_costs_one_line_and_not_the_rest_of_the_file() {
        XCTAssertEqual(
            outcomes("\"a,b\nc,d\ne,f\n"),
            [
                .failure(.malformed(line: 1, .unclosedQuote)),
                .success(CSVRecord(line: 2, fields: ["c", "d"])),
                .success(CSVRecord(line: 3, fields: ["e", "f"])),
            ])
    }

    func test_a_quote_inside_a_plain_field_is_a_fault() {
        XCTAssertEqual(outcomes("a\"b,c"), [.failure(.malformed(line: 1, .strayQuote))])
    }

    func test_bytes_that_are_not_UTF_8_are_a_fault() {
        var reader = CSVReader(bytes: [0x61, 0xC3, 0x28, 0x0A, 0x62])
        XCTAssertEqual(all(&reader).first, .failure(.malformed(line: 1, .notUTF8)))
    }

    func test_a_record_may_have_as_many_bytes_as_the_limit_and_no_more() {
        let longest = String(repeating: "x", count: CSVReader.recordLimitBytes)
        for ending in ["\n", "\r\n"] {
            XCTAssertEqual(
                outcomes(longest + ending + "a"),
                [
                    .success(CSVRecord(line: 1, fields: [longest])),
                    .success(CSVRecord(line: 2, fields: ["a"])),
                ])
        }
        for tooLong in [longest + "xyz", "\"" + longest + "xy\""] {
            XCTAssertEqual(
                outcomes(tooLong + "\na\n"),
                [
                    .failure(.malformed(line: 1, .tooLong(limit: CSVReader.recordLimitBytes))),
                    .success(CSVRecord(line: 2, fields: ["a"])),
                ])
        }
    }

    func test_a_file_larger_than_the_buffer_reads_like_the_same_bytes_in_memory() throws {
        let text = (1...30_000).map { "order-\($0),\"customer \"\"\($0)\"\"\n\",\($0)\r\n" }
            .joined()
        let path = NSTemporaryDirectory() + "csv-\(UUID().uuidString)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        var reader = try CSVReader(path: path)
        let read = all(&reader)
        XCTAssertEqual(read.count, 30_000)
        XCTAssertEqual(read, outcomes(text))
        XCTAssertEqual(
            read.last,
            .success(
                CSVRecord(
                    line: 59_999, fields: ["order-30000", "customer \"30000\"\n", "30000"])))
        XCTAssertEqual(reader.consumedBytes, text.utf8.count)
        XCTAssertEqual(reader.totalBytes, text.utf8.count)
    }

    func test_a_file_that_is_not_there_is_an_error_with_the_reason() {
        XCTAssertThrowsError(try CSVReader(path: "/no/such.csv")) { error in
            XCTAssertEqual("\(error)", "cannot read /no/such.csv: No such file or directory")
        }
    }

    func test_a_directory_cannot_be_read() throws {
        var reader = try CSVReader(path: "/")
        XCTAssertThrowsError(try reader.next()) { error in
            XCTAssertEqual((error as? CSVError)?.line, nil)
        }
    }

    private func fields(_ text: String) throws -> [[String]] {
        try records(text).map(\.fields)
    }

    private func records(_ text: String) throws -> [CSVRecord] {
        outcomes(text).compactMap { try? $0.get() }
    }

    private func outcomes(_ text: String) -> [Result<CSVRecord, CSVError>] {
        var reader = CSVReader(bytes: Array(text.utf8))
        return all(&reader)
    }

    private func all(_ reader: inout CSVReader) -> [Result<CSVRecord, CSVError>] {
        var outcomes: [Result<CSVRecord, CSVError>] = []
        while true {
            do {
                guard let record = try reader.next() else { return outcomes }
                outcomes.append(.success(record))
            } catch {
                outcomes.append(.failure(error))
            }
        }
    }
}
