/* chi check, chi build, chi inspect. */
#include <string.h>

#include "cmd/chi/compile.h"
#include "cmd/chi/files.h"
#include "cmd/chi/package.h"
#include "cmd/chi/show.h"

int cmd_check(cli *c) {
  fe_unit *u = compile_unit_given(c, c->opt.arg[0], c->opt.set.p,
                                  c->opt.set.n);
  if (u != NULL)
    package_check(c, u, true);
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

/* What stands in the directory under one stem. */
typedef struct built {
  const char *stem;
  const fe_fn *f;       /* a function, or */
  const parts *action;  /* the circuit of an action, or */
  const fe_contract *c; /* a package */
  parts *p;             /* of its actions */
  backend_output o;
} built;

static int print_built(cli *c, const built *v, uint32_t n) {
  buf b = {0};
  if (c->opt.json)
    buf_puts(&b, "{\"files\":[");
  for (uint32_t i = 0, k = 0; i < n; i++)
    for (uint32_t j = 0; j < v[i].o.npart; j++, k++) {
      const char *path = arena_printf(c->a, "%s/%s%s", c->opt.out, v[i].stem,
                                      v[i].o.part[j].suffix);
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

static bool build_one(cli *c, fe_unit *u, int level, const ir_target *model,
                      built *v) {
  compiled x;
  if (v->c != NULL) {
    v->o.part[0].suffix = ".contract.json";
    v->o.npart = 1;
    return package_print(c, u, v->c, v->p, &v->o.part[0].text);
  }
  return (v->f != NULL
              ? compile_fn(c, u, v->f, level, IR_SCHED, model, &x)
              : compile_circuit(c, v->action->cut.circuit, &v->action->act->fn,
                                &v->action->facts, level, IR_SCHED, model,
                                &x)) &&
         compile_emit(c, u, &x, v->stem, &v->o);
}

/* Everything is emitted before the first file is written. */
static bool build_all(cli *c, fe_unit *u, int level, const ir_target *model,
                      built *v, uint32_t n) {
  bool ok = true;
  for (uint32_t i = 0; i < n; i++)
    ok = build_one(c, u, level, model, &v[i]) && ok;
  for (uint32_t i = 0; ok && i < n; i++)
    ok = files_save(c, c->opt.out, v[i].stem, &v[i].o);
  return ok;
}

typedef struct work {
  built *v;
  uint32_t n, cap;
} work;

static built *add(cli *c, work *w, const char *stem) {
  if (w->n == w->cap) {
    uint32_t cap = w->cap ? 2 * w->cap : 16;
    w->v = arena_grow(c->a, w->v, w->n, cap, sizeof *w->v);
    w->cap = cap;
  }
  w->v[w->n].stem = stem;
  return &w->v[w->n++];
}

static bool add_contract(cli *c, fe_unit *u, const fe_contract *con,
                         work *w) {
  parts *p = package_parts(c, u, con);
  if (p == NULL)
    return false;
  built *b = add(c, w, con->name); /* first: compiling changes the circuits */
  b->c = con;
  b->p = p;
  for (uint32_t i = 0; i < con->naction; i++)
    if (p[i].cut.circuit != NULL)
      add(c, w, arena_printf(c->a, "%s.%s", con->name, p[i].act->fn.name))
          ->action = &p[i];
  return true;
}

/* The function or contract asked for, or all there are. */
static bool collect(cli *c, fe_unit *u, work *w) {
  const char *name = c->opt.narg == 2 ? c->opt.arg[1] : NULL;
  if (name != NULL && fe_contract_find(u, name) != NULL)
    return add_contract(c, u, fe_contract_find(u, name), w);
  if (name != NULL) {
    const fe_fn *f = compile_find(c, u, name);
    if (f != NULL)
      add(c, w, f->name)->f = f;
    return f != NULL;
  }
  bool ok = true;
  for (uint32_t i = 0; i < fe_fn_count(u); i++)
    if (fe_fn_at(u, i)->runnable)
      add(c, w, fe_fn_at(u, i)->name)->f = fe_fn_at(u, i);
  for (uint32_t i = 0; i < fe_contract_count(u); i++)
    ok = add_contract(c, u, fe_contract_at(u, i), w) && ok;
  if (ok && w->n == 0)
    diag_report_nowhere(c->dg, DIAG_NOTHING_RUNNABLE, c->opt.arg[0]);
  return ok && w->n > 0;
}

int cmd_build(cli *c) {
  ir_target model;
  int level;
  work w = {0};
  if (c->opt.out == NULL)
    return usage_error(c, NULL, "option '-o' is missing: chi build FILE "
                       "[NAME] -o DIR");
  if (!option_model(c, &model) || !option_level(c, &level))
    return EXIT_USAGE;
  fe_unit *u = compile_unit_given(c, c->opt.arg[0], c->opt.set.p,
                                  c->opt.set.n);
  bool ok = u != NULL && collect(c, u, &w) &&
            build_all(c, u, level, &model, w.v, w.n);
  if (ok)
    report_warnings(c);
  int code = ok ? print_built(c, w.v, w.n) : report_failure(c);
  for (uint32_t i = 0; i < w.n; i++)
    backend_output_free(&w.v[i].o);
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
  ir_target model;
  ir_stage stage;
  int level;
  if (!read_stage(c, &stage) || !option_model(c, &model) ||
      !option_level(c, &level))
    return EXIT_USAGE;
  fe_unit *u = compile_unit_given(c, c->opt.arg[0], c->opt.set.p,
                                  c->opt.set.n);
  compiled x;
  if (u == NULL || !package_circuit(c, u, c->opt.arg[1], level, stage, &model,
                                    &x))
    return report_failure(c);
  report_warnings(c);
  buf text = {0}, b = {0};
  ir_print(x.m, &text, c->opt.spans);
  if (c->opt.json) {
    static const char *const stages[] = {"high", "core", "sched"};
    char hash[65];
    ir_hash(x.m, hash);
    buf_puts(&b, "{\"function\":");
    text_jsonz(&b, x.fn->name);
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
