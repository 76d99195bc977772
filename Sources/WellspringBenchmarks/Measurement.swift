import Foundation

/// One figure of one workload for one row.
struct Measurement {
    let workload: String
    let row: String
    let metric: String
    let value: Double
    let unit: String

    var json: String {
        let number = String(format: "%.3f", value)
        return #"{"workload":"\#(workload)","row":"\#(row)","metric":"\#(metric)","#
            + #""value":\#(number),"unit":"\#(unit)"}"#
    }
}

extension [Measurement] {
    func value(_ workload: String, _ metric: String, of row: String) -> Double? {
        first { $0.workload == workload && $0.metric == metric && $0.row == row }?.value
    }
}

/// Latencies of single operations, in nanoseconds.
struct Latencies {
    private var samples: [UInt64] = []

    mutating func add(_ nanoseconds: UInt64) { samples.append(nanoseconds) }
    mutating func add(_ other: Latencies) { samples += other.samples }

    var count: Int { samples.count }

    /// Returns the value below which `share` of the samples lie, in microseconds.
    func percentile(_ share: Double) -> Double {
        guard !samples.isEmpty else { return 0 }
        let sorted = samples.sorted()
        let index = min(sorted.count - 1, Int(Double(sorted.count) * share))
        return Double(sorted[index]) / 1_000
    }
}

/// Nanoseconds on a clock that only goes forward.
func now() -> UInt64 { DispatchTime.now().uptimeNanoseconds }

func seconds(since start: UInt64) -> Double { Double(now() - start) / 1e9 }

func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return 0 }
    return values.sorted()[values.count / 2]
}
