import WellspringLog
import WellspringTestKit

/// A store at rest, to be damaged in many ways, each time from the same beginning.
struct RottenStore: Sendable {
    /// What became of a store that was damaged.
    enum Outcome: Equatable {
        /// It was refused, with the place, and nothing on the disk was touched.
        case reported
        /// It opened with every event.
        case harmless
        /// Anything else.
        case broken(String)
    }

    private let disk: SimulatedDisk
    private let configuration: LogConfiguration
    private let promise: LogDriver.Promise
    private let commits: [LogDriver.Commit]
    /// The files, with their contents.
    let files: [String: [UInt8]]
    /// Where the commits lie.
    let places: [FramePlace]

    init(
        durability: LogDurability = .everyCommit, segmentBytes: UInt64 = 20_000,
        plantedFault: PlantedFault? = nil, seed: UInt64 = 1, life: (LogDriver) -> Void
    ) {
        var configuration = LogConfiguration()
        configuration.durability = durability
        configuration.segmentBytes = segmentBytes
        configuration.idleMarkNanoseconds = nil
        configuration.plantedFault = plantedFault
        let driver = LogDriver(SimulatedDisk(seed: seed), configuration)
        life(driver)
        driver.abandon()
        driver.disk.crash(keeping: .everything)
        disk = driver.disk.afterCrash(keeping: .everything, seed: seed)
        // The places are told by an opening, on a copy that nobody looks at again.
        let reader = LogDriver(
            disk.afterCrash(keeping: .everything, seed: seed), configuration,
            commits: driver.commits, promise: driver.promise)
        reader.open()
        self.configuration = configuration
        promise = driver.promise
        commits = driver.commits
        files = disk.allContents
        places = reader.client.frames.map(\.place)
    }

    /// About 64 KiB in four segments.
    static func life(_ driver: LogDriver) {
        driver.open()
        for number in 0..<30 { driver.commit(size: 1_300 + 17 * number, events: 2) }
    }

    /// The files that hold frames, oldest first.
    var segments: [String] { files.keys.filter { $0.hasSuffix(".seg") }.sorted() }

    /// The sectors of all files, with what is in them.
    var sectors: [(place: SimulatedDisk.SectorPlace, content: [UInt8])] {
        disk.sectorPlaces.map { ($0, disk.content(of: $0)) }
    }

    /// Opens a copy of the store that `damage` was done to.
    func open(after damage: (SimulatedDisk) -> Void) -> Outcome {
        let disk = disk.afterCrash(keeping: .everything, seed: 7)
        damage(disk)
        let before = disk.allContents
        let client = CollectingClient()
        do {
            let directory = try disk.openStore(at: "store", create: true)
            let log = try CommitLog.open(directory, configuration: configuration, client: client)
            defer { log.abandon() }
            let violation = LogDriver.compare(
                client.frames, promise, required: promise.durable, commits)
            return violation.map { .broken("SILENT: \($0)") } ?? .harmless
        } catch LogError.damaged(let found) {
            guard let size = before[found.file]?.count ?? files[found.file]?.count else {
                return .broken("NOWHERE: \(found)")
            }
            guard found.offset <= UInt64(max(size, files[found.file]?.count ?? 0)) else {
                return .broken("BEYOND: \(found)")
            }
            return disk.allContents == before ? .reported : .broken("TOUCHED: \(found)")
        } catch LogError.unsupportedFormat {
            return disk.allContents == before ? .reported : .broken("TOUCHED")
        } catch {
            return .broken("OTHERWISE: \(error)")
        }
    }
}

extension SimulatedDisk {
    /// What is in every file but the lock.
    var allContents: [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        for name in fileNames where name != "LOCK" { result[name] = contents(of: name) }
        return result
    }
}
