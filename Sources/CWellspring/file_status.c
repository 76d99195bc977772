// What a commit has to know of its file, without asking for what it need not know.
//
// `fstat` asks for the times too. Since Linux 6.13 a file whose times were asked for gets a new one
// at its next write, however soon that comes ("multigrain timestamps"), and the inode that is changed
// by it makes the sync after the write take half as long again on ext4. `statx` asks for what it names.

#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include "CWellspring.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int wellspring_file_status(int descriptor, uint64_t *size, uint64_t *links) {
#if defined(__linux__) && defined(STATX_NLINK)
    struct statx found;
    if (statx(descriptor, "", AT_EMPTY_PATH, STATX_SIZE | STATX_NLINK, &found) == 0) {
        *size = found.stx_size;
        *links = found.stx_nlink;
        return 0;
    }
    // Where a sandbox does not know the call.
    if (errno != ENOSYS && errno != EPERM) return -1;
#endif
    struct stat status;
    if (fstat(descriptor, &status) != 0) return -1;
    *size = (uint64_t)status.st_size;
    *links = (uint64_t)status.st_nlink;
    return 0;
}
