/* A checked function or test to a circuit at stage high. */
#include <string.h>

#include "frontend/lower.h"

enum { MAX_WORK = 1000000, MAX_NEST = 200, COMPR_SLOTS = 64 };

uint32_t slot_flag(const lo *l) {
  return l->fr->in->f ? l->fr->in->f->nlocal : l->fr->in->s->nlocal;
}
uint32_t slot_result(const lo *l) { return slot_flag(l) + 1; }

bool too_large(lo *l) {
  if (l->failed) return true;
  l->work++;
  if (l->work <= MAX_WORK && l->nest <= MAX_NEST && l->ncompr < COMPR_SLOTS)
    return false;
  l->u->too_large = true;
  diag_report(l->u->dg, DIAG_CIRCUIT_TOO_LARGE, l->entry_sp, l->entry,
              (unsigned)MAX_WORK);
  diag_hint(l->u->dg, "Call in a loop instead of by hand, or divide the "
                      "program.");
  l->failed = true;
  return true;
}

static const node *body_of(const inst *in) {
  const node *d = in->f->decl;
  return d->kind == N_FN ? d->kid[3] : d->kid[0];
}

static lv run_body(lo *l, inst *in, lv *arg, bool entry) {
  if (in->failed || in->f->bad || !in->info) { /* no facts to lower it by */
    if (!l->failed)
      diag_report(l->u->dg, DIAG_NOT_RUNNABLE, in->f->decl->sp, l->entry,
                  "it has errors");
    l->failed = true;
    return lv_zero(l, in->ret ? in->ret : l->u->ts->unit);
  }
  if (is_circuit(in->f->decl)) return lower_circuit(l, in, arg);
  lframe f = {.in = in, .ret = in->ret}, *up = l->fr;
  if (f.ret && in->value && in->value->nleaf == f.ret->nleaf) {
    /* open labels as the values have them */
    const ty *j = in->value;
    bool poly = false;
    inst top = {.u = l->u, .mod = in->mod, .id0 = 1};
    an a = {.u = l->u, .in = &top};
    f.ret = entry_type(&a, in->ret, j, &poly);
  }
  f.early = in->f->early_return;
  f.env = ARENA_ARR(l->a, lv, in->f->nlocal + 2 + COMPR_SLOTS + 1);
  f.mark = ARENA_ARR(l->a, slotmark, in->f->nlocal + 2 + COMPR_SLOTS + 1);
  for (uint32_t i = 0; i < in->f->nparam; i++) f.env[i] = arg[i];
  for (uint32_t i = 0; entry && i < in->f->nhide; i++)
    f.env[in->f->hide[i].slot] = l->hide[i];
  uint32_t ncompr = l->ncompr;
  size_t mark = l->trail.n;
  l->fr = &f;
  l->ncompr = 0;
  if (!entry) l->inner++;
  f.value = lv_new(l, l->u->ts->unit);
  if (f.early) {
    f.env[slot_flag(l)] = lv_const(l, ty_bool_known(l->u->ts, false));
    if (f.ret && ty_is_data(f.ret)) f.env[slot_result(l)] = lv_zero(l, f.ret);
  }
  const node *b = body_of(in);
  lv v;
  lower_block(l, b, &v);
  if (!l->failed && v.t->nleaf && f.ret) {
    v = coerce(l, v, f.ret);
    if (f.early) { /* the value of the block, unless it returned before */
      ir_value *flag = f.env[slot_flag(l)].leaf[0];
      mpz_srcptr c;
      lv old = f.env[slot_result(l)];
      if (ir_is_const(flag, &c)) {
        f.value = mpz_sgn(c) ? old : v;
      } else {
        f.value = lv_new(l, v.t);
        for (uint32_t i = 0; i < v.t->nleaf; i++)
          f.value.leaf[i] = ir_select(&l->b, flag, old.leaf[i], v.leaf[i]);
      }
    } else {
      f.value = v;
    }
  } else if (!l->failed && f.early && f.ret) {
    f.value = f.env[slot_result(l)];
  }
  for (uint32_t i = 0; entry && i < in->f->nhide; i++)
    l->hide[i] = f.env[in->f->hide[i].slot];
  l->trail.n = mark;
  l->ncompr = ncompr;
  if (!entry) l->inner--;
  l->fr = up;
  return f.value;
}

lv lower_entry(lo *l, inst *in, lv *arg) {
  return run_body(l, in, arg, true);
}

lv lower_inst(lo *l, inst *in, lv *arg, span sp) {
  l->b.sp = sp;
  const node *params = in->f->decl->kid[1];
  lv *v = ARENA_ARR(l->a, lv, params->nkid + 1);
  for (uint32_t i = 0; i < params->nkid && !l->failed; i++)
    v[i] = coerce(l, arg[i], in->param[i]);
  span call = l->call;
  if (!module_is_std(l->u, in->mod)) l->call = (span){0, 0};
  else if (!module_is_std(l->u, l->fr->in->mod)) l->call = sp;
  l->nest++;
  lv r = too_large(l) ? lv_zero(l, in->ret ? in->ret : l->u->ts->unit)
                          : run_body(l, in, v, false);
  l->nest--;
  l->call = call;
  l->b.sp = sp;
  return r;
}

/* ---- edges ---- */

void leaf_entry(lo *l, const fe_leaf *f, const char *top, ir_leaf *out) {
  buf b = {0};
  if (f->type->ndim) {
    buf_putc(&b, '[');
    for (uint32_t i = 0; i < f->type->ndim; i++)
      buf_printf(&b, "%s%llu", i ? ", " : "",
                 (unsigned long long)f->type->dim[i]);
    buf_putc(&b, ']');
  }
  *out = (ir_leaf){.name = arena_strdup(l->a, f->name),
                   .type = arena_strdup(l->a, f->type->elem_text),
                   .shape = arena_strndup(l->a, b.p ? b.p : "", b.n),
                   .top = arena_strdup(l->a, top),
                   .secret = f->type->secret,
                   .scale = f->type->scale};
  buf_free(&b);
}

void tell_leaves(lo *l, lv x, ir_value *id, const char *name, const char *top) {
  fe_param p = fe_make_param(l->u, name, x.t);
  for (uint32_t i = 0; i < p.nleaf; i++) {
    ir_leaf e;
    leaf_entry(l, &p.leaf[i], top, &e);
    e.secret = true;
    ir_tell(&l->b, &e, ir_splat(&l->b, x.leaf[i], p.leaf[i].type->lanes), id);
  }
}

lv *lower_inputs(lo *l, const inst *in, const fe_fn *f) {
  lv *arg = ARENA_ARR(l->a, lv, f->nparam + 1);
  for (uint32_t i = 0; i < f->nparam; i++) {
    arg[i] = lv_new(l, in->param[i]);
    for (uint32_t k = 0; k < f->param[i].nleaf; k++) {
      ir_leaf e;
      leaf_entry(l, &f->param[i].leaf[k], f->param[i].name, &e);
      l->b.sp = f->param[i].sp;
      arg[i].leaf[k] = ir_input(&l->b, &e, leaf_type(l, in->param[i], k));
    }
  }
  return arg;
}

void lower_outputs(lo *l, const fe_fn *f, lv v) {
  const fe_param *r = &f->result;
  if (r->type->kind == FE_TOLD || !v.t->nleaf) return;
  for (uint32_t k = 0; k < r->nleaf && k < v.t->nleaf; k++) {
    ir_leaf e;
    leaf_entry(l, &r->leaf[k], "result", &e);
    ir_type out = v.leaf[k]->ty;
    out.lanes = r->leaf[k].type->lanes;
    if (e.secret) out.dom = DOM_P, out.kind = KIND_SH;
    ir_output(&l->b, &e, to_type(l, v.leaf[k], out));
  }
}

/* ---- the entries ---- */

lo *lower_begin(fe_unit *u, arena *a, const char *name, const node *d,
                bool test, const span *wide) {
  lo *l = ARENA_NEW(a, lo);
  l->u = u;
  l->a = a;
  l->wide = u->opt.prime ? NULL : wide;
  l->m = u->opt.prime ? ir_module_over(a, name, u->opt.prime)
                      : ir_module_new(a, name, wide ? 127 : 61);
  l->m->src = u->ss;
  l->b = (ir_builder){.m = l->m, .b = l->m->body};
  l->times = 1;
  l->test = test;
  l->strict = u->opt.strict;
  l->entry = name;
  l->entry_sp = d->name_sp.end ? d->name_sp : d->sp;
  return l;
}

/* Field elements that stand for no integer. */
static void find_element(ir_inst *i, void *user) {
  const ir_inst **found = user;
  for (uint32_t k = 0; k < i->nres && !*found; k++)
    if (i->res[k]->ty.dom == DOM_P && !i->res[k]->ty.range) *found = i;
}

/* They do not move to the wide field by themselves. */
static void keep_elements(lo *l) {
  const ir_inst *element = NULL;
  ir_walk(l->m->body, find_element, &element);
  if (!element) return;
  l->failed = true;
  diag_report(l->u->dg, DIAG_FIELD_CHOICE, element->sp, l->entry);
  diag_note(l->u->dg, *l->wide, "this needs the wider field");
  diag_hint(l->u->dg, "Say which: --field p127, or --field prime:N.");
}

ir_module *lower_end(lo *l, fe_facts *facts) {
  if (!l->failed && l->wide) keep_elements(l);
  if (l->failed) return NULL;
  if (facts)
    *facts = (fe_facts){l->opening.p, (uint32_t)l->opening.n, l->assume.p,
                        (uint32_t)l->assume.n};
  l->m->stage = IR_HIGH;
  ir_number(l->m);
  return l->m;
}

static const span *wide_of(const inst *in) {
  return in->wide_field ? &in->wide_sp : NULL;
}

ir_module *fe_lower(fe_unit *u, const char *fn, arena *a, fe_facts *facts) {
  const fe_fn *f = fe_fn_find(u, fn);
  if (!f || !f->runnable) {
    diag_report(u->dg, DIAG_NOT_RUNNABLE, f ? f->sp : (span){0, 0}, fn,
                f ? f->why_not : "there is no such function");
    return NULL;
  }
  if (u->too_large) return NULL;
  const sym *s = u->fnsym[f - u->fn];
  inst *in = s->fn->insts;
  while (in->poly || in->test || in->guarded) in = in->next;
  lo *l = lower_begin(u, a, fn, in->f->decl, false, wide_of(in));
  lv v = run_body(l, in, lower_inputs(l, in, f), true);
  if (!l->failed) lower_outputs(l, f, v);
  return lower_end(l, facts);
}

ir_module *fe_lower_test(fe_unit *u, uint32_t i, arena *a, fe_facts *facts) {
  if (u->too_large) return NULL;
  inst *in = u->testinst[i];
  lo *l = lower_begin(u, a, arena_printf(a, "test%u", i + 1), in->f->decl, true,
                      wide_of(in));
  run_body(l, in, NULL, true);
  return lower_end(l, facts);
}
