/* Any bytes as a program: checked, and what is sound lowered to circuits.  A
 * program that was refused was refused with a message. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/diag.h"
#include "frontend/frontend.h"
#include "ir/cut.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(int holds) {
  if (!holds) abort();
}

static void lower_all(fe_unit *u, diag *dg) {
  for (uint32_t i = 0; i < fe_fn_count(u); i++) {
    const fe_fn *f = fe_fn_at(u, i);
    if (!f->runnable) continue;
    arena *a = arena_new();
    must(fe_lower(u, f->name, a, NULL) || diag_errors(dg) > 0);
    arena_free(a);
  }
  for (uint32_t i = 0; i < fe_contract_count(u); i++) {
    const fe_contract *c = fe_contract_at(u, i);
    for (uint32_t k = 0; k < c->naction; k++) {
      arena *a = arena_new();
      ir_cut cut;
      ir_module *m = fe_lower_action(u, c, &c->action[k], a, NULL);
      must(m ? ir_verify(m, dg) : diag_errors(dg) > 0);
      must(!m || ir_cut_action(a, m, dg, &cut) || diag_errors(dg) > 0);
      arena_free(a);
    }
  }
  for (uint32_t i = 0; i < fe_test_count(u); i++) {
    arena *a = arena_new();
    must(fe_lower_test(u, i, a, NULL) || diag_errors(dg) > 0);
    arena_free(a);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  char path[64];
  int fd = memfd_create("fuzz", MFD_CLOEXEC);
  must(fd >= 0);
  must(write(fd, data, n) == (ssize_t)n);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  arena *a = arena_new();
  source_set *ss = source_set_new(a);
  diag *dg = diag_new(a, ss);
  fe_unit *u = fe_load(a, ss, dg, path, &(fe_options){0});
  bool sound = u && fe_check(u);
  must(sound == (diag_errors(dg) == 0));
  if (sound) lower_all(u, dg);
  buf out = {0};
  diag_sort(dg);
  diag_render_all(dg, &out, false);
  buf_free(&out);
  arena_free(a);
  close(fd);
  return 0;
}
