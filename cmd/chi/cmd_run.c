/* chi run: one function on nodes of this machine, or in the clear. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/chi/cc.h"
#include "cmd/chi/client.h"
#include "cmd/chi/compile.h"
#include "cmd/chi/driver.h"
#include "cmd/chi/eval.h"
#include "cmd/chi/files.h"
#include "cmd/chi/show.h"

typedef struct run {
  cli *c;
  fe_unit *u;
  compiled x;
  ir_target model;
  unsigned timeout;
  inputs in;
  const ir_cost *predicted;
  evaluation clear;  /* if evaluated: status says */
  bool evaluated;
  run_result nodes;
  outcome out;
  char *dir;
  progress prog;
} run;

/* ---- on nodes ---- */

static void library_loaded(void *user) {
  run *r = user;
  tmp_remove(r->dir);
  r->dir = NULL;
}

static bool keep(run *r, backend_output *o) {
  if (r->c->opt.keep == NULL)
    return true;
  return files_save(r->c, r->c->opt.keep, r->x.fn->name, o);
}

/* Emits, compiles; the library's path or NULL. */
static const char *library(run *r) {
  cli *c = r->c;
  backend_output o = {0};
  if (!compile_emit(c, r->u, &r->x, r->x.fn->name, &o))
    return NULL;
  const char *path = NULL;
  if (keep(r, &o) && (r->dir = tmp_make(c)) != NULL &&
      files_save(c, r->dir, r->x.fn->name, &o)) {
    const char *stem = arena_printf(c->a, "%s/%s", r->dir, r->x.fn->name);
    cc_job job = {.source = arena_printf(c->a, "%s.c", stem),
                  .library = arena_printf(c->a, "%s.so", stem)};
    if (cc_run(c, r->dir, &job, 1, &r->prog))
      path = job.library;
  }
  backend_output_free(&o);
  return path;
}

static void take_output(lanes *v, const run_output *o) {
  *v = (lanes){.n = o->n};
  if (o->n == 0)
    return;
  if (o->small != NULL) {
    v->small = malloc(o->n * sizeof *v->small);
    if (v->small == NULL)
      arena_oom_hook();
    memcpy(v->small, o->small, o->n * sizeof *v->small);
    return;
  }
  v->big = malloc(o->n * sizeof *v->big);
  if (v->big == NULL)
    arena_oom_hook();
  const char *s = o->digits;
  for (uint64_t i = 0; i < o->n; i++, s += strlen(s) + 1)
    mpz_init_set_str(v->big[i], s, 10);
}

static void take_outcome(run *r) {
  outcome *o = &r->out;
  const run_result *k = &r->nodes;
  o->n = k->noutput;
  o->val = calloc(o->n + 1, sizeof *o->val);
  o->ntold = k->ntold;
  o->told = calloc(o->ntold + 1, sizeof *o->told);
  if (o->val == NULL || o->told == NULL)
    arena_oom_hook();
  for (uint32_t i = 0; i < o->n; i++)
    take_output(&o->val[i], &k->output[i]);
  for (uint32_t i = 0; i < o->ntold; i++) {
    const run_told *t = &k->told[i];
    told_value *v = &o->told[i];
    v->output = t->output;
    memcpy(v->to, t->to, sizeof v->to);
    if (t->value != NULL)
      client_integers(&v->val, r->x.m, &r->x.m->out[t->output], t->value, t->n);
  }
}

/* Predicted and measured must be the same number. */
static bool same_cost(run *r) {
  bool ok = true;
  for (unsigned i = 0; i < r->model.n; i++) {
    if (r->nodes.rounds[i] != r->predicted->rounds) {
      diag_report_nowhere(r->c->dg, DIAG_COST_DIFFERS, "rounds",
                          (unsigned long long)r->predicted->rounds,
                          (unsigned long long)r->nodes.rounds[i]);
      return false;
    }
    if (r->nodes.bytes[i] != r->predicted->bytes[i]) {
      diag_report_nowhere(
          r->c->dg, DIAG_COST_DIFFERS,
          arena_printf(r->c->a, "bytes of node %u", i),
          (unsigned long long)r->predicted->bytes[i],
          (unsigned long long)r->nodes.bytes[i]);
      ok = false;
    }
  }
  return ok;
}

static bool evaluate(run *r) {
  if (!r->evaluated)
    r->evaluated =
        eval_run(r->c, &r->x, &r->in, &r->model, &r->clear);
  return r->evaluated;
}

/* The same circuit on the same inputs in the clear tells the place. */
static void report_check(run *r) {
  if (!evaluate(r))
    return;
  if (r->clear.status != IR_RUN_OK)
    eval_report(r->c, &r->clear);
  else
    diag_report_nowhere(r->c->dg, DIAG_CLEAR_DIFFERS, r->x.fn->name,
                        r->nodes.detail);
}

static run_status on_mesh(run *r) {
  cli *c = r->c;
  run_status st = RUN_FAILED;
  chi_protocol p = r->model.protocol == IR_REP3 ? CHI_REP3 : CHI_SHAMIR;
  const char *so = library(r);
  mesh *m = so != NULL
                ? mesh_start(c, p, r->model.n, r->timeout, &r->prog)
                : NULL;
  if (m != NULL)
    st = mesh_run(m, so, compile_symbol(c, r->u, &r->x),
                  compile_field(r->x.m), &r->in, r->x.m->nout, library_loaded,
                  r, &r->nodes);
  mesh_stop(m);
  tmp_remove(r->dir);
  r->dir = NULL;
  return st;
}

static bool run_nodes(run *r) {
  proc_guard();
  run_status st = on_mesh(r);
  progress_end(&r->prog);
  proc_unguard();
  if (st == RUN_CHECK)
    report_check(r);
  if (st != RUN_OK)
    return false;
  take_outcome(r);
  return same_cost(r);
}

/* ---- in the clear ---- */

static bool run_clear(run *r) {
  backend_output o = {0};
  if (r->c->opt.keep != NULL) {
    bool ok = compile_emit(r->c, r->u, &r->x, r->x.fn->name, &o) &&
              keep(r, &o);
    backend_output_free(&o);
    if (!ok)
      return false;
  }
  if (!evaluate(r))
    return false;
  if (r->clear.status != IR_RUN_OK) {
    eval_report(r->c, &r->clear);
    return false;
  }
  r->predicted = r->clear.cost;
  r->out = r->clear.out;
  r->clear.out = (outcome){0};
  return true;
}

/* ---- printing ---- */

static void json_array(buf *b, const uint64_t *v, unsigned n) {
  buf_putc(b, '[');
  for (unsigned i = 0; i < n; i++)
    buf_printf(b, "%s%llu", i ? "," : "", (unsigned long long)v[i]);
  buf_putc(b, ']');
}

static void print_json(run *r, buf *b) {
  unsigned n = r->model.n;
  bool clear = r->c->opt.clear;
  buf_puts(b, "{\"outputs\":");
  show_outputs_json(b, r->x.fn, &r->out, &r->in.who);
  buf_puts(b, ",\"rounds\":");
  if (clear)
    buf_puts(b, "null,\"bytes_sent\":null");
  else {
    buf_printf(b, "%llu,\"bytes_sent\":",
               (unsigned long long)r->nodes.rounds[0]);
    json_array(b, r->nodes.bytes, n);
  }
  if (r->predicted != NULL) {
    buf_printf(b, ",\"predicted\":{\"rounds\":%llu,\"bytes_sent\":",
               (unsigned long long)r->predicted->rounds);
    json_array(b, r->predicted->bytes, n);
    buf_putc(b, '}');
  } else {
    buf_puts(b, ",\"predicted\":null");
  }
  buf_printf(b, ",\"seconds\":%.6f",
             clear ? r->clear.seconds : r->nodes.seconds);
  if (!clear)
    buf_printf(b, ",\"seconds_online\":%.6f", r->nodes.online);
  buf_puts(b, ",\"told\":");
  show_told_json(b, r->x.m, &r->out, &r->in.who);
  buf_printf(b, ",\"protocol\":\"%s\",\"nodes\":%u", show_protocol(&r->model),
             n);
  if (!clear) {
    buf_puts(b, ",\"setup_bytes_sent\":");
    json_array(b, r->nodes.setup, n);
    buf_puts(b, ",\"wire_bytes_sent\":");
    json_array(b, r->nodes.wire, n);
  }
  if (r->c->opt.openings) {
    buf_putc(b, ',');
    show_openings_json(b, r->c, &r->x.facts);
  }
  buf_puts(b, "}\n");
}

static void cost_row(buf *b, const char *what, uint64_t predicted,
                     const uint64_t *measured) {
  buf num = {0};
  buf_printf(b, "%-22s", what);
  text_count(&num, predicted);
  buf_printf(b, "%14s", num.p);
  if (measured != NULL) {
    buf_reset(&num);
    text_count(&num, *measured);
    buf_printf(b, "%14s", num.p);
  }
  buf_putc(b, '\n');
  buf_free(&num);
}

static void print_cost(run *r, buf *b) {
  if (r->predicted == NULL) {
    buf_printf(b, "\nchecked in the clear, %.3f s: nothing went wrong\n",
               r->clear.seconds);
    return;
  }
  const uint64_t *bytes = r->predicted->bytes;
  unsigned n = r->model.n;
  bool clear = r->c->opt.clear, even = true;
  for (unsigned i = 1; i < n; i++)
    even = even && bytes[i] == bytes[0];
  buf_printf(b, "\n%-22s%14s%s\n", "", "predicted",
             clear ? "" : "      measured");
  cost_row(b, "rounds", r->predicted->rounds,
           clear ? NULL : &r->nodes.rounds[0]);
  for (unsigned i = 0; i < (even ? 1 : n); i++)
    cost_row(b,
             even ? "bytes sent, each node"
                  : arena_printf(r->c->a, "bytes sent, node %u", i),
             bytes[i], clear ? NULL : &r->nodes.bytes[i]);
  if (clear)
    buf_printf(b, "in the clear, %.3f s; predicted for %s, %u nodes\n",
               r->clear.seconds, show_protocol(&r->model), n);
  else
    buf_printf(b, "%s, %u nodes, %.3f s, of which %.3f s from their agreement "
                  "on\n", show_protocol(&r->model), n, r->nodes.seconds,
               r->nodes.online);
}

static bool print(run *r) {
  buf b = {0};
  if (r->c->opt.json) {
    print_json(r, &b);
  } else {
    show_outputs(&b, r->c, r->x.m, r->x.fn, &r->out, &r->in.who);
    show_told(&b, r->c, r->x.m, &r->out, &r->in.who);
    print_cost(r, &b);
    if (r->c->opt.openings) {
      buf_putc(&b, '\n');
      show_openings(&b, r->c, &r->x.facts);
    }
  }
  bool ok = print_out(&b);
  buf_free(&b);
  return ok;
}

/* ---- the command ---- */

static bool compute(run *r) {
  cli *c = r->c;
  const fe_fn *f = compile_find(c, r->u, c->opt.arg[1]);
  int level;
  if (f == NULL || !option_level(c, &level) ||
      !compile_fn(c, r->u, f, level, IR_SCHED, &r->model, &r->x) ||
      !inputs_read(c, f, r->x.m->p, &r->in))
    return false;
  if (c->opt.clear)
    return run_clear(r);
  r->predicted = r->x.cost;
  if (!r->x.cost->exact) {
    /* Control flow depends on values: the walk with these inputs tells. */
    if (!evaluate(r))
      return false;
    if (r->clear.status != IR_RUN_OK) {
      eval_report(c, &r->clear);
      return false;
    }
    r->predicted = r->clear.cost;
  }
  return run_nodes(r);
}

int cmd_run(cli *c) {
  run r = {.c = c, .timeout = 60};
  c->opt.clear |= c->opt.check;
  if (c->opt.check && c->opt.keep != NULL) {
    usage_error(c, NULL, "option '--keep' does not go with '--check'");
    return EXIT_USAGE;
  }
  int level;
  if (!option_model(c, &r.model) || !option_level(c, &level))
    return EXIT_USAGE;
  if (c->opt.timeout != NULL &&
      !opts_number(c, "--timeout", c->opt.timeout, 1, 86400, &r.timeout))
    return EXIT_USAGE;
  r.u = compile_unit(c, c->opt.arg[0]);
  if (r.u == NULL)
    return report_failure(c);
  progress_begin(&r.prog, c);
  bool ok = compute(&r);
  progress_end(&r.prog);
  if (ok) {
    outcome_arrange(&r.out, r.x.m, r.x.fn);
    report_warnings(c);
  }
  int code = !ok ? report_failure(c) : print(&r) ? EXIT_FINE : EXIT_NETWORK;
  if (r.evaluated)
    outcome_free(&r.clear.out);
  outcome_free(&r.out);
  inputs_free(&r.in);
  return code;
}
