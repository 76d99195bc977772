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

    var append: Operation {
        let samples = SampleEvents(of: CartEvent.self)
        let streams = SampleStreams(Self.name)
        return .threads { [self] numbers, stream in
            let payloads = try numbers.map { try samples[$0].encoded().payload }
            try append(payloads, to: streams[stream])
        }
    }

    /// Streams have names, as they do in the other rows.
    fileprivate static func name(_ stream: Int) -> String { "cart/\(stream)" }

    fileprivate func append(_ payloads: [EventPayload], to stream: String) throws {
        lock.lock()
        defer { lock.unlock() }
        try database.begin()
        try database.append(payloads, to: stream)
        try database.commit()
    }

    func load(stream: Int) async throws -> CartTotals {
        try lock.withLock { () -> Result<CartTotals, any Error> in
            Result {
                var totals = CartTotals()
                try database.forEachPayload(of: Self.name(stream)) { payload in
                    totals.apply(
                        try CartEvent(
                            decoding: EncodedEvent(
                                name: "cart.itemAdded", payload: EventPayload(payload))))
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
                    seen.events += 1
                    seen.bytes += payload.count
                    guard decodes else { return }
                    let event = try CartEvent(
                        decoding: EncodedEvent(
                            name: "cart.itemAdded", payload: EventPayload(payload)))
                    seen.cents += event.amountCents
                }
                return seen
            }
        }.get()
    }

    var command: Command {
        let samples = SampleEvents(of: CartEvent.self)
        let streams = SampleStreams(Self.name)
        return .threads { [self] number, stream in
            let command = AddItem(event: samples[number])
            var tries = 0
            while true {
                tries += 1
                if try sendOnce(command, to: streams[stream]) { return tries }
            }
        }
    }

    /// Loads, decides, and appends if the version is still the one that was loaded.
    fileprivate func sendOnce(_ command: AddItem<CartEvent>, to stream: String) throws -> Bool {
        lock.lock()
        var totals = CartTotals()
        do {
            defer { lock.unlock() }
            try database.forEachPayload(of: stream) { payload in
                totals.apply(
                    try CartEvent(
                        decoding: EncodedEvent(
                            name: "cart.itemAdded", payload: EventPayload(payload))))
            }
        }
        let events = try command.decide(given: Cart(totals: totals)).map {
            try $0.encoded().payload
        }
        lock.lock()
        defer { lock.unlock() }
        try database.begin()
        guard try database.version(of: stream) == totals.count else {
            try database.commit()
            return false
        }
        try database.append(events, to: stream)
        try database.commit()
        return true
    }

    func close() async throws { database.close() }
}

/// The same, but concurrent appends share a transaction: the first to come commits for all that
/// wait.
final class SQLiteGroupContender: SQLiteContender, @unchecked Sendable {
    // SAFETY: as for its superclass; what waits is touched only while `queue` is held.
    override class var row: String { "sqlite-group" }

    private let queue = NSCondition()
    private var waiting: [(payloads: [EventPayload], stream: String)] = []
    private var round = 1
    private var doneRound = 0
    private var isCommitting = false

    fileprivate override func append(_ payloads: [EventPayload], to stream: String) throws {
        queue.lock()
        defer { queue.unlock() }
        waiting.append((payloads, stream))
        let mine = round
        while doneRound < mine {
            guard !isCommitting else {
                queue.wait()
                continue
            }
            try commitWaiting()
        }
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

    private func commit(_ group: [(payloads: [EventPayload], stream: String)]) throws {
        lock.lock()
        defer { lock.unlock() }
        try database.begin()
        for append in group { try database.append(append.payloads, to: append.stream) }
        try database.commit()
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

    func append(_ payloads: [EventPayload], to stream: String) throws {
        var version = try self.version(of: stream)
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
