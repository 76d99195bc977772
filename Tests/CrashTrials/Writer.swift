import Wellspring

/// The process that is killed: clients that append, each as fast as it can, and say what was
/// acknowledged.
struct Writer {
    let path: String
    let configuration: FileEventStore.Configuration
    let lie: Sabotage.Lie?
    let voice: Voice
    /// How many appends each client makes, if it is not killed before.
    let most: Int

    func run() async throws {
        try voice.say("begin")
        let store: FileEventStore
        do {
            store = try await FileEventStore(at: path, configuration: configuration)
        } catch {
            try voice.say("stopped \(error)")
            return
        }
        try voice.say("open")
        let isWhole = try await withThrowingTaskGroup(of: Bool.self) { group in
            for client in 0..<Deed.clientCount {
                group.addTask {
                    do {
                        try await Client(number: client, store: store, lie: lie, voice: voice)
                            .run(most)
                        return true
                    } catch let error as EventStoreError {
                        try voice.say("stopped \(error)")
                        return false
                    }
                }
            }
            return try await group.reduce(true) { $0 && $1 }
        }
        await store.close()
        // After a failure nothing more may have been written.
        guard isWhole else { return }
        try voice.say("closed")
        try voice.say("ended 0")
    }
}

/// One of the clients.
private struct Client {
    let number: Int
    let store: FileEventStore
    let lie: Sabotage.Lie?
    let voice: Voice

    /// Goes on where the stream ends, for as long as the store takes appends.
    func run(_ most: Int) async throws {
        let last = try await store.lastEvent(of: Deed.stream(of: number))
        var next = (last.flatMap { Deed($0.event) }?.number ?? -1) + 1
        var version = last?.version ?? .start
        for _ in 0..<most {
            let deed = Deed(client: number, number: next)
            do {
                version = try await append(deed, at: version)
                next += 1
            } catch EventStoreError.storageFull {
                try voice.say("full \(number) \(next)")
                try await Task.sleep(for: .milliseconds(2))
            } catch EventStoreError.notStored(let reason) {
                try voice.say("refused \(number) \(next) \(reason)")
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
        try voice.say("ack \(deed.client) \(deed.number) \(position)")
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
