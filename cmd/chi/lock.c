#include "cmd/chi/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

bool lock_take(const char *path, int wait_ms) {
  enum { STEP_MS = 20 };
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return false;
  for (;; wait_ms -= STEP_MS) {
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_SETLK, &l) == 0)
      return true; /* fd stays open as long as the process */
    if ((errno != EAGAIN && errno != EACCES) || wait_ms <= 0)
      break;
    nanosleep(&(struct timespec){0, STEP_MS * 1000000L}, NULL);
  }
  int why = errno == EACCES ? EAGAIN : errno;
  close(fd);
  errno = why;
  return false;
}

pid_t lock_holder(const char *path) {
  struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return 0;
  pid_t holder = fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK ? l.l_pid
                                                                    : 0;
  close(fd);
  return holder;
}
