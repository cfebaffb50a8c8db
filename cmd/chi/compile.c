#include "cmd/chi/compile.h"

#include <sodium.h>
#include <string.h>

#include "backend/mangle.h"
#include "cmd/chi/version.h"
#include "ir/pass/pass.h"

bool option_level(cli *c, int *level) {
  unsigned v = 2;
  if (c->opt.level != NULL &&
      !opts_number(c, "--opt", c->opt.level, 0, 2, &v))
    return false;
  *level = (int)v;
  return true;
}

bool option_model(cli *c, ir_target *model) {
  const char *name = c->opt.protocol;
  unsigned n = 3;
  if (c->opt.nodes != NULL &&
      !opts_number(c, "--nodes", c->opt.nodes, 3, IR_NODES_MAX, &n))
    return false;
  *model = (ir_target){n == 3 ? IR_REP3 : IR_SHAMIR, n};
  if (name == NULL)
    return true;
  if (strcmp(name, "rep3") == 0) {
    model->protocol = IR_REP3;
    if (n == 3)
      return true;
    usage_error(c, "Protocol shamir takes 3 to 64 nodes.",
                "protocol rep3 has 3 nodes, not %u", n);
    return false;
  }
  if (strcmp(name, "shamir") == 0) {
    model->protocol = IR_SHAMIR;
    return true;
  }
  static const char *const list[] = {"rep3", "shamir"};
  const char *near = text_near(name, list, 2);
  usage_error(c, near ? arena_printf(c->a, "Did you mean '%s'?", near) : NULL,
              "option '--protocol' takes rep3 or shamir, not '%s'",
              text_shown(c->a, name, strlen(name)));
  return false;
}

chi_field compile_field(const ir_module *m) {
  uint32_t words = ir_field_words(m);
  if (m->is_mersenne && (m->k == 61 || m->k == 127))
    return (chi_field){m->k, words, NULL};
  return (chi_field){0, words, mpz_limbs_read(m->p)};
}

fe_unit *compile_unit(cli *c, const char *path) {
  return compile_unit_given(c, path, NULL, 0);
}

fe_unit *compile_unit_given(cli *c, const char *path, const char *const *given,
                            size_t n) {
  fe_options o = {.std_dir = c->std, .given = given, .ngiven = (uint32_t)n,
                  .strict = c->opt.check, .prime = c->prime};
  fe_unit *u = fe_load(c->a, c->ss, c->dg, path, &o);
  return u != NULL && fe_check(u) ? u : NULL;
}

/* NAME or CONTRACT.NAME is no function, but perhaps an action. */
static void hint_action(cli *c, const fe_unit *u, const char *name) {
  const char *dot = strchr(name, '.'), *own = dot != NULL ? dot + 1 : name;
  for (uint32_t i = 0; i < fe_contract_count(u); i++) {
    const fe_contract *k = fe_contract_at(u, i);
    for (uint32_t j = 0; j < k->naction; j++) {
      if (strcmp(k->action[j].fn.name, own) != 0)
        continue;
      if (c->cmd == CMD_COST || c->cmd == CMD_INSPECT)
        diag_hint(c->dg, "Did you mean \"%s.%s\"?", k->name, own);
      else
        diag_hint(c->dg, "\"%s\" of the contract \"%s\" runs on a network: "
                         "chi deploy, chi call, chi view.", own, k->name);
      return;
    }
  }
}

const fe_fn *compile_find(cli *c, fe_unit *u, const char *name) {
  const fe_fn *f = fe_fn_find(u, name);
  if (f != NULL && f->runnable)
    return f;
  if (f != NULL) {
    diag_report(c->dg, DIAG_NOT_RUNNABLE, f->sp, f->name, f->why_not);
    return NULL;
  }
  uint32_t n = fe_fn_count(u);
  const char **list = ARENA_ARR(c->a, const char *, n + 1);
  for (uint32_t i = 0; i < n; i++)
    list[i] = fe_fn_at(u, i)->name;
  const char *near = text_near(name, list, n);
  diag_report_nowhere(c->dg, DIAG_NO_FUNCTION, fe_file_at(u, 0)->path,
                      text_shown(c->a, name, strlen(name)));
  if (near != NULL)
    diag_hint(c->dg, "Did you mean \"%s\"?", near);
  else
    hint_action(c, u, name);
  return NULL;
}

/* The promises of #[rounds] and #[bytes]. */
static bool within_budget(cli *c, const fe_fn *f, const ir_cost *k,
                          unsigned n) {
  const char *most = k->exact ? "" : "at most ";
  uint64_t bytes = 0;
  bool ok = true;
  for (unsigned i = 0; i < n; i++)
    bytes = k->bytes[i] > bytes ? k->bytes[i] : bytes;
  if (f->max_rounds >= 0 && k->rounds > (uint64_t)f->max_rounds) {
    diag_report(c->dg, DIAG_BUDGET_ROUNDS, f->rounds_sp, f->name, most,
                (unsigned long long)k->rounds, (long long)f->max_rounds);
    ok = false;
  }
  if (f->max_bytes >= 0 && bytes > (uint64_t)f->max_bytes) {
    diag_report(c->dg, DIAG_BUDGET_BYTES, f->bytes_sp, f->name, most,
                (unsigned long long)bytes, (long long)f->max_bytes);
    ok = false;
  }
  return ok;
}

const char *compile_too_many(cli *c, mpz_srcptr p, bool shamir, unsigned n) {
  if (!shamir || mpz_cmp_ui(p, n) > 0)
    return NULL;
  return arena_printf(c->a, "Shamir's sharing among %u nodes needs a prime "
                            "greater than that", n);
}

static bool finish(cli *c, int level, ir_stage upto,
                   const ir_target *model, compiled *x) {
  if (x->m == NULL)
    return false;
  const char *why = compile_too_many(c, x->m->p, model->protocol == IR_SHAMIR,
                                     model->n);
  if (why != NULL) {
    diag_report(c->dg, DIAG_NOT_RUNNABLE,
                x->fn != NULL ? x->fn->sp : (span){0, 0}, x->m->name, why);
    return false;
  }
  if (c->opt.check) /* as it is written: the interpreter is the judge */
    return ir_verify(x->m, c->dg);
  const char *passes = pass_pipeline(level, upto);
  pass_opts o = {.target = *model};
  if (!ir_verify(x->m, c->dg) || !pass_run(x->m, passes, &o, c->dg))
    return false;
  if (upto != IR_SCHED)
    return true;
  x->meter = ir_cost_static(c->a, x->m, *model);
  x->cost = ir_cost_meter_total(x->meter);
  return x->fn == NULL || within_budget(c, x->fn, x->cost, model->n);
}

bool compile_fn(cli *c, fe_unit *u, const fe_fn *f, int level, ir_stage upto,
                const ir_target *model, compiled *out) {
  *out = (compiled){.fn = f};
  out->m = fe_lower(u, f->name, c->a, &out->facts);
  return finish(c, level, upto, model, out);
}

bool compile_circuit(cli *c, ir_module *m, const fe_fn *f,
                     const fe_facts *facts, int level, ir_stage upto,
                     const ir_target *model, compiled *out) {
  *out = (compiled){.fn = f, .m = m, .facts = *facts};
  return finish(c, level, upto, model, out);
}

bool compile_test(cli *c, fe_unit *u, uint32_t i, int level, ir_stage upto,
                  const ir_target *model, compiled *out) {
  *out = (compiled){0};
  out->m = fe_lower_test(u, i, c->a, &out->facts);
  return finish(c, level, upto, model, out);
}

const char *compile_source_hash(cli *c, fe_unit *u) {
  crypto_hash_sha256_state st;
  unsigned char h[crypto_hash_sha256_BYTES];
  char *hex = arena_alloc(c->a, 2 * sizeof h + 1);
  crypto_hash_sha256_init(&st);
  for (uint32_t i = 0; i < fe_file_count(u); i++) {
    const source_file *f = fe_file_at(u, i);
    unsigned char n[8];
    for (int k = 0; k < 8; k++)
      n[k] = (unsigned char)((uint64_t)f->n >> (8 * k));
    crypto_hash_sha256_update(&st, n, sizeof n);
    crypto_hash_sha256_update(&st, (const unsigned char *)f->text, f->n);
  }
  crypto_hash_sha256_final(&st, h);
  return sodium_bin2hex(hex, 2 * sizeof h + 1, h, sizeof h);
}

static const backend_fact *facts(cli *c, const fe_opening *o, uint32_t n) {
  backend_fact *f = ARENA_ARR(c->a, backend_fact, n + 1);
  for (uint32_t i = 0; i < n; i++) {
    source_pos at = source_at(c->ss, o[i].sp.start);
    source_pos call = source_at(c->ss, o[i].call.start);
    f[i] = (backend_fact){at.line,    at.col,     o[i].type,
                          o[i].lanes, o[i].to,    o[i].times,
                          o[i].file,  o[i].call_file, call.line,
                          call.col};
  }
  return f;
}

static const char *module_name(cli *c, fe_unit *u) {
  const char *path = fe_file_at(u, 0)->path, *slash = strrchr(path, '/');
  const char *name = slash != NULL ? slash + 1 : path;
  const char *dot = strrchr(name, '.');
  return dot != NULL && dot > name
             ? arena_strndup(c->a, name, (size_t)(dot - name))
             : name;
}

bool compile_emit(cli *c, fe_unit *u, compiled *x, const char *stem,
                  backend_output *o) {
  backend_info info = {
      .module = module_name(c, u),
      .doc = x->fn != NULL ? x->fn->doc : NULL,
      .version = CHI_VERSION,
      .source_hash = compile_source_hash(c, u),
      .opening = facts(c, x->facts.opening, x->facts.nopening),
      .nopening = x->facts.nopening,
      .assume = facts(c, x->facts.assume, x->facts.nassume),
      .nassume = x->facts.nassume,
      .stem = stem,
  };
  return backend_find("c")->emit(x->m, &info, c->a, c->dg, o);
}

const char *compile_symbol(cli *c, fe_unit *u, const compiled *x) {
  return mangle_symbol(c->a, module_name(c, u), x->m->name);
}
