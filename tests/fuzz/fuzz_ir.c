/* Any bytes: a diagnostic, or a circuit whose text parses back to itself.  What
 * verifies is also run by the interpreter and priced, within a budget. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/analysis.h"
#include "ir/cost.h"
#include "ir/interp.h"
#include "ir/ir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static ir_module *parse(arena *a, const char *text, size_t n, diag **dg) {
  source_set *ss = source_set_new(a);
  source_id id;
  *dg = diag_new(a, ss);
  if (!source_add(ss, "fuzz", text, n, &id)) return NULL;
  return ir_parse(a, ss, id, *dg);
}

static void demand(bool ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "fuzz_ir: %s\n", what);
  abort();
}

static void round_trip(arena *a, const ir_module *m, bool verified) {
  buf one = {0}, two = {0};
  diag *dg;
  ir_print(m, &one, false);
  ir_module *again = parse(a, one.p, one.n, &dg);
  demand(again, "printed text does not parse");
  ir_print(again, &two, false);
  demand(one.n == two.n && !memcmp(one.p, two.p, one.n),
         "the text does not round trip");
  demand(ir_verify(again, NULL) == verified, "the verifier changed its mind");
  buf_free(&one);
  buf_free(&two);
}

static const ir_inst *input_op(const ir_module *m, const char *name) {
  for (const ir_inst *i = m->body->first; i; i = i->next)
    if (i->op == OP_INPUT && !strcmp(i->at.name, name)) return i;
  return NULL;
}

static void run(arena *a, const ir_module *m) {
  ir_interp_opts o = {.max_steps = 20000, .max_bytes = 1 << 22};
  ir_interp *x = ir_interp_new(m, &o);
  ir_lanes *in = ARENA_ARR(a, ir_lanes, (size_t)m->nin + 1);
  for (uint32_t k = 0; k < m->nin; k++) {
    const ir_inst *i = input_op(m, m->in[k].name);
    const ir_type *ty = i ? &i->res[0]->ty : NULL;
    if (ty && ty->lanes <= 4096 &&
        ir_lanes_init(&in[k], ty->lanes, ir_lanes_wide(m, ty)))
      ir_interp_input(x, k, &in[k]); /* zeros */
  }
  ir_interp_run(x);
  ir_interp_free(x);
  for (uint32_t k = 0; k < m->nin; k++) ir_lanes_fini(&in[k]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  arena *a = arena_new();
  diag *dg;
  ir_module *m = parse(a, (const char *)data, n, &dg);
  demand(m || diag_errors(dg), "refused without a diagnostic");
  if (m) {
    bool ok = ir_verify(m, dg);
    demand(ok == !diag_errors(dg), "verdict and reports differ");
    round_trip(a, m, ok);
    if (ok) {
      run(a, m);
      ir_depth_max(m, a);
      if (m->stage == IR_SCHED)
        ir_cost_static(a, m, (ir_target){IR_SHAMIR, 7});
    }
  }
  buf b = {0};
  diag_render_all(dg, &b, false);
  buf_free(&b);
  arena_free(a);
  return 0;
}
