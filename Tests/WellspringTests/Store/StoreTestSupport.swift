import Foundation
import Wellspring
import XCTest

/// An event that says nothing but its number.
func sampleEvent(_ number: Int, name: EventName = "sample.happened") -> NewEvent {
    NewEvent(EncodedEvent(name: name, payload: EventPayload(utf8: "{\"number\":\(number)}")))
}

func sampleStream(_ key: String) -> StreamID { StreamID(category: "sample", key: key) }

extension EventStore {
    /// Appends one numbered event to a stream, whatever its version.
    @discardableResult
    func appendSample(_ number: Int, to key: String = "1") async throws -> AppendReceipt {
        try await append(
            AppendRequest([sampleEvent(number)], to: sampleStream(key), expecting: .any))
    }
}

extension EventSource {
    /// Every event of the log, read in small pages.
    func wholeLog() async throws -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        var position = LogPosition.start
        while true {
            let page = try await read(
                LogRead(.forward(after: position), limit: ReadLimit(events: 7)))
            guard page.end > position else { return events }
            // What leads beyond the end would never come to it.
            guard page.end <= page.head else { throw PageBeyondEnd(page: page) }
            events += page.events
            position = page.end
        }
    }
}

/// A page of the log that tells of more than there is.
struct PageBeyondEnd: Error {
    let page: LogPage
}

/// Runs `body` and returns the store error that it must end with.
func storeError(
    line: UInt = #line, _ body: () async throws -> Void
) async -> EventStoreError? {
    do {
        try await body()
        XCTFail("nothing was thrown", line: line)
        return nil
    } catch let error as EventStoreError {
        return error
    } catch {
        XCTFail("\(error)", line: line)
        return nil
    }
}

/// A directory that is removed when the test ends.
func temporaryDirectory(_ test: XCTestCase) throws -> String {
    let url = FileManager.default.temporaryDirectory
        .appendingPathComponent("wellspring-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    test.addTeardownBlock { try? FileManager.default.removeItem(at: url) }
    return url.path
}
