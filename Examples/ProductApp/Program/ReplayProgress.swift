import ExampleSupport
import Wellspring

/// Tells who waits at a terminal how far the catalogue's replay has come.
struct ReplayProgress: Runnable {
    let catalogue: ProjectionRunner<Catalogue>

    func run() async throws {
        guard StandardError.isTerminal else { return }
        var line = ProgressLine("replayed")
        defer { line.clear() }
        while true {
            try await Task.sleep(for: .milliseconds(100))
            let status = await catalogue.status
            switch status.state {
            case .catchingUp:
                line.report(status.position, of: status.head)
            case .rebuilding(let progress):
                line.report(progress.position, of: progress.target)
            default:
                line.clear()
                line = ProgressLine("replayed")
            }
        }
    }
}

extension ProgressLine {
    fileprivate mutating func report(_ position: LogPosition, of head: LogPosition) {
        let (done, all) = (Double(position.rawValue), Double(max(head.rawValue, 1)))
        report(Int(clamping: position.rawValue), fraction: done / all)
    }
}
