#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
package import WellspringLog

/// On how many cores a projection is caught up, and in which portions.
package struct DecodingPlan: Sendable {
    /// How many tasks may read and decode at once; with 1, the caller does it all.
    let tasks: Int
    /// How much is read at a time, and taken in under one lock.
    let pageLimit: ReadLimit
    /// A page of fewer events is no sign of a backlog that is worth a task.
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

    /// They read one after the other, and that is not enough for more.
    private static let mostTasks = 16

    /// Two tasks for each core: when the page that is next is late, the others still have work.
    static let standard = DecodingPlan(
        tasks: cores > 1 ? min(cores * 2, mostTasks) : 1,
        pageLimit: ReadLimit(events: 512, bytes: 1 << 20), leastEvents: 256)

    private static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }

    /// How many pages may be read and not taken in yet: the bound of what a backlog takes in memory.
    var pagesAhead: Int { tasks }

    /// Whether what follows a page is worth tasks.
    func isWorthTask(_ page: LogPage) -> Bool { tasks > 1 && page.events.count >= leastEvents }
}
