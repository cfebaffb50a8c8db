#include "cmd/chi/eval.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/chi/proc.h"
#include "ir/interp.h"

void outcome_free(outcome *o) {
  for (uint32_t i = 0; i < o->n; i++)
    lanes_free(&o->val[i]);
  for (uint32_t i = 0; i < o->ntold; i++)
    lanes_free(&o->told[i].val);
  free(o->val);
  free(o->told);
  *o = (outcome){0};
}

static void *must(void *p) {
  if (p == NULL)
    arena_oom_hook();
  return p;
}

static uint32_t output_index(const ir_module *m, const char *name) {
  uint32_t k = 0;
  while (k < m->nout && strcmp(m->out[k].name, name) != 0)
    k++;
  return k;
}

void outcome_arrange(outcome *o, const ir_module *m, const fe_fn *f) {
  uint32_t n = f->result.nleaf;
  lanes *val = must(calloc(n + 1, sizeof *val));
  for (uint32_t i = 0; i < n; i++) {
    uint32_t k = output_index(m, f->result.leaf[i].name);
    if (k >= o->n)
      continue;
    val[i] = o->val[k];
    o->val[k] = (lanes){0};
  }
  for (uint32_t k = 0; k < o->n; k++)
    lanes_free(&o->val[k]);
  free(o->val);
  o->val = val;
  o->n = n;
}

/* A copy in the command's own form. */
static void take_lanes(lanes *out, const ir_lanes *v) {
  *out = (lanes){.n = v->n};
  if (v->i64 != NULL) {
    out->small = must(malloc(v->n * sizeof *out->small));
    memcpy(out->small, v->i64, v->n * sizeof *out->small);
    return;
  }
  out->big = must(malloc(v->n * sizeof *out->big));
  for (uint64_t i = 0; i < v->n; i++)
    mpz_init_set(out->big[i], &v->mpz[i]);
}

/* The interpreter reads our array where the forms agree, else a copy. */
static bool give(ir_interp *it, uint32_t k, const lanes *v, bool wide,
                 ir_lanes *copy) {
  *copy = (ir_lanes){0};
  if (!wide && v->small != NULL) {
    ir_lanes same = {.n = v->n, .i64 = v->small};
    return ir_interp_input(it, k, &same);
  }
  mpz_t x;
  mpz_init(x);
  bool ok = ir_lanes_init(copy, v->n, wide);
  for (uint64_t i = 0; ok && i < v->n; i++) {
    lanes_get(v, i, x);
    ok = ir_lanes_set(copy, i, x);
  }
  mpz_clear(x);
  return ok && ir_interp_input(it, k, copy);
}

typedef struct find_wide {
  const ir_module *m;
  bool *wide;
  uint32_t n;
} find_wide;

static void see_input(ir_inst *i, void *user) {
  find_wide *w = user;
  if (i->op == OP_INPUT && w->n < w->m->nin)
    w->wide[w->n++] = ir_lanes_wide(w->m, &i->res[0]->ty);
}

static void take_outcome(const compiled *x, ir_interp *it, outcome *o) {
  const ir_module *m = x->m;
  o->n = m->nout;
  o->val = must(calloc(o->n + 1, sizeof *o->val));
  for (uint32_t k = 0; k < o->n; k++) {
    const ir_lanes *v = ir_interp_output(it, k);
    if (v != NULL && !m->out[k].secret)
      take_lanes(&o->val[k], v);
  }
  o->ntold = ir_interp_ntold(it);
  o->told = must(calloc(o->ntold + 1, sizeof *o->told));
  for (uint32_t k = 0; k < o->ntold; k++) {
    const ir_told *t = ir_interp_told(it, k);
    o->told[k].output = output_index(m, t->name);
    identity_from_mpz(o->told[k].to, t->identity);
    take_lanes(&o->told[k].val, &t->value);
  }
}

bool eval_run(cli *c, const compiled *x, const inputs *in,
              const ir_target *model, evaluation *e) {
  *e = (evaluation){0};
  bool check = c->opt.check;
  ir_cost_meter *meter =
      check ? NULL : ir_cost_meter_new(c->a, x->m, *model);
  ir_interp_opts o = {.exchange = check ? NULL : ir_cost_meter_exchange,
                      .user = meter,
                      .strict = check};
  ir_interp *it = ir_interp_new(x->m, &o);
  uint32_t n = in != NULL ? in->n : 0;
  ir_lanes *copy = ARENA_ARR(c->a, ir_lanes, n + 1);
  find_wide w = {x->m, ARENA_ARR(c->a, bool, x->m->nin + 1), 0};
  ir_walk(x->m->body, see_input, &w);
  bool ok = n == x->m->nin;
  for (uint32_t k = 0; ok && k < n; k++)
    ok = give(it, k, &in->val[k], w.wide[k], &copy[k]);
  if (!ok) {
    diag_report_nowhere(c->dg, DIAG_INTERNAL,
                        "the inputs are not those of the circuit");
  } else {
    double t = clock_seconds();
    e->status = ir_interp_run(it);
    e->seconds = clock_seconds() - t;
    e->cost = check ? NULL : ir_cost_meter_total(meter);
    if (e->status == IR_RUN_OK) {
      take_outcome(x, it, &e->out);
    } else {
      e->message = arena_strdup(c->a, ir_interp_message(it));
      e->sp = ir_interp_span(it);
    }
    if (e->status == IR_RUN_INPUT || e->status == IR_RUN_UNDEFINED ||
        e->status == IR_RUN_WRONG || e->status == IR_RUN_BUDGET) {
      diag_report(c->dg, DIAG_INTERNAL, e->sp, e->message);
      ok = false;
    }
  }
  ir_interp_free(it);
  for (uint32_t k = 0; k < n; k++)
    ir_lanes_fini(&copy[k]);
  return ok;
}

void eval_report(cli *c, const evaluation *e) {
  if (e->sp.end != 0)
    diag_report(c->dg, DIAG_CHECK_FAILED, e->sp, e->message);
  else
    diag_report_nowhere(c->dg, DIAG_CHECK_FAILED, e->message);
}
