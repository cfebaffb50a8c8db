/* Inputs from the command line, results and costs to standard output. */
#include "cmd/chi-opt/evaluate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The type of an input leaf, from its op in the body. */
static const ir_type *leaf_type(const ir_module *m, const char *name) {
  for (const ir_inst *i = m->body->first; i; i = i->next)
    if (i->op == OP_INPUT && !strcmp(i->at.name, name)) return &i->res[0]->ty;
  return NULL;
}

/* "1,2,3"; one number fills all lanes. */
static bool read_lanes(const char *s, const char *name, ir_lanes *l) {
  mpz_t v;
  mpz_init(v);
  uint64_t k = 0;
  bool ok = true;
  while (ok && *s && k < l->n) {
    size_t n = strcspn(s, ",");
    char *one = strndup(s, n);
    ok = one && !mpz_set_str(v, one, 10) && ir_lanes_set(l, k++, v);
    free(one);
    s += n + (s[n] == ',');
  }
  if (ok && k == 1)
    for (uint64_t j = 1; j < l->n; j++) ir_lanes_set(l, j, v);
  else if (k != l->n || *s)
    ok = false;
  mpz_clear(v);
  if (!ok)
    fprintf(stderr, "chi-opt: input '%s' does not have %llu integers\n", name,
            (unsigned long long)l->n);
  return ok;
}

static bool set_inputs(const ir_module *m, ir_interp *x, ir_lanes *in,
                       char *const *input, size_t ninput) {
  for (size_t k = 0; k < ninput; k++) {
    const char *eq = strchr(input[k], '=');
    char *name = strndup(input[k], eq ? (size_t)(eq - input[k]) : 0);
    int leaf = name ? ir_leaf_find(m->in, m->nin, name) : -1;
    const ir_type *ty = leaf < 0 ? NULL : leaf_type(m, name);
    if (!ty) fprintf(stderr, "chi-opt: no input '%s'\n", input[k]);
    bool ok = ty && ir_lanes_init(&in[leaf], ty->lanes, ir_lanes_wide(m, ty)) &&
              read_lanes(eq + 1, name, &in[leaf]);
    if (ok) ir_interp_input(x, (uint32_t)leaf, &in[leaf]);
    free(name);
    if (!ok) return false;
  }
  return true;
}

static void print_lanes(const ir_lanes *l) {
  mpz_t v;
  mpz_init(v);
  for (uint64_t k = 0; k < l->n && k < 64; k++) {
    ir_lanes_get(l, k, v);
    gmp_printf("%s%Zd", k ? ", " : "", v);
  }
  printf("%s\n", l->n > 64 ? ", .." : "");
  mpz_clear(v);
}

static void print_cost(const char *what, const ir_cost *c, unsigned n) {
  printf("%s: %s, exchanges %llu, rounds %llu, reduced %llu, opened %llu, "
         "bytes",
         what, c->exact ? "exact" : "bound", (unsigned long long)c->exchanges,
         (unsigned long long)c->rounds, (unsigned long long)c->reduce_lanes,
         (unsigned long long)c->open_lanes);
  for (unsigned i = 0; i < n; i++)
    printf(" %llu", (unsigned long long)c->bytes[i]);
  putchar('\n');
}

void print_static_cost(const ir_module *m, ir_target model) {
  arena *a = arena_new();
  ir_cost_meter *t = ir_cost_static(a, m, model);
  print_cost("static", ir_cost_meter_total(t), model.n);
  uint32_t n;
  const ir_cost_line *l = ir_cost_meter_lines(t, &n);
  for (uint32_t k = 0; k < n; k++)
    printf("  line %u: rounds %llu, reduced %llu, opened %llu, told %llu, "
           "bytes %llu\n",
           l[k].line, (unsigned long long)l[k].rounds,
           (unsigned long long)l[k].reduce_lanes,
           (unsigned long long)l[k].open_lanes,
           (unsigned long long)l[k].told_lanes,
           (unsigned long long)l[k].bytes);
  arena_free(a);
}

static void print_results(const ir_module *m, const ir_interp *x) {
  for (uint32_t k = 0; k < m->nout; k++) {
    const ir_lanes *l = ir_interp_output(x, k);
    if (!l) continue;
    printf("%s = ", m->out[k].name);
    print_lanes(l);
  }
  for (uint32_t k = 0; k < ir_interp_ntold(x); k++) {
    const ir_told *t = ir_interp_told(x, k);
    gmp_printf("told %Zd: %s = ", t->identity, t->name);
    print_lanes(&t->value);
  }
  ir_counts n = ir_interp_counts(x);
  printf("exchanges %llu, reduced %llu, opened %llu, told %llu\n",
         (unsigned long long)n.exchanges, (unsigned long long)n.reduce_lanes,
         (unsigned long long)n.open_lanes, (unsigned long long)n.told_lanes);
}

bool evaluate(const ir_module *m, char *const *input, size_t ninput,
              bool check_ranges, const ir_target *model) {
  static const char *const status[] = {
      "ok",    "check failed", "out of range", "assumption failed",
      "input", "undefined",    "wrong range",  "out of budget"};
  arena *a = arena_new();
  ir_interp_opts o = {.check_ranges = check_ranges};
  if (model && m->stage == IR_SCHED) {
    o.user = ir_cost_meter_new(a, m, *model);
    o.exchange = ir_cost_meter_exchange;
  }
  ir_interp *x = ir_interp_new(m, &o);
  ir_lanes *in = ARENA_ARR(a, ir_lanes, m->nin + 1);
  bool ok = set_inputs(m, x, in, input, ninput);
  if (ok) {
    ir_status s = ir_interp_run(x);
    ok = s == IR_RUN_OK;
    if (ok)
      print_results(m, x);
    else
      printf("%s: %s\n", status[s], ir_interp_message(x));
    if (ok && o.user)
      print_cost("run", ir_cost_meter_total(o.user), model->n);
  }
  for (uint32_t k = 0; k < m->nin; k++) ir_lanes_fini(&in[k]);
  ir_interp_free(x);
  arena_free(a);
  return ok;
}
