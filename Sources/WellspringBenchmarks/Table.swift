import Foundation

/// Measurements side by side, a line for each metric of a workload, with Wellspring's ratio to
/// every other row.
struct Table {
    let text: String

    init(_ measurements: [Measurement]) {
        var rows: [String] = []
        for measurement in measurements where !rows.contains(measurement.row) {
            rows.append(measurement.row)
        }
        var lines: [(key: String, values: [String: Double])] = []
        for measurement in measurements {
            let key = Self.pad(measurement.workload, 13) + Self.pad(measurement.metric, 13)
            if lines.last?.key != key, !lines.contains(where: { $0.key == key }) {
                lines.append((key, [:]))
            }
            if let index = lines.firstIndex(where: { $0.key == key }) {
                lines[index].values[measurement.row] = measurement.value
            }
        }
        var text = Self.pad("", 26) + rows.map { Self.pad($0, 24) }.joined() + "\n"
        for line in lines {
            let own = line.values["wellspring"]
            text += line.key
            for row in rows {
                guard let value = line.values[row] else {
                    text += Self.pad("-", 24)
                    continue
                }
                let ratio =
                    row == "wellspring" || own == nil || value == 0
                    ? "" : String(format: " (%.2fx)", (own ?? 0) / value)
                text += Self.pad(Self.short(value) + ratio, 24)
            }
            text += "\n"
        }
        self.text = text + "(x): wellspring's figure divided by the row's\n"
    }

    private static func short(_ value: Double) -> String {
        switch value {
        case 1e6...: String(format: "%.2fM", value / 1e6)
        case 1e4...: String(format: "%.1fk", value / 1e3)
        case 100...: String(format: "%.0f", value)
        default: String(format: "%.2f", value)
        }
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
