import XCTest

@testable import WellspringBenchmarks

final class TableTests: XCTestCase {
    private let measurements = [
        Measurement(
            workload: "W1", row: "wellspring", metric: "ops_s", value: 9_000, unit: "1/s"),
        Measurement(
            workload: "W1", row: "wellspring", metric: "p99_us", value: 150, unit: "us"),
        Measurement(workload: "W1", row: "floor", metric: "ops_s", value: 12_000, unit: "1/s"),
        Measurement(workload: "W1", row: "floor", metric: "p99_us", value: 100, unit: "us"),
        Measurement(
            workload: "W4", row: "wellspring-memory", metric: "ops_s", value: 2_500_000,
            unit: "1/s"),
    ]

    private let rows = ["wellspring", "wellspring-memory", "floor", "sqlite"]

    func test_a_table_for_a_page_has_a_line_a_metric_and_a_ratio_to_each_row() {
        XCTAssertEqual(
            Table(measurements, rows: rows).markdown,
            """
            | workload | metric | `wellspring` | `wellspring-memory` | `floor` |
            | --- | --- | ---: | ---: | ---: |
            | W1 | ops_s | 9000 | | 12.0k (0.75x) |
            | W1 | p99_us | 150 | | 100 (1.50x) |
            | W4 | ops_s | | 2.50M | |

            """)
    }

    func test_a_table_for_a_terminal_holds_the_same() {
        let lines = Table(measurements, rows: rows).text.split(separator: "\n").map {
            $0.split(whereSeparator: \.isWhitespace)
        }
        XCTAssertEqual(lines[0], ["wellspring", "wellspring-memory", "floor"])
        XCTAssertEqual(lines[1], ["W1", "ops_s", "9000", "-", "12.0k", "(0.75x)"])
        XCTAssertEqual(lines[3], ["W4", "ops_s", "-", "2.50M", "-"])
    }

    func test_an_aim_is_reached_or_not_in_the_direction_it_has() {
        let aims = [
            Aim("W1", "ops_s", .atLeast(0.75), times: "floor"),
            Aim("W1", "ops_s", .atLeast(0.76), times: "floor"),
            Aim("W1", "p99_us", .atMost(1.5), times: "floor"),
            Aim("W1", "p99_us", .atMost(1.49), times: "floor"),
            Aim("W4", "ops_s", .atMost(3_000_000), row: "wellspring-memory"),
        ]
        XCTAssertEqual(
            Aim.markdown(aims, measurements),
            """
            | workload | metric | row | aim | measured | reached |
            | --- | --- | --- | --- | ---: | --- |
            | W1 | ops_s | `wellspring` | at least 0.75x of `floor` | 0.75x | yes |
            | W1 | ops_s | `wellspring` | at least 0.76x of `floor` | 0.75x | no |
            | W1 | p99_us | `wellspring` | at most 1.50x of `floor` | 1.50x | yes |
            | W1 | p99_us | `wellspring` | at most 1.49x of `floor` | 1.50x | no |
            | W4 | ops_s | `wellspring-memory` | at most 3.00M | 2.50M | yes |

            """)
    }

    func test_an_aim_that_was_not_measured_is_left_out() {
        let aims = [
            Aim("W2-64", "ops_s", .atLeast(1), times: "floor"),
            Aim("W1", "ops_s", .atLeast(1), times: "sqlite"),
            Aim("W1", "ops_s", .atLeast(1), times: "floor", row: "wellspring-binary"),
        ]
        XCTAssertEqual(Aim.markdown(aims, measurements), Aim.markdown([], []))
    }

    func test_every_aim_is_of_a_workload_that_there_is() {
        let workloads = Set(Workload.all.map(\.id))
        XCTAssertTrue(Aim.all.allSatisfy { workloads.contains($0.workload) })
    }

    func test_a_measurement_is_a_line_of_json() {
        XCTAssertEqual(
            measurements[0].json,
            #"{"workload":"W1","row":"wellspring","metric":"ops_s","value":9000.000,"unit":"1/s"}"#)
    }
}
