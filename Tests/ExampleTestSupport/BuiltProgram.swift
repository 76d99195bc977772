import Foundation

/// A program of this package, run as a user runs it: as a process of its own.
package struct BuiltProgram: Sendable {
    private let url: URL

    /// Finds the program beside the test bundle, where the build puts both.
    package init(_ name: String) {
        #if os(macOS)
        let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
        let directory = (bundle ?? .main).bundleURL.deletingLastPathComponent()
        #else
        let directory = Bundle.main.bundleURL
        #endif
        url = directory.appendingPathComponent(name)
    }

    /// Runs the program to its end.
    package func run(_ arguments: String...) throws -> Outcome { try run(arguments) }

    /// Runs the program to its end.
    package func run(_ arguments: [String]) throws -> Outcome {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let (output, errors) = (directory.path("output"), directory.path("errors"))
        let process = process(arguments)
        process.standardOutput = try emptyFile(output)
        process.standardError = try emptyFile(errors)
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus,
            wasKilled: process.terminationReason == .uncaughtSignal,
            output: try String(contentsOfFile: output, encoding: .utf8),
            errors: try String(contentsOfFile: errors, encoding: .utf8))
    }

    /// Runs the program and kills it, without a chance to clean up, once a line of its standard
    /// error `isDue`.
    ///
    /// - Returns: `false` when the program came to its end before that.
    package func runAndKill(
        _ arguments: [String], when isDue: (String) -> Bool
    ) throws -> Bool {
        let process = process(arguments)
        let errors = Pipe()
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        // This process's own copy would keep the pipe open after the program is gone.
        try errors.fileHandleForWriting.close()
        var pending = Data()
        var wasDue = false
        while true {
            let data = errors.fileHandleForReading.availableData
            if data.isEmpty { break }
            pending += data
            while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending = pending[(end + 1)...]
                if !wasDue, isDue(line) {
                    wasDue = true
                    kill(process.processIdentifier, SIGKILL)
                }
            }
        }
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal
    }

    private func process(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = url
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        return process
    }

    private func emptyFile(_ path: String) throws -> FileHandle {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    }
}

/// How a program ended and what it wrote.
package struct Outcome: Sendable {
    package let status: Int32
    package let wasKilled: Bool
    package let output: String
    package let errors: String

    /// The output as the one JSON document that it should be.
    package func json() throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(output.utf8))
        guard let object = value as? [String: Any] else {
            throw CocoaError(.propertyListReadCorrupt)
        }
        return object
    }
}
