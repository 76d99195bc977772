#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
package import WellspringLog

/// On how many cores a projection is caught up, and in which portions.
package struct DecodingPlan: Sendable {
    /// How many tasks may decode at once; with 1, each page is decoded where it was read.
    let tasks: Int
    /// How much is read at a time, and taken in under one lock.
    let pageLimit: ReadLimit
    /// A page of fewer events is decoded sooner than a task is begun and waited for.
    let leastEvents: Int
    /// Only tests set this.
    let plantedFault: PlantedFault?

    package init(
        tasks: Int, pageLimit: ReadLimit, leastEvents: Int, plantedFault: PlantedFault? = nil
    ) {
        self.tasks = max(1, tasks)
        self.pageLimit = pageLimit
        self.leastEvents = leastEvents
        self.plantedFault = plantedFault
    }

    /// One task reads for all others, and has not enough for more than these.
    private static let mostTasks = 8

    /// A task for each core.
    static let standard = DecodingPlan(
        tasks: min(ProcessInfo.processInfo.activeProcessorCount, mostTasks),
        pageLimit: ReadLimit(events: 512, bytes: 1 << 20), leastEvents: 256)

    /// How many pages may be read and not taken in yet: the bound of what a backlog takes in memory.
    ///
    /// Twice as many as tasks, so that the others have work while the page that is next is late.
    var pagesAhead: Int { tasks > 1 ? tasks * 2 : 1 }

    func isWorthTask(_ page: LogPage) -> Bool { tasks > 1 && page.events.count >= leastEvents }
}
