#include "cmd/chi/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *disk_read(arena *a, const char *path, size_t max, size_t *n) {
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return NULL;
  int why = fstat(fd, &st) != 0      ? errno
            : S_ISDIR(st.st_mode)    ? EISDIR
            : !S_ISREG(st.st_mode)   ? EINVAL
            : (size_t)st.st_size > max ? EFBIG
                                       : 0;
  char *p = why == 0 ? arena_alloc(a, (size_t)st.st_size + 1) : NULL;
  *n = 0;
  while (why == 0 && *n < (size_t)st.st_size) {
    ssize_t k = read(fd, p + *n, (size_t)st.st_size - *n);
    if (k > 0)
      *n += (size_t)k;
    else if (k == 0)
      break;
    else if (errno != EINTR)
      why = errno;
  }
  close(fd);
  errno = why;
  return why == 0 ? p : NULL;
}

static bool write_all(int fd, const char *p, size_t n) {
  while (n > 0) {
    ssize_t k = write(fd, p, n);
    if (k < 0 && errno != EINTR)
      return false;
    if (k > 0) {
      p += k;
      n -= (size_t)k;
    }
  }
  return fsync(fd) == 0;
}

static void sync_folder(arena *a, const char *path) {
  char *dir = arena_strdup(a, path), *slash = strrchr(dir, '/');
  if (slash != NULL)
    slash[slash == dir] = '\0';
  int fd = open(slash != NULL ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    fsync(fd);
    close(fd);
  }
}

bool disk_put(arena *a, const char *path, const void *p, size_t n,
               unsigned mode, bool fresh) {
  char *tmp = arena_printf(a, "%s.%08x.tmp", path, randombytes_random());
  int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0)
    return false;
  bool ok = fchmod(fd, mode) == 0 && write_all(fd, p, n);
  int why = errno;
  close(fd);
  if (ok) {
    ok = fresh ? link(tmp, path) == 0 : rename(tmp, path) == 0;
    why = errno;
  }
  if (!ok || fresh)
    unlink(tmp);
  if (ok)
    sync_folder(a, path);
  errno = why;
  return ok;
}

bool disk_private(arena *a, const char *dir) {
  char *path = arena_strdup(a, dir);
  for (char *s = path + 1;; s++) {
    char c = *s;
    if (c != '/' && c != '\0')
      continue;
    *s = '\0';
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
      return false;
    *s = c;
    if (c == '\0')
      break;
  }
  struct stat st;
  if (stat(dir, &st) != 0)
    return false;
  errno = ENOTDIR;
  if (!S_ISDIR(st.st_mode))
    return false;
  return (st.st_mode & 077) == 0 || st.st_uid != geteuid() ||
         chmod(dir, 0700) == 0;
}
