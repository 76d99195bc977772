/// Rows in columns as wide as their widest cell.
package struct TextTable {
    package enum Alignment: Hashable, Sendable {
        case left
        case right
    }

    private let columns: [(title: String, alignment: Alignment)]
    private var rows: [[String]] = []

    package init(_ columns: (title: String, alignment: Alignment)...) {
        self.columns = columns
    }

    /// Adds a row; cells beyond the last column are left out, missing ones are empty.
    package mutating func add(_ cells: String...) {
        let cells = cells.prefix(columns.count).map(\.printable)
        rows.append(cells + Array(repeating: "", count: columns.count - cells.count))
    }

    /// The table with its head, every line ended.
    package var text: String {
        let head = columns.map(\.title)
        let widths = columns.indices.map { index in
            (rows + [head]).map { $0[index].count }.max() ?? 0
        }
        let rule = widths.map { String(repeating: "-", count: $0) }
        return ([head, rule] + rows).map { line($0, widths) + "\n" }.joined()
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        let padded = columns.indices.map { index in
            columns[index].alignment == .left
                ? cells[index].padding(to: widths[index])
                : cells[index].leftPadding(to: widths[index])
        }
        let line = padded.joined(separator: "  ")
        return String(line.reversed().drop { $0 == " " }.reversed())
    }
}

/// Horizontal bars, one a line, as long as their share of the longest.
package struct BarChart {
    private let width: Int
    private var bars: [(label: String, value: Double, caption: String)] = []

    /// - Parameter width: The length of the longest bar in characters.
    package init(width: Int = 40) { self.width = max(1, width) }

    /// Adds a bar with `label` before it and `caption` behind it.
    package mutating func add(_ label: String, _ value: Double, caption: String) {
        bars.append((label.printable, max(0, value), caption.printable))
    }

    /// The bars, every line ended.
    package var text: String {
        let longest = bars.map(\.value).max() ?? 0
        let labelWidth = bars.map(\.label.count).max() ?? 0
        return bars.map { bar in
            let share = longest > 0 ? bar.value / longest : 0
            let filled = Int((share * Double(width)).rounded())
            return bar.label.padding(to: labelWidth) + "  "
                + String(repeating: "█", count: filled).padding(to: width) + "  "
                + bar.caption + "\n"
        }.joined()
    }
}
