/* Calls: arguments, generics, one instance per combination of types. */
#include <string.h>

#include "frontend/sema.h"

enum { MAX_CHAIN = 128, MAX_INSTS = 20000 };

inst *new_inst(fe_unit *u, const sym *s, fninfo *f, module *m) {
  inst *in = ARENA_NEW(u->a, inst);
  in->u = u;
  in->s = s;
  in->f = f;
  in->mod = m;
  if (f) {
    in->id0 = f->id0;
    in->id1 = f->id1;
  }
  return in;
}

/* ---- what a parameter holds at entry ---- */

typedef struct entering {
  const ty *arg;
  uint32_t at;
  bool *poly;
  fe_unit *u;
} entering;

static const ty *enter_leaf(ty_set *s, const ty *d, void *user) {
  entering *e = user;
  const ty *v = e->arg ? ty_leaf(e->arg, e->at) : NULL;
  e->at++;
  if (d->label != LAB_OPEN) return d;
  if (!v || v->label != LAB_SEC) return ty_relabel(s, d, LAB_PUB);
  *e->poly = true;
  ty n = *ty_relabel(s, d, LAB_SEC);
  if (n.kind == T_INT && (mpz_cmpabs(n.iv->lo, e->u->pmax) > 0 ||
                          mpz_cmpabs(n.iv->hi, e->u->pmax) > 0))
    return ty_int(s, v->iv, LAB_SEC); /* wider than the field */
  return ty_relabel(s, d, LAB_SEC);
}

/* Anything of the declared type; open labels as the argument has them. */
const ty *entry_type(an *a, const ty *d, const ty *arg, bool *poly) {
  entering e = {arg && arg->nleaf == d->nleaf ? arg : NULL, 0, poly, a->u};
  return ty_map(a->u->ts, d, enter_leaf, &e);
}

/* ---- instances ---- */

void inst_gives(inst *in, const ty *t) {
  const ty *j = in->value ? ty_join(in->u->ts, in->value, t) : t;
  in->value = j ? j : t;
}

void check_inst(fe_unit *u, inst *in, const ty *ret) {
  fninfo *f = in->f;
  const node *d = f->decl;
  const node *body = d->kind == N_FN ? d->kid[3] : d->kid[0];
  an a = {.u = u, .in = in};
  in->busy = true;
  if (ret && ret->kind == T_UNIT) ret = NULL; /* `-> ()` says nothing new */
  in->ret = ret;
  in->info = ARENA_ARR(u->a, ninfo, in->id1 - in->id0);
  a.cur = ARENA_ARR(u->a, val, f->nlocal + 1);
  a.decl = ARENA_ARR(u->a, const ty *, f->nlocal + 1);
  a.stamp = ARENA_ARR(u->a, uint32_t, f->nlocal + 1);
  for (uint32_t i = 0; i < f->nparam; i++) {
    a.cur[i] = val_of(in->param[i]);
    a.decl[i] = in->param[i];
  }
  for (uint32_t i = 0; i < f->nhide; i++) {
    const ty *t = hidden_type(u, &f->hide[i]);
    a.cur[f->hide[i].slot] = val_of(t);
    a.decl[f->hide[i].slot] = t->err ? NULL : t;
  }
  u->depth++;
  val v = is_circuit(d) ? circuit_value(&a, ret) : block_of(&a, body, ret);
  u->depth--;
  if ((body->has_value || is_circuit(d)) && !a.returned) {
    const node *last = body->nkid ? body->kid[body->nkid - 1] : body;
    const node *e = last->kind == N_EXPR ? last->kid[0] : last;
    if (ret && v.t->kind != T_UNIT && v.t->kind != T_TOLD) {
      fitting fi = {e->sp, "the result", true, false, NULL};
      v.t = fit(&a, &fi, v.t, ret);
      if (fi.leaked) in->leak = true, in->leak_sp = fi.sp;
    } else if (!ret && v.t->kind != T_UNIT && v.t->kind != T_TOLD &&
               !v.t->err) {
      if (d->kind == N_FN) {
        REPORT(&a, RETURN_VALUE, e->sp, tx(&a, v.t));
        diag_hint(u->dg, "Declare the result, `-> %s`, or end the statement "
                         "with `;`.", tx(&a, v.t));
        poison(&a);
      }
      v.t = u->ts->unit;
    }
    inst_gives(in, v.t);
    if (v.t->kind != T_UNIT || !ret) a.returned = true;
  }
  if (ret && !ret->err && !a.returned) {
    REPORT(&a, MISSING_RETURN, d->name_sp, in->s ? in->s->name : "test",
           "may end", tx(&a, ty_close(u->ts, ret)));
    diag_hint(u->dg, "Every way through the function has to end in a value.");
    poison(&a);
  }
  if (!in->value) in->value = u->ts->unit;
  in->busy = false;
}

static bool recursive(an *a, const sym *s) {
  for (const inst *i = a->in; i; i = i->caller)
    if (i->s == s && s->fn) return true;
  return false;
}

static inst *find_inst(const sym *s, const inst *like) {
  for (inst *i = s->fn->insts; i; i = i->next) {
    bool same = i->test == like->test && i->poly == like->poly &&
                i->guarded == like->guarded;
    for (uint32_t k = 0; same && k < s->fn->nparam; k++)
      same = i->param[k] == like->param[k];
    for (uint32_t k = 0; same && k < s->fn->ngeneric; k++)
      same = i->targ[k] == like->targ[k];
    if (same) return i;
  }
  return NULL;
}

/* ---- a call ---- */

static const ty **infer(an *a, const node *n, const sym *s, val *arg) {
  fninfo *f = s->fn;
  const node *params = f->decl->kid[1];
  unifier u = unifier_new(a, f->generic, f->ngeneric, n->sp);
  const ty **targ = u.targ;
  for (uint32_t i = 0; i < f->nparam; i++) {
    u.sp = n->kid[i + 1]->sp;
    if (!unify(&u, s->mod, params->kid[i]->kid[0], arg[i].t)) {
      poison(a);
      return NULL;
    }
  }
  for (uint32_t i = 0; i < f->ngeneric; i++)
    if (!targ[i]) {
      REPORT(a, CANNOT_INFER, n->sp, f->generic[i], s->name);
      diag_hint(a->u->dg, "The arguments do not say what \"%s\" is.",
                f->generic[i]);
      poison(a);
      return NULL;
    }
  return targ;
}

/* Labels of d, the declared result; what is known of it, v, or all of its type
 * where a loop still seeks its intervals: they would grow call by call. */
typedef struct returning {
  const ty *v;
  uint32_t at;
} returning;

static const ty *returned_leaf(ty_set *s, const ty *d, void *user) {
  returning *r = user;
  const ty *v = ty_leaf(r->v, r->at++);
  if (v->kind != d->kind || !v->iv || v->kind == T_IDENTITY) return d;
  const ival *iv = ival_meet(s->iv, v->iv, d->iv);
  return d->kind == T_FIXED ? ty_fixed(s, d->ibits, d->fbits, iv, d->label)
                            : ty_scalar(s, d->kind, iv, d->label);
}

static const ty *result_type(an *a, const inst *in, const ty *ret) {
  if (!ret) return in->value->kind == T_TOLD ? in->value : a->u->ts->unit;
  if (ret->err || in->value->err) return poison(a);
  if (in->value->kind == T_TOLD) return in->value;
  if (in->value->kind == T_UNIT) return poison(a);
  bool poly = false;
  const ty *d = entry_type(a, ret, in->value, &poly);
  if (a->wide || !ty_alike(d, in->value)) return d;
  returning r = {in->value, 0};
  return ty_map(a->u->ts, d, returned_leaf, &r);
}

static val call_fn(an *a, const node *n, const sym *s) {
  fe_unit *u = a->u;
  fninfo *f = s->fn;
  uint32_t given = n->nkid - 1;
  resolve_fn(u, s->mod, f);
  const node *params = f->decl->kid[1];
  val *arg = ARENA_ARR(u->a, val, given + 1);
  bool err = false;
  /* Declared types of non-generic parameters give decimals their format. */
  inst *sig = new_inst(u, s, f, s->mod);
  sig->caller = a->in;
  an b = {.u = u, .in = sig, .quiet = a->quiet};
  for (uint32_t i = 0; i < given; i++) {
    const node *k = n->kid[i + 1];
    if (k->kind == N_NAMED) {
      REPORT(a, NAMED_ARGUMENT, k->sp, k->text);
      diag_hint(u->dg, "Arguments of functions go by position.");
      k = k->kid[0];
      poison(a);
      err = true;
    }
    const ty *want = NULL;
    if (i < f->nparam && !f->ngeneric)
      want = type_of(&b, params->kid[i]->kid[0]);
    arg[i] = expr_of(a, k, want);
    err |= arg[i].t->err;
    if (!arg[i].t->err && !ty_is_data(arg[i].t)) {
      REPORT(a, NOT_DATA, k->sp, tx(a, arg[i].t));
      diag_hint(u->dg, "An argument has to be a value.");
      poison(a);
      err = true;
    }
  }
  if (given != f->nparam) {
    REPORT(a, ARGUMENT_COUNT, n->sp, s->name, f->nparam,
           f->nparam == 1 ? "" : "s", given);
    diag_note(u->dg, f->decl->name_sp, "declared here");
    diag_hint(u->dg, "Give each parameter one argument.");
    return val_of(poison(a));
  }
  if (err || f->bad) return val_of(poison(a));
  if (recursive(a, s)) {
    REPORT(a, RECURSION, n->sp, s->name);
    diag_hint(u->dg, "Calls are computed in one circuit; use a loop.");
    return val_of(poison(a));
  }
  if (u->depth > MAX_CHAIN || u->ninst > MAX_INSTS) {
    REPORT(a, TOO_LARGE, n->sp, u->depth > MAX_CHAIN
                                    ? "a chain of more than 128 calls"
                                    : "a program of more than 20000 instances");
    diag_hint(u->dg, "Fold some of the functions into one.");
    return val_of(poison(a));
  }
  sig->targ = infer(a, n, s, arg);
  if (!sig->targ) return val_of(poison(a));
  sig->test = a->in->test;
  sig->guarded = is_guarded(a);
  sig->call_sp = n->sp;
  sig->param = ARENA_ARR(u->a, const ty *, f->nparam + 1);
  const ty **declared = ARENA_ARR(u->a, const ty *, f->nparam + 1);
  for (uint32_t i = 0; i < f->nparam; i++) {
    declared[i] = type_of(&b, params->kid[i]->kid[0]);
    if (declared[i]->err) return val_of(poison(a));
    fitting fi = {n->kid[i + 1]->sp,
                  a->quiet ? "" : arena_printf(u->a, "parameter \"%s\"",
                                               params->kid[i]->text),
                  true, false, NULL};
    const ty *t = fit(a, &fi, arg[i].t, declared[i]);
    if (t->err) return val_of(poison(a));
    sig->param[i] = entry_type(a, declared[i], t, &sig->poly);
    sig->poly |= fi.leaked;
  }
  for (uint32_t i = 0; i < f->ngeneric; i++) sig->poly |= sig->targ[i]->sec;
  const ty *ret = f->decl->kid[2] ? type_of(&b, f->decl->kid[2]) : NULL;
  inst *in = find_inst(s, sig);
  if (!in || (in->failed && !a->quiet && in->info == NULL)) {
    in = sig;
    in->next = f->insts;
    f->insts = in;
    u->ninst++;
    check_inst(u, in, ret);
    in->caller = NULL;
  }
  in->called = true;
  if (!a->quiet) {
    ninfo *ni = info_of(a->in, n);
    if (ni) ni->p = in;
    if (in->wide_field) needs_wide(a, in->wide_sp);
  }
  if (in->failed) return val_of(poison(a));
  return val_of(result_type(a, in, in->ret));
}

val call_of(an *a, const node *n, const ty *want) {
  const node *c = n->kid[0];
  if (c->kind == N_TY_FIXED) return builtin_of(a, n, B_FIXED, want);
  const res *r = &a->u->res[c->id];
  switch (r->kind) {
  case R_BUILTIN: return builtin_of(a, n, (builtin)r->idx, want);
  case R_FN: return call_fn(a, n, r->p);
  case R_ERROR: break;
  default:
    REPORT(a, NOT_CALLABLE, c->sp, c->text ? c->text : "this");
    diag_hint(a->u->dg, r->kind == R_ACTION
                            ? "Actions and views are called by identities; put "
                              "what they share into a `fn`."
                        : r->kind == R_EVENT
                            ? "Write `emit` before it."
                            : "Only functions can be called.");
  }
  for (uint32_t i = 1; i < n->nkid; i++) {
    const node *k = n->kid[i];
    expr_of(a, k->kind == N_NAMED ? k->kid[0] : k, NULL);
  }
  return val_of(poison(a));
}

/* ---- struct literals ---- */

val structlit_of(an *a, const node *n) {
  fe_unit *u = a->u;
  const sym *s = struct_sym(a, a->in->mod, n->text, n->sp);
  uint32_t nf = s ? s->decl->nkid - 1 : 0;
  val *v = ARENA_ARR(u->a, val, nf + 1);
  if (!s) {
    REPORT(a, UNKNOWN_TYPE, n->name_sp.end ? n->name_sp : n->sp, n->text);
    diag_hint(u->dg, "There is no struct of this name.");
  }
  uint32_t ng = 0;
  const char **gen = s ? struct_generics(a, s, &ng) : NULL;
  const ty *plain = s && !ng ? struct_field_types(a, s, NULL, n->sp) : NULL;
  if (plain && plain->err) plain = NULL;
  bool err = !s;
  for (uint32_t i = 0; i < n->nkid; i++) {
    const node *k = n->kid[i];
    int64_t at = -1;
    for (uint32_t j = 0; j < nf; j++)
      if (!strcmp(s->decl->kid[j + 1]->text, k->text)) at = j;
    val x = expr_of(a, k->kid[0], at >= 0 && plain ? plain->elem[at] : NULL);
    err |= x.t->err;
    if (at < 0) {
      if (s) {
        REPORT(a, NO_SUCH_FIELD, k->name_sp.end ? k->name_sp : k->sp, s->name,
               k->text);
        diag_hint(u->dg, "The struct has no such field.");
        poison(a);
      }
      err = true;
    } else if (v[at].t) {
      REPORT(a, TWICE, k->sp, k->text);
      diag_hint(u->dg, "Give each field once.");
      poison(a);
      err = true;
    } else {
      v[at] = x;
    }
  }
  for (uint32_t j = 0; j < nf; j++)
    if (!v[j].t) {
      REPORT(a, MISSING_FIELD, n->sp, s->decl->kid[j + 1]->text, s->name);
      diag_hint(u->dg, "Write `%s: ...`.", s->decl->kid[j + 1]->text);
      poison(a);
      err = true;
    }
  if (err) return val_of(poison(a));
  unifier un = unifier_new(a, gen, ng, n->sp);
  const ty **targ = un.targ;
  for (uint32_t j = 0; j < nf && ng; j++)
    if (!unify(&un, s->mod, s->decl->kid[j + 1]->kid[0], v[j].t))
      return val_of(poison(a));
  for (uint32_t i = 0; i < ng; i++)
    if (!targ[i]) {
      REPORT(a, CANNOT_INFER, n->sp, gen[i], s->name);
      diag_hint(u->dg, "The fields do not say what \"%s\" is.", gen[i]);
      return val_of(poison(a));
    }
  const ty *d = ng ? struct_field_types(a, s, targ, n->sp) : plain;
  if (!d || d->err) return val_of(poison(a));
  const ty **e = ARENA_ARR(u->a, const ty *, nf + 1);
  const rel **rels = NULL;
  uint32_t at = 0;
  for (uint32_t j = 0; j < nf; j++) {
    fitting f = {n->sp, a->quiet ? "" : arena_printf(u->a, "field \"%s\"",
                                                     d->fname[j]), true, false,
                 NULL};
    for (uint32_t i = 0; i < n->nkid; i++)
      if (!strcmp(n->kid[i]->text, d->fname[j])) f.sp = n->kid[i]->kid[0]->sp;
    val x = fit_val(a, &f, v[j], d->elem[j]);
    if (x.t->err) return val_of(poison(a));
    e[j] = x.t;
    if (x.rel) {
      if (!rels) rels = ARENA_ARR(u->a, const rel *, d->nleaf + 1);
      for (uint32_t k = 0; k < x.t->nleaf; k++) rels[at + k] = x.rel[k];
    }
    at += x.t->nleaf;
  }
  ninfo *ni = a->quiet ? NULL : info_of(a->in, n);
  if (ni) ni->want = d;
  return (val){ty_struct(u->ts, d->decl, d->name, d->fname, e, nf), rels, NULL};
}
