/// The sizes beyond which a store refuses a request.
///
/// Each is in bytes of UTF-8 or a count.
enum StoreLimits {
    static let streamName = 1_024
    static let category = 255
    static let eventName = 255
    static let tag = 256
    static let tagsPerEvent = 64
    static let key = 256
    static let headers = 1 << 20
    static let payload = 8 << 20
    static let eventsPerAppend = 100_000
    /// What all events of one append take on disk, at most.
    static let append = 15 << 20
}

extension AppendRequest {
    /// Refuses what no store keeps, before anything is locked or written.
    ///
    /// - Returns: About how many bytes the append takes on disk, and never less than it takes.
    func validated(for purpose: AppendPurpose) throws(EventStoreError) -> Int {
        guard condition == nil else { throw .unsupported(feature: "append conditions") }
        guard idempotencyKey == nil else { throw .unsupported(feature: "idempotency keys") }
        guard !writes.isEmpty else { throw .invalidRequest(reason: "it names no stream") }
        if writes.count > 1 {
            var seen: Set<StreamID> = []
            for write in writes where !seen.insert(write.stream).inserted {
                throw .invalidRequest(reason: "it names stream \(write.stream) twice")
            }
        }
        var bytes = 16
        var count = 0
        for write in writes {
            try write.stream.validate(for: purpose)
            bytes += 32 + write.stream.exact.count
            count += write.events.count
            for index in write.events.indices { bytes += try write.events[index].validated() }
        }
        try check("the number of events", count, StoreLimits.eventsPerAppend)
        try check("the append in bytes", bytes, StoreLimits.append)
        return bytes
    }
}

extension NewEvent {
    fileprivate func validated() throws(EventStoreError) -> Int {
        try check(event.name.exact, "the event name", StoreLimits.eventName)
        try check("the payload of \(event.name) in bytes", event.payload.count, StoreLimits.payload)
        try check("the number of tags", tags.count, StoreLimits.tagsPerEvent)
        var bytes = 160 + event.name.exact.count + event.payload.count
        for tag in tags {
            try check(tag.exact, "a tag", StoreLimits.tag)
            bytes += 2 + tag.exact.count
        }
        if !metadata.headers.isEmpty {
            let size = metadata.headers.reduce(0) {
                $0 + 8 + $1.key.utf8.count + $1.value.utf8.count
            }
            try check("the headers in bytes", size, StoreLimits.headers)
            bytes += size
        }
        return bytes
    }
}

extension StreamID {
    /// Refuses the name of a stream that nobody may write to.
    func validate(for purpose: AppendPurpose = .user) throws(EventStoreError) {
        switch purpose {
        case .user:
            try check(exact, "the stream name", StoreLimits.streamName)
            guard !isReserved else {
                throw .invalidRequest(
                    reason: "category \(category) begins with $, as those of the store itself do")
            }
        case .redacting, .truncating:
            // What the store writes about a stream has its whole name behind a prefix.
            let prefix = StreamTruncation.prefixLength
            try check(exact, "the stream name", StoreLimits.streamName + prefix)
        }
        guard categoryLength > 0 else { throw .invalidRequest(reason: "the category is empty") }
        try check("the category in bytes", categoryLength, StoreLimits.category)
        // The slash behind the category is the first one, or the category holds one itself.
        guard exact.position(of: UInt8(ascii: "/")) == categoryLength else {
            throw .invalidRequest(reason: "category \(category) holds a slash")
        }
        guard exact.count > categoryLength + 1 else {
            throw .invalidRequest(reason: "the key of a stream in \(category) is empty")
        }
    }
}

private func check(
    _ name: ExactString, _ what: String, _ limit: Int
) throws(EventStoreError) {
    guard name.count > 0 else { throw .invalidRequest(reason: "\(what) is empty") }
    guard name.position(of: 0) == nil else {
        throw .invalidRequest(reason: "\(what) holds a NUL byte")
    }
    try check("\(what) in bytes", name.count, limit)
}

private func check(
    _ what: @autoclosure () -> String, _ size: Int, _ limit: Int
) throws(EventStoreError) {
    guard size <= limit else { throw .limitExceeded(what: what(), size: size, limit: limit) }
}
