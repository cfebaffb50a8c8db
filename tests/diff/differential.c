/* Programs of generate.py: Python's result = the interpreter's at every stage
 * and level = the emitted C's on nodes of both protocols.
 *
 *   differential DIR STD_DIR     each DIR/pNNNN.chi with its .json
 *   differential DIR STD_DIR high     the interpreter at stage high alone
 *
 * Prints the first difference of each program and exits with 1 if there is
 * one.
 */
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/frontend.h"
#include "ir/pass/pass.h"
#include "kit.h"

enum { PATH = 4096 };

typedef struct program {
  arena *a;
  source_set *ss;
  diag *dg;
  fe_unit *u;
  json_t *doc;
  buf why;
} program;

/* Lanes of a nested list, row-major, each as decimal text. */
static bool flatten(const json_t *v, ir_lanes *out, uint64_t *at) {
  if (json_is_array(v)) {
    size_t k;
    const json_t *e;
    json_array_foreach(v, k, e) if (!flatten(e, out, at)) return false;
    return true;
  }
  mpz_t z;
  mpz_init(z);
  bool ok = json_is_string(v) &&
            mpz_set_str(z, json_string_value(v), 10) == 0 && *at < out->n &&
            ir_lanes_set(out, (*at)++, z);
  mpz_clear(z);
  return ok;
}

static void fini_lanes(void *p) { ir_lanes_fini(p); }

static ir_lanes *inputs(program *p, const ir_module *m) {
  ir_lanes *in = ARENA_ARR(p->a, ir_lanes, m->nin + 1);
  const json_t *given = json_object_get(p->doc, "inputs");
  for (const ir_inst *i = m->body->first; i; i = i->next) {
    if (i->op != OP_INPUT) continue;
    int k = ir_leaf_find(m->in, m->nin, i->at.name);
    uint64_t at = 0;
    ir_lanes_init(&in[k], i->res[0]->ty.lanes,
                  ir_lanes_wide(m, &i->res[0]->ty));
    arena_defer(p->a, fini_lanes, &in[k]);
    if (!flatten(json_object_get(given, i->at.name), &in[k], &at) ||
        at != in[k].n) {
      buf_printf(&p->why, "the input '%s' does not fit", i->at.name);
      return NULL;
    }
  }
  return in;
}

/* The interpreter's outputs, leaf after leaf, beside the expected ones. */
static bool as_python(program *p, const ir_module *m, const ir_lanes *in,
                      const char *what) {
  ir_interp_opts o = {.check_ranges = true};
  ir_interp *x = ir_interp_new(m, &o);
  bool ok = true;
  for (uint32_t k = 0; k < m->nin; k++)
    ok = ok && (!in[k].n || ir_interp_input(x, k, &in[k]));
  ir_status st = ok ? ir_interp_run(x) : IR_RUN_INPUT;
  if (st != IR_RUN_OK) {
    buf_printf(&p->why, "%s: status %d: %s", what, (int)st,
               ok ? ir_interp_message(x) : "an input was refused");
    ir_interp_free(x);
    return false;
  }
  const json_t *want = json_object_get(p->doc, "result");
  uint64_t total = 0, at = 0;
  for (uint32_t k = 0; k < m->nout; k++) total += ir_interp_output(x, k)->n;
  ir_lanes all;
  mpz_t v, w;
  mpz_inits(v, w, (mpz_ptr)NULL);
  ir_lanes_init(&all, total, true);
  ok = flatten(want, &all, &at) && at == total;
  if (!ok) buf_printf(&p->why, "%s: another number of results", what);
  at = 0;
  for (uint32_t k = 0; k < m->nout && ok; k++) {
    const ir_lanes *got = ir_interp_output(x, k);
    for (uint64_t l = 0; l < got->n && ok; l++) {
      ir_lanes_get(got, l, v);
      ir_lanes_get(&all, at++, w);
      if (mpz_cmp(v, w) != 0) {
        buf_printf(&p->why, "%s: '%s' lane %llu is ", what, m->out[k].name,
                   (unsigned long long)l);
        buf_mpz(&p->why, v);
        buf_puts(&p->why, ", Python says ");
        buf_mpz(&p->why, w);
        ok = false;
      }
    }
  }
  mpz_clears(v, w, (mpz_ptr)NULL);
  ir_lanes_fini(&all);
  ir_interp_free(x);
  return ok;
}

static ir_module *lowered(program *p, int level, ir_stage upto,
                          ir_target target) {
  ir_module *m = fe_lower(p->u, "main", p->a, NULL);
  pass_opts o = {.verify = true, .target = target};
  bool ok = m && ir_verify(m, p->dg);
  if (ok && upto != IR_HIGH)
    ok = pass_run(m, pass_pipeline(level, upto), &o, p->dg);
  if (ok) return m;
  diag_render_all(p->dg, &p->why, false);
  return NULL;
}

typedef struct mode {
  chi_protocol protocol;
  unsigned n;
} mode;

static const mode modes[] = {{CHI_REP3, 3},   {CHI_SHAMIR, 3}, {CHI_SHAMIR, 4},
                             {CHI_SHAMIR, 5}, {CHI_SHAMIR, 6}, {CHI_SHAMIR, 7}};
enum { MODES = sizeof modes / sizeof *modes };

static ir_target target_of(const mode *m) {
  return kit_target(m->protocol, m->n);
}

static bool on_nodes(program *p, int level, const ir_lanes *in, unsigned k) {
  /* rep3 always, and two of the others in turn */
  const mode *const use[] = {&modes[0], &modes[1 + k % 5],
                             &modes[1 + (k + 2) % 5]};
  ir_module *m = NULL;
  kit_program *q = NULL;
  bool ok = true;
  for (unsigned j = 0; j < 3 && ok; j++) {
    ir_target t = target_of(use[j]);
    if (q && !kit_fits(m, t)) {
      kit_free(q);
      q = NULL;
    }
    if (!q) {
      m = lowered(p, level, IR_SCHED, t);
      q = m ? kit_compile(m, NULL, &p->why) : NULL;
    }
    ok = q && kit_compare(q, m, use[j]->protocol, use[j]->n, in, &p->why);
    if (!ok)
      buf_printf(&p->why, " (%s, %u nodes)",
                 chi_protocol_name(use[j]->protocol), use[j]->n);
  }
  kit_free(q);
  return ok;
}

static bool one(program *p, const char *base, const char *std, unsigned k,
                bool high, mpz_srcptr prime) {
  char path[PATH];
  json_error_t e;
  snprintf(path, sizeof path, "%s.json", base);
  p->doc = json_load_file(path, 0, &e);
  if (!p->doc) {
    buf_printf(&p->why, "%s: %s", path, e.text);
    return false;
  }
  snprintf(path, sizeof path, "%s.chi", base);
  fe_options o = {.std_dir = std, .prime = prime};
  p->u = fe_load(p->a, p->ss, p->dg, path, &o);
  if (!p->u || !fe_check(p->u)) {
    diag_render_all(p->dg, &p->why, false);
    return false;
  }
  ir_target t = target_of(&modes[k % MODES]);
  ir_module *m = lowered(p, 0, IR_HIGH, t);
  ir_lanes *in = m ? inputs(p, m) : NULL;
  if (!in || !as_python(p, m, in, "high")) return false;
  if (high) return true;
  for (int level = 0; level <= 2; level++)
    for (ir_stage st = IR_CORE; st <= IR_SCHED; st++) {
      char what[32];
      snprintf(what, sizeof what, "%s -O%d", st == IR_CORE ? "core" : "sched",
               level);
      m = lowered(p, level, st, t);
      if (!m || !as_python(p, m, in, what)) return false;
    }
  /* the default level mostly, the others now and then */
  return on_nodes(p, k % 5 == 4 ? (int)(k / 5 % 2) : 2, in, k);
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv) {
  bool high = argc > 3 && strcmp(argv[3], "high") == 0;
  mpz_t prime;
  mpz_init(prime);
  if (argc < 3 || argc > 4 ||
      (argc == 4 && !high && mpz_set_str(prime, argv[3], 0) != 0)) {
    fprintf(stderr, "usage: differential DIR STD_DIR [high|PRIME]\n");
    return 2;
  }
  DIR *d = opendir(argv[1]);
  if (!d) {
    perror(argv[1]);
    return 2;
  }
  arena *names = arena_new();
  char **base = NULL;
  unsigned n = 0, bad = 0;
  for (struct dirent *f; (f = readdir(d));) {
    size_t len = strlen(f->d_name);
    if (len < 5 || strcmp(f->d_name + len - 4, ".chi") != 0) continue;
    base = arena_grow(names, base, n, n + 1, sizeof *base);
    base[n++] = arena_printf(names, "%s/%.*s", argv[1], (int)len - 4,
                             f->d_name);
  }
  closedir(d);
  qsort(base, n, sizeof *base, by_name);
  for (unsigned k = 0; k < n; k++) {
    program p = {.a = arena_new()};
    p.ss = source_set_new(p.a);
    p.dg = diag_new(p.a, p.ss);
    if (!one(&p, base[k], argv[2], k, high,
             mpz_sgn(prime) ? prime : NULL)) {
      bad++;
      printf("%s: %s\n", base[k], p.why.p ? p.why.p : "");
      fflush(stdout);
    }
    json_decref(p.doc);
    buf_free(&p.why);
    arena_free(p.a);
  }
  arena_free(names);
  mpz_clear(prime);
  printf("%u programs, %u wrong\n", n, bad);
  return bad || !n ? 1 : 0;
}
