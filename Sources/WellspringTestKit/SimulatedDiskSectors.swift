import WellspringLog

extension SimulatedDisk {
    /// A sector of a file, by its number.
    package struct SectorPlace: Hashable, Sendable, CustomStringConvertible {
        package let file: String
        package let number: Int

        package var description: String { "sector \(number) of \(file)" }
    }

    /// The sectors of all files, in order; the last one of a file may lie beyond its end in part.
    package var sectorPlaces: [SectorPlace] {
        core.withLock { core in
            core.state.fileNames.flatMap { name in
                let size = core.state.file(named: name).flatMap { core.state.files[$0]?.size }
                return SimulatedFile.sectors(of: 0..<(size ?? 0)).map {
                    SectorPlace(file: name, number: $0)
                }
            }
        }
    }

    /// What is in a sector, with zeros behind the end of the file; empty when there is no such file.
    package func content(of place: SectorPlace) -> [UInt8] {
        core.withLock { core in
            let file = core.state.file(named: place.file).flatMap { core.state.files[$0] }
            return file?.content(ofSector: place.number) ?? []
        }
    }

    /// Puts other bytes in the place of a sector, as if they had always been there.
    ///
    /// That is what a write leaves behind that missed its place. What would lie behind the end of
    /// the file belongs to no file.
    package func overwrite(_ place: SectorPlace, with bytes: [UInt8]) {
        core.withLock { core in
            guard let node = core.state.file(named: place.file) else { return }
            core.state.change(node) { $0.overwrite(place.number, with: bytes) }
        }
    }
}
