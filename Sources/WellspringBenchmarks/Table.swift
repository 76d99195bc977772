import Foundation

/// Measurements side by side, a line for each metric of a workload, with Wellspring's ratio to
/// every other row.
struct Table {
    private let rows: [String]
    private var lines: [Line] = []

    private struct Line {
        let workload: String
        let metric: String
        var values: [String: Double] = [:]
    }

    /// - Parameter order: The rows that there may be.
    init(_ measurements: [Measurement], rows order: [String]) {
        rows = order.filter { row in measurements.contains { $0.row == row } }
        for taken in measurements {
            let known = lines.firstIndex {
                $0.workload == taken.workload && $0.metric == taken.metric
            }
            if known == nil { lines.append(Line(workload: taken.workload, metric: taken.metric)) }
            lines[known ?? lines.count - 1].values[taken.row] = taken.value
        }
    }

    /// For a terminal.
    var text: String {
        let width = max(24, (rows.map(\.count).max() ?? 0) + 1)
        var text = Self.pad("", 29) + rows.map { Self.pad($0, width) }.joined() + "\n"
        for line in lines {
            text += Self.pad(line.workload, 13) + Self.pad(line.metric, 16)
            text += rows.map { Self.pad(cell($0, line) ?? "-", width) }.joined() + "\n"
        }
        return text + "(x): wellspring's figure divided by the row's\n"
    }

    /// For a page of the documentation.
    var markdown: String {
        var text = "| workload | metric |" + rows.map { " `\($0)` |" }.joined() + "\n"
        text += "| --- | --- |" + rows.map { _ in " ---: |" }.joined() + "\n"
        for line in lines {
            text += "| \(line.workload) | \(line.metric) |"
            text += rows.map { row in cell(row, line).map { " \($0) |" } ?? " |" }.joined() + "\n"
        }
        return text
    }

    /// The figure of a row and what Wellspring's is in comparison; `nil` when it has none.
    private func cell(_ row: String, _ line: Line) -> String? {
        guard let value = line.values[row] else { return nil }
        guard row != "wellspring", let own = line.values["wellspring"], value > 0 else {
            return Self.short(value)
        }
        return "\(Self.short(value)) (\(Self.ratio(own / value)))"
    }

    static func ratio(_ value: Double) -> String {
        switch value {
        case 10...: String(format: "%.1fx", value)
        case 0.1...: String(format: "%.2fx", value)
        default: String(format: "%.3fx", value)
        }
    }

    static func short(_ value: Double) -> String {
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
