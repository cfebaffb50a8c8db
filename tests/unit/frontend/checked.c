#include "tests/unit/frontend/checked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

checked check_text(const char *text) {
  checked c = {.a = arena_new()};
  c.ss = source_set_new(c.a);
  c.dg = diag_new(c.a, c.ss);
  char path[] = "/tmp/chi-frontend-XXXXXX";
  int fd = mkstemp(path);
  CU_ASSERT_FATAL(fd >= 0);
  FILE *f = fdopen(fd, "w");
  fputs(text, f);
  fclose(f);
  c.u = fe_load(c.a, c.ss, c.dg, path, &(fe_options){.std_dir = std_dir});
  unlink(path);
  CU_ASSERT_PTR_NOT_NULL_FATAL(c.u);
  c.ok = fe_check(c.u);
  return c;
}

void checked_free(checked *c) { arena_free(c->a); }

const ival *returned(const checked *c, const char *fn) {
  for (const sym *s = c->u->mod[0]->first; s; s = s->order)
    if (s->kind == R_FN && !strcmp(s->name, fn) && s->fn->insts &&
        s->fn->insts->value)
      return ty_elem(s->fn->insts->value)->iv;
  return NULL;
}

bool has_id(const checked *c, const char *id) {
  for (uint32_t i = 0; i < diag_count(c->dg); i++)
    if (!strcmp(diag_table[diag_get(c->dg, i)->id].id, id)) return true;
  return false;
}
