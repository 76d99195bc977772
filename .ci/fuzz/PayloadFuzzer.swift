// What libFuzzer calls with each payload; what is checked is PayloadFuzzing.swift of the tests.

/// One input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    do {
        _ = try PayloadFuzzing.run(Array(UnsafeBufferPointer(start: start, count: count)))
    } catch {
        fatalError("\(error)")
    }
    return 0
}
