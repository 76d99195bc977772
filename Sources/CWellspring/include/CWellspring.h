#ifndef C_WELLSPRING_H
#define C_WELLSPRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Continues a CRC-32C over `count` bytes with the processor's own instruction.
//
// `checksum` is what a caller sees: inverted before and after the division, so that calls can be
// chained. Returns false, and changes nothing, when the processor has no such instruction.
bool wellspring_crc32c(uint32_t *checksum, const void *bytes, size_t count);

// Says how long an open file is and how many names it has, like `fstat`, without making the next
// write to it dearer. Returns 0, or -1 with the reason in `errno`.
int wellspring_file_status(int descriptor, uint64_t *size, uint64_t *links);

#endif
