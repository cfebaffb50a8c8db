/* An action that is cut does what the whole does, and no part does what is not
 * its own. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen.h"
#include "ir/analysis.h"
#include "ir/pass/pass.h"
#include "run.h"
#include "suite.h"

#define INPUTS 3

static uint64_t env(const char *name, uint64_t otherwise) {
  const char *s = getenv(name);
  return s ? strtoull(s, NULL, 10) : otherwise;
}

static struct {
  unsigned cut, refused[3], whole_fails, part_fails[3], well, public_only;
  unsigned other_check, tapes;
} seen;

/* ---- parts ---- */
static const char *const part_name[3] = {"before", "circuit", "after"};

typedef struct parts {
  ir_module *m[3]; /* through their text */
  bool optimised;
} parts;

static char *text_of(const ir_module *m) {
  buf b = {0};
  ir_print(m, &b, false);
  char *s = strdup(b.p);
  buf_free(&b);
  return s;
}

static void say(const diag *dg) {
  buf b = {0};
  diag_render_all(dg, &b, false);
  fprintf(stderr, "%s", b.p ? b.p : "");
  buf_free(&b);
}

static ir_module *reparse(arena *a, const ir_module *m) {
  char *s = text_of(m);
  source_set *ss = source_set_new(a);
  source_id id;
  diag *dg = diag_new(a, ss);
  ir_module *r = NULL;
  if (source_add(ss, "part.ir", s, strlen(s), &id)) r = ir_parse(a, ss, id, dg);
  if (r && !ir_verify(r, dg)) r = NULL;
  if (!r) say(dg);
  free(s);
  return r;
}

static bool cut_action(arena *a, ir_module *m, parts *p) {
  ir_cut cut;
  diag *dg = diag_new(a, m->src);
  if (!ir_cut_action(a, m, dg, &cut)) {
    diag_id id = diag_count(dg) ? diag_get(dg, 0)->id : DIAG_COUNT;
    CU_ASSERT_EQUAL(diag_count(dg), 1);
    if (id == DIAG_CUT_SECOND) seen.refused[0]++;
    else if (id == DIAG_CUT_SECOND_READ) seen.refused[1]++;
    else if (id == DIAG_CUT_TAPE) seen.refused[2]++;
    else say(dg);
    CU_ASSERT(id == DIAG_CUT_SECOND || id == DIAG_CUT_SECOND_READ ||
              id == DIAG_CUT_TAPE);
    return false;
  }
  seen.cut++;
  ir_module *part[3] = {cut.before, cut.circuit, cut.after};
  for (int k = 0; k < 3; k++) {
    p->m[k] = part[k] ? reparse(a, part[k]) : NULL;
    CU_ASSERT(!part[k] || p->m[k]);
  }
  return true;
}

/* ---- what each part may hold ---- */
typedef struct law {
  int part;
  bool ok;
} law;

static void obeys(ir_inst *i, void *user) {
  law *l = user;
  bool map = i->op == OP_MLOAD || i->op == OP_MSTORE || i->op == OP_EMIT ||
             i->op == OP_WROTE;
  if (l->part == 1) {
    l->ok = l->ok && !map;
    return;
  }
  l->ok = l->ok && i->op != OP_OPEN && i->op != OP_TELL;
  for (uint32_t k = 0; k < i->nres; k++)
    l->ok = l->ok && i->res[k]->ty.kind == KIND_PUB;
}

static bool leaf_may(int part, bool out, const ir_leaf *l) {
  char c = *l->name;
  if (part == 1) {
    if (out) return c == '!' || l->secret || !strcmp(l->top, "told");
    return c == '%' || l->secret;
  }
  if (l->secret) return false;
  if (out) return c != '!' && (c != '%' || part == 0);
  return part == 0 ? c != '%' && c != '!' : c == '%' || c == '!';
}

static void note_change(void *user, const pass_stat *st) {
  *(bool *)user = st->changed;
}

/* Nothing in it that nothing needs. */
static bool is_lean(arena *a, ir_module *m) {
  bool changed = false;
  pass_opts o = {.stat = note_change, .user = &changed};
  ir_uses u;
  ir_uses_fill(&u, m, a);
  for (const ir_inst *i = m->body->first; i; i = i->next)
    if (i->op == OP_INPUT && !ir_uses_count(&u, i->res[0])) return false;
  return pass_run(m, "dce", &o, NULL) && !changed;
}

/* What before hands on, the circuit or after takes. */
static bool is_taken(const parts *p, const char *name) {
  for (int k = 1; k < 3; k++)
    if (p->m[k] && ir_leaf_find(p->m[k]->in, p->m[k]->nin, name) >= 0)
      return true;
  return false;
}

static bool part_is_lawful(arena *a, const parts *p, int k) {
  ir_module *m = p->m[k];
  law l = {k, true};
  if (!m) return true;
  ir_walk(m->body, obeys, &l);
  l.ok = l.ok && is_lean(a, m);
  for (uint32_t j = 0; j < m->nin; j++) {
    l.ok = l.ok && leaf_may(k, false, &m->in[j]);
    if (m->in[j].name[0] == '!' && *m->in[j].shape) seen.tapes++;
  }
  for (uint32_t j = 0; j < m->nout; j++)
    l.ok = l.ok && leaf_may(k, true, &m->out[j]) &&
           (m->out[j].name[0] != '%' || is_taken(p, m->out[j].name));
  return l.ok;
}

/* ---- whole against parts ---- */
typedef struct finding {
  const char *message;
  bool found;
} finding;

static void find_check(ir_inst *i, void *user) {
  finding *f = user;
  if (i->op == OP_CHECK && !strcmp(i->at.message, f->message)) f->found = true;
}

static bool has_check(ir_block *b, const char *message) {
  finding f = {message, false};
  ir_walk(b, find_check, &f);
  return f.found;
}

static void find_open(ir_inst *i, void *user) {
  if (i->op == OP_OPEN) *(bool *)user = true;
}

/* Does the check stand before the cut? */
static bool is_early(const ir_module *m, const char *message) {
  for (ir_inst *i = m->body->first; i; i = i->next) {
    bool opens = i->op == OP_OPEN;
    finding f = {message, false};
    find_check(i, &f);
    for (uint32_t r = 0; r < i->nregion; r++) {
      ir_walk(i->region[r], find_open, &opens);
      f.found |= has_check(i->region[r], message);
    }
    if (opens) return false;
    if (f.found) return true;
  }
  return false;
}

static const char *fails_alike(const ir_module *m, const parts *p,
                               const world *x, const world *y) {
  if (y->status == IR_RUN_OK) return "no part fails";
  /* a schedule does not wait for a value that does not fit its type */
  bool more = y->opened > x->opened || y->told_lanes > x->told_lanes;
  if (more && !(p->optimised && x->status == IR_RUN_RANGE))
    return "the circuit tells more than the whole";
  if (x->status == IR_RUN_CHECK && is_early(m, x->message) &&
      strcmp(y->failed, "before"))
    return "a check before the cut fails later";
  if (y->status == x->status && !strcmp(x->message, y->message)) return NULL;
  /* passes keep checks in order, but not among values that do not fit */
  if (p->optimised && (x->status == IR_RUN_RANGE || y->status == IR_RUN_RANGE))
    return NULL;
  /* a check that the circuit cannot know, and then one that it needs */
  bool blind = x->status == IR_RUN_CHECK && !strcmp(y->failed, "circuit") &&
               !has_check(p->m[1]->body, x->message);
  if (!blind) return "another failure";
  seen.other_check++;
  return NULL;
}

static const char *run_alike(const ir_module *m, const parts *p,
                             uint64_t seed) {
  world x, y;
  world_init(&x, seed);
  world_init(&y, seed);
  world_run(&x, m, "whole");
  for (int k = 0; k < 3; k++)
    if (p->m[k]) world_run(&y, p->m[k], part_name[k]);
  const char *why = NULL;
  if (x.status != IR_RUN_OK) {
    seen.whole_fails++;
    why = fails_alike(m, p, &x, &y);
    for (int k = 0; k < 3; k++)
      seen.part_fails[k] += y.failed && !strcmp(y.failed, part_name[k]);
  } else {
    seen.well++;
    char *s = world_text(&x), *t = world_text(&y);
    if (y.status != IR_RUN_OK) why = "a part fails";
    else if (strcmp(s, t)) why = "another outcome";
    else if (x.opened < y.opened || (x.opened > y.opened && !p->optimised))
      why = "another number of openings";
    if (why) fprintf(stderr, "--- whole\n%s--- parts\n%s", s, t);
    free(s);
    free(t);
  }
  if (why)
    fprintf(stderr, "whole %d %s, %s %d %s\n", x.status,
            x.message ? x.message : "", y.failed ? y.failed : "parts",
            y.status, y.message ? y.message : "");
  world_free(&x);
  world_free(&y);
  return why;
}

static void complain(uint64_t seed, const char *what, const ir_module *m,
                     const parts *p) {
  fprintf(stderr, "seed %llu: %s (CUT_SHOW=1 prints the parts)\n",
          (unsigned long long)seed, what);
  if (!getenv("CUT_SHOW")) return;
  char *s = text_of(m);
  fprintf(stderr, "%s", s);
  free(s);
  for (int k = 0; k < 3; k++) {
    if (!p->m[k]) continue;
    s = text_of(p->m[k]);
    fprintf(stderr, "# %s\n%s", part_name[k], s);
    free(s);
  }
}

static const char *alike(const ir_module *whole, const parts *p,
                         uint64_t seed) {
  const char *why = NULL;
  for (uint64_t k = 0; k < INPUTS && !why; k++)
    why = run_alike(whole, p, seed * INPUTS + k);
  return why;
}

/* The parts as they are compiled: the circuit down to its rounds. */
static bool compile(arena *a, parts *p) {
  static const ir_stage upto[3] = {IR_HIGH, IR_SCHED, IR_HIGH};
  pass_opts o = {.verify = true};
  bool ok = p->optimised = true;
  for (int k = 0; ok && k < 3; k++) {
    diag *dg = diag_new(a, p->m[k] ? p->m[k]->src : NULL);
    ok = !p->m[k] || pass_run(p->m[k], pass_pipeline(2, upto[k]), &o, dg);
    if (!ok) say(dg);
  }
  return ok;
}

static bool one(uint64_t seed) {
  arena *a = arena_new();
  parts p = {.optimised = false};
  ir_module *m = gen_action(a, seed), *whole = reparse(a, m);
  const char *why = NULL;
  bool tidy = seed % 4 == 0; /* first, as a compiler may do */
  if (!whole || (tidy && !pass_run(m, "fold,cse,dce", NULL, NULL))) {
    why = "the generator is wrong";
  } else if (cut_action(a, m, &p)) {
    seen.public_only += !p.m[1];
    for (int k = 0; k < 3 && !why; k++)
      if (!part_is_lawful(a, &p, k)) why = part_name[k];
    p.optimised = tidy;
    if (!why) why = alike(whole, &p, seed);
    if (!why && !compile(a, &p)) why = "the parts do not compile";
    if (!why) why = alike(whole, &p, seed);
  }
  if (why) complain(seed, why, whole ? whole : m, &p);
  arena_free(a);
  return !why;
}

static void test_random(void) {
  unsigned bad = 0;
  uint64_t first = env("CUT_FIRST", 1), n = env("CUT_SEEDS", 3000);
  for (uint64_t s = first; s < first + n && bad < 5; s++) bad += !one(s);
  CU_ASSERT_EQUAL(bad, 0);
}

/* The generator is worth something. */
static void test_outcomes(void) {
  fprintf(stderr,
          "%u cut (%u public, %u tapes), refused: %u written, %u read, %u "
          "long; %u runs well, %u fail (%u before, %u circuit, %u after; %u by "
          "another check)\n",
          seen.cut, seen.public_only, seen.tapes, seen.refused[0],
          seen.refused[1], seen.refused[2], seen.well, seen.whole_fails,
          seen.part_fails[0], seen.part_fails[1], seen.part_fails[2],
          seen.other_check);
  unsigned refused = seen.refused[0] + seen.refused[1] + seen.refused[2];
  CU_ASSERT(seen.cut > refused);
  CU_ASSERT(seen.well > seen.whole_fails);
  CU_ASSERT(5 * seen.whole_fails > seen.well);
  for (int k = 0; k < 3; k++) CU_ASSERT(seen.part_fails[k] > 0);
  CU_ASSERT(100 * seen.other_check < seen.whole_fails);
}

void random_suite(void) {
  CU_pSuite s = CU_add_suite("random actions", NULL, NULL);
  CU_add_test(s, "the parts do what the whole does", test_random);
  CU_add_test(s, "outcomes", test_outcomes);
}
