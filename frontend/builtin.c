#include "frontend/builtin.h"

#include <string.h>

static const struct {
  const char *name;
  unsigned lo, hi;
} table[] = {
#define BUILTIN_ROW(E, N, LO, HI) {N, LO, HI},
    BUILTINS(BUILTIN_ROW)
#undef BUILTIN_ROW
};

int builtin_find(const char *name) {
  for (int i = 0; i < B_COUNT_ALL; i++)
    if (strcmp(table[i].name, name) == 0) return i;
  return -1;
}

const char *builtin_name(unsigned b) { return table[b].name; }
unsigned builtin_min_args(unsigned b) { return table[b].lo; }
unsigned builtin_max_args(unsigned b) { return table[b].hi; }
