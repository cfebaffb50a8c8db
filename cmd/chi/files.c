#include "cmd/chi/files.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static bool cannot(cli *c, const char *path) {
  diag_report_nowhere(c->dg, DIAG_OUTPUT_DIR,
                      text_shown(c->a, path, strlen(path)), strerror(errno));
  return false;
}

bool files_directory(cli *c, const char *dir) {
  char *path = arena_strdup(c->a, dir);
  struct stat st;
  for (char *s = path + 1; *s != '\0'; s++) {
    if (*s != '/')
      continue;
    *s = '\0';
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
      return cannot(c, dir);
    *s = '/';
  }
  if (mkdir(path, 0777) != 0 && errno != EEXIST)
    return cannot(c, dir);
  if (stat(path, &st) != 0)
    return cannot(c, dir);
  if (!S_ISDIR(st.st_mode)) {
    errno = ENOTDIR;
    return cannot(c, dir);
  }
  return true;
}

bool files_save(cli *c, const char *dir, const char *stem,
                const backend_output *o) {
  if (!files_directory(c, dir))
    return false;
  for (uint32_t i = 0; i < o->npart; i++) {
    const char *path =
        arena_printf(c->a, "%s/%s%s", dir, stem, o->part[i].suffix);
    if (!buf_save(&o->part[i].text, path))
      return cannot(c, path);
  }
  return true;
}
