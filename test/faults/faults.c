/*
 * Preloaded into a process (LD_PRELOAD): at the n-th call that changes a file below a folder it kills the process, or
 * makes the call fail. Set by the environment:
 *   FAULT_BELOW  the folder
 *   FAULT_AT     n, counted from 1 over all threads; 0: never
 *   FAULT_HOW    kill        the process ends before the call
 *                torn        half of what is written is written, then the process ends; else as kill
 *                ENOSPC EIO EROFS EACCES EMFILE EINTR   the call fails with that error
 *                half-ENOSPC half of what is written is written, then the call fails
 *                short       half of what is written is written, and that is said
 *                ...+        the same from the n-th call on
 *   FAULT_LOG    a file that gets a line a call: "n name path"
 *   FAULT_IN     the process meant is one that the first one starts, whose command line has this text
 * Processes that the process meant starts are left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { GO_ON, FAIL, HALF, SHORT };

static char below[PATH_MAX];
static size_t below_length;
static int at, error, log_fd = -1;
static int kills, torn, half, is_short, from_then_on;
static atomic_int calls;

#define REAL(type, name, ...)                                                                                          \
  static type (*real)(__VA_ARGS__);                                                                                    \
  if (!real) real = dlsym(RTLD_NEXT, #name)

/* Whether the command line of this process has a text; its words end with NUL. */
static int is_called(const char *text) {
  char line[8192];
  int fd = open("/proc/self/cmdline", O_RDONLY);
  ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
  if (fd >= 0) close(fd);
  return n > 0 && memmem(line, n, text, strlen(text)) != NULL;
}

__attribute__((constructor)) static void begin(void) {
  const char *folder = getenv("FAULT_BELOW"), *n = getenv("FAULT_AT"), *how = getenv("FAULT_HOW"), *file = getenv("FAULT_LOG");
  const char *in = getenv("FAULT_IN");
  if (!folder || (in && !is_called(in))) return;
  at = n ? atoi(n) : 0;
  how = how ? how : "";
  kills = !strncmp(how, "kill", 4);
  torn = !strncmp(how, "torn", 4);
  half = !strncmp(how, "half-", 5);
  is_short = !strncmp(how, "short", 5);
  from_then_on = how[0] && how[strlen(how) - 1] == '+';
  static const struct { const char *name; int number; } errors[] = {
      {"ENOSPC", ENOSPC}, {"EROFS", EROFS}, {"EACCES", EACCES}, {"EMFILE", EMFILE}, {"EINTR", EINTR}};
  error = EIO;
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
    if (strstr(how, errors[i].name)) error = errors[i].number;
  if (file) log_fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  unsetenv("LD_PRELOAD");
  // Last: what this function opened is no call of the program.
  strncpy(below, folder, sizeof below - 1);
  below_length = strlen(below);
}

static int is_below(const char *path) {
  return below_length && path && !strncmp(path, below, below_length);
}

static int path_of(int fd, char *path) {
  char link[64];
  if (!below_length || fd == log_fd) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, PATH_MAX - 1);
  if (n <= 0) return 0;
  path[n] = 0;
  return is_below(path);
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* What is to become of a call; errno is set where it fails. */
static int step(const char *name, const char *path) {
  int n = atomic_fetch_add(&calls, 1) + 1, writes = !strcmp(name, "write");
  if (log_fd >= 0) dprintf(log_fd, "%d %s %s\n", n, name, path + below_length);
  if (at == 0 || !(n == at || (from_then_on && n > at))) return GO_ON;
  if (kills || (torn && !writes)) die();
  if ((torn || half) && writes) return HALF;
  if (is_short) return writes ? SHORT : GO_ON;
  errno = error;
  return FAIL;
}

static int changes(int flags) {
  return (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)) != 0;
}

#define OPEN(name)                                                                                                     \
  int name(const char *path, int flags, ...) {                                                                         \
    va_list rest;                                                                                                      \
    va_start(rest, flags);                                                                                             \
    int mode = va_arg(rest, int);                                                                                      \
    va_end(rest);                                                                                                      \
    REAL(int, name, const char *, int, ...);                                                                           \
    if (is_below(path) && changes(flags) && step("open", path) == FAIL) return -1;                                     \
    return real(path, flags, mode);                                                                                    \
  }
OPEN(open)
OPEN(open64)

/* `dprintf` above goes by this write too, but its file is not below the folder. */
#define WRITE(whole, part)                                                                                             \
  char path[PATH_MAX];                                                                                                 \
  if (path_of(fd, path)) switch (step("write", path)) {                                                                \
      case FAIL: return -1;                                                                                            \
      case SHORT: return part;                                                                                         \
      case HALF:                                                                                                       \
        if (part < 0) return -1;                                                                                       \
        if (torn) die();                                                                                               \
        errno = error;                                                                                                 \
        return -1;                                                                                                     \
    }                                                                                                                  \
  return whole
#define HALF_OF(n) ((n) > 1 ? (n) / 2 : (n))

ssize_t write(int fd, const void *from, size_t n) {
  REAL(ssize_t, write, int, const void *, size_t);
  WRITE(real(fd, from, n), real(fd, from, HALF_OF(n)));
}
ssize_t pwrite(int fd, const void *from, size_t n, off_t to) {
  REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
  WRITE(real(fd, from, n, to), real(fd, from, HALF_OF(n), to));
}
ssize_t pwrite64(int fd, const void *from, size_t n, off_t to) {
  REAL(ssize_t, pwrite64, int, const void *, size_t, off_t);
  WRITE(real(fd, from, n, to), real(fd, from, HALF_OF(n), to));
}
ssize_t writev(int fd, const struct iovec *from, int n) {
  REAL(ssize_t, writev, int, const struct iovec *, int);
  WRITE(real(fd, from, n), real(fd, from, HALF_OF(n)));
}
ssize_t pwritev(int fd, const struct iovec *from, int n, off_t to) {
  REAL(ssize_t, pwritev, int, const struct iovec *, int, off_t);
  WRITE(real(fd, from, n, to), real(fd, from, HALF_OF(n), to));
}
ssize_t pwritev64(int fd, const struct iovec *from, int n, off_t to) {
  REAL(ssize_t, pwritev64, int, const struct iovec *, int, off_t);
  WRITE(real(fd, from, n, to), real(fd, from, HALF_OF(n), to));
}

#define OF_FILE(name, parameters, arguments)                                                                           \
  int name parameters {                                                                                                \
    static int(*real) parameters;                                                                                      \
    if (!real) real = dlsym(RTLD_NEXT, #name);                                                                         \
    char path[PATH_MAX];                                                                                               \
    if (path_of(fd, path) && step(#name, path) == FAIL) return -1;                                                     \
    return real arguments;                                                                                             \
  }
OF_FILE(fsync, (int fd), (fd))
OF_FILE(fdatasync, (int fd), (fd))
OF_FILE(ftruncate, (int fd, off_t n), (fd, n))
OF_FILE(ftruncate64, (int fd, off64_t n), (fd, n))

#define OF_PATH(name, parameters, arguments)                                                                           \
  int name parameters {                                                                                                \
    static int(*real) parameters;                                                                                      \
    if (!real) real = dlsym(RTLD_NEXT, #name);                                                                         \
    if (is_below(path) && step(#name, path) == FAIL) return -1;                                                        \
    return real arguments;                                                                                             \
  }
OF_PATH(rename, (const char *from, const char *path), (from, path))
OF_PATH(link, (const char *from, const char *path), (from, path))
OF_PATH(symlink, (const char *to, const char *path), (to, path))
OF_PATH(unlink, (const char *path), (path))
OF_PATH(rmdir, (const char *path), (path))
OF_PATH(mkdir, (const char *path, mode_t mode), (path, mode))
OF_PATH(truncate, (const char *path, off_t n), (path, n))
