import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// The stores that streams can be truncated in.
enum TruncatedStore: CaseIterable {
    case memory
    case simulatedDisk
    /// Holds next to no streams in memory, so that nearly every one is looked up in the index.
    case manyStreams
    case realDisk

    func open(_ test: XCTestCase) async throws -> any TruncatingEventStore & QueuedHeadStore {
        switch self {
        case .memory: return InMemoryEventStore()
        case .simulatedDisk: return try await FileEventStore(on: SimulatedDisk())
        case .manyStreams:
            var configuration = FileEventStore.Configuration()
            configuration.streamLimit = 0
            return try await FileEventStore(on: SimulatedDisk(), configuration: configuration)
        case .realDisk: return try await FileEventStore(at: try temporaryDirectory(test))
        }
    }
}

extension XCTestCase {
    /// Runs `body` with each kind of store, with ten events in a stream among others.
    func withTenEvents(
        _ body: (any TruncatingEventStore & QueuedHeadStore, StreamID) async throws -> Void
    ) async throws {
        for kind in TruncatedStore.allCases {
            let store = try await kind.open(self)
            for number in 1...10 {
                try await store.appendSample(number, to: "other")
                try await store.appendSample(number, to: "1")
            }
            try await body(store, sampleStream("1"))
        }
    }
}

extension EventSource {
    /// The versions that are read of a stream, in both directions.
    func readableVersions(
        of stream: StreamID, limit: ReadLimit = ReadLimit()
    ) async throws -> (forward: [UInt64], backward: [UInt64]) {
        var forward: [UInt64] = []
        while true {
            let after = StreamVersion(forward.last ?? 0)
            let page = try await read(StreamRead(stream, .forward(after: after), limit: limit))
            guard !page.events.isEmpty else { break }
            forward += page.events.map(\.version.rawValue)
        }
        var backward: [UInt64] = []
        while true {
            let before = backward.last.map { StreamVersion($0) }
            let page = try await read(StreamRead(stream, .backward(before: before), limit: limit))
            guard !page.events.isEmpty else { break }
            backward += page.events.map(\.version.rawValue)
        }
        return (forward, backward)
    }

    /// Asserts that exactly these versions are read of a stream.
    func assertReads(
        _ stream: StreamID, _ versions: [UInt64], line: UInt = #line
    ) async throws {
        for limit in [ReadLimit(), ReadLimit(events: 1), ReadLimit(bytes: 40)] {
            let (forward, backward) = try await readableVersions(of: stream, limit: limit)
            XCTAssertEqual(forward, versions, line: line)
            XCTAssertEqual(backward, versions.reversed(), line: line)
        }
    }
}
