/// The 64 bytes before every frame's body.
package struct FrameHeader: Hashable, Sendable {
    /// The length of an encoded header in bytes.
    package static let length = 64
}
