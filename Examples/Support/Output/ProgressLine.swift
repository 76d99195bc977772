/// Tells a person how far long work has come, on standard error.
///
/// On a terminal it is one line that is written over, a few times a second. Elsewhere it says
/// nothing, unless `.lines` is asked for: then it is one line a report, for other programs.
package struct ProgressLine: Sendable {
    package enum Style: Hashable, Sendable {
        case silent
        case terminal
        case lines
    }

    /// What becomes of things, such as `imported`.
    package let verb: String
    package let style: Style
    private let clock = ContinuousClock()
    private var shown: ContinuousClock.Instant?

    /// - Parameter style: A line on a terminal and silence elsewhere, unless it is said.
    package init(_ verb: String, style: Style? = nil) {
        self.verb = verb
        self.style = style ?? (StandardError.isTerminal ? .terminal : .silent)
    }

    /// Says that `count` things are done, and which part of the whole that is.
    package mutating func report(_ count: Int, fraction: Double? = nil) {
        switch style {
        case .silent: break
        case .lines: StandardError.write("\(verb) \(count)\n")
        case .terminal:
            let now = clock.now
            if let shown, shown.duration(to: now) < .milliseconds(100) { return }
            shown = now
            let percent = fraction.map { "  \(Int(min(max($0, 0), 1) * 100)) %" } ?? ""
            StandardError.write("\r\u{1B}[K\(verb) \(count.grouped)\(percent)")
        }
    }

    /// Writes a message that stays, between two reports.
    package func note(_ message: String) {
        clear()
        StandardError.write(message + "\n")
    }

    /// Takes the line away.
    package func clear() {
        if style == .terminal, shown != nil { StandardError.write("\r\u{1B}[K") }
    }
}
