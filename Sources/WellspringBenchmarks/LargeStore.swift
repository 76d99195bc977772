import Foundation

extension Workload {
    static let growing = Workload(
        id: "W8-large", summary: "open a large store (10 M events) and load streams by chance"
    ) { row, setting in
        guard row == FileContender.self else { throw NotMeasured() }
        try await LargeStore.make(row, setting, dies: false)
        return try OpeningProbe.measureInChild(
            row.row, directory: setting.directory, streams: LargeStore.streams(setting))
    }

    static let growingAndKilled = Workload(
        id: "W8-killed", summary: "the same after the process that filled it was killed"
    ) { row, setting in
        guard row == FileContender.self else { throw NotMeasured() }
        try await LargeStore.make(row, setting, dies: true)
        return try OpeningProbe.measureInChild(
            row.row, directory: setting.directory, streams: LargeStore.streams(setting))
    }
}

/// A store of many events, filled by a process of its own.
enum LargeStore {
    /// The word that makes this program such a process, one that ends as it should or is killed.
    static let option = "--fill"
    static let fatalOption = "--fill-and-die"
    private static let eventsAStream = 20

    static func streams(_ setting: Workload.Setting) -> Int {
        max(1, setting.effort.largeEvents / eventsAStream)
    }

    static func make(
        _ row: any Contender.Type, _ setting: Workload.Setting, dies: Bool
    ) async throws {
        let process = Process()
        process.executableURL = Bundle.main.executableURL
        process.arguments = [
            dies ? fatalOption : option, row.row, setting.directory, "\(streams(setting))",
        ]
        try process.run()
        process.waitUntilExit()
        let isKilled = process.terminationReason == .uncaughtSignal
        guard dies ? isKilled : process.terminationStatus == 0 else { throw NotMeasured() }
    }

    static func fill(
        _ row: any Contender.Type, directory: String, streams: Int, dies: Bool
    ) async throws {
        let store = try await row.init(at: directory, isDurable: true)
        try await Workload.fill(store, events: streams * eventsAStream, streams: streams)
        if dies { kill(getpid(), SIGKILL) }
        try await store.close()
    }
}
