import Foundation

/// A writer in a process of its own, with a pipe that it talks through.
final class Child {
    private let process = Process()
    private let pipe = Pipe()
    private var pending = Data()
    private var hasEnded = false

    /// What a writer says.
    enum Line: Equatable {
        /// It is about to open the store.
        case begin
        case open
        case acknowledged(Deed, position: UInt64)
        /// An event that belongs to no client was acknowledged.
        case passed(position: UInt64)
        case full
        case refused(String)
        /// A client gave up, or the store did not open.
        case stopped(String)
        /// The store was closed: what was acknowledged before outlives everything, in any mode.
        case closed
        /// It did all that it had to do, with so many operations on its files.
        case ended(operations: Int)
    }

    /// Starts a program that says on standard output what a writer says.
    init(program: String = CommandLine.arguments[0], _ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        try process.run()
        // This process's own copy would keep the pipe open after the writer is gone.
        try pipe.fileHandleForWriting.close()
    }

    /// The next line, or `nil` when the writer is gone and all it said was read.
    func next() throws -> Line? {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: pending[pending.startIndex..<end], as: UTF8.self)
                pending.removeSubrange(...end)
                return try Line(line)
            }
            let more = pipe.fileHandleForReading.availableData
            // What follows the last line break was cut off by the end, and was never said.
            guard !more.isEmpty else { return nil }
            pending += more
        }
    }

    /// Ends the process at once, without a chance to clean up, and all that it has started.
    func kill() {
        guard !hasEnded else { return }
        let leader = process.processIdentifier
        Foundation.kill(getpgid(leader) == leader ? -leader : leader, SIGKILL)
    }

    /// Waits for the end, however it comes; fails when the process trapped.
    func waitForEnd() throws {
        guard !hasEnded else { return }
        hasEnded = true
        process.waitUntilExit()
        guard process.terminationReason == .uncaughtSignal else {
            guard process.terminationStatus == 0 else {
                throw Wrong("the writer ended with status \(process.terminationStatus)")
            }
            return
        }
        guard process.terminationStatus == SIGKILL else {
            throw Wrong("the writer was ended by signal \(process.terminationStatus)")
        }
    }

    deinit {
        kill()
        if !hasEnded { process.waitUntilExit() }
    }
}

extension Child.Line {
    init(_ line: String) throws {
        let words = line.split(separator: " ")
        switch words.first {
        case "begin": self = .begin
        case "open": self = .open
        case "full": self = .full
        case "refused": self = .refused(line)
        case "stopped": self = .stopped(line)
        case "closed": self = .closed
        case "ack":
            guard words.count == 4, let client = Int(words[1]), let number = Int(words[2]),
                let position = UInt64(words[3])
            else { fallthrough }
            self = .acknowledged(Deed(client: client, number: number), position: position)
        case "pass": self = .passed(position: try Self.number(in: words))
        case "ended": self = .ended(operations: Int(try Self.number(in: words)))
        default: throw Wrong("the writer says: \(line)")
        }
    }

    private static func number(in words: [Substring]) throws -> UInt64 {
        guard words.count == 2, let number = UInt64(words[1]) else {
            throw Wrong("the writer says: \(words)")
        }
        return number
    }
}
