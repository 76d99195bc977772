import WellspringLog
import WellspringTestKit

extension LogScenario {
    /// Segments that are rewritten, some of them twice, between commits and openings.
    static let rewriting = LogScenario(
        name: "rewriting", configure: { $0.segmentBytes = 8_192 }
    ) { driver in
        driver.open()
        for size in [1_000, 2_000, 2_501, 3_000, 101, 3_900] {
            driver.commit(size: size, events: UInt32(size % 3))
        }
        driver.rewrite(1)
        driver.commit(size: 900)
        driver.sealActive()
        driver.rewriteAll()
        driver.mark()
        driver.close()
        driver.open()
        driver.rewrite(2)
        driver.commit(size: 3_000)
        driver.abandon()
        driver.open()
        driver.rewriteAll()
        driver.close()
    }

    /// A disk that is full when a segment is to be written a second time.
    static let rewritingWithoutRoom = LogScenario(
        name: "rewritingWithoutRoom", configure: { $0.segmentBytes = 8_192 }
    ) { driver in
        driver.open()
        for size in [3_001, 3_001, 2_000] { driver.commit(size: size) }
        driver.sealActive()
        let used = driver.disk.fileNames.reduce(0) {
            $0 + (driver.disk.contents(of: $1)?.count ?? 0)
        }
        driver.disk.capacity = used + 6_000
        driver.rewriteAll()
        driver.commit(size: 100)
        driver.disk.capacity = nil
        driver.rewriteAll()
        driver.commit(size: 100)
    }

    /// An error in the middle of a rewriting, after which it is done again.
    static let failedRewriting = LogScenario(
        name: "failedRewriting", configure: { $0.segmentBytes = 8_192 }
    ) { driver in
        driver.open()
        for size in [3_000, 3_001, 2_000, 4_000] { driver.commit(size: size) }
        for kinds: Set<SimulatedDisk.Operation.Kind> in [
            [.create], [.write], [.sync], [.rename], [.syncDirectory], [.remove],
        ] {
            driver.failNext(.inputOutput, kinds)
            driver.rewriteAll()
            driver.openIfNeeded()
            driver.rewrite(1)
        }
        driver.commit(size: 20)
    }
}
