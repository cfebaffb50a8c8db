#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cmd/chi/identity.h"
#include "cmd/chi/proc.h"

static bool refuse(cli *c, const char *why) {
  diag_report_nowhere(c->dg, DIAG_PASSPHRASE, why);
  return false;
}

/* A passphrase is what stands before the first line break. */
static bool end_line(cli *c, char *out, size_t n) {
  char *end = memchr(out, '\n', n);
  if (end != NULL)
    n = (size_t)(end - out);
  if (n > 0 && out[n - 1] == '\r')
    n--;
  if (n > PASSPHRASE_MAX)
    return refuse(c, "it has more than 1024 bytes");
  sodium_memzero(out + n, PASSPHRASE_MAX + 2 - n);
  if (memchr(out, '\0', n) != NULL)
    return refuse(c, "it holds a zero byte");
  return n > 0 || refuse(c, "it is empty");
}

static bool from_file(cli *c, char *out) {
  const char *path = c->opt.passphrase_file;
  const char *shown = text_shown(c->a, path, strlen(path));
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  size_t n = 0;
  ssize_t k = fd < 0 ? -1 : 1;
  while (k > 0 && n < PASSPHRASE_MAX + 2 && memchr(out, '\n', n) == NULL) {
    k = read(fd, out + n, PASSPHRASE_MAX + 2 - n);
    if (k < 0 && errno == EINTR)
      k = 1;
    else if (k > 0)
      n += (size_t)k;
  }
  int why = errno;
  if (fd >= 0)
    close(fd);
  if (k < 0)
    return refuse(c, arena_printf(c->a, "file \"%s\": %s", shown,
                                  strerror(why)));
  return end_line(c, out, n);
}

static bool read_line(int tty, char *out, size_t *n) {
  *n = 0;
  while (*n < PASSPHRASE_MAX + 2 && memchr(out, '\n', *n) == NULL) {
    struct pollfd p = {.fd = tty, .events = POLLIN};
    if (proc_poll(&p, 1, -1) < 0)
      return false;
    ssize_t k = read(tty, out + *n, PASSPHRASE_MAX + 2 - *n);
    if (k <= 0)
      return false;
    *n += (size_t)k;
  }
  return true;
}

/* The terminal gets its echo back, whatever happens. */
static bool ask(cli *c, int tty, const char *prompt, char *out) {
  struct termios was, quiet;
  size_t n = 0;
  if (tcgetattr(tty, &was) != 0)
    return refuse(c, "the terminal cannot hide what is typed");
  quiet = was;
  quiet.c_lflag &= ~(tcflag_t)ECHO;
  proc_guard();
  /* Hidden first: what is typed at the prompt is neither seen nor lost. */
  bool ok = tcsetattr(tty, TCSAFLUSH, &quiet) == 0 &&
            write(tty, prompt, strlen(prompt)) > 0 && read_line(tty, out, &n);
  tcsetattr(tty, TCSAFLUSH, &was);
  ssize_t k = write(tty, "\n", 1);
  (void)k;
  proc_unguard();
  return ok ? end_line(c, out, n) : refuse(c, "nothing was typed");
}

static bool from_terminal(cli *c, const char *name, bool twice, char *out) {
  char again[PASSPHRASE_MAX + 2] = {0};
  int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (tty < 0) {
    refuse(c, "there is no terminal to ask on");
    diag_hint(c->dg, "Give --passphrase-file FILE, or use an identity with a "
              "key file.");
    return false;
  }
  bool ok = ask(c, tty, arena_printf(c->a, "passphrase of %s: ", name), out);
  if (ok && twice) {
    ok = ask(c, tty, "the same again: ", again);
    if (ok && strcmp(out, again) != 0)
      ok = refuse(c, "the two differ");
  }
  sodium_memzero(again, sizeof again);
  close(tty);
  return ok;
}

bool passphrase_get(cli *c, const char *name, bool twice, char *out) {
  char line[PASSPHRASE_MAX + 2] = {0};
  bool ok = c->opt.passphrase_file != NULL
                ? from_file(c, line)
                : from_terminal(c, name, twice, line);
  if (ok)
    memcpy(out, line, PASSPHRASE_MAX + 1);
  sodium_memzero(line, sizeof line);
  return ok;
}
