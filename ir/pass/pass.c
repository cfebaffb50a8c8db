/* Running pipelines: one pass after the other, verified and measured. */
#include "ir/pass/pass.h"

#include <string.h>
#include <time.h>

#include "ir/pass/util.h"

#define PASS(NAME, LO, HI, OUT, REQ, SUM) \
  {#NAME, pass_##NAME, LO, HI, OUT, REQ, SUM},
const pass_info pass_table[PASS_COUNT] = {
#include "ir/pass/passes.def"
};
#undef PASS

static const char *const stage_name[] = {"high", "core", "sched"};

const pass_info *pass_find(const char *name, size_t n) {
  for (int k = 0; k < PASS_COUNT; k++)
    if (strlen(pass_table[k].name) == n && !memcmp(pass_table[k].name, name, n))
      return &pass_table[k];
  return NULL;
}

/* The next name of a comma list; blanks around it do not count. */
bool pass_next(const char **list, const char **name, size_t *n) {
  const char *s = *list;
  while (*s == ',' || *s == ' ') s++;
  if (!*s) return false;
  size_t len = strcspn(s, ", ");
  *name = s;
  *n = len;
  *list = s + len;
  return true;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void count_inst(ir_inst *i, void *n) {
  (void)i;
  ++*(uint64_t *)n;
}

static uint64_t count(const ir_module *m) {
  uint64_t n = 0;
  ir_walk(m->body, count_inst, &n);
  return n;
}

static bool wants(const pass_opts *o, const char *pass) {
  return o && o->dump && o->dump_after &&
         (!strcmp(o->dump_after, "all") || !strcmp(o->dump_after, pass));
}

static bool must_verify(const pass_opts *o) {
#ifdef NDEBUG
  return o && o->verify;
#else
  (void)o;
  return true;
#endif
}

/* What is bound stays with its target. */
static ir_target target_of(const ir_module *m, const pass_opts *o) {
  if (m->target.protocol != IR_ANY) return m->target;
  if (o && o->target.protocol != IR_ANY) return o->target;
  return (ir_target){IR_REP3, 3};
}

/* `done` tells at which change of the module each pass last ran; one that
 * would see what it left behind is not run again. */
typedef struct history {
  uint32_t now;
  uint32_t done[PASS_COUNT];
} history;

static bool run_one(ir_module *m, const pass_info *p, const pass_opts *o,
                    history *h, diag *dg) {
  if (m->stage < p->in_lo || m->stage > p->in_hi) {
    diag_report_nowhere(dg, DIAG_PASS_STAGE, p->name, stage_name[m->stage]);
    return false;
  }
  pass_stat st = {.pass = p->name};
  bool measure = o && o->stat;
  if (measure) st.before = count(m);
  size_t bytes = arena_used(m->a);
  double t0 = now();
  pass_ctx cx = {.scratch = arena_new(), .dg = dg, .target = target_of(m, o)};
  pass_clear(m);
  st.changed = p->run(m, &cx);
  arena_free(cx.scratch);
  if (p->out >= 0) m->stage = (ir_stage)p->out;
  if (st.changed) {
    ir_number(m);
    h->now++;
  }
  h->done[p - pass_table] = h->now;
  st.seconds = now() - t0;
  st.bytes = arena_used(m->a) - bytes;
  if (st.changed && must_verify(o) && !ir_verify(m, dg)) {
    diag_report_nowhere(dg, DIAG_PASS_BROKE, p->name);
    return false;
  }
  if (measure) {
    st.after = count(m);
    o->stat(o->user, &st);
  }
  if (wants(o, p->name)) o->dump(o->user, p->name, m);
  return true;
}

static void find_shuffle(ir_inst *i, void *first) {
  ir_inst **f = first;
  if (!*f && ir_ops[i->op].rule == RULE_SHUFFLE) *f = i;
}

/* Can the target move rows, if the circuit does? */
static bool moves_rows(ir_module *m, const pass_opts *o, diag *dg) {
  ir_target t = target_of(m, o);
  ir_inst *i = NULL;
  if (t.protocol != IR_SHAMIR || t.n <= IR_SHUFFLE_NODES) return true;
  ir_walk(m->body, find_shuffle, &i);
  if (i) {
    diag_report(dg, DIAG_SHUFFLE_NODES, i->sp, IR_SHUFFLE_NODES, t.n);
    diag_hint(dg, "Run it on fewer nodes.");
  }
  return !i;
}

bool pass_run(ir_module *m, const char *pipeline, const pass_opts *o,
              diag *dg) {
  if (!moves_rows(m, o, dg)) return false;
  const char *name;
  size_t n;
  history h = {.now = 1};
  bool ok = true;
  ir_number(m);
  while (ok && pass_next(&pipeline, &name, &n)) {
    const pass_info *p = pass_find(name, n);
    if (!p) {
      diag_report_nowhere(dg, DIAG_PASS_UNKNOWN, (int)n, name);
      ok = false;
    } else if (h.done[p - pass_table] != h.now) {
      ok = run_one(m, p, o, &h, dg);
    }
  }
  pass_clear(m);
  return ok;
}

/* fold,cse,dce settle the circuit before each pass that counts uses; the
 * vectoriser leaves views of views behind, which the second round folds. */
#define HIGH_1 "fold,cse,dce,bits,fold,cse,dce"
#define HIGH_2 \
  "fold,cse,hoist,dce,vector,fold,cse,dce,vector,fold,cse,hoist,dce,bits," \
  "fold,cse,dce,balance,cse,dce"
#define CORE_1 ",lazy,cse,dce"
#define CORE_2 ",lazy,fold,cse,hoist,dce"

const char *pass_pipeline(int level, ir_stage upto) {
  static const char *const table[3][3] = {
      {"", "bits,lazy", "bits,lazy,sched"},
      {HIGH_1, HIGH_1 CORE_1, HIGH_1 CORE_1 ",sched"},
      {HIGH_2, HIGH_2 CORE_2, HIGH_2 CORE_2 ",sched"},
  };
  int l = level < 0 ? 0 : level > 2 ? 2 : level;
  return table[l][upto];
}
