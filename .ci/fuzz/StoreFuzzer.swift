// What libFuzzer calls with each file; what is checked is StoreFuzzing.swift of the tests.

/// One input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let outcome = StoreFuzzing.run(Array(UnsafeBufferPointer(start: start, count: count)))
    if outcome == .ranAway { fatalError("it reads the disk again and again") }
    return 0
}
