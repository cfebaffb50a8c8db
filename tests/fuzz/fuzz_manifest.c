/* Any bytes: exactly one diagnostic, or a manifest whose members are bounded as
 * backend/manifest.h promises. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void demand(bool ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "fuzz_manifest: %s\n", what);
  abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  arena *a = arena_new();
  diag *dg = diag_new(a, source_set_new(a));
  manifest *m = manifest_parse(a, "fuzz.json", (const char *)data, n, dg);
  demand(diag_errors(dg) == (m ? 0u : 1u), "verdict and reports differ");
  if (m) {
    demand(strlen(m->circuit_hash) == 64, "hash");
    demand(!strncmp(m->symbol, "chi_", 4), "symbol");
    for (size_t k = 0; k < m->ninput; k++)
      demand(m->input[k].name && m->input[k].lanes &&
                 !m->input[k].lo == !m->input[k].hi,
             "input");
    for (size_t k = 0; k < m->ncost; k++)
      demand(m->cost[k].nodes <= MANIFEST_NODES_MAX, "nodes");
  }
  buf b = {0};
  diag_render_all(dg, &b, false);
  buf_free(&b);
  arena_free(a);
  return 0;
}
