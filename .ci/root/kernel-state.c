// What a User-Mode Linux needs that is to be killed, on any processor; loaded before its own libraries.
//
// Its processes are processes of this machine, which it holds with `ptrace`. When it is killed they
// would go on, and their system calls would reach this machine: they are to end with it. Its helpers,
// which write to the disk, are in one process group with it, so that all end at once.
//
// It sets their state from a buffer that is too small for that of newer processors (AMX), which the
// system refuses. Here the rest is filled up with what the process has anyway.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>

// `PTRACE_OLDSETOPTIONS`, which is in no header any more.
static const int old_set_options = 21;
static long (*system_ptrace)(int, ...);
static char whole[1 << 16] __attribute__((aligned(64)));

__attribute__((constructor)) static void prepare(void) {
    setpgid(0, 0);
    system_ptrace = (long (*)(int, ...))dlsym(RTLD_NEXT, "ptrace");
}

long ptrace(enum __ptrace_request request, ...) {
    va_list arguments;
    va_start(arguments, request);
    int process = va_arg(arguments, int);
    void *address = va_arg(arguments, void *);
    void *data = va_arg(arguments, void *);
    va_end(arguments);
    if (request == PTRACE_SETREGSET && (long)address == NT_X86_XSTATE) {
        const struct iovec *part = data;
        struct iovec state = {whole, sizeof whole};
        if (system_ptrace(PTRACE_GETREGSET, process, address, &state) == 0 &&
            part->iov_len < state.iov_len) {
            memcpy(whole, part->iov_base, part->iov_len);
            return system_ptrace(request, process, address, &state);
        }
    }
    if (request == PTRACE_SETOPTIONS || (int)request == old_set_options)
        data = (void *)((long)data | PTRACE_O_EXITKILL);
    return system_ptrace(request, process, address, data);
}
