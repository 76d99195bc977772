/// Everything that is on a simulated disk: a value, so that a copy is a moment kept.
struct SimulatedDiskState {
    private(set) var directories: [Int: SimulatedDirectory] = [root: SimulatedDirectory()]
    private(set) var files: [Int: SimulatedFile] = [:]
    private var nextNode = 1

    private static let root = 0

    enum Node {
        case file(Int), directory(Int)
    }

    // MARK: - Names

    func find(_ name: String) -> Node? {
        guard let (parent, leaf) = place(of: name), let node = directories[parent]?.live[leaf]
        else { return nil }
        return directories[node] != nil ? .directory(node) : .file(node)
    }

    func file(named name: String) -> Int? {
        guard case .file(let node)? = find(name) else { return nil }
        return node
    }

    /// The number of a directory; `nil` as a name stands for the store's own.
    func directory(named name: String?) -> Int? {
        guard let name else { return Self.root }
        guard case .directory(let node)? = find(name) else { return nil }
        return node
    }

    /// The directory that a name is in, by its number, and the last part of the name.
    private func place(of name: String) -> (parent: Int, leaf: String)? {
        guard let slash = name.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            return (Self.root, name)
        }
        guard let parent = directory(named: String(name[..<slash])) else { return nil }
        return (parent, String(name[name.utf8.index(after: slash)...]))
    }

    func linkCount(of file: Int) -> Int {
        directories.values.reduce(0) { count, directory in
            count + directory.live.values.count(where: { $0 == file })
        }
    }

    /// The names of all files, with their directories, in the order of the alphabet.
    var fileNames: [String] {
        let root = directories[Self.root]?.live ?? [:]
        return root.flatMap { name, node in
            guard let directory = directories[node] else { return [name] }
            return directory.live.keys.map { "\(name)/\($0)" }
        }.sorted()
    }

    /// Sets what a name stands for.
    ///
    /// Returns whether its directory is there.
    @discardableResult
    mutating func link(_ name: String, to node: Int?) -> Bool {
        guard let (parent, leaf) = place(of: name) else { return false }
        directories[parent]?.set(leaf, to: node)
        return true
    }

    mutating func makeDirectory(_ name: String) -> Bool {
        guard link(name, to: nextNode) else { return false }
        directories[nextNode] = SimulatedDirectory()
        nextNode += 1
        return true
    }

    mutating func makeFile(_ name: String, _ file: SimulatedFile = SimulatedFile()) -> Int? {
        guard link(name, to: nextNode) else { return nil }
        files[nextNode] = file
        nextNode += 1
        return nextNode - 1
    }

    mutating func syncDirectory(_ directory: Int) {
        directories[directory]?.sync()
    }

    // MARK: - Files

    mutating func change(_ file: Int, _ body: (inout SimulatedFile) -> Void) {
        guard files[file] != nil else { return }
        body(&files[file, default: SimulatedFile()])
    }

    var bytesInUse: Int { files.values.reduce(0) { $0 + $1.size } }

    // MARK: - Crashes

    /// What is left after the power went off, as the dice have it.
    func afterCrash(_ survival: CrashSurvival, tearsSectors: Bool) -> SimulatedDiskState {
        var result = self
        let only = survival.keepsOneSector ? chosenSector(survival.dice) : nil
        for (number, file) in files where !file.isSettled {
            let size = survival.size(of: number, file)
            result.files[number] = file.afterCrash(size: size) { sector, count in
                survival.version(file: number, sector: sector, count: count, only: only)
            }
        }
        for (number, directory) in directories where !directory.isSettled {
            result.directories[number] = directory.afterCrash { name, count in
                survival.version(directory: number, name: name, count: count)
            }
        }
        if tearsSectors, let (file, sector) = chosenSector(survival.dice.other(1)) {
            result.change(file) { $0.garble(sector, survival.dice) }
        }
        result.forgetUnreachable()
        return result
    }

    /// One of the sectors that were written since their last sync.
    private func chosenSector(_ dice: Dice) -> (file: Int, sector: Int)? {
        var best: (luck: UInt64, file: Int, sector: Int)?
        for (number, file) in files {
            for sector in file.unsyncedSectors {
                let luck = dice.roll(UInt64(number), UInt64(sector))
                if luck >= best?.luck ?? 0 { best = (luck, number, sector) }
            }
        }
        return best.map { ($0.file, $0.sector) }
    }

    private mutating func forgetUnreachable() {
        var reachable: Set<Int> = [Self.root]
        for node in directories[Self.root]?.live.values ?? [:].values {
            reachable.insert(node)
            if let directory = directories[node] { reachable.formUnion(directory.live.values) }
        }
        guard reachable.count < files.count + directories.count else { return }
        files = files.filter { reachable.contains($0.key) }
        directories = directories.filter { reachable.contains($0.key) }
    }
}

/// What survives one crash.
struct CrashSurvival {
    enum Rule {
        case nothing, everything, chance, oneSector, allButOneSector
    }

    let dice: Dice
    private let sectors: Rule
    private let sizes: Rule
    private let names: Rule

    /// A crash in which each of the three, content, sizes and names, follows a rule that is chosen
    /// by chance.
    init(_ dice: Dice) {
        self.dice = dice
        let sectorRules: [Rule] = [
            .chance, .chance, .chance, .oneSector, .allButOneSector, .nothing, .everything,
        ]
        let otherRules: [Rule] = [.chance, .chance, .nothing, .everything]
        sectors = sectorRules[dice.choice(among: sectorRules.count, 11)]
        sizes = otherRules[dice.choice(among: otherRules.count, 12)]
        names = otherRules[dice.choice(among: otherRules.count, 13)]
    }

    init(_ dice: Dice, all rule: Rule) {
        self.dice = dice
        sectors = rule
        sizes = rule == .nothing ? .nothing : .everything
        names = sizes
    }

    var keepsOneSector: Bool { sectors == .oneSector || sectors == .allButOneSector }

    func size(of number: Int, _ file: SimulatedFile) -> Int {
        guard let sizes = file.unsyncedSizes else { return file.durableSize }
        switch self.sizes {
        case .nothing: return file.durableSize
        case .chance:
            return sizes.lowerBound + dice.choice(among: sizes.count, 21, UInt64(number))
        default: return file.size
        }
    }

    func version(file: Int, sector: Int, count: Int, only: (file: Int, sector: Int)?) -> Int {
        let isChosen = only.map { $0 == (file, sector) } ?? false
        return switch sectors {
        case .nothing: 0
        case .everything: count
        case .oneSector: isChosen ? count : 0
        case .allButOneSector: isChosen ? 0 : count
        case .chance:
            dice.choice(among: count + 1, UInt64(file) &+ 31, UInt64(sector))
        }
    }

    func version(directory: Int, name: String, count: Int) -> Int {
        switch names {
        case .nothing: 0
        case .everything: count
        default:
            dice.choice(among: count + 1, UInt64(directory) &+ 41, Dice.question(name))
        }
    }
}
