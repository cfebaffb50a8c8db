/* What a file offers, in the words of frontend.h. */
#include <stdlib.h>
#include <string.h>

#include "frontend/sema.h"

static fe_kind kind_of(const ty *t) {
  switch (t->kind) {
  case T_BOOL: return FE_BOOL;
  case T_INT: return FE_INT;
  case T_FIXED: return FE_FIXED;
  case T_FIELD: return FE_FIELD;
  case T_IDENTITY: return FE_IDENTITY;
  case T_STRUCT: return FE_STRUCT;
  case T_TUPLE: return FE_TUPLE;
  case T_TOLD: return FE_TOLD;
  default: return FE_UNIT;
  }
}

static bool all_secret(const ty *t) {
  for (uint32_t i = 0; i < t->nleaf; i++)
    if (ty_leaf(t, i)->label != LAB_SEC) return false;
  return t->nleaf > 0;
}

/* The type with `outer` dims put before its own. */
static const fe_type *make_type(fe_unit *u, const ty *t) {
  fe_type *f = ARENA_NEW(u->a, fe_type);
  const ty *e = ty_elem(t);
  f->kind = kind_of(e);
  f->secret = all_secret(t);
  f->text = ty_text(u->a, t);
  f->elem_text = ty_text_plain(u->a, e);
  f->ndim = t->ndim;
  f->dim = t->dim;
  f->lanes = ty_lanes(t);
  if (e->iv) {
    f->lo = e->iv->lo;
    f->hi = e->iv->hi;
  }
  f->scale = e->kind == T_FIXED ? e->fbits : 0;
  f->nfield = e->kind == T_TOLD ? 0 : e->nelem;
  const fe_type **sub = ARENA_ARR(u->a, const fe_type *, e->nelem + 1);
  const char **names = ARENA_ARR(u->a, const char *, e->nelem + 1);
  for (uint32_t i = 0; i < f->nfield; i++) {
    sub[i] = make_type(u, e->elem[i]);
    names[i] = e->kind == T_STRUCT ? e->fname[i]
                                   : arena_printf(u->a, "%u", i);
  }
  f->field = sub;
  f->field_name = names;
  return f;
}

static void leaves(fe_unit *u, const ty *t, const char *name,
                   const uint64_t *dim, uint32_t nd, fe_leaf *out,
                   uint32_t *n) {
  uint64_t all[64];
  if (nd) memcpy(all, dim, nd * sizeof *all);
  if (t->ndim) memcpy(all + nd, t->dim, t->ndim * sizeof *all);
  nd += t->ndim;
  const ty *e = ty_elem(t);
  if (!e->nelem) {
    out[*n].name = name;
    out[(*n)++].type = make_type(u, ty_array(u->ts, e, all, nd));
    return;
  }
  for (uint32_t i = 0; i < e->nelem; i++)
    leaves(u, e->elem[i],
           e->kind == T_STRUCT ? arena_printf(u->a, "%s.%s", name, e->fname[i])
                               : arena_printf(u->a, "%s.%u", name, i),
           all, nd, out, n);
}

static fe_param make_param(fe_unit *u, const char *name, const ty *t, span sp) {
  fe_param p = {.name = name, .sp = sp, .type = make_type(u, t)};
  const ty *e = t->kind == T_TOLD ? t->elem[0] : t;
  if (e->err || e->kind == T_UNIT) return p;
  fe_leaf *l = ARENA_ARR(u->a, fe_leaf, e->nleaf + 1);
  leaves(u, e, name, NULL, 0, l, &p.nleaf);
  p.leaf = l;
  return p;
}

fe_param fe_make_typed(fe_unit *u, const char *name, const ty *t, span sp) {
  return make_param(u, name, t, sp);
}

fe_param fe_make_param(fe_unit *u, const char *name, const ty *t) {
  return make_param(u, name, t, (span){0, 0});
}

static int64_t attribute(fe_unit *u, const sym *s, const char *name, span *sp) {
  const node *at = s->decl->kid[4];
  for (uint32_t i = 0; at && i < at->nkid; i++) {
    const node *k = at->kid[i];
    if (!k->text || strcmp(k->text, name)) continue;
    *sp = k->sp;
    inst in = {.u = u, .s = s, .mod = s->mod, .id0 = 1};
    an a = {.u = u, .in = &in};
    const node *e = k->nkid ? k->kid[0] : NULL;
    const ty *t = e && e->kind == N_INT ? expr_of(&a, e, NULL).t : NULL;
    int64_t v;
    if (t && t->kind == T_INT && ival_to_si(t->iv, &v) && v >= 0) return v;
    diag_report(u->dg, DIAG_ATTRIBUTE, k->sp, name);
    diag_hint(u->dg, "Write a literal: `#[%s(40)]`.", name);
    return -1;
  }
  return -1;
}

static void check_attributes(fe_unit *u, const sym *s) {
  const node *at = s->decl->kid[4];
  for (uint32_t i = 0; at && i < at->nkid; i++) {
    const char *n = at->kid[i]->text;
    if (n && strcmp(n, "rounds") && strcmp(n, "bytes")) {
      diag_report(u->dg, DIAG_ATTRIBUTE, at->kid[i]->sp, n);
      diag_hint(u->dg, "There are #[rounds(N)] and #[bytes(N)].");
    }
  }
}

static const char *why_not(fe_unit *u, const sym *s, const inst *in) {
  const fninfo *f = s->fn;
  if (f->ngeneric)
    return arena_printf(u->a, "it is generic in %s", f->generic[0]);
  if (!in || in->failed || f->bad) return "it has errors";
  if (in->leak) return "its result is secret but not declared so";
  return NULL;
}

static const inst *entry_inst(const sym *s) {
  for (const inst *i = s->fn->insts; i; i = i->next)
    if (!i->poly && !i->test && !i->guarded) return i;
  return NULL;
}

static const ty *entry_result(fe_unit *u, const inst *in) {
  if (!in->value || in->value->kind == T_UNIT || in->value->err)
    return u->ts->unit;
  if (in->value->kind == T_TOLD) return in->value;
  if (!in->ret) return u->ts->unit;
  inst top = {.u = u, .mod = in->mod, .id0 = 1};
  an a = {.u = u, .in = &top};
  bool poly = false;
  return entry_type(&a, in->ret, in->value, &poly);
}

void fe_list_fn(fe_unit *u, const sym *s, fe_fn *f) {
  const inst *in = s->fn->ngeneric ? NULL : entry_inst(s);
  f->name = s->name;
  f->doc = s->decl->doc;
  f->sp = s->decl->name_sp;
  f->why_not = why_not(u, s, in);
  f->runnable = !f->why_not;
  check_attributes(u, s);
  f->max_rounds = attribute(u, s, "rounds", &f->rounds_sp);
  f->max_bytes = attribute(u, s, "bytes", &f->bytes_sp);
  f->result = make_param(u, "result", u->ts->unit, f->sp);
  if (!f->runnable) return;
  fe_param *p = ARENA_ARR(u->a, fe_param, s->fn->nparam + 1);
  for (uint32_t i = 0; i < s->fn->nparam; i++) {
    const node *d = s->decl->kid[1]->kid[i];
    p[i] = make_param(u, d->text, in->param[i], d->sp);
  }
  f->param = p;
  f->nparam = s->fn->nparam;
  f->result = make_param(u, "result", entry_result(u, in), f->sp);
}

void fe_list(fe_unit *u) {
  const module *m = u->mod[0];
  uint32_t n = 0;
  for (const sym *s = m->first; s; s = s->order) n += s->kind == R_FN;
  u->fn = ARENA_ARR(u->a, fe_fn, n + 1);
  u->fnsym = ARENA_ARR(u->a, const sym *, n + 1);
  for (const sym *s = m->first; s; s = s->order) {
    if (s->kind != R_FN) continue;
    fe_list_fn(u, s, &u->fn[u->nfn]);
    u->fnsym[u->nfn++] = s;
  }
}

uint32_t fe_fn_count(const fe_unit *u) { return u->nfn; }
const fe_fn *fe_fn_at(const fe_unit *u, uint32_t i) { return &u->fn[i]; }

const fe_fn *fe_fn_find(const fe_unit *u, const char *name) {
  for (uint32_t i = 0; i < u->nfn; i++)
    if (!strcmp(u->fn[i].name, name)) return &u->fn[i];
  return NULL;
}

uint32_t fe_test_count(const fe_unit *u) { return u->ntest; }
const fe_test *fe_test_at(const fe_unit *u, uint32_t i) { return &u->test[i]; }
