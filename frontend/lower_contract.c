/* Actions, views and initial values to one module each, before the cut: state
 * comes in as inputs "$x", what the action assigns goes out under the same
 * names, caller and ledger time are inputs "@..".  Maps and events are ops. */
#include <string.h>

#include "frontend/lower.h"

/* ---- maps ---- */

static ir_value **map_keys(lo *l, const sym *s, const node *const *key) {
  ir_value **k = ARENA_ARR(l->a, ir_value *, s->map->nkey + 1);
  for (uint32_t i = 0; i < s->map->nkey; i++)
    k[i] = lower_expr(l, key[i]).leaf[0];
  return k;
}

static fe_param map_leaves(lo *l, const sym *s) {
  return fe_make_typed(l->u, arena_printf(l->a, "$%s", s->name), s->map->value,
                       s->decl->name_sp);
}

static lv load_entry(lo *l, const sym *s, ir_value **key) {
  lv v = lv_new(l, s->map->value);
  fe_param p = map_leaves(l, s);
  for (uint32_t k = 0; k < p.nleaf; k++) {
    ir_type t = leaf_type(l, v.t, k);
    ir_inst *i = ir_emit(&l->b, OP_MLOAD, key, s->map->nkey, &t, 1);
    i->at.name = arena_strdup(l->a, p.leaf[k].name);
    v.leaf[k] = i->res[0];
  }
  return v;
}

static void store_entry(lo *l, const sym *s, ir_value **key, lv v) {
  fe_param p = map_leaves(l, s);
  uint32_t n = s->map->nkey;
  ir_value **arg = ARENA_ARR(l->a, ir_value *, n + 1);
  memcpy(arg + 1, key, n * sizeof *key);
  for (uint32_t k = 0; k < p.nleaf; k++) {
    arg[0] = to_type(l, v.leaf[k], leaf_type(l, s->map->value, k));
    ir_emit(&l->b, OP_MSTORE, arg, n + 1, NULL, 0)->at.name =
        arena_strdup(l->a, p.leaf[k].name);
  }
}

lv lower_map(lo *l, const sym *s, const node *const *key) {
  ir_value **k = map_keys(l, s, key);
  return l->failed ? lv_zero(l, s->map->value) : load_entry(l, s, k);
}

void lower_map_assign(lo *l, const node *n) {
  const node *place = n->kid[0], *entry = map_root(l->u, place);
  const node *key[MAP_KEYS_MAX];
  const sym *s = map_entry(l->u, entry, key);
  ir_value **k = map_keys(l, s, key);
  access x = access_whole(l, s->map->value);
  access_place(l, &x, place, entry);
  lv v = lower_expr(l, n->kid[1]);
  if (l->failed) return;
  l->b.sp = n->sp;
  const ninfo *ni = info_of(l->fr->in, n);
  bool part = place != entry;
  lv whole = part || n->op ? load_entry(l, s, k) : v;
  if (n->op)
    v = binary(l, n, type_at(l, n), (node_op)n->op,
               part ? access_load(l, &x, &whole) : whole, v);
  v = coerce(l, v, ni->want);
  store_entry(l, s, k, part ? access_store(l, &x, &whole, &v) : v);
}

/* ---- events, written state ---- */

void lower_emit(lo *l, const node *n) {
  const sym *s = l->u->res[n->id].p;
  inst top = {.u = l->u, .mod = s->mod, .id0 = 1};
  an a = {.u = l->u, .in = &top};
  VEC(ir_value *) arg = {0};
  for (uint32_t i = 0; i < n->nkid; i++) {
    const ty *t = ty_close(l->u->ts, type_of(&a, s->decl->kid[i]->kid[0]));
    lv v = coerce(l, lower_expr(l, n->kid[i]), t);
    for (uint32_t k = 0; k < t->nleaf && !l->failed; k++) {
      ir_value *x = to_type(l, v.leaf[k], leaf_type(l, t, k));
      vec_push(l->a, &arg, x);
    }
  }
  if (l->failed) return;
  l->b.sp = n->sp;
  ir_emit(&l->b, OP_EMIT, arg.p, (uint32_t)arg.n, NULL, 0)->at.name =
      arena_strdup(l->a, s->name);
}

lv lower_written(lo *l, uint32_t slot, lv v) {
  const hidden *h = hidden_find(l->fr->in->f, slot);
  if (!h || !h->state) return v;
  lv w = lv_new(l, v.t);
  for (uint32_t k = 0; k < v.t->nleaf; k++) {
    w.leaf[k] = v.leaf[k];
    if (w.leaf[k]->ty.kind != KIND_PUB || ty_leaf(state_type(l->u, h->state),
                                                  k)->label == LAB_SEC)
      continue;
    ir_inst *i = ir_emit(&l->b, OP_WROTE, &v.leaf[k], 1, &v.leaf[k]->ty, 1);
    i->at.name = arena_strdup(l->a, h->state->name);
    w.leaf[k] = i->res[0];
  }
  return w;
}

/* ---- entries ---- */

static lv input_of(lo *l, const char *name, const ty *t, span sp) {
  lv v = lv_new(l, t);
  fe_param p = fe_make_typed(l->u, name, t, sp);
  l->b.sp = sp;
  for (uint32_t k = 0; k < p.nleaf; k++) {
    ir_leaf e;
    leaf_entry(l, &p.leaf[k], name, &e);
    v.leaf[k] = ir_input(&l->b, &e, leaf_type(l, t, k));
  }
  return v;
}

/* secret: as the state is; else the public value that shares begin with. */
static void output_of(lo *l, const char *name, const ty *t, lv v,
                      bool secret) {
  fe_param p = fe_make_typed(l->u, name, t, (span){0, 0});
  for (uint32_t k = 0; k < p.nleaf; k++) {
    ir_leaf e;
    leaf_entry(l, &p.leaf[k], name, &e);
    ir_type to = leaf_type(l, t, k);
    if (!secret && to.kind == KIND_SH) {
      bool field = ty_leaf(t, k)->kind == T_FIELD;
      to = ir_ty(field ? DOM_P : DOM_Z, KIND_PUB, to.lanes, to.range);
    }
    e.secret = to.kind == KIND_SH;
    ir_output(&l->b, &e, to_type(l, v.leaf[k], to));
  }
}

static const char *hidden_name(lo *l, const hidden *h) {
  return h->state ? arena_printf(l->a, "$%s", h->state->name)
                  : arena_printf(l->a, "@%s", context_name[h->context]);
}

static void hidden_inputs(lo *l, const fninfo *f) {
  l->hide = ARENA_ARR(l->a, lv, f->nhide + 1);
  for (uint32_t i = 0; i < f->nhide; i++) {
    const hidden *h = &f->hide[i];
    const local *x = &f->local[h->slot];
    const ty *t = hidden_type(l->u, h);
    l->hide[i] = x->used || x->assigned
                     ? input_of(l, hidden_name(l, h), t, x->sp)
                     : lv_zero(l, t);
  }
}

static void hidden_outputs(lo *l, const fninfo *f) {
  for (uint32_t i = 0; i < f->nhide && !l->failed; i++) {
    const hidden *h = &f->hide[i];
    if (!f->local[h->slot].assigned) continue;
    l->b.sp = f->decl->name_sp;
    output_of(l, hidden_name(l, h), hidden_type(l->u, h), l->hide[i], true);
  }
}

/* What a view may not do, wherever it stands. */
static void view_effect(ir_inst *i, void *user) {
  lo *l = user;
  const char *what = i->op == OP_EMIT     ? "emits an event"
                     : i->op == OP_MSTORE ? "writes state"
                     : i->op == OP_OPEN || i->op == OP_TELL
                         ? "opens a secret"
                         : NULL;
  if (!what || l->failed) return;
  l->failed = true;
  diag_report(l->u->dg, DIAG_VIEW_EFFECT, i->sp, l->entry, what);
  diag_hint(l->u->dg, "Make it an action.");
}

static ir_module *lower_init(lo *l, const contract_info *c, fe_facts *facts) {
  inst *in = c->init_inst;
  fninfo *f = c->init;
  lframe fr = {.in = in};
  fr.env = ARENA_ARR(l->a, lv, f->nlocal + 2 + 64 + 1);
  fr.mark = ARENA_ARR(l->a, slotmark, f->nlocal + 2 + 64 + 1);
  l->fr = &fr;
  uint32_t np = 0;
  for (uint32_t i = 0; i < c->nstate; i++)
    if (c->state[i]->constant) {
      const char *name = f->local[np].name;
      fr.env[np] = input_of(l, name, in->param[np], f->local[np].sp);
      output_of(l, arena_printf(l->a, "$%s", name), in->param[np], fr.env[np],
                true);
      np++;
    }
  for (uint32_t i = 0; i < f->nhide; i++) {
    const hidden *h = &f->hide[i];
    const ty *t = hidden_type(l->u, h);
    fr.env[h->slot] = h->state || !f->local[h->slot].used
                          ? lv_zero(l, t)
                          : input_of(l, hidden_name(l, h), t,
                                     f->local[h->slot].sp);
  }
  for (uint32_t i = 0; i < f->nhide && !l->failed; i++) {
    const hidden *h = &f->hide[i];
    if (!h->state) continue;
    const node *e = h->state->decl->kid[1];
    const ty *t = hidden_type(l->u, h);
    if (e) fr.env[h->slot] = coerce(l, lower_expr(l, e), t);
    if (!l->failed && (e || !t->sec))
      output_of(l, hidden_name(l, h), t, fr.env[h->slot], false);
  }
  l->fr = NULL;
  return lower_end(l, facts);
}

ir_module *fe_lower_action(fe_unit *u, const fe_contract *c,
                           const fe_action *act, arena *a, fe_facts *facts) {
  const contract_info *ci = NULL;
  for (uint32_t i = 0; i < u->ncon && !ci; i++)
    if (u->con[i]->mod->up == u->mod[0] && !strcmp(u->con[i]->s->name, c->name))
      ci = u->con[i];
  if (!ci || !act->fn.runnable) {
    diag_report(u->dg, DIAG_NOT_RUNNABLE, act->fn.sp, act->fn.name,
                act->fn.why_not ? act->fn.why_not : "it has errors");
    return NULL;
  }
  if (u->too_large) return NULL;
  const span *wide = ci->wide_field ? &ci->wide_sp : NULL;
  if (act->kind == FE_INIT)
    return lower_init(lower_begin(u, a, arena_printf(a, "%s.init", c->name),
                                  ci->s->decl, false, wide), ci, facts);
  const sym *s = module_find(ci->mod, act->fn.name);
  inst *in = s->fn->insts;
  while (in->poly || in->test || in->guarded) in = in->next;
  lo *l = lower_begin(u, a, arena_printf(a, "%s.%s", c->name, act->fn.name),
                      s->decl, false, wide);
  lv *arg = lower_inputs(l, in, &act->fn);
  hidden_inputs(l, s->fn);
  lv v = lower_entry(l, in, arg);
  if (!l->failed) hidden_outputs(l, s->fn);
  if (!l->failed) lower_outputs(l, &act->fn, v);
  if (act->kind == FE_VIEW && !l->failed) ir_walk(l->m->body, view_effect, l);
  return lower_end(l, facts);
}
