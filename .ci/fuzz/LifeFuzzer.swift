// What libFuzzer calls with each life; what is checked is LifeFuzzing.swift of the tests.

import Foundation
@testable import WellspringLog

/// A protection that is switched off, to see whether that is found: WELLSPRING_PLANTED=skipSync.
private let planted = ProcessInfo.processInfo.environment["WELLSPRING_PLANTED"].map { name in
    guard let fault = PlantedFault(rawValue: name) else { fatalError("no fault \(name)") }
    return fault
}

/// One input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    if let problem = LifeFuzzing.run(input, planting: planted).problem { fatalError(problem) }
    return 0
}
