/* Small files of the command's own; errno says what went wrong. */
#ifndef CMD_CHI_DISK_H
#define CMD_CHI_DISK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* n bytes and a NUL in `a`; NULL, with EFBIG if it has more than max. */
char *disk_read(arena *a, const char *path, size_t max, size_t *n);
/* Whole or not at all, durable.  `fresh`: EEXIST if the file is there. */
bool disk_put(arena *a, const char *path, const void *p, size_t n,
               unsigned mode, bool fresh);
/* A folder for this user alone, with its parents where they are new. */
bool disk_private(arena *a, const char *dir);

#endif
