import Synchronization
import WellspringLog

/// A log in a directory of files that somebody else may be writing.
///
/// What is known of its files holds as long as none of them is rewritten. Then all of it is made
/// anew, and reading goes on at the same position.
final class FollowedLog: Sendable {
    private let files: FollowedFiles
    private let current: Guarded<Current>
    private let renewing = Guarded(())
    private let progress = FollowedProgress()
    let storeID: StoreUUID

    private struct Current {
        var view: FollowedView
        /// Whether a file was rewritten since the view was opened.
        var isOutdated = false
        var isClosed = false
    }

    /// How often in a row the files may be rewritten while they are read.
    private static let renewalLimit = 1_000

    static func open(_ files: FollowedFiles) throws(LogError) -> FollowedLog {
        FollowedLog(files, try FollowedView.open(files))
    }

    private init(_ files: FollowedFiles, _ view: FollowedView) {
        self.files = files
        storeID = view.segments.storeID
        progress.reach(view.position)
        current = Guarded(Current(view: view))
    }

    /// The last position that may be shown.
    var visible: UInt64 { progress.position }

    /// What is known of the files now.
    var view: FollowedView { current.withLock { $0.view } }

    var index: LogIndex { view.index }

    /// Whether the files are to be opened anew, which ``advance(upTo:)`` without a limit does.
    var isOutdated: Bool { current.withLock { $0.isOutdated } }

    /// Takes in what has become durable; returns whether that was all.
    ///
    /// Whoever else wants to know waits meanwhile, and then finds it done.
    ///
    /// - Parameter bytes: About how much is taken in. With a limit the files are not opened anew
    ///   when they were rewritten: that may take in a lot.
    func advance(upTo bytes: Int) throws(EventStoreError) -> Bool {
        do throws(LogError) {
            for _ in 0..<Self.renewalLimit {
                let (view, isOutdated) = current.withLock { ($0.view, $0.isOutdated) }
                if !isOutdated, let isDone = try advance(view, upTo: bytes) { return isDone }
                guard bytes == .max else { return false }
                try renew(view)
            }
            throw .replaced(reason: "its segments are rewritten again and again")
        } catch {
            throw EventStoreError(error, path: files.path)
        }
    }

    /// Takes in what has become durable, and shows it.
    ///
    /// Returns `nil` when the files were rewritten, or somebody else has opened them anew meanwhile.
    func advance(_ view: FollowedView, upTo bytes: Int) throws(LogError) -> Bool? {
        let isDone: Bool
        do throws(LogError) {
            isDone = try view.advance(upTo: bytes)
        } catch {
            _ = show(view)
            guard case .rewritten = error else { throw error }
            noteOutdated(view)
            return nil
        }
        return show(view) ? isDone : nil
    }

    private func noteOutdated(_ view: FollowedView) {
        current.withLock { if $0.view === view { $0.isOutdated = true } }
    }

    /// Shows what a view knows, if it is the one that is read: another may not know of it yet, and
    /// would pass it over.
    private func show(_ view: FollowedView) -> Bool {
        let position = view.position
        return current.withLock { current in
            guard current.view === view else { return false }
            progress.reach(position)
            return true
        }
    }

    /// Opens the files anew, unless somebody else has done that meanwhile.
    ///
    /// Who reads at this moment goes on with the old ones.
    private func renew(_ old: FollowedView) throws(LogError) {
        try renewing.withLock { (_) throws(LogError) in
            guard view === old else { return }
            for _ in 0..<Self.renewalLimit {
                let shown = visible
                let new = try FollowedView.open(files)
                guard new.segments.storeID == storeID else {
                    throw .replaced(reason: "the directory holds another store now")
                }
                guard new.position >= shown else {
                    throw .replaced(reason: "events are gone that had been read")
                }
                if take(new) { return }
            }
            throw .replaced(reason: "its segments are rewritten again and again")
        }
    }

    /// Has a view be the one that is read, unless somebody has shown more of the old one meanwhile.
    private func take(_ new: FollowedView) -> Bool {
        let position = new.position
        return current.withLock { current in
            guard position >= visible else { return false }
            current.view = new
            current.isOutdated = false
            progress.reach(position)
            if current.isClosed { new.segments.close() }
            return true
        }
    }

    func close() {
        let view = current.withLock { current in
            current.isClosed = true
            return current.view
        }
        view.segments.close()
    }

    /// Whether a path leads to this store.
    ///
    /// A path that cannot be looked at counts as one that does: the open files decide then.
    func isAtHome(at path: String, in fileSystem: any FileSystem) -> Bool {
        guard let directory = try? fileSystem.openStore(at: path, create: false),
            let bytes = try? AtomicFile.read(
                directory, name: StoreIdentity.fileName, limit: StoreIdentity.fileLength),
            let identity = try? bytes.withUnsafeBytes({
                try StoreIdentity(decoding: $0)
            })
        else { return true }
        return identity.storeID == storeID
    }

    /// What is said when it does not.
    var isElsewhere: EventStoreError {
        .replaced(path: files.path, reason: "another store is at the path now")
    }

    // MARK: - Reading

    func read(_ request: StreamRead) throws(EventStoreError) -> StreamPage {
        let visible = visible
        return try rereading { (reader) throws(EventStoreError) in
            let extent = try reader.extent(of: request.stream, through: visible)
            return StreamPage(events: try reader.events(request, in: extent), of: extent)
        }
    }

    /// Reads a page of a stream as if nothing of it had been truncated.
    func readUntruncated(
        _ request: StreamRead
    ) throws(EventStoreError) -> [RecordedEvent] {
        let visible = visible
        return try rereading { (reader) throws(EventStoreError) in
            let last = try reader.version(of: request.stream, through: visible)
            return try reader.events(request, in: StreamExtent(last: last))
        }
    }

    func read(_ request: LogRead) throws(EventStoreError) -> LogPage {
        let visible = visible
        return try rereading { (reader) throws(EventStoreError) in
            switch request.order {
            case .forward(let after):
                try reader.page(after: after.rawValue, request, through: visible)
            case .backward(let before):
                try reader.page(before: before?.rawValue, request, through: visible)
            }
        }
    }

    /// What is read wrong once is no damage.
    ///
    /// What was rewritten meanwhile is none either: after such an error the log is outdated.
    private func rereading<Page>(
        _ body: (LogReader) throws(EventStoreError) -> Page
    ) throws(EventStoreError) -> Page {
        let view = view
        for _ in 1..<LogFollower.readings {
            do throws(EventStoreError) {
                return try body(view.reader)
            } catch {
                guard case .damaged = error, !isRewritten(view) else { throw error }
            }
        }
        do throws(EventStoreError) {
            return try body(view.reader)
        } catch {
            if case .damaged = error { _ = isRewritten(view) }
            throw error
        }
    }

    /// Whether a file was rewritten since it was opened.
    private func isRewritten(_ view: FollowedView) -> Bool {
        do throws(LogError) {
            try view.checkIsCurrent()
            return false
        } catch {
            // Anything else is not why the page could not be read.
            guard case .rewritten = error else { return false }
            noteOutdated(view)
            return true
        }
    }
}

/// Where a log is that is followed, and how.
struct FollowedFiles: Sendable {
    let directory: any StoreDirectory
    let includesUnproven: Bool
    let keyMask: UInt64
    var plantedFault: PlantedFault?

    var path: String { directory.path }
}

/// How far a log was followed and may be shown.
///
/// It never goes back.
private final class FollowedProgress: Sendable {
    private let last = Atomic<UInt64>(0)

    var position: UInt64 { last.load(ordering: .acquiring) }

    func reach(_ position: UInt64) {
        _ = last.max(position, ordering: .acquiringAndReleasing)
    }
}
