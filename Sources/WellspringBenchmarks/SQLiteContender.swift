#if SQLite
import CSQLite
import Foundation
import Wellspring
import WellspringLog

/// What an engineer would write by hand: one table of events in SQLite, in WAL mode and synced at
/// every commit, behind one mutex.
class SQLiteContender: Contender, @unchecked Sendable {
    // SAFETY: the connection and its statements are used only while `lock` is held.
    class var row: String { "sqlite" }

    fileprivate let lock = NSLock()
    fileprivate let database: SQLiteDatabase

    required init(at directory: String, isDurable: Bool) async throws {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        database = try SQLiteDatabase(path: directory + "/events.db", isDurable: isDurable)
    }

    var append: StoreOperation {
        let samples = SampleEvents(of: CartEvent.self)
        let streams = SampleStreams(Self.name)
        return .threads { [self] numbers, stream in
            let payloads = try numbers.map { try samples[$0].encoded().payload }
            _ = try append(payloads, to: streams[stream])
        }
    }

    /// Streams have names, as they do in the other rows.
    fileprivate static func name(_ stream: Int) -> String { "cart/\(stream)" }

    /// Appends unless the stream has another version than is expected; returns whether it did.
    fileprivate func append(
        _ payloads: [EventPayload], to stream: String, expecting expected: Int? = nil
    ) throws -> Bool {
        lock.lock()
        defer { lock.unlock() }
        try database.begin()
        let stored = try database.append(payloads, to: stream, expecting: expected)
        try database.commit()
        return stored
    }

    func fill(_ batches: [Range<Int>], streams: Int) async throws {
        let samples = SampleEvents(of: CartEvent.self)
        try lock.withLock { () -> Result<Void, any Error> in
            Result {
                for numbers in batches {
                    try database.begin()
                    for number in numbers {
                        let payload = try samples[number].encoded().payload
                        _ = try database.append([payload], to: Self.name(number % streams))
                    }
                    try database.commit()
                }
            }
        }.get()
    }

    func version(of stream: Int) async throws -> Int { try version(of: Self.name(stream)) }

    private func version(of stream: String) throws -> Int {
        lock.lock()
        defer { lock.unlock() }
        return try database.version(of: stream)
    }

    func load(stream: Int) async throws -> CartTotals {
        try lock.withLock { () -> Result<CartTotals, any Error> in
            Result {
                var totals = CartTotals()
                try database.forEachPayload(of: Self.name(stream)) {
                    totals.apply(try Self.event($0))
                }
                return totals
            }
        }.get()
    }

    func replay(decodes: Bool) async throws -> Replayed {
        try lock.withLock { () -> Result<Replayed, any Error> in
            Result {
                var seen = Replayed()
                try database.forEachPayload(of: nil) { payload in
                    guard decodes else {
                        seen.events += 1
                        seen.bytes += payload.count
                        return
                    }
                    seen.apply(try Self.event(payload))
                }
                return seen
            }
        }.get()
    }

    private static func event(_ payload: UnsafeRawBufferPointer) throws -> CartEvent {
        try CartEvent(
            decoding: EncodedEvent(name: "cart.itemAdded", payload: EventPayload(payload)))
    }

    func claim(counting tries: Tally) -> StoreOperation? {
        let samples = SampleEvents(of: CartEvent.self)
        let streams = SampleStreams(Self.name)
        return .threads { [self] numbers, stream in
            let payloads = try numbers.map { try samples[$0].encoded().payload }
            var version: Int
            repeat {
                tries.add()
                version = try self.version(of: streams[stream])
            } while try !append(payloads, to: streams[stream], expecting: version)
        }
    }

    func command(counting tries: Tally?) -> StoreOperation? {
        let samples = SampleEvents(of: CartEvent.self)
        let streams = SampleStreams(Self.name)
        return .threads { [self] numbers, stream in
            for number in numbers {
                let command = AddItem(event: samples[number], tries: tries)
                while try !send(command, to: streams[stream]) {}
            }
        }
    }

    /// Loads, decides, and appends if the version is still the one that was loaded.
    private func send(_ command: AddItem<CartEvent>, to stream: String) throws -> Bool {
        var totals = CartTotals()
        do {
            lock.lock()
            defer { lock.unlock() }
            try database.forEachPayload(of: stream) { totals.apply(try Self.event($0)) }
        }
        let payloads = try command.decide(given: Cart(totals: totals)).map {
            try $0.encoded().payload
        }
        return try append(payloads, to: stream, expecting: totals.count)
    }

    func close() async throws { database.close() }
}

/// The same, but concurrent appends share a transaction: the first to come commits for all that
/// wait.
final class SQLiteGroupContender: SQLiteContender, @unchecked Sendable {
    // SAFETY: as for its superclass; what waits is touched only while `queue` is held, or by the one
    // thread that commits it.
    override class var row: String { "sqlite-group" }

    private let queue = NSCondition()
    private var waiting: [Waiting] = []
    private var round = 1
    private var doneRound = 0
    private var isCommitting = false

    /// An append on its way into a transaction.
    private final class Waiting {
        let payloads: [EventPayload]
        let stream: String
        let expected: Int?
        /// `nil` until the transaction is committed.
        var isStored: Bool?

        init(_ payloads: [EventPayload], to stream: String, expecting expected: Int?) {
            (self.payloads, self.stream, self.expected) = (payloads, stream, expected)
        }
    }

    fileprivate override func append(
        _ payloads: [EventPayload], to stream: String, expecting expected: Int? = nil
    ) throws -> Bool {
        queue.lock()
        defer { queue.unlock() }
        let mine = Waiting(payloads, to: stream, expecting: expected)
        waiting.append(mine)
        let round = self.round
        while doneRound < round {
            guard !isCommitting else {
                queue.wait()
                continue
            }
            try commitWaiting()
        }
        guard let stored = mine.isStored else {
            throw SQLiteFailure(message: "the transaction it was part of failed")
        }
        return stored
    }

    /// Commits what waits, with the lock given up meanwhile.
    private func commitWaiting() throws {
        let group = waiting
        let committed = round
        isCommitting = true
        waiting = []
        round += 1
        queue.unlock()
        defer {
            queue.lock()
            isCommitting = false
            doneRound = committed
            queue.broadcast()
        }
        try commit(group)
    }

    private func commit(_ group: [Waiting]) throws {
        lock.lock()
        defer { lock.unlock() }
        try database.begin()
        let stored = try group.map {
            try database.append($0.payloads, to: $0.stream, expecting: $0.expected)
        }
        try database.commit()
        for (append, stored) in zip(group, stored) { append.isStored = stored }
    }
}

/// A connection with its prepared statements.
final class SQLiteDatabase {
    private var connection: OpaquePointer?
    private var statements: [String: OpaquePointer] = [:]
    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    init(path: String, isDurable: Bool) throws {
        try check(sqlite3_open(path, &connection))
        try run("PRAGMA journal_mode=WAL")
        try run("PRAGMA synchronous=\(isDurable ? "FULL" : "OFF")")
        try run(
            """
            CREATE TABLE IF NOT EXISTS events(
                position INTEGER PRIMARY KEY, stream TEXT NOT NULL, version INTEGER NOT NULL,
                name TEXT NOT NULL, id BLOB NOT NULL, correlation BLOB NOT NULL,
                recorded INTEGER NOT NULL, payload BLOB NOT NULL, UNIQUE(stream, version))
            """)
    }

    func begin() throws { try run("BEGIN IMMEDIATE") }
    func commit() throws { try run("COMMIT") }

    func version(of stream: String) throws -> Int {
        let statement = try prepared(
            "SELECT COALESCE(MAX(version), 0) FROM events WHERE stream = ?")
        defer { sqlite3_reset(statement) }
        bind(stream: stream, to: statement)
        guard sqlite3_step(statement) == SQLITE_ROW else { throw failure() }
        return Int(sqlite3_column_int64(statement, 0))
    }

    func append(
        _ payloads: [EventPayload], to stream: String, expecting expected: Int? = nil
    ) throws -> Bool {
        var version = try self.version(of: stream)
        if let expected, expected != version { return false }
        let statement = try prepared(
            """
            INSERT INTO events(stream, version, name, id, correlation, recorded, payload)
            VALUES (?, ?, 'cart.itemAdded', randomblob(16), randomblob(16), ?, ?)
            """)
        for payload in payloads {
            version += 1
            bind(stream: stream, to: statement)
            sqlite3_bind_int64(statement, 2, Int64(version))
            sqlite3_bind_int64(statement, 3, Int64(now()))
            payload.withUnsafeBytes {
                _ = sqlite3_bind_blob(
                    statement, 4, $0.baseAddress, Int32($0.count), Self.copied)
            }
            let result = sqlite3_step(statement)
            sqlite3_reset(statement)
            guard result == SQLITE_DONE else { throw failure() }
        }
        return true
    }

    /// Hands out the payloads of one stream, or of all, each until the next one.
    func forEachPayload(
        of stream: String?, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let statement = try prepared(
            stream == nil
                ? "SELECT payload FROM events ORDER BY position"
                : "SELECT payload FROM events WHERE stream = ? ORDER BY version")
        defer { sqlite3_reset(statement) }
        if let stream { bind(stream: stream, to: statement) }
        while sqlite3_step(statement) == SQLITE_ROW {
            try body(
                UnsafeRawBufferPointer(
                    start: sqlite3_column_blob(statement, 0),
                    count: Int(sqlite3_column_bytes(statement, 0))))
        }
    }

    private func bind(stream: String, to statement: OpaquePointer) {
        var name = stream
        name.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) {
                _ = sqlite3_bind_text(
                    statement, 1, $0.baseAddress, Int32($0.count), Self.copied)
            }
        }
    }

    func close() {
        for statement in statements.values { sqlite3_finalize(statement) }
        sqlite3_close(connection)
    }

    private func prepared(_ sql: String) throws -> OpaquePointer {
        if let statement = statements[sql] { return statement }
        var statement: OpaquePointer?
        try check(sqlite3_prepare_v2(connection, sql, -1, &statement, nil))
        guard let statement else { throw failure() }
        statements[sql] = statement
        return statement
    }

    private func run(_ sql: String) throws {
        let statement = try prepared(sql)
        defer { sqlite3_reset(statement) }
        let result = sqlite3_step(statement)
        guard result == SQLITE_DONE || result == SQLITE_ROW else { throw failure() }
    }

    private func check(_ result: Int32) throws {
        guard result == SQLITE_OK else { throw failure() }
    }

    private func failure() -> SQLiteFailure {
        SQLiteFailure(message: String(cString: sqlite3_errmsg(connection)))
    }
}

struct SQLiteFailure: Error { let message: String }
#endif
