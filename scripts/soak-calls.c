// A library for LD_PRELOAD that writes down, in the file that SOAK_CALLS names, what a program does with the files and
// folders of checkpoints: create, write, sync, rename, remove, one line a call, before it is made. With SOAK_KILL_AT
// the process is killed instead of making the call of that number, from 1. `make soak` builds and uses it.
//
// It also refuses what a system may refuse: SOAK_REFUSE names a kind (thread, socket, accept, pipe, memory), and the
// calls of that kind from number SOAK_REFUSE_FROM on, from 1, fail, SOAK_REFUSE_COUNT of them.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { DESCRIPTORS = 4096 };

static char names[DESCRIPTORS][512];
static atomic_long calls;

static int of_checkpoints(const char *path) { return path && strstr(path, "/checkpoints") != NULL; }

static const char *name_of(int descriptor) {
  return descriptor >= 0 && descriptor < DESCRIPTORS && names[descriptor][0] ? names[descriptor] : NULL;
}

static void note(const char *format, ...) {
  static atomic_int log_descriptor = -1;
  const char *log = getenv("SOAK_CALLS");
  if (!log) return;
  const char *limit = getenv("SOAK_KILL_AT");
  if (limit && atomic_fetch_add(&calls, 1) + 1 == atol(limit)) raise(SIGKILL);
  if (atomic_load(&log_descriptor) < 0) {
    atomic_store(&log_descriptor,
                 (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  }
  char line[2 * PATH_MAX];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (length > 0) syscall(SYS_write, atomic_load(&log_descriptor), line, (size_t)length);
}

static int opened(int descriptor, const char *path, int flags) {
  if (descriptor >= 0 && descriptor < DESCRIPTORS) {
    names[descriptor][0] = 0;
    if (of_checkpoints(path) && (flags & (O_WRONLY | O_RDWR | O_DIRECTORY))) {
      snprintf(names[descriptor], sizeof names[descriptor], "%s", path);
    }
  }
  return descriptor;
}

#define MODE(flags, last)                 \
  mode_t mode = 0;                        \
  if ((flags) & (O_CREAT | O_TMPFILE)) {  \
    va_list rest;                         \
    va_start(rest, last);                 \
    mode = (mode_t)va_arg(rest, unsigned);\
    va_end(rest);                         \
  }

static int open_and_note(const char *path, int flags, mode_t mode) {
  if (of_checkpoints(path) && (flags & O_CREAT)) note("create %s\n", path);
  return opened((int)syscall(SYS_openat, AT_FDCWD, path, flags, mode), path, flags);
}

int open(const char *path, int flags, ...) {
  MODE(flags, flags)
  return open_and_note(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  MODE(flags, flags)
  return open_and_note(path, flags, mode);
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
  const char *name = name_of(descriptor);
  if (name) note("write %s\n", name);
  return syscall(SYS_write, descriptor, bytes, count);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
  const char *name = name_of(descriptor);
  if (name) note("write %s\n", name);
  return syscall(SYS_pwrite64, descriptor, bytes, count, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
  return pwrite(descriptor, bytes, count, offset);
}

int fsync(int descriptor) {
  const char *name = name_of(descriptor);
  if (name) note("sync %s\n", name);
  return (int)syscall(SYS_fsync, descriptor);
}

int fdatasync(int descriptor) {
  const char *name = name_of(descriptor);
  if (name) note("sync %s\n", name);
  return (int)syscall(SYS_fdatasync, descriptor);
}

int close(int descriptor) {
  if (descriptor >= 0 && descriptor < DESCRIPTORS) names[descriptor][0] = 0;
  return (int)syscall(SYS_close, descriptor);
}

int rename(const char *from, const char *to) {
  if (of_checkpoints(from) || of_checkpoints(to)) note("rename %s %s\n", from, to);
  return (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
}

int unlink(const char *path) {
  if (of_checkpoints(path)) note("remove %s\n", path);
  return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

// What is asked of the system and may be refused.

static int refuses(const char *kind) {
  static atomic_long asked;
  const char *refused = getenv("SOAK_REFUSE");
  if (!refused || strcmp(refused, kind) != 0) return 0;
  const char *from = getenv("SOAK_REFUSE_FROM");
  const char *count = getenv("SOAK_REFUSE_COUNT");
  long first = from ? atol(from) : 1;
  long number = atomic_fetch_add(&asked, 1) + 1;
  return number >= first && number - first < (count ? atol(count) : 1);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument) {
  static int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  if (!next) *(void **)&next = dlsym(RTLD_NEXT, "pthread_create");
  return refuses("thread") ? EAGAIN : next(thread, attributes, body, argument);
}

int socket(int family, int type, int protocol) {
  if (refuses("socket")) {
    errno = EMFILE;
    return -1;
  }
  return (int)syscall(SYS_socket, family, type, protocol);
}

int accept(int listening, struct sockaddr *address, socklen_t *length) {
  if (refuses("accept")) {
    errno = EMFILE;
    return -1;
  }
  return (int)syscall(SYS_accept, listening, address, length);
}

int pipe2(int ends[2], int flags) {
  if (refuses("pipe")) {
    errno = EMFILE;
    return -1;
  }
  return (int)syscall(SYS_pipe2, ends, flags);
}

// Of the large mappings only: those of tensors and of matrix products, a few megabytes and more.
void *mmap(void *wish, size_t length, int protection, int flags, int descriptor, off_t offset) {
  if (descriptor < 0 && length >= (2u << 20) && !(flags & MAP_STACK) && !(flags & MAP_NORESERVE) && refuses("memory")) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  return (void *)syscall(SYS_mmap, wish, length, protection, flags, descriptor, offset);
}
