/// Which of the files in `log` are the segments of the log.
///
/// The MANIFEST alone says which generation of a segment lives. Another one was superseded, or a
/// crash came before it could live; the one that is listed holds everything in either case.
struct LivingSegments {
    /// The numbers of all segments, which are those of the MANIFEST, or one more: a crash may have
    /// come between naming a segment and listing it.
    let numbers: ClosedRange<UInt32>
    /// Files that a rewriting left which a crash interrupted.
    let leftovers: [String]
    private let generations: [UInt32: UInt32]

    init(_ opening: LogOpening, _ manifest: Manifest) throws(LogError) {
        let found = try Self.find(in: opening.directory)
        var generations: [UInt32: UInt32] = [:]
        for segment in manifest.segments { generations[segment.number] = segment.generation }
        if opening.fault == .believeHighestGeneration {
            for (number, all) in found { generations[number] = all.max() }
        }
        let living = generations
        numbers = try Self.numbers(manifest, fault: opening.fault) { number in
            found[number]?.contains(living[number] ?? 0) ?? false
        }
        if opening.fault != .ignoreKnownEnd {
            try Self.checkNewest(found.keys.max() ?? 0, manifest)
        }
        leftovers = found.flatMap { number, all in
            let other = living[number].map { living in all.filter { $0 != living } } ?? []
            return other.map { LogLayout.segment(number, generation: $0) }
        }.sorted()
        self.generations = generations
    }

    /// The name of the file of a segment.
    func fileName(of number: UInt32) -> String {
        LogLayout.segment(number, generation: generation(of: number))
    }

    func generation(of number: UInt32) -> UInt32 { generations[number] ?? 0 }

    /// The generations of which there is a file, by the number of the segment.
    private static func find(
        in directory: any StoreDirectory
    ) throws(LogError) -> [UInt32: [UInt32]] {
        let names: [String]
        do {
            try directory.syncDirectory(LogLayout.segments)
            names = try directory.list(LogLayout.segments)
        } catch {
            guard error.kind == .notFound else { throw .system(error) }
            throw .damaged(
                LogDamage(file: LogLayout.segments, offset: 0, reason: "the directory is missing"))
        }
        var found: [UInt32: [UInt32]] = [:]
        for name in names {
            guard let (number, generation) = LogLayout.parse(name) else { continue }
            found[number, default: []].append(generation)
        }
        return found
    }

    private static func numbers(
        _ manifest: Manifest, fault: PlantedFault?, isThere: (UInt32) -> Bool
    ) throws(LogError) -> ClosedRange<UInt32> {
        let known = manifest.knownEnd.segment
        guard let first = manifest.segments.first?.number else { throw missing(known, manifest) }
        var last = first
        while last < .max, isThere(last + 1) { last += 1 }
        guard isThere(first) else { throw missing(first, manifest) }
        guard last >= known || fault == .ignoreKnownEnd else { throw missing(last + 1, manifest) }
        return first...last
    }

    private static func checkNewest(_ number: UInt32, _ manifest: Manifest) throws(LogError) {
        let known = manifest.knownEnd.segment
        let newest = manifest.isClean ? known : known.addingReportingOverflow(1).partialValue
        guard number > newest else { return }
        throw .damaged(
            LogDamage(
                file: LogLayout.segment(number), offset: 0,
                reason: "the MANIFEST does not know the segment"))
    }

    private static func missing(_ number: UInt32, _ manifest: Manifest) -> LogError {
        let listed = manifest.segments.first { $0.number == number }
        return .damaged(
            LogDamage(
                file: listed?.fileName ?? LogLayout.segment(number), offset: 0,
                reason: "the segment is missing"))
    }
}
