import ExampleSupport
import Wellspring

/// The process that is killed: clients that append, each as fast as it can, and say on standard
/// output what was acknowledged.
///
/// A line is one write to a pipe, so what has been said stays said, whatever happens a moment later.
struct Writer {
    let path: String
    let configuration: FileEventStore.Configuration
    let lie: Sabotage.Lie?

    func run() async throws {
        try StandardOutput.line("begin")
        let store: FileEventStore
        do {
            store = try await FileEventStore(at: path, configuration: configuration)
        } catch {
            try StandardOutput.line("stopped \(error)")
            return
        }
        try StandardOutput.line("open")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<Deed.clientCount {
                group.addTask {
                    do {
                        try await Client(number: client, store: store, lie: lie).run()
                    } catch let error as EventStoreError {
                        try StandardOutput.line("stopped \(error)")
                    }
                }
            }
            try await group.waitForAll()
        }
        await store.close()
    }
}

/// One of the clients.
private struct Client {
    let number: Int
    let store: FileEventStore
    let lie: Sabotage.Lie?

    /// Goes on where the stream ends, for as long as the store takes appends.
    func run() async throws {
        let last = try await store.lastEvent(of: Deed.stream(of: number))
        var next = (last.flatMap { Deed($0.event) }?.number ?? -1) + 1
        var version = last?.version ?? .start
        while true {
            let deed = Deed(client: number, number: next)
            do {
                version = try await append(deed, at: version)
                next += 1
            } catch EventStoreError.storageFull {
                try StandardOutput.line("full \(number) \(next)")
                try await Task.sleep(for: .milliseconds(2))
            } catch EventStoreError.notStored(let reason) {
                try StandardOutput.line("refused \(number) \(next) \(reason)")
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    private func append(_ deed: Deed, at version: StreamVersion) async throws -> StreamVersion {
        guard let lie, deed.number % 10 == 9 else {
            let receipt = try await store.append(deed.request(at: version))
            try acknowledge(deed, at: receipt.positions.lowerBound)
            return receipt.versions[0]
        }
        return try await appendWrongly(deed, at: version, lie)
    }

    private func acknowledge(_ deed: Deed, at position: UInt64) throws {
        try StandardOutput.line("ack \(deed.client) \(deed.number) \(position)")
    }

    private func appendWrongly(
        _ deed: Deed, at version: StreamVersion, _ lie: Sabotage.Lie
    ) async throws -> StreamVersion {
        var request = deed.request(at: version)
        var said = deed
        switch lie {
        case .early:
            try acknowledge(deed, at: 0)
            return try await store.append(request).versions[0]
        case .invent:
            let receipt = try await store.append(request)
            try acknowledge(deed, at: receipt.positions.lowerBound)
            let more = deed.request(at: receipt.versions[0])
            return try await store.append(more).versions[0]
        case .skip:
            said = Deed(client: deed.client, number: deed.number + 1)
            request = said.request(at: version)
        case .change:
            let text = "\(deed.client) \(deed.number) 0|other"
            request.writes[0].events[0].event.payload = EventPayload(utf8: text)
        case .split:
            guard request.writes[0].events.count > 1 else { break }
            let later = request.writes[0].events.removeLast()
            let version = try await store.append(request).versions[0]
            let stream = request.writes[0].stream
            request = AppendRequest([later], to: stream, expecting: .exactly(version))
        case .misplace:
            let receipt = try await store.append(request)
            try acknowledge(deed, at: receipt.positions.lowerBound + 1)
            return receipt.versions[0]
        }
        let receipt = try await store.append(request)
        try acknowledge(said, at: receipt.positions.lowerBound)
        return receipt.versions[0]
    }
}
