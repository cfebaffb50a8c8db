/* Any bytes: exactly one diagnostic, or a contract package that keeps the
 * promises of backend/contract.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/contract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void demand(bool ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "fuzz_contract: %s\n", what);
  abort();
}

static void look_at(const contract *c) {
  for (uint32_t k = 0; k < c->nstate; k++)
    for (uint32_t j = 0; j < c->state[k].nleaf; j++) {
      int s;
      const ct_leaf *l = &c->state[k].leaf[j];
      demand(contract_leaf(c, l->name, &s) == l && s == (int)k, "a leaf");
      demand(l->lanes && !l->lo == !l->hi, "a leaf's bounds");
    }
  for (uint32_t k = 0; k < c->naction; k++) {
    const ct_action *x = &c->action[k];
    demand(contract_action(c, x->name) == x, "an action");
    demand(!x->after || x->circuit, "an after without a circuit");
    demand(!x->circuit == !x->circuit_hash, "a hash");
    for (int p = 0; p < CT_PARTS; p++)
      for (uint32_t j = 0; x->part[p] && j < x->part[p]->nin; j++)
        demand(contract_leaf_type(x->part[p], false, x->part[p]->in[j].name),
               "an input without a type");
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  arena *a = arena_new();
  diag *dg = diag_new(a, source_set_new(a));
  contract *c = contract_parse(a, "fuzz", (const char *)data, n, dg);
  demand(diag_errors(dg) == (c ? 0u : 1u), "verdict and reports differ");
  if (c) look_at(c);
  buf b = {0};
  diag_render_all(dg, &b, false);
  buf_free(&b);
  arena_free(a);
  return 0;
}
