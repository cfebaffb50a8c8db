/* chi test: every test block in the clear and on nodes; both must agree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/chi/cc.h"
#include "cmd/chi/compile.h"
#include "cmd/chi/driver.h"
#include "cmd/chi/eval.h"
#include "cmd/chi/files.h"
#include "cmd/chi/package.h"
#include "cmd/chi/show.h"

typedef struct test_case {
  const fe_test *test;
  uint32_t index;
  compiled x;
  const char *symbol;
  cc_job job;
  bool clear_ok, nodes_ok, nodes_ran, failed;
  bool assumed; /* a wrong assume: the clear run alone checks it */
  double clear_seconds, node_seconds;
  uint64_t rounds;
  const char *message;
} test_case;

typedef struct suite {
  cli *c;
  fe_unit *u;
  ir_target model;
  int level;
  unsigned timeout;
  test_case *t;
  uint32_t n;
  char *dir;
  mesh *mesh;
  progress prog;
} suite;

static void fail(suite *s, test_case *t, const char *where, span sp,
                 const char *why) {
  t->failed = true;
  t->message = why;
  if (sp.end != 0)
    diag_report(s->c->dg, DIAG_TEST_FAILED, sp, t->test->name, where, why);
  else
    diag_report(s->c->dg, DIAG_TEST_FAILED, t->test->sp, t->test->name, where,
                why);
}

static bool emit(suite *s, test_case *t) {
  cli *c = s->c;
  backend_output o = {0};
  const char *stem = arena_printf(c->a, "test_%u", t->index);
  if (!compile_emit(c, s->u, &t->x, stem, &o))
    return false;
  bool ok = files_save(c, s->dir, stem, &o);
  backend_output_free(&o);
  t->symbol = compile_symbol(c, s->u, &t->x);
  t->job.source = arena_printf(c->a, "%s/%s.c", s->dir, stem);
  t->job.library = arena_printf(c->a, "%s/%s.so", s->dir, stem);
  return ok;
}

/* All circuits of the suite to libraries; the compilers run side by side. */
static bool build_all(suite *s) {
  s->dir = tmp_make(s->c);
  if (s->dir == NULL)
    return false;
  cc_job *job = ARENA_ARR(s->c->a, cc_job, s->n + 1);
  for (uint32_t i = 0; i < s->n; i++) {
    if (!emit(s, &s->t[i]))
      return false;
    job[i] = s->t[i].job;
  }
  return cc_run(s->c, s->dir, job, s->n, &s->prog);
}

static bool run_clear(suite *s, test_case *t) {
  evaluation e;
  if (!eval_run(s->c, &t->x, NULL, &s->model, &e))
    return false;
  t->clear_seconds = e.seconds;
  t->clear_ok = e.status == IR_RUN_OK;
  t->assumed = e.status == IR_RUN_ASSUME;
  if (t->clear_ok) {
    t->rounds = e.cost != NULL ? e.cost->rounds : 0;
    outcome_free(&e.out);
  } else {
    fail(s, t, "in the clear", e.sp, e.message);
  }
  return true;
}

static bool differ(suite *s, test_case *t, const char *how) {
  t->failed = true;
  diag_report(s->c->dg, DIAG_CLEAR_DIFFERS, t->test->sp,
              arena_printf(s->c->a, "test \"%s\"", t->test->name), how);
  return false;
}

static bool run_nodes(suite *s, test_case *t) {
  run_result r;
  run_status st = mesh_run(s->mesh, t->job.library, t->symbol,
                           compile_field(t->x.m), NULL, t->x.m->nout, NULL,
                           NULL, &r);
  if (st == RUN_FAILED) {
    t->failed = true;
    return false;
  }
  t->nodes_ran = true;
  t->nodes_ok = st == RUN_OK;
  t->node_seconds = r.seconds;
  if (t->nodes_ok != t->clear_ok && !t->assumed)
    return differ(s, t, t->clear_ok ? r.detail
                                    : "it fails in the clear, not on nodes");
  if (!t->nodes_ok || !t->clear_ok)
    return true;
  for (unsigned i = 0; i < s->model.n; i++)
    if (r.rounds[i] != t->rounds) {
      t->failed = true;
      diag_report(s->c->dg, DIAG_COST_DIFFERS, t->test->sp, "rounds",
                  (unsigned long long)t->rounds,
                  (unsigned long long)r.rounds[i]);
      return false;
    }
  return true;
}

static void show_one(suite *s, const test_case *t, bool nodes) {
  const char *good = s->c->colour_out ? "\033[32m" : "";
  const char *bad = s->c->colour_out ? "\033[1;31m" : "";
  const char *off = s->c->colour_out ? "\033[0m" : "";
  if (s->c->opt.json)
    return;
  progress_end(&s->prog);
  printf("%s%s%s  %s", t->failed ? bad : good, t->failed ? "FAILED" : "ok    ",
         off, t->test->name);
  printf("  (clear %.1f ms", t->clear_seconds * 1e3);
  if (nodes && t->nodes_ran && t->nodes_ok)
    printf(", nodes %.1f ms, %llu round%s", t->node_seconds * 1e3,
           (unsigned long long)t->rounds, t->rounds == 1 ? "" : "s");
  puts(")");
  fflush(stdout);
}

static bool start_mesh(suite *s) {
  chi_protocol p = s->model.protocol == IR_REP3 ? CHI_REP3 : CHI_SHAMIR;
  s->mesh = mesh_start(s->c, p, s->model.n, s->timeout, &s->prog);
  return s->mesh != NULL;
}

static bool on_mesh(suite *s) {
  bool ok = build_all(s) && start_mesh(s);
  for (uint32_t i = 0; ok && i < s->n; i++) {
    progress_tick(&s->prog, s->t[i].test->name);
    if (i > 0 && !mesh_usable(s->mesh)) {
      mesh_stop(s->mesh);
      ok = start_mesh(s);
    }
    ok = ok && run_nodes(s, &s->t[i]);
    show_one(s, &s->t[i], true);
  }
  return ok;
}

/* First all in the clear, then all on nodes. */
static bool run_all(suite *s) {
  bool ok = true;
  for (uint32_t i = 0; ok && i < s->n; i++) {
    ok = run_clear(s, &s->t[i]);
    if (s->c->opt.clear)
      show_one(s, &s->t[i], false);
  }
  if (!ok || s->c->opt.clear || s->n == 0)
    return ok;
  proc_guard();
  ok = on_mesh(s);
  mesh_stop(s->mesh);
  tmp_remove(s->dir);
  progress_end(&s->prog);
  proc_unguard();
  return ok;
}

static bool print(suite *s, bool whole) {
  buf b = {0};
  unsigned failed = 0, ran = 0;
  for (uint32_t i = 0; i < s->n; i++) {
    failed += s->t[i].failed;
    ran += s->t[i].failed || s->t[i].clear_ok;
  }
  if (!s->c->opt.json) {
    if (s->n == 0)
      buf_puts(&b, "no tests\n");
    else if (whole)
      buf_printf(&b, "%u passed, %u failed%s\n", ran - failed, failed,
                 s->c->opt.check   ? " (checked, in the clear)"
                 : s->c->opt.clear
                     ? " (in the clear)"
                     : arena_printf(s->c->a, " (%s, %u nodes)",
                                    show_protocol(&s->model), s->model.n));
    bool ok = print_out(&b);
    buf_free(&b);
    return ok;
  }
  buf_puts(&b, "{\"tests\":[");
  for (uint32_t i = 0; i < s->n; i++) {
    const test_case *t = &s->t[i];
    source_pos at = source_at(s->c->ss, t->test->sp.start);
    buf_puts(&b, i ? ",\n {\"name\":" : "\n {\"name\":");
    text_jsonz(&b, t->test->name);
    buf_printf(&b, ",\"line\":%u,\"passed\":%s,\"clear\":%s,\"nodes\":%s",
               at.line, t->failed || !t->clear_ok ? "false" : "true",
               t->clear_ok ? "true" : "false",
               !t->nodes_ran ? "null"
               : t->nodes_ok ? "true"
                             : "false");
    buf_printf(&b, ",\"clear_seconds\":%.6f,\"node_seconds\":%.6f",
               t->clear_seconds, t->node_seconds);
    buf_printf(&b, ",\"rounds\":%llu,\"message\":",
               (unsigned long long)t->rounds);
    text_jsonz(&b, t->message);
    buf_putc(&b, '}');
  }
  buf_printf(&b, "],\n \"passed\":%u,\"failed\":%u,\"diagnostics\":",
             ran - failed, failed);
  diag_sort(s->c->dg);
  report_json(s->c, &b);
  buf_puts(&b, "}\n");
  bool ok = print_out(&b);
  buf_free(&b);
  return ok;
}

static bool collect(suite *s) {
  uint32_t n = fe_test_count(s->u);
  const char *filter = s->c->opt.filter;
  bool ok = true;
  s->t = ARENA_ARR(s->c->a, test_case, n + 1);
  for (uint32_t i = 0; i < n; i++) {
    const fe_test *t = fe_test_at(s->u, i);
    if (filter != NULL && strstr(t->name, filter) == NULL)
      continue;
    test_case *k = &s->t[s->n++];
    k->test = t;
    k->index = i;
    if (!s->c->opt.list)
      ok &= compile_test(s->c, s->u, i, s->level, IR_SCHED, &s->model, &k->x);
  }
  return ok;
}

static int list_names(suite *s) {
  buf b = {0};
  if (s->c->opt.json)
    buf_putc(&b, '[');
  for (uint32_t i = 0; i < s->n; i++) {
    if (s->c->opt.json) {
      buf_puts(&b, i ? "," : "");
      text_jsonz(&b, s->t[i].test->name);
    } else {
      buf_printf(&b, "%s\n", s->t[i].test->name);
    }
  }
  if (s->c->opt.json)
    buf_puts(&b, "]\n");
  bool ok = print_out(&b);
  buf_free(&b);
  return ok ? EXIT_FINE : EXIT_NETWORK;
}

int cmd_test(cli *c) {
  suite s = {.c = c, .timeout = 60};
  c->opt.clear |= c->opt.check;
  if (!option_model(c, &s.model) || !option_level(c, &s.level))
    return EXIT_USAGE;
  if (c->opt.timeout != NULL &&
      !opts_number(c, "--timeout", c->opt.timeout, 1, 86400, &s.timeout))
    return EXIT_USAGE;
  s.u = compile_unit(c, c->opt.arg[0]);
  bool ok = s.u != NULL && collect(&s);
  if (ok && !c->opt.list)
    package_check(c, s.u, false); /* a file with an error does not pass */
  if (!ok || diag_errors(c->dg) > 0)
    return report_failure(c);
  if (s.n == 0 && c->opt.filter != NULL)
    return usage_error(c, "chi test FILE --list lists the names.",
                       "no test has '%s' in its name",
                       text_shown(c->a, c->opt.filter, strlen(c->opt.filter)));
  if (c->opt.list)
    return list_names(&s);
  progress_begin(&s.prog, c);
  bool whole = run_all(&s);
  ok = print(&s, whole);
  if (!c->opt.json)
    report_warnings(c);
  int code = report_code(c->dg);
  return code == EXIT_FINE && !(ok && whole) ? EXIT_NETWORK : code;
}
