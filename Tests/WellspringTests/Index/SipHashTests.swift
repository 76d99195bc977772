import XCTest

@testable import Wellspring

final class SipHashTests: XCTestCase {
    private let key = (0x0706_0504_0302_0100 as UInt64, 0x0F0E_0D0C_0B0A_0908 as UInt64)

    /// The vectors of the reference implementation for the messages 00, 00 01, 00 01 02 and on.
    private let vectors: [UInt64] = [
        0x74F8_39C5_93DC_67FD, 0x0D6C_8009_D9A9_4F5A, 0x8567_6696_D7FB_7E2D,
        0xCF27_94E0_2771_87B7, 0x1876_5564_CD99_A68D, 0xCBC9_466E_58FE_E3CE,
        0xAB02_00F5_8B01_D137, 0x93F5_F579_9A93_2462, 0x9E00_82DF_0BA9_E4B0,
        0x7A5D_BBC5_94DD_B9F3, 0xF4B3_2F46_226B_ADA7, 0x751E_8FBC_860E_E5FB,
        0x14EA_5627_C084_3D90, 0xF723_CA90_8E7A_F2EE, 0xA129_CA61_49BE_45E5,
        0x3F2A_CC7F_57C2_9BDB, 0x699A_E9F5_2CBE_4794, 0x4BC1_B3F0_968D_D39C,
        0xBB6D_C91D_A779_61BD, 0xBED6_5CF2_1AA2_EE98, 0xD0F2_CBB0_2E3B_67C7,
        0x9353_6795_E3A3_3E88, 0xA80C_038C_CD5C_CEC8, 0xB8AD_50C6_F649_AF94,
        0xBCE1_92DE_8A85_B8EA,
    ]

    func test_it_gives_the_published_answers() {
        for (length, expected) in vectors.enumerated() {
            let message = (0..<length).map { UInt8($0 + 1) }
            XCTAssertEqual(SipHash.hash(key, prefix: 0, message), expected, "\(length)")
        }
    }

    func test_a_collection_in_pieces_has_the_same_hash() {
        for length in 0..<40 {
            let message = (0..<length).map { UInt8($0 * 5) }
            let pieces = message.lazy.map { $0 }
            XCTAssertEqual(
                SipHash.hash(key, prefix: 1, pieces), SipHash.hash(key, prefix: 1, message))
        }
    }

    func test_a_stream_and_a_tag_of_the_same_name_are_told_apart() {
        XCTAssertNotEqual(
            SipHash.hash(key, prefix: 1, "order/1".utf8),
            SipHash.hash(key, prefix: 2, "order/1".utf8))
    }

    func test_another_key_gives_another_hash() {
        XCTAssertNotEqual(
            SipHash.hash(key, prefix: 1, "order/1".utf8),
            SipHash.hash((key.0, key.1 ^ 1), prefix: 1, "order/1".utf8))
    }
}
