import WellspringLog
import WellspringTestKit

@testable import Wellspring

/// Takes away the contents of some events of a segment.
private final class Redaction: RewritingClient {
    private var bodies = BodyRewriting()
    private let redacts: (UInt64) -> Bool

    init(_ redacts: @escaping (UInt64) -> Bool) {
        self.redacts = redacts
    }

    func rewrite(
        _ place: FramePlace, body: UnsafeRawBufferPointer, for context: FrameContext,
        into writer: inout ByteWriter
    ) throws(MalformedBody) {
        try bodies.rewrite(body, of: place, for: context, into: &writer) { redacts($0.position) }
    }

    func footerContent(ofRewritten segment: UInt32) -> [UInt8] { bodies.names.footer }
}

extension SimulatedDisk {
    /// Seals the active segment of a closed store, and rewrites those that `isMeant` names, without
    /// the contents of the events at `positions`.
    func rewriteSegments(
        sealing: Bool = true, redacting positions: (UInt64) -> Bool,
        where isMeant: (UInt32) -> Bool = { _ in true }
    ) throws {
        let directory = try openStore(at: "store", create: false)
        let client = FileLogClient(keyMask: .max)
        // Runs name places in the old files. They go before anything else, and for good.
        for name in fileNames where name.hasPrefix("idx/") { try directory.remove(name) }
        if fileNames.contains(where: { $0.hasPrefix("idx") }) {
            try directory.syncDirectory("idx")
        }
        var configuration = LogConfiguration()
        configuration.segmentBytes = 64 << 10
        let log = try CommitLog.open(directory, configuration: configuration, client: client)
        client.finishOpening(of: log)
        defer { log.abandon() }
        if sealing { try log.sealActive(client: client) }
        try withoutActuallyEscaping(positions) { positions in
            for number in log.segmentNumbers.dropLast() where isMeant(number) {
                try log.rewrite(number, with: Redaction(positions), client: client)
            }
        }
        try log.close()
    }
}
