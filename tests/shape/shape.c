/* The shape of all traffic, each frame's round and length in each direction,
 * is the same for different secrets.
 *
 *   shape STD_DIR (FILE.chi | DIR)..            every function and action that
 *                               takes secrets, for rep3 and shamir of 3 and 5
 *   shape STD_DIR --some (FILE.chi | DIR)..     those that can be compared
 *   shape STD_DIR --differs (FILE.chi | DIR)..  the shape must differ: controls
 *
 * Secrets are all least, all greatest, and random; public inputs stay.  A run
 * that a `require` ends, or a value outside its range, does not count.
 * Programs whose control flow follows what they reveal (their cost is not
 * exact) and those with fewer than three runs cannot be compared; with --some
 * they are named, else they are wrong.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/frontend.h"
#include "ir/cost.h"
#include "ir/cut.h"
#include "ir/pass/pass.h"
#include "kit.h"

enum { PATH = 4096, BATCH = 24, ROOM = 100, VARIANTS = 4, RUNS = 3 };

typedef struct subject {
  const char *label;
  ir_module *m;
  bool exact;
} subject;

typedef struct job {
  const char *std;
  bool some;    /* what cannot be compared is left out */
  bool differs; /* they must */
  ir_target target;
  chi_protocol protocol;
  arena *a; /* of the batch */
  subject s[ROOM];
  unsigned n;
  unsigned circuits, runs, bad; /* of all batches */
  buf left_out;
} job;

static void complain(job *j, const char *label, const char *why) {
  j->bad++;
  printf("%s, %s of %u: %s\n", label, chi_protocol_name(j->protocol),
         j->target.n, why);
  fflush(stdout);
}

static void leave_out(job *j, const char *label, const char *why) {
  if (!j->some) {
    complain(j, label, why);
    return;
  }
  buf_printf(&j->left_out, "  %s, %s of %u: %s\n", label,
             chi_protocol_name(j->protocol), j->target.n, why);
}

/* ---- inputs ---- */

static void fini_lanes(void *p) { ir_lanes_fini(p); }

static void pick(mpz_t v, mpz_srcptr lo, mpz_srcptr hi, const ir_leaf *leaf,
                 unsigned variant, gmp_randstate_t rnd) {
  if (mpz_sizeinbase(hi, 2) == 256) { /* an identity */
    kit_identity(v);
  } else if (!leaf->secret) { /* small, so that loops that it bounds end */
    mpz_set_ui(v, 2);
    if (mpz_cmp(v, lo) < 0) mpz_set(v, lo);
    if (mpz_cmp(v, hi) > 0) mpz_set(v, hi);
  } else if (variant < 2) {
    mpz_set(v, variant ? hi : lo);
  } else {
    mpz_sub(v, hi, lo);
    mpz_add_ui(v, v, 1);
    mpz_urandomm(v, rnd, v);
    mpz_add(v, v, lo);
  }
}

static void fill(const ir_module *m, const ir_inst *i, const ir_leaf *leaf,
                 unsigned variant, ir_lanes *l, gmp_randstate_t rnd) {
  const ir_type *ty = &i->res[0]->ty;
  mpz_t v, lo, hi;
  mpz_inits(v, lo, hi, (mpz_ptr)NULL);
  if (ty->range) {
    mpz_set(lo, ty->range->lo);
    mpz_set(hi, ty->range->hi);
  } else {
    mpz_sub_ui(hi, m->p, 1);
  }
  ir_lanes_init(l, ty->lanes, ir_lanes_wide(m, ty));
  for (uint64_t k = 0; k < ty->lanes; k++) {
    pick(v, lo, hi, leaf, variant, rnd);
    ir_lanes_set(l, k, v);
  }
  mpz_clears(v, lo, hi, (mpz_ptr)NULL);
}

static ir_lanes *inputs(job *j, const ir_module *m, unsigned variant) {
  ir_lanes *in = ARENA_ARR(j->a, ir_lanes, m->nin + 1);
  gmp_randstate_t rnd;
  gmp_randinit_default(rnd);
  gmp_randseed_ui(rnd, variant);
  for (const ir_inst *i = m->body->first; i; i = i->next) {
    if (i->op != OP_INPUT) continue;
    int k = ir_leaf_find(m->in, m->nin, i->at.name);
    fill(m, i, &m->in[k], variant, &in[k], rnd);
    arena_defer(j->a, fini_lanes, &in[k]);
  }
  gmp_randclear(rnd);
  return in;
}

/* ---- runs ---- */

static bool unfit(chi_status st) {
  return st == CHI_E_REQUIRE || st == CHI_E_RANGE;
}

/* False: it failed; *first has the first run that counts. */
static bool run(job *j, const subject *s, kit_program *p, unsigned variant,
                kit_result *first, unsigned *count, bool *differs, buf *why) {
  kit_result r;
  ir_lanes *in = inputs(j, s->m, variant);
  bool ok = kit_run(p, s->m, j->protocol, j->target.n, in, &r, why);
  if (ok && unfit(r.status)) {
    kit_result_fini(&r);
    return true;
  }
  if (ok && r.status) {
    buf_printf(why, "%s: %s", chi_status_name(r.status), r.detail);
    ok = false;
  }
  if (ok && ++*count == 1) {
    *first = r;
    return true;
  }
  if (ok && !kit_same_shape(first, &r, j->target.n, why)) *differs = true;
  kit_result_fini(&r);
  return ok;
}

static void try_one(job *j, const subject *s, kit_program *p) {
  kit_result first = {0};
  buf why = {0};
  unsigned count = 0;
  bool ok = true, differs = false;
  for (unsigned v = 0; v < VARIANTS && ok && !differs && count < RUNS; v++)
    ok = run(j, s, p, v, &first, &count, &differs, &why);
  if (!ok || (differs && !j->differs))
    complain(j, s->label, why.p ? why.p : "?");
  else if (j->differs && !differs)
    complain(j, s->label, "its shape is always the same");
  else if (!j->differs && count < RUNS)
    leave_out(j, s->label, "most of its runs fail");
  else
    j->circuits++, j->runs += count;
  kit_result_fini(&first);
  buf_free(&why);
}

static void flush(job *j) {
  ir_module *m[ROOM] = {NULL};
  kit_program *p[ROOM] = {NULL};
  buf why = {0};
  for (unsigned k = 0; k < j->n; k++) m[k] = j->s[k].m;
  if (j->n && !kit_compile_all(m, j->n, &(kit_build){.flags = "-O0"}, p, &why))
    complain(j, j->s[0].label, why.p ? why.p : "?");
  for (unsigned k = 0; k < j->n; k++) {
    if (p[k]) try_one(j, &j->s[k], p[k]);
    kit_free(p[k]);
  }
  buf_free(&why);
  arena_free(j->a);
  j->a = arena_new();
  j->n = 0;
}

/* ---- circuits of a file ---- */

static bool has_secrets(const ir_module *m) {
  for (uint32_t k = 0; k < m->nin; k++)
    if (m->in[k].secret) return true;
  return false;
}

static void add(job *j, ir_module *m, diag *dg, const char *file,
                const char *name) {
  const char *label = arena_printf(j->a, "%s: %s", file, name);
  if (j->n == ROOM) abort();
  pass_opts o = {.verify = true, .target = j->target};
  if (!has_secrets(m)) return;
  if (!pass_run(m, pass_pipeline(2, IR_SCHED), &o, dg)) {
    complain(j, label, "it does not compile");
    return;
  }
  m->name = arena_printf(j->a, "c%u", j->n);
  const ir_cost *c = ir_cost_meter_total(ir_cost_static(j->a, m, j->target));
  if (c->exact == j->differs) {
    leave_out(j, label, j->differs ? "its cost is exact"
                                   : "what it reveals steers it");
    return;
  }
  j->s[j->n++] = (subject){label, m, c->exact};
}

static void add_action(job *j, fe_unit *u, const fe_contract *c,
                       const fe_action *act, diag *dg, const char *file) {
  ir_cut cut = {0};
  ir_module *m = act->kind == FE_ACTION
                     ? fe_lower_action(u, c, act, j->a, NULL)
                     : NULL;
  if (m && ir_cut_action(j->a, m, dg, &cut) && cut.circuit)
    add(j, cut.circuit, dg, file, act->fn.name);
}

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static void take_circuits(job *j, fe_unit *u, diag *dg, const char *file) {
  for (uint32_t k = 0; k < fe_fn_count(u); k++) {
    const fe_fn *f = fe_fn_at(u, k);
    ir_module *m = f->runnable ? fe_lower(u, f->name, j->a, NULL) : NULL;
    if (m) add(j, m, dg, file, f->name);
  }
  for (uint32_t c = 0; c < fe_contract_count(u); c++) {
    const fe_contract *x = fe_contract_at(u, c);
    for (uint32_t k = 0; k < x->naction; k++)
      add_action(j, u, x, &x->action[k], dg, file);
  }
}

static void try_file(job *j, const char *path) {
  source_set *ss = source_set_new(j->a);
  diag *dg = diag_new(j->a, ss);
  fe_unit *u = fe_load(j->a, ss, dg, path, &(fe_options){.std_dir = j->std});
  if (!u || !fe_check(u)) {
    buf why = {0};
    diag_render_all(dg, &why, false);
    complain(j, path, why.p ? why.p : "?");
    buf_free(&why);
  } else {
    take_circuits(j, u, dg, arena_strdup(j->a, base_name(path)));
  }
  if (j->n >= BATCH) flush(j);
}

/* ---- what to try ---- */

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_source(const struct dirent *f) {
  size_t n = strlen(f->d_name);
  return n > 4 && strcmp(f->d_name + n - 4, ".chi") == 0;
}

static void try_path(job *j, const char *path) {
  struct dirent **f;
  int n = scandir(path, &f, is_source, by_name);
  if (n < 0) {
    try_file(j, path);
    return;
  }
  for (int k = 0; k < n; k++) {
    char file[PATH];
    snprintf(file, sizeof file, "%s/%s", path, f[k]->d_name);
    try_file(j, file);
    free(f[k]);
  }
  free(f);
}

int main(int argc, char **argv) {
  static const ir_target targets[] = {
      {IR_REP3, 3}, {IR_SHAMIR, 3}, {IR_SHAMIR, 5}};
  job j = {.a = arena_new()};
  int at = 2;
  j.differs = argc > 2 && strcmp(argv[2], "--differs") == 0;
  j.some = argc > 2 && strcmp(argv[2], "--some") == 0;
  at += j.differs || j.some;
  if (argc <= at) {
    fprintf(stderr,
            "usage: shape STD_DIR [--some | --differs] (FILE.chi | DIR)..\n");
    return 2;
  }
  j.std = argv[1];
  for (unsigned t = 0; t < sizeof targets / sizeof *targets; t++) {
    j.target = targets[t];
    j.protocol = targets[t].protocol == IR_REP3 ? CHI_REP3 : CHI_SHAMIR;
    for (int k = at; k < argc; k++) try_path(&j, argv[k]);
    flush(&j);
  }
  arena_free(j.a);
  printf("%u circuits, %u runs, %u wrong\n", j.circuits, j.runs, j.bad);
  if (j.left_out.n) printf("left out:\n%s", j.left_out.p);
  buf_free(&j.left_out);
  return j.bad || !j.circuits ? 1 : 0;
}
