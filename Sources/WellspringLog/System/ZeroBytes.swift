#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

extension UnsafeRawBufferPointer {
    /// Whether every byte is zero.
    ///
    /// Segments are written ahead with zeros, so much of recovery is looking at nothing. The
    /// system's comparison does that at the speed of memory, in debug builds too.
    package var isZero: Bool {
        guard count > 0, let start = baseAddress else { return true }
        return self[0] == 0 && memcmp(start, start + 1, count - 1) == 0
    }

    /// The length without the zeros at the end.
    package var lengthWithoutZeros: Int {
        let block = 4096
        var end = count
        while end > 0 {
            let start = Swift.max(0, end - block)
            let last = UnsafeRawBufferPointer(rebasing: self[start..<end])
            if !last.isZero {
                return start + (last.lastIndex { $0 != 0 } ?? -1) + 1
            }
            end = start
        }
        return 0
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Makes every byte zero, at the speed of memory in debug builds too.
    package func fillWithZeros() {
        guard let start = baseAddress else { return }
        memset(start, 0, count)
    }
}
