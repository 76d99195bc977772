// What libFuzzer calls with each file; what is checked is StoreFuzzing.swift of the tests.

import Foundation

/// What inputs are taken for: all there is, or what the target WELLSPRING_FUZZED is about.
private let subjects =
    ProcessInfo.processInfo.environment["WELLSPRING_FUZZED"].map { target in
        let all = StoreFuzzing.Subject.allCases.filter { $0.target == target }
        if all.isEmpty { fatalError("no target \(target)") }
        return all
    } ?? StoreFuzzing.Subject.allCases

/// One input; those of other targets are not kept.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let subject = StoreFuzzing.subject(of: input), subjects.contains(subject) else {
        return -1
    }
    let outcome = StoreFuzzing.run(input)
    if outcome == .ranAway { fatalError("it reads the disk again and again") }
    return 0
}

@_silgen_name("LLVMFuzzerMutate")
private func mutate(_ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int) -> Int

/// Changes an input behind its first byte, which stays with the target.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutateOne(
    _ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int, _ seed: UInt32
) -> Int {
    guard limit > 1 else { return mutate(start, count, limit) }
    let rest = mutate(start + 1, max(count, 1) - 1, limit - 1)
    let subject = count > 0 ? StoreFuzzing.subject(of: [start[0]]) : nil
    if seed % 16 == 0 || subject.map(subjects.contains) != true {
        start[0] = subjects[Int(seed >> 8) % subjects.count].rawValue
    }
    return rest + 1
}
