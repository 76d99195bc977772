import ExampleSupport
import XCTest

final class ProgramTests: XCTestCase {
    private let program = Program(
        name: "Shop", summary: "Sells.",
        subcommands: [
            Subcommand(
                "sell", arguments: ["ITEM", "[BUYER]"], summary: "Sells one.",
                options: [
                    Option("store", value: "DIR", "Where.", isRequired: true),
                    Option("price", value: "CENTS", "How much."),
                    Option("gift", "Wraps it."),
                ]),
            Subcommand("return", arguments: ["SHOP", "ITEM..."], summary: "Takes some back."),
        ])

    func test_nothing_asks_for_the_demonstration() throws {
        XCTAssertEqual(try program.parse([]), .demonstration)
    }

    func test_options_are_read_in_both_spellings_and_anywhere() throws {
        for words in [
            ["sell", "hat", "--store", "here", "--gift"],
            ["sell", "--gift", "--store=here", "hat"],
        ] {
            let arguments = try parsed(words)
            XCTAssertEqual(arguments.positional, ["hat"])
            XCTAssertEqual(arguments[option: "store"], "here")
            XCTAssertNil(arguments[option: "price"])
            XCTAssertTrue(arguments.has("gift"))
        }
        XCTAssertFalse(try parsed(["sell", "hat", "ada", "--store=a=b"]).has("gift"))
        XCTAssertEqual(try parsed(["sell", "hat", "--store=a=b"])[option: "store"], "a=b")
    }

    func test_two_dashes_end_the_options() throws {
        let arguments = try parsed(["sell", "--store", "here", "--", "--gift", "--help"])
        XCTAssertEqual(arguments.positional, ["--gift", "--help"])
        XCTAssertFalse(arguments.has("gift"))
    }

    func test_a_single_dash_is_an_argument() throws {
        XCTAssertEqual(try parsed(["sell", "-", "--store=x"]).positional, ["-"])
    }

    func test_the_last_argument_may_be_given_several_times_where_its_name_says_so() throws {
        XCTAssertEqual(try parsed(["return", "here", "hat"]).positional, ["here", "hat"])
        XCTAssertEqual(
            try parsed(["return", "here", "a", "b", "c"]).positional, ["here", "a", "b", "c"])
        XCTAssertThrowsError(try program.parse(["return", "here"])) { error in
            XCTAssertEqual(error as? UsageError, UsageError("'return' needs ITEM...."))
        }
    }

    func test_help_is_given_for_the_program_and_for_a_subcommand() throws {
        guard case .help(let all) = try program.parse(["--help"]),
            case .help(let one) = try program.parse(["sell", "--gift", "--help"])
        else { return XCTFail("no help") }
        XCTAssertTrue(all.contains("Shop sell ITEM [BUYER] --store DIR [--price CENTS] [--gift]"))
        XCTAssertTrue(one.contains("--price CENTS  How much."))
    }

    func test_what_makes_no_sense_is_a_usage_error_that_says_why() {
        let cases: [(words: [String], message: String)] = [
            (["buy"], "There is no subcommand 'buy'."),
            (["--json"], "There is no option '--json'."),
            (["sell", "--store", "x"], "'sell' needs ITEM."),
            (["sell", "hat"], "'sell' needs --store DIR."),
            (["sell", "a", "b", "c", "--store=x"], "'sell' does not expect 'c'."),
            (["sell", "a", "--store=x", "--jsn"], "'sell' has no option '--jsn'."),
            (["sell", "a", "--store=x", "-v"], "'sell' has no option '-v'."),
            (["sell", "a", "--store"], "--store needs a value: --store DIR."),
            (["sell", "a", "--store="], "--store needs a value: --store DIR."),
            (["sell", "a", "--store", "--gift"], "--store needs a value: --store DIR."),
            (["sell", "a", "--store=x", "--store=x"], "--store is given twice."),
            (["sell", "a", "--store=x", "--gift", "--gift"], "--gift is given twice."),
            (["sell", "a", "--store=x", "--gift=1"], "--gift takes no value."),
        ]
        for (words, message) in cases {
            XCTAssertThrowsError(try program.parse(words), "\(words)") { error in
                XCTAssertEqual(error as? UsageError, UsageError(message))
            }
        }
    }

    func test_a_number_is_checked_for_its_range() throws {
        XCTAssertNil(try parsed(["sell", "a", "--store=x"]).number("price", in: 0...9))
        let seven = try parsed(["sell", "a", "--store=x", "--price=7"])
        XCTAssertEqual(try seven.number("price", in: 0...9), 7)
        for wrong in ["10", "-1", "x", "1e3", "99999999999999999999"] {
            let arguments = try parsed(["sell", "a", "--store=x", "--price=\(wrong)"])
            XCTAssertThrowsError(try arguments.number("price", in: 0...9), wrong)
        }
    }

    private func parsed(_ words: [String]) throws -> Arguments {
        guard case .subcommand(let arguments) = try program.parse(words) else {
            throw UsageError("not a subcommand")
        }
        return arguments
    }
}
