import WellspringLog
import WellspringTestKit

@testable import Wellspring

extension GoldenFileStore {
    /// Makes the store: one that was damaged in the middle, salvaged, and went on in three lives.
    static func make() async throws -> SimulatedDisk {
        let source = SimulatedDisk(seed: 11)
        var store = try await FileEventStore(on: source)
        for number in 0..<8 { try await store.append(request(number)) }
        await store.close()
        var places: [FramePlace] = []
        try LogInspection(source.openStore(at: "store", create: false)).run { item in
            if case .frame(let frame) = item, frame.header.kind == .group {
                places.append(frame.place)
            }
            return true
        }
        source.flipBit(3, ofByte: Int(places[4].bodyOffset) + 60, in: LogLayout.segment(1))
        let target = SimulatedDisk(seed: 12)
        _ = try await FileEventStore.salvage(
            from: "store", in: source, to: "store", in: target, segmentBytes: 64 << 10)
        for life in 1...2 {
            store = try await FileEventStore(on: target)
            for number in life * 10..<life * 10 + 5 { try await store.append(request(number)) }
            await store.close()
        }
        return target
    }

    private static func request(_ number: Int) -> AppendRequest {
        let first = StreamID(category: "golden", key: "\(number % 3)")
        let second = StreamID(category: "other", key: "caf\u{E9}")
        var writes = [
            StreamWrite((0...number % 2).map { event(number * 2 + $0) }, to: first, expecting: .any)
        ]
        if number % 4 == 1 {
            writes.append(StreamWrite([event(number)], to: second, expecting: .any))
        }
        return AppendRequest(writes)
    }

    /// Events of all forms.
    private static func event(_ number: Int) -> NewEvent {
        let metadata = EventMetadata(
            correlation: number % 2 == 0 ? MessageID(high: 7, low: UInt64(number)) : nil,
            causation: number % 3 == 0
                ? MessageID(high: 7, low: UInt64(number % 2 == 0 ? number : 99)) : nil,
            headers: number % 4 == 0 ? ["user": "ada"] : [:])
        return NewEvent(
            EncodedEvent(
                name: number % 2 == 0 ? "golden.even" : "golden.odd",
                payload: EventPayload(utf8: "{\"number\":\(number)}"),
                codec: number % 5 == 0 ? .opaque : .json, schemaVersion: UInt16(1 + number % 3)),
            id: MessageID(high: 5, low: UInt64(number)),
            occurredAt: number % 3 == 0 ? Timestamp(nanoseconds: Int64(number)) : nil,
            recordedAt: number % 4 == 1 ? Timestamp(nanoseconds: Int64(number) * 3) : nil,
            tags: number % 5 == 0 ? ["five", Tag("number:\(number)")] : [], metadata: metadata)
    }

    /// An event as a line in which everything counts.
    static func line(_ event: RecordedEvent) -> String {
        let payload = event.event.payload.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        let parts: [Any] = [
            event.position, event.stream, event.version, event.event.name,
            event.event.schemaVersion, event.event.codec.rawValue, event.id,
            event.recordedAt.nanoseconds, event.occurredAt.nanoseconds,
            event.tags.map(\.rawValue).joined(separator: ","),
            event.metadata.correlation.map { "\($0)" } ?? "-",
            event.metadata.causation.map { "\($0)" } ?? "-",
            event.metadata.headers.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
                .joined(separator: ","), payload,
        ]
        return parts.map { "\($0)" }.joined(separator: " ")
    }

    /// The source of `GoldenFileStore.swift`.
    static func source(of disk: SimulatedDisk) async throws -> String {
        var text = "extension GoldenFileStore {\n    static let files = [\n"
        for name in disk.fileNames.sorted() where name != "LOCK" {
            let bytes = disk.contents(of: name) ?? []
            text += "        File(name: \"\(name)\", length: \(bytes.count), content: [\n"
            var offset = 0
            while offset < bytes.count {
                var end = offset
                while end < bytes.count,
                    bytes[end..<min(end + 16, bytes.count)].contains(where: { $0 != 0 })
                {
                    end = min(end + 16, bytes.count)
                }
                if end > offset {
                    text += "            \(offset): \"\"\"\n"
                    for line in stride(from: offset, to: end, by: 40) {
                        let digits = bytes[line..<min(line + 40, end)].map { byte in
                            (byte < 16 ? "0" : "") + String(byte, radix: 16)
                        }
                        text += "                \(digits.joined())\n"
                    }
                    text += "                \"\"\",\n"
                }
                offset = max(end, offset + 16)
            }
            text += "        ]),\n"
        }
        text += "    ]\n\n    static let events = [\n"
        let store = try await FileEventStore(on: disk)
        for event in try await store.wholeLog() {
            text += "        #\"\(line(event))\"#,\n"
        }
        return text + "    ]\n}\n"
    }
}
