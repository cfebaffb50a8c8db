/* chi check, chi build, chi inspect. */
#include <string.h>

#include "cmd/chi/compile.h"
#include "cmd/chi/files.h"
#include "cmd/chi/show.h"

/* What fe_check cannot see: limits of the circuit, and promises to keep. */
static void check_circuits(cli *c, fe_unit *u) {
  ir_cost_model model = {IR_REP3, 3};
  for (uint32_t i = 0; i < fe_fn_count(u); i++) {
    const fe_fn *f = fe_fn_at(u, i);
    compiled x;
    if (!f->runnable)
      continue;
    if (f->max_rounds >= 0 || f->max_bytes >= 0) {
      compile_fn(c, u, f, 2, IR_SCHED, &model, &x);
    } else {
      arena *scratch = arena_new();
      fe_lower(u, f->name, scratch, NULL);
      arena_free(scratch);
    }
  }
  for (uint32_t i = 0; i < fe_test_count(u); i++) {
    arena *scratch = arena_new();
    fe_lower_test(u, i, scratch, NULL);
    arena_free(scratch);
  }
}

int cmd_check(cli *c) {
  fe_unit *u = compile_unit(c, c->opt.arg[0]);
  if (u != NULL)
    check_circuits(c, u);
  if (!c->opt.json)
    return u == NULL ? report_failure(c) : report_end(c);
  buf b = {0};
  diag_sort(c->dg);
  report_json(c, &b);
  buf_putc(&b, '\n');
  bool ok = print_out(&b);
  buf_free(&b);
  int code = report_code(c->dg);
  return ok || code == EXIT_BUG ? code : EXIT_NETWORK;
}

typedef struct built {
  const fe_fn *f;
  backend_output o;
} built;

static int print_built(cli *c, const built *v, uint32_t n) {
  buf b = {0};
  if (c->opt.json)
    buf_puts(&b, "{\"files\":[");
  for (uint32_t i = 0, k = 0; i < n; i++)
    for (uint32_t j = 0; j < v[i].o.npart; j++, k++) {
      const char *path = arena_printf(c->a, "%s/%s%s", c->opt.out,
                                      v[i].f->name, v[i].o.part[j].suffix);
      if (c->opt.json) {
        buf_puts(&b, k ? "," : "");
        text_jsonz(&b, path);
      } else {
        buf_printf(&b, "%s\n", path);
      }
    }
  if (c->opt.json)
    buf_puts(&b, "]}\n");
  bool ok = print_out(&b);
  buf_free(&b);
  return ok ? EXIT_FINE : EXIT_NETWORK;
}

/* Everything is emitted before the first file is written. */
static bool build_all(cli *c, fe_unit *u, int level, built *v, uint32_t n) {
  ir_cost_model model = {IR_REP3, 3};
  bool ok = true;
  for (uint32_t i = 0; i < n; i++) {
    compiled x;
    ok = compile_fn(c, u, v[i].f, level, IR_SCHED, &model, &x) &&
         compile_emit(c, u, &x, v[i].f->name, &v[i].o) && ok;
  }
  for (uint32_t i = 0; ok && i < n; i++)
    ok = files_save(c, c->opt.out, v[i].f->name, &v[i].o);
  return ok;
}

int cmd_build(cli *c) {
  int level, code;
  if (c->opt.out == NULL)
    return usage_error(c, NULL, "option '-o' is missing: chi build FILE [FN] "
                       "-o DIR");
  if (!option_level(c, &level))
    return EXIT_USAGE;
  fe_unit *u = compile_unit(c, c->opt.arg[0]);
  if (u == NULL)
    return report_failure(c);
  uint32_t n = 0, all = fe_fn_count(u);
  built *v = ARENA_ARR(c->a, built, all + 1);
  if (c->opt.narg == 2) {
    v[0].f = compile_find(c, u, c->opt.arg[1]);
    if (v[0].f == NULL)
      return report_failure(c);
    n = 1;
  } else {
    for (uint32_t i = 0; i < all; i++)
      if (fe_fn_at(u, i)->runnable)
        v[n++].f = fe_fn_at(u, i);
    if (n == 0) {
      diag_report_nowhere(c->dg, DIAG_NOTHING_RUNNABLE, c->opt.arg[0]);
      return report_failure(c);
    }
  }
  if (build_all(c, u, level, v, n)) {
    report_warnings(c);
    code = print_built(c, v, n);
  } else {
    code = report_failure(c);
  }
  for (uint32_t i = 0; i < n; i++)
    backend_output_free(&v[i].o);
  return code;
}

static bool read_stage(cli *c, ir_stage *out) {
  static const char *const list[] = {"high", "core", "sched"};
  const char *name = c->opt.stage;
  *out = IR_SCHED;
  if (name == NULL)
    return true;
  for (int i = 0; i < 3; i++)
    if (strcmp(name, list[i]) == 0) {
      *out = (ir_stage)i;
      return true;
    }
  const char *near = text_near(name, list, 3);
  usage_error(c, near ? arena_printf(c->a, "Did you mean '%s'?", near) : NULL,
              "option '--stage' takes high, core or sched, not '%s'",
              text_shown(c->a, name, strlen(name)));
  return false;
}

int cmd_inspect(cli *c) {
  ir_cost_model model = {IR_REP3, 3};
  ir_stage stage;
  int level;
  if (!read_stage(c, &stage) || !option_level(c, &level))
    return EXIT_USAGE;
  fe_unit *u = compile_unit(c, c->opt.arg[0]);
  const fe_fn *f = u != NULL ? compile_find(c, u, c->opt.arg[1]) : NULL;
  compiled x;
  if (f == NULL || !compile_fn(c, u, f, level, stage, &model, &x))
    return report_failure(c);
  report_warnings(c);
  buf text = {0}, b = {0};
  ir_print(x.m, &text, c->opt.spans);
  if (c->opt.json) {
    static const char *const stages[] = {"high", "core", "sched"};
    char hash[65];
    ir_hash(x.m, hash);
    buf_puts(&b, "{\"function\":");
    text_jsonz(&b, f->name);
    buf_printf(&b, ",\"stage\":\"%s\",\"hash\":\"%s\",\"text\":",
               stages[stage], hash);
    text_json(&b, text.p, text.n);
    buf_puts(&b, "}\n");
  }
  bool ok = print_out(c->opt.json ? &b : &text);
  buf_free(&b);
  buf_free(&text);
  return ok ? EXIT_FINE : EXIT_NETWORK;
}
