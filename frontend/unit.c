/* A unit: a file, what it imports, and the functions it offers. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "frontend/sema.h"
#include "grammar/parse.h"

enum { MAX_MODULES = 256 };

uint32_t name_hash(const char *s) {
  uint32_t h = 2166136261u;
  for (; *s; s++) h = (h ^ (unsigned char)*s) * 16777619u;
  return h;
}

static sym *own_sym(const module *m, const char *name, uint32_t h) {
  for (sym *s = m->bucket[h & 255]; s; s = s->next)
    if (s->hash == h && !strcmp(s->name, name)) return s;
  return NULL;
}

bool module_is_std(const fe_unit *u, const module *m) {
  return u->opt.std_dir && m->dir && !strcmp(m->dir, u->opt.std_dir);
}

sym *module_find(const module *m, const char *name) {
  uint32_t h = name_hash(name);
  sym *s = NULL;
  for (; m && !s; m = m->up) s = own_sym(m, name, h);
  return s;
}

/* One report per id and place, whatever the instance. */
bool fe_once(fe_unit *u, diag_id id, span sp) {
  uint64_t key = ((uint64_t)sp.start << 20) ^ ((uint64_t)sp.end << 8) ^
                 (uint64_t)id ^ ((uint64_t)1 << 63);
  if (u->nseen * 2 >= u->capseen) {
    size_t cap = u->capseen ? u->capseen * 2 : 64;
    struct seen *t = ARENA_ARR(u->a, struct seen, cap);
    for (size_t i = 0; i < u->capseen; i++) {
      if (!u->seen[i].key) continue;
      size_t k = (size_t)(u->seen[i].key * 0x9e3779b97f4a7c15u) & (cap - 1);
      while (t[k].key) k = (k + 1) & (cap - 1);
      t[k] = u->seen[i];
    }
    u->seen = t;
    u->capseen = cap;
  }
  size_t k = (size_t)(key * 0x9e3779b97f4a7c15u) & (u->capseen - 1);
  for (; u->seen[k].key; k = (k + 1) & (u->capseen - 1))
    if (u->seen[k].key == key) return false;
  u->seen[k].key = key;
  u->nseen++;
  return true;
}

/* ---- modules ---- */

sym *module_add(fe_unit *u, module *m, const node *d, res_kind k) {
  sym *old = own_sym(m, d->text, name_hash(d->text));
  span sp = d->name_sp.end ? d->name_sp : d->sp;
  if (old) {
    diag_report(u->dg, DIAG_TWICE, sp, d->text);
    diag_note(u->dg, old->decl->name_sp, "first declared here");
    diag_hint(u->dg, "Names of a %s are all different.",
              m->up ? "contract" : "file");
    return NULL;
  }
  sym *s = ARENA_NEW(u->a, sym);
  s->name = d->text;
  s->kind = k;
  s->decl = d;
  s->mod = m;
  s->hash = name_hash(d->text);
  s->next = m->bucket[s->hash & 255];
  m->bucket[s->hash & 255] = s;
  *m->last = s;
  m->last = &s->order;
  return s;
}

fninfo *new_fn(fe_unit *u, const node *d) {
  fninfo *f = ARENA_NEW(u->a, fninfo);
  f->decl = d;
  if (d->kind != N_FN) return f;
  const node *g = d->kid[0];
  f->ngeneric = g->nkid;
  f->generic = ARENA_ARR(u->a, const char *, g->nkid + 1);
  for (uint32_t i = 0; i < g->nkid; i++) f->generic[i] = g->kid[i]->text;
  f->nparam = d->kid[1]->nkid;
  return f;
}

static module *load(fe_unit *u, const char *path, span from, bool root);

static const char *dir_of(arena *a, const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? arena_strndup(a, path, (size_t)(slash - path)) : ".";
}

static const char *import_path(fe_unit *u, const module *m,
                               const char *dotted) {
  const char *dir = m->dir;
  if (!strncmp(dotted, "std.", 4)) {
    if (!u->opt.std_dir) return NULL;
    dir = u->opt.std_dir;
    dotted += 4;
  }
  char *p = arena_strdup(u->a, dotted);
  for (char *c = p; *c; c++)
    if (*c == '.') *c = '/';
  return arena_printf(u->a, "%s/%s.chi", dir, p);
}

static void read_imports(fe_unit *u, module *m) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < m->ast->nkid; i++)
    n += m->ast->kid[i]->kind == N_IMPORT;
  m->import = ARENA_ARR(u->a, import, n + 1);
  for (uint32_t i = 0; i < m->ast->nkid; i++) {
    const node *d = m->ast->kid[i];
    if (d->kind != N_IMPORT || !d->text) continue;
    import *im = &m->import[m->nimport++];
    im->path = d->text;
    const char *dot = strrchr(d->text, '.');
    im->last = dot ? dot + 1 : d->text;
    im->sp = d->name_sp.end ? d->name_sp : d->sp;
    const char *path = import_path(u, m, d->text);
    if (!path) {
      diag_report(u->dg, DIAG_IMPORT, im->sp, d->text,
                  "the standard library was not found");
      diag_hint(u->dg, "Install it beside the command.");
      continue;
    }
    im->mod = load(u, path, im->sp, false);
  }
}

/* What std/ has, if it was meant. */
static bool hint_library(fe_unit *u, const char *path) {
  const char *dir = u->opt.std_dir;
  struct dirent **e;
  buf b = {0};
  size_t n = dir ? strlen(dir) : 0;
  if (!n || strncmp(path, dir, n) || path[n] != '/') return false;
  int count = scandir(dir, &e, NULL, alphasort);
  for (int i = 0; i < count; i++) {
    size_t k = strlen(e[i]->d_name);
    if (k > 4 && !strcmp(e[i]->d_name + k - 4, ".chi"))
      buf_printf(&b, "%sstd.%.*s", b.n ? ", " : "", (int)k - 4, e[i]->d_name);
    free(e[i]);
  }
  if (count >= 0) free(e);
  bool any = b.n > 0;
  if (any) diag_hint(u->dg, "The library has %s.", b.p);
  buf_free(&b);
  return any;
}

static module *load(fe_unit *u, const char *path, span from, bool root) {
  for (uint32_t i = 0; i < u->nmod; i++)
    if (!strcmp(u->mod[i]->path, path)) {
      if (u->mod[i]->state == 1) {
        diag_report(u->dg, DIAG_IMPORT_CYCLE, from, path);
        diag_hint(u->dg, "Move what both need into a third file.");
        return NULL;
      }
      return u->mod[i];
    }
  source_id id;
  if (u->nmod >= MAX_MODULES) {
    diag_report(u->dg, DIAG_IMPORT, from, path, "more than 256 files");
    diag_hint(u->dg, "Join some of them.");
    return NULL;
  }
  errno = 0;
  const char *why = NULL;
  if (!source_load(u->ss, path, &id))
    why = errno ? strerror(errno) : "it is larger than 64 MiB";
  else if (memchr(source_get(u->ss, id)->text, 0, source_get(u->ss, id)->n))
    why = "it is no text: there are zero bytes in it";
  if (why) {
    if (root) diag_report_nowhere(u->dg, DIAG_CANNOT_READ, path, why);
    else diag_report(u->dg, DIAG_IMPORT, from, path, why);
    if (root || !hint_library(u, path))
      diag_hint(u->dg, root ? "Check the path."
                            : "`import a.b;` reads a/b.chi beside the file that "
                              "imports it; `import std.x;` the library.");
    return NULL;
  }
  module *m = ARENA_NEW(u->a, module);
  m->path = path;
  m->dir = dir_of(u->a, path);
  m->last = &m->first;
  m->file = source_get(u->ss, id);
  if ((u->nmod & (u->nmod - 1)) == 0)
    u->mod = arena_grow(u->a, u->mod, u->nmod, u->nmod ? u->nmod * 2 : 1,
                        sizeof *u->mod);
  u->mod[u->nmod++] = m;
  m->state = 1;
  uint32_t before = diag_errors(u->dg);
  m->ast = parse_file(u->a, u->ss, id, u->dg, &u->nnode);
  if (diag_errors(u->dg) != before) u->syntax_ok = false;
  read_imports(u, m);
  for (uint32_t i = 0; i < m->ast->nkid; i++) {
    const node *d = m->ast->kid[i];
    sym *s = NULL;
    if (d->kind == N_FN) s = module_add(u, m, d, R_FN);
    else if (d->kind == N_CONST_) module_add(u, m, d, R_CONST);
    else if (d->kind == N_STRUCT) module_add(u, m, d, R_STRUCT);
    else if (d->kind == N_CONTRACT)
      contract_load(u, m, d, module_add(u, m, d, R_CONTRACT));
    if (s) s->fn = new_fn(u, d);
  }
  m->state = 2;
  return m;
}

/* Half of what the fields hold, the other half being negative. */
static void field_limits(fe_unit *u) {
  mpz_t h;
  mpz_init(h);
  if (u->opt.prime) mpz_fdiv_q_2exp(h, u->opt.prime, 1);
  else mpz_set_ui(h, ((uint64_t)1 << 60) - 1);
  *u->narrow = *u->pmax = *ival_get(u->iv, h, h)->lo;
  if (!u->opt.prime) { /* 2^126 - 1 */
    mpz_set_ui(h, 0);
    mpz_setbit(h, 126);
    mpz_sub_ui(h, h, 1);
    *u->pmax = *ival_get(u->iv, h, h)->lo;
  }
  mpz_clear(h);
}

fe_unit *fe_load(arena *a, source_set *ss, diag *dg, const char *path,
                 const fe_options *o) {
  fe_unit *u = ARENA_NEW(a, fe_unit);
  u->a = a;
  u->ss = ss;
  u->dg = dg;
  if (o) u->opt = *o;
  u->ts = ty_set_new(a);
  u->iv = u->ts->iv;
  field_limits(u);
  u->nnode = 1;
  u->syntax_ok = true;
  u->before = diag_errors(dg);
  if (!load(u, path, (span){0, 0}, true)) return NULL;
  u->res = ARENA_ARR(a, res, u->nnode + 1);
  return u;
}

uint32_t fe_file_count(const fe_unit *u) { return u->nmod; }
const source_file *fe_file_at(const fe_unit *u, uint32_t i) {
  return u->mod[i]->file;
}

/* ---- checking ---- */

/* The instance as the function is written: unlabelled means public. */
inst *base_inst(fe_unit *u, const sym *s) {
  fninfo *f = s->fn;
  inst *in = new_inst(u, s, f, s->mod);
  an a = {.u = u, .in = in};
  const node *params = f->decl->kid[1];
  in->param = ARENA_ARR(u->a, const ty *, f->nparam + 1);
  bool err = false;
  for (uint32_t i = 0; i < f->nparam; i++) {
    const ty *d = type_of(&a, params->kid[i]->kid[0]);
    bool poly = false;
    in->param[i] = d->err ? u->ts->error : entry_type(&a, d, NULL, &poly);
    err |= d->err;
  }
  const ty *ret = f->decl->kid[2] ? type_of(&a, f->decl->kid[2]) : NULL;
  if (err) in->failed = true;
  for (inst *i = f->insts; i; i = i->next) {
    bool same = !i->poly && !i->test && !i->guarded;
    for (uint32_t k = 0; same && k < f->nparam; k++)
      same = i->param[k] == in->param[k];
    if (same) return i;
  }
  in->next = f->insts;
  f->insts = in;
  u->ninst++;
  check_inst(u, in, ret);
  return in;
}

static void check_tests(fe_unit *u, module *m) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < m->ast->nkid; i++)
    n += m->ast->kid[i]->kind == N_TEST;
  u->test = ARENA_ARR(u->a, fe_test, n + 1);
  u->testinst = ARENA_ARR(u->a, inst *, n + 1);
  for (uint32_t i = 0; i < m->ast->nkid; i++) {
    const node *d = m->ast->kid[i];
    if (d->kind != N_TEST) continue;
    fninfo *f = new_fn(u, d);
    resolve_fn(u, m, f);
    inst *in = new_inst(u, NULL, f, m);
    in->test = true;
    u->test[u->ntest] = (fe_test){d->text ? d->text : "", d->sp};
    u->testinst[u->ntest++] = in;
    if (!f->bad) check_inst(u, in, NULL);
  }
}

static void check_module(fe_unit *u, module *m) {
  for (sym *s = m->first; s; s = s->order) {
    if (s->fn) resolve_fn(u, m, s->fn);
    else if (s->kind != R_CONTRACT) resolve_const(u, m, s);
  }
}

static void check_items(fe_unit *u, module *m) {
  inst top = {.u = u, .mod = m, .id0 = 1};
  an a = {.u = u, .in = &top};
  for (sym *s = m->first; s; s = s->order) {
    if (s->kind == R_CONST) const_val(&a, s, s->decl->name_sp);
    uint32_t ng = 0;
    if (s->kind == R_STRUCT) struct_generics(&a, s, &ng);
    if (s->kind == R_STRUCT && !ng)
      struct_field_types(&a, s, NULL, s->decl->sp);
    if (s->kind == R_STATE || s->kind == R_MAP) state_type(u, s);
  }
  for (sym *s = m->first; s; s = s->order) {
    if (!s->fn || s->fn->bad) continue;
    if (!s->fn->ngeneric) base_inst(u, s);
    else if (is_circuit(s->decl) && m == u->mod[0]) circuit_check(u, s);
  }
}

/* An unlabelled result that is secret: fine where another function takes it,
 * an error where it would be the answer of a run. */
static void check_leaks(fe_unit *u, module *m) {
  for (sym *s = m->first; s; s = s->order) {
    if (s->kind != R_FN || s->fn->ngeneric) continue;
    bool called = false;
    for (const inst *i = s->fn->insts; i; i = i->next)
      called |= i->called && !i->test;
    for (const inst *i = s->fn->insts; i; i = i->next) {
      if (i->poly || i->test || !i->leak || called) continue;
      diag_report(u->dg, DIAG_SECRET_TO_PUBLIC, i->leak_sp, "the result",
                  ty_text(u->a, i->value));
      diag_hint(u->dg, "Open it, `reveal(...)`, or let it stay shared: "
                       "`-> %s`.",
                ty_text(u->a, ty_relabel(u->ts, i->ret, LAB_SEC)));
    }
  }
}

/* Nothing fails in silence: that would be a bug of the compiler. */
static void check_reported(fe_unit *u) {
  if (diag_errors(u->dg) != u->before) return;
  const inst *bad = NULL;
  for (uint32_t i = 0; i < u->ntest && !bad; i++)
    if (u->testinst[i]->failed || u->testinst[i]->f->bad) bad = u->testinst[i];
  for (uint32_t i = 0; i < u->nmod + u->ncon && !bad; i++) {
    const module *m = i < u->nmod ? u->mod[i] : u->con[i - u->nmod]->mod;
    for (const sym *s = m->first; s && !bad; s = s->order)
      for (const inst *in = s->fn ? s->fn->insts : NULL; in && !bad;
           in = in->next)
        if (in->failed || s->fn->bad) bad = in;
  }
  for (uint32_t i = 0; i < u->ncon && !bad; i++)
    if (u->con[i]->init_inst && u->con[i]->init_inst->failed)
      bad = u->con[i]->init_inst;
  if (!bad) return;
  const node *d = bad->f->decl;
  diag_report(u->dg, DIAG_INTERNAL, d->name_sp.end ? d->name_sp : d->sp,
              "the analysis failed here without saying why");
  diag_hint(u->dg, "Please report this with the program.");
}

bool fe_check(fe_unit *u) {
  if (u->checked || !u->syntax_ok)
    return u->checked && diag_errors(u->dg) == u->before;
  u->checked = true;
  for (uint32_t i = u->nmod; i-- > 0;) check_module(u, u->mod[i]);
  for (uint32_t i = 0; i < u->ncon; i++) {
    check_module(u, u->con[i]->mod);
    resolve_init(u, u->con[i]);
  }
  for (uint32_t i = u->nmod; i-- > 0;) check_items(u, u->mod[i]);
  for (uint32_t i = 0; i < u->ncon; i++) check_items(u, u->con[i]->mod);
  check_contracts(u);
  check_tests(u, u->mod[0]);
  check_leaks(u, u->mod[0]);
  check_reported(u);
  fe_list(u);
  return diag_errors(u->dg) == u->before;
}
