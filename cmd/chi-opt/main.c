/* chi-opt: runs passes over circuit text.  The goldens of ir/ and its passes go
 * through it.
 *
 *   chi-opt [FILE | -] [--passes=a,b] [-O0|-O1|-O2] [--to=core|sched]
 *           [--spans] [--verify] [--hash] [--depth] [--stats]
 *           [--dump-after=PASS|all] [--interp] [--check-ranges]
 *           [--input NAME=1,2,3] [--cost=rep3 | --cost=shamir:N] [--cut]
 *
 * --cut cuts an action and prints its parts, whatever else is asked.
 * The text is verified on the way in and on the way out; --verify prints
 * nothing else.  Exit 0 fine, 1 a
 * diagnostic or a failed run, 2 usage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/chi-opt/evaluate.h"
#include "ir/analysis.h"
#include "ir/cut.h"
#include "ir/pass/pass.h"

typedef struct options {
  const char *file, *passes, *dump;
  int level;
  ir_stage to;
  bool pipeline, spans, verify_only, hash, depth, stats, interp, cost;
  bool check_ranges, cut;
  ir_target model;
  char **input;
  size_t ninput;
} options;

static const char *value_of(const char *arg, const char *key) {
  size_t n = strlen(key);
  return !strncmp(arg, key, n) && arg[n] == '=' ? arg + n + 1 : NULL;
}

static bool read_model(const char *s, ir_target *c) {
  *c = (ir_target){IR_REP3, 3};
  if (!strncmp(s, "shamir:", 7)) {
    c->protocol = IR_SHAMIR;
    c->n = (unsigned)strtoul(s + 7, NULL, 10);
  } else if (strcmp(s, "rep3")) {
    return false;
  }
  return ir_target_ok(c);
}

static bool read_flag(options *o, const char *arg) {
  static const struct {
    const char *name;
    size_t at;
  } flag[] = {{"--spans", offsetof(options, spans)},
              {"--verify", offsetof(options, verify_only)},
              {"--hash", offsetof(options, hash)},
              {"--depth", offsetof(options, depth)},
              {"--stats", offsetof(options, stats)},
              {"--interp", offsetof(options, interp)},
              {"--cut", offsetof(options, cut)},
              {"--check-ranges", offsetof(options, check_ranges)}};
  for (size_t k = 0; k < sizeof flag / sizeof *flag; k++)
    if (!strcmp(arg, flag[k].name)) {
      *(bool *)((char *)o + flag[k].at) = true;
      return true;
    }
  return false;
}

static bool read_options(options *o, int argc, char **argv) {
  *o = (options){.file = "-", .to = IR_SCHED};
  o->input = calloc((size_t)argc, sizeof *o->input);
  for (int k = 1; k < argc; k++) {
    const char *a = argv[k], *v;
    if (read_flag(o, a)) continue;
    if ((v = value_of(a, "--passes"))) {
      o->passes = v;
    } else if ((v = value_of(a, "--dump-after"))) {
      o->dump = v;
    } else if ((v = value_of(a, "--to"))) {
      o->to = strcmp(v, "core") ? IR_SCHED : IR_CORE;
    } else if ((v = value_of(a, "--cost"))) {
      o->cost = true;
      if (!read_model(v, &o->model)) return false;
    } else if (!strncmp(a, "-O", 2) && a[2] >= '0' && a[2] <= '2' && !a[3]) {
      o->pipeline = true;
      o->level = a[2] - '0';
    } else if (!strcmp(a, "--input") && k + 1 < argc) {
      o->input[o->ninput++] = argv[++k];
    } else if (a[0] == '-' && a[1]) {
      return false;
    } else {
      o->file = a;
    }
  }
  return true;
}

static bool load(const char *path, source_set *ss, source_id *id) {
  if (strcmp(path, "-")) return source_load(ss, path, id);
  buf b = {0};
  char chunk[65536];
  size_t n;
  while ((n = fread(chunk, 1, sizeof chunk, stdin))) buf_write(&b, chunk, n);
  bool ok = source_add(ss, "<stdin>", b.p ? b.p : "", b.n, id);
  buf_free(&b);
  return ok;
}

static void dump(void *user, const char *pass, const ir_module *m) {
  buf b = {0};
  (void)user;
  ir_print(m, &b, false);
  printf("# after %s\n%s", pass, b.p);
  buf_free(&b);
}

static void print_stat(void *user, const pass_stat *st) {
  (void)user;
  fprintf(stderr, "%-10s %8.3f ms %8llu -> %8llu\n", st->pass,
          st->seconds * 1e3, (unsigned long long)st->before,
          (unsigned long long)st->after);
}

static bool transform(const options *o, ir_module *m, diag *dg) {
  const char *passes = o->passes;
  if (!passes && o->pipeline) passes = pass_pipeline(o->level, o->to);
  if (!passes) return true;
  pass_opts po = {.verify = true, .dump_after = o->dump, .dump = dump};
  if (o->stats) po.stat = print_stat;
  return pass_run(m, passes, &po, dg) && ir_verify(m, dg);
}

static bool show_cut(const options *o, ir_module *m, arena *a, diag *dg) {
  ir_cut cut;
  if (!ir_cut_action(a, m, dg, &cut)) return false;
  const char *name[3] = {"before", "circuit", "after"};
  ir_module *part[3] = {cut.before, cut.circuit, cut.after};
  buf b = {0};
  for (int k = 0; k < 3; k++) {
    buf_printf(&b, "# %s%s\n", name[k], part[k] ? "" : ": none");
    if (part[k]) ir_print(part[k], &b, o->spans);
  }
  fwrite(b.p, 1, b.n, stdout);
  buf_free(&b);
  return true;
}

static bool show(const options *o, ir_module *m, arena *a) {
  bool text = !(o->verify_only || o->interp || o->cost || o->hash ||
                o->depth);
  buf b = {0};
  if (text) {
    ir_print(m, &b, o->spans);
    fwrite(b.p, 1, b.n, stdout);
  }
  buf_free(&b);
  char h[65];
  ir_hash(m, h);
  if (o->hash) puts(h);
  if (o->depth)
    printf("depth %llu\n", (unsigned long long)ir_depth_max(m, a));
  if (o->cost) print_static_cost(m, o->model);
  return !o->interp || evaluate(m, o->input, o->ninput, o->check_ranges,
                                o->cost ? &o->model : NULL);
}

int main(int argc, char **argv) {
  options o;
  if (!read_options(&o, argc, argv)) {
    fputs("usage: chi-opt [FILE] [--passes=LIST | -O0 | -O1 | -O2] "
          "[--to=core|sched] [--interp] [--input NAME=VALUES] [--cost=MODEL]\n"
          "       [--spans] [--verify] [--hash] [--depth] [--stats] "
          "[--check-ranges] [--dump-after=PASS] [--cut]\n",
          stderr);
    free(o.input);
    return 2;
  }
  arena *a = arena_new();
  source_set *ss = source_set_new(a);
  diag *dg = diag_new(a, ss);
  source_id id;
  bool ok = load(o.file, ss, &id);
  if (!ok) fprintf(stderr, "chi-opt: could not read '%s'\n", o.file);
  if (ok) {
    ir_module *m = ir_parse(a, ss, id, dg);
    ok = m && ir_verify(m, dg) && transform(&o, m, dg) &&
         (o.cut ? show_cut(&o, m, a, dg) : show(&o, m, a));
  }
  buf b = {0};
  diag_sort(dg);
  diag_render_all(dg, &b, false);
  if (b.n) fwrite(b.p, 1, b.n, stderr);
  buf_free(&b);
  arena_free(a);
  free(o.input);
  return ok ? 0 : 1;
}
