#if canImport(Musl)
import Musl
#elseif canImport(Glibc)
import Glibc
#endif
import XCTest

@testable import WellspringLog

#if os(Linux)
/// The kind of a file system is read from the kernel's tables.
final class NetworkFileSystemTests: XCTestCase {
    private let mounts = """
        22 28 0:21 / /proc rw,nosuid shared:12 - proc proc rw
        28 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
        41 28 0:40 / /srv/a\\040-\\040b rw,relatime - nfs4 server:/export rw,vers=4.2
        42 28 0:41 / /srv/b rw shared:1 master:2 - fuse.sshfs ada@server: rw
        """

    func test_a_file_tells_the_mount_that_it_is_on() {
        let information = "pos:\t0\nflags:\t02100000\nmnt_id:\t41\nino:\t2\n"
        XCTAssertEqual(NetworkFileSystem.mount(inDescriptorInfo: information), "41")
        XCTAssertNil(NetworkFileSystem.mount(inDescriptorInfo: "pos:\t0\n"))
    }

    func test_a_mount_tells_its_kind_behind_the_dash() {
        func kind(_ mount: Substring) -> String? {
            NetworkFileSystem.fileSystem(ofMount: mount, in: mounts)
        }
        XCTAssertEqual(kind("28"), "ext4")
        XCTAssertEqual(kind("41"), "nfs4")
        XCTAssertEqual(kind("42"), "fuse.sshfs")
        XCTAssertNil(kind("4"))
        XCTAssertNil(NetworkFileSystem.fileSystem(ofMount: "7", in: "7 1 0:1 / / rw -"))
    }

    func test_the_kind_of_an_open_directory_is_known() {
        let descriptor = open("/proc", O_RDONLY | O_DIRECTORY)
        defer { close(descriptor) }
        XCTAssertEqual(NetworkFileSystem.fileSystem(ofDescriptor: descriptor), "proc")
        XCTAssertNil(NetworkFileSystem.kind(ofDescriptor: descriptor))
        XCTAssertNil(NetworkFileSystem.fileSystem(ofDescriptor: -1))
    }
}
#endif
