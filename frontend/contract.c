/* Contracts: their scopes, state and its types, maps, events, and what only
 * actions and views may do. */
#include <string.h>

#include "base/vec.h"
#include "frontend/sema.h"

const char *const context_name[NCONTEXT] = {"caller", "now", "height"};

/* ---- members ---- */

static const char *given_for(const fe_unit *u, const char *name) {
  size_t n = strlen(name);
  for (uint32_t i = u->opt.ngiven; i-- > 0;) {
    const char *g = u->opt.given[i];
    if (!strncmp(g, name, n) && g[n] == '=' && g[n + 1]) return g + n + 1;
  }
  return NULL;
}

static bool is_map(const node *type) {
  return type->kind == N_TY_APPLY && !strcmp(type->text, "map");
}

static void add_state(fe_unit *u, contract_info *c, const node *d) {
  sym *s = module_add(u, c->mod, d, is_map(d->kid[0]) ? R_MAP : R_STATE);
  if (!s) return;
  s->constant = d->kind == N_PARAM;
  c->state[c->nstate++] = s;
}

static void add_member(fe_unit *u, contract_info *c, const node *d) {
  sym *s;
  switch (d->kind) {
  case N_CONST_: module_add(u, c->mod, d, R_CONST); break;
  case N_STRUCT: module_add(u, c->mod, d, R_STRUCT); break;
  case N_EVENT: module_add(u, c->mod, d, R_EVENT); break;
  case N_STATE: add_state(u, c, d); break;
  case N_FN:
    s = module_add(u, c->mod, d, d->op == FN_PLAIN ? R_FN : R_ACTION);
    if (s) s->fn = new_fn(u, d);
    break;
  default: break; /* ERROR: reported */
  }
}

void contract_load(fe_unit *u, module *m, const node *d, sym *s) {
  contract_info *c = ARENA_NEW(u->a, contract_info);
  module *in = ARENA_NEW(u->a, module);
  *in = (module){.path = m->path, .dir = m->dir, .file = m->file, .ast = d,
                 .import = m->import, .nimport = m->nimport, .state = 2,
                 .up = m, .contract = c};
  in->last = &in->first;
  c->s = s;
  c->mod = in;
  c->state = ARENA_ARR(u->a, sym *, d->nkid + d->kid[1]->nkid);
  const node *templates = d->kid[0], *params = d->kid[1];
  for (uint32_t i = 0; i < templates->nkid; i++) {
    sym *t = module_add(u, in, templates->kid[i], R_CONST);
    if (t) t->given = given_for(u, t->name);
  }
  for (uint32_t i = 0; i < params->nkid; i++) add_state(u, c, params->kid[i]);
  for (uint32_t i = 2; i < d->nkid; i++) add_member(u, c, d->kid[i]);
  c->init = ARENA_NEW(u->a, fninfo);
  c->init->decl = d;
  if (!s) return; /* its name was there: reported */
  if ((u->ncon & (u->ncon - 1)) == 0)
    u->con = arena_grow(u->a, u->con, u->ncon, u->ncon ? u->ncon * 2 : 1,
                        sizeof(contract_info *));
  u->con[u->ncon++] = c;
}

/* ---- types of state ---- */

static const ty *map_misuse(an *a, span sp, const char *what) {
  REPORT(a, MAP_TYPE, sp, what);
  diag_hint(a->u->dg, "Write `state m: map<identity, u32>;`.");
  return poison(a);
}

static const ty *map_type(an *a, sym *s, const node *t) {
  mapinfo *m = ARENA_NEW(a->u->a, mapinfo);
  m->key = ARENA_ARR(a->u->a, const ty *, MAP_KEYS_MAX);
  s->map = m;
  for (; is_map(t); t = t->kid[1]) {
    if (t->nkid != 2)
      return map_misuse(a, t->sp, "a map has a type of keys and one of values");
    if (m->nkey == MAP_KEYS_MAX)
      return map_misuse(a, t->sp, "a map of more than 8 keys");
    const ty *k = type_of(a, t->kid[0]);
    if (k->err) return k;
    if ((k->kind != T_INT && k->kind != T_IDENTITY && k->kind != T_BOOL) ||
        k->label == LAB_SEC)
      return map_misuse(a, t->kid[0]->sp,
                        "a key is an identity, a bool or an integer, and "
                        "public");
    m->key[m->nkey++] = ty_close(a->u->ts, k);
  }
  return m->value = type_of(a, t);
}

const ty *state_type(fe_unit *u, sym *s) {
  if (s->state == 2) return s->ct;
  const node *d = s->decl, *t = d->kid[0];
  inst top = {.u = u, .mod = s->mod, .id0 = 1};
  an a = {.u = u, .in = &top};
  s->state = 2;
  bool map = is_map(t), secret = d->kind == N_STATE && d->op;
  const ty *v = map ? map_type(&a, s, t) : type_of(&a, t);
  if (!v->err && (!ty_is_data(v) || !v->nleaf)) {
    REPORT(&a, NOT_DATA, t->sp, tx(&a, v));
    diag_hint(u->dg, "State holds values.");
    v = poison(&a);
  }
  if (!v->err && secret) {
    if (map) v = map_misuse(&a, t->sp, "a map cannot be secret state");
    else v = label_secret(&a, v, t->sp);
  }
  v = ty_close(u->ts, v);
  if (!v->err && map && v->sec)
    v = map_misuse(&a, t->sp, "a map cannot hold secrets");
  if (!v->err && s->constant && (map || v->sec)) {
    REPORT(&a, CONTRACT_PARAMETER, d->sp, "the parameter of the contract",
           s->name);
    diag_hint(u->dg, "It is public.");
    v = poison(&a);
  }
  if (map) s->map->value = v;
  return s->ct = v;
}

const ty *hidden_type(fe_unit *u, const hidden *h) {
  if (h->state) return state_type(u, h->state);
  bool who = h->context == 0;
  return ty_scalar(u->ts, who ? T_IDENTITY : T_INT,
                   ival_unsigned(u->iv, who ? 256 : 64), LAB_PUB);
}

const hidden *hidden_find(const fninfo *f, uint32_t slot) {
  for (uint32_t i = 0; f && i < f->nhide; i++)
    if (f->hide[i].slot == slot) return &f->hide[i];
  return NULL;
}

/* ---- maps ---- */

static uint32_t keys_of(const node *n, const node **key, const node **root) {
  if (n->kind != N_INDEX) {
    *root = n;
    return 0;
  }
  uint32_t at = keys_of(n->kid[0], key, root);
  for (uint32_t i = 1; i < n->nkid; i++, at++)
    if (at < MAP_KEYS_MAX) key[at] = n->kid[i];
  return at;
}

sym *map_entry(const fe_unit *u, const node *n, const node **key) {
  const node *root;
  if (n->kind != N_INDEX) return NULL;
  uint32_t given = keys_of(n, key, &root);
  const res *r = root->kind == N_NAME ? &u->res[root->id] : NULL;
  if (!r || r->kind != R_MAP) return NULL;
  sym *s = r->p;
  return s->map && s->map->nkey == given ? s : NULL;
}

const node *map_root(const fe_unit *u, const node *place) {
  const node *key[MAP_KEYS_MAX];
  for (; place->kind == N_INDEX || place->kind == N_FIELD;
       place = place->kid[0])
    if (map_entry(u, place, key)) return place;
  return NULL;
}

val map_whole(an *a, const node *n, const sym *s) {
  state_type(a->u, (sym *)s);
  uint32_t k = s->map ? s->map->nkey : 1;
  if (!s->ct->err) {
    REPORT(a, MAP_KEYS, n->sp, n->text, k, k == 1 ? "" : "s", 0u);
    diag_hint(a->u->dg, "Write `%s[key]`.", n->text);
  }
  return val_of(poison(a));
}

val map_of(an *a, const node *n, sym *s, const node *const *key) {
  const ty *t = state_type(a->u, s);
  bool err = t->err;
  for (uint32_t i = 0; i < s->map->nkey; i++) {
    if (key[i]->kind == N_RANGE) {
      REPORT(a, INDEX_TYPE, key[i]->sp, "a range");
      diag_hint(a->u->dg, "A map is read entry by entry.");
      poison(a);
      err = true;
      continue;
    }
    val k = expr_of(a, key[i], s->map->key[i]);
    fitting f = {key[i]->sp, a->quiet ? "" : arena_printf(a->u->a,
                                                         "the key of \"%s\"",
                                                         s->name),
                 false, false, NULL};
    if (k.t->err) err = true;
    else err |= fit(a, &f, k.t, s->map->key[i])->err;
  }
  (void)n;
  return val_of(err ? poison(a) : t);
}

void map_assign(an *a, const node *n) {
  const node *place = n->kid[0], *entry = map_root(a->u, place);
  if (!entry) { /* keys are missing: say so */
    expr_of(a, n->kid[1], NULL);
    expr_of(a, place, NULL);
    poison(a);
    return;
  }
  const ty *want = expr_of(a, place, NULL).t;
  val v = expr_of(a, n->kid[1], want->err ? NULL : want);
  if (n->op) {
    v = apply_binary(a, n, (node_op)n->op, val_of(want), v);
    record(a, n, v.t);
  }
  if (want->err || v.t->err) {
    poison(a);
    return;
  }
  fitting f = {n->sp, "the entry", false, false, NULL};
  fit(a, &f, v.t, want);
  ninfo *ni = a->quiet ? NULL : info_of(a->in, n);
  if (ni) ni->want = want;
}

/* ---- events ---- */

void emit_of(an *a, const node *n) {
  const res *r = &a->u->res[n->id];
  const sym *s = r->kind == R_EVENT ? r->p : NULL;
  uint32_t want = s ? s->decl->nkid : n->nkid;
  inst top = {.u = a->u, .mod = s ? s->mod : a->in->mod, .id0 = 1};
  an b = {.u = a->u, .in = &top, .quiet = a->quiet};
  for (uint32_t i = 0; i < n->nkid; i++) {
    const node *k = n->kid[i];
    if (k->kind == N_NAMED) {
      REPORT(a, NAMED_ARGUMENT, k->sp, k->text);
      diag_hint(a->u->dg, "Fields of events go by position.");
      poison(a);
      k = k->kid[0];
    }
    const node *field = s && i < want ? s->decl->kid[i] : NULL;
    const ty *t = field ? ty_close(a->u->ts, type_of(&b, field->kid[0])) : NULL;
    const ty *v = expr_of(a, k, t && !t->err ? t : NULL).t;
    if (!t || t->err || v->err) {
      if (field) poison(a);
      continue;
    }
    if (v->sec) {
      REPORT(a, EMIT_SECRET, k->sp, s->name, field->text, tx(a, v));
      diag_note(a->u->dg, field->name_sp, "the field is declared here");
      diag_hint(a->u->dg, "Open it if everybody may know it: `reveal(..)`.");
      poison(a);
      continue;
    }
    fitting f = {k->sp, a->quiet ? "" : arena_printf(a->u->a, "field \"%s\"",
                                                     field->text),
                 false, false, NULL};
    fit(a, &f, v, t);
  }
  if (!s) {
    poison(a);
  } else if (n->nkid != want) {
    REPORT(a, ARGUMENT_COUNT, n->sp, s->name, want, want == 1 ? "" : "s",
           n->nkid);
    diag_note(a->u->dg, s->decl->name_sp, "declared here");
    diag_hint(a->u->dg, "Give each field of the event one value.");
    poison(a);
  }
}

/* ---- checking ---- */

static void check_init(fe_unit *u, contract_info *c) {
  fninfo *f = c->init;
  inst *in = new_inst(u, c->s, f, c->mod);
  c->init_inst = in;
  in->param = ARENA_ARR(u->a, const ty *, f->nparam + 1);
  in->info = ARENA_ARR(u->a, ninfo, in->id1 - in->id0);
  in->value = u->ts->unit;
  an a = {.u = u, .in = in};
  a.cur = ARENA_ARR(u->a, val, f->nlocal + 1);
  a.decl = ARENA_ARR(u->a, const ty *, f->nlocal + 1);
  a.stamp = ARENA_ARR(u->a, uint32_t, f->nlocal + 1);
  for (uint32_t i = 0, p = 0; i < c->nstate; i++)
    if (c->state[i]->constant) {
      in->param[p] = state_type(u, c->state[i]);
      a.cur[p] = val_of(in->param[p]);
      a.decl[p] = in->param[p];
      p++;
    }
  for (uint32_t i = 0; i < f->nhide; i++) {
    const hidden *h = &f->hide[i];
    const ty *t = hidden_type(u, h);
    a.cur[h->slot] = val_of(t);
    a.decl[h->slot] = t->err ? NULL : t;
  }
  for (uint32_t i = 0; i < c->nstate; i++) {
    const node *d = c->state[i]->decl;
    if (d->kind != N_STATE || !d->kid[1]) continue;
    const ty *t = state_type(u, c->state[i]);
    if (c->state[i]->kind == R_MAP) {
      if (!t->err)
        map_misuse(&a, d->kid[1]->sp, "a map begins empty: it has no initial "
                                      "value");
      continue;
    }
    val v = expr_of(&a, d->kid[1], t->err ? NULL : t);
    fitting fi = {d->kid[1]->sp, arena_printf(u->a, "\"%s\"", d->text), false,
                  false, NULL};
    if (!t->err && !v.t->err) fit(&a, &fi, v.t, t);
    ninfo *ni = info_of(in, d);
    if (ni) ni->want = t;
  }
}

static void check_events(fe_unit *u, const module *m) {
  inst top = {.u = u, .mod = (module *)m, .id0 = 1};
  an a = {.u = u, .in = &top};
  for (const sym *s = m->first; s; s = s->order)
    for (uint32_t i = 0; s->kind == R_EVENT && i < s->decl->nkid; i++) {
      const node *d = s->decl->kid[i];
      const ty *t = type_of(&a, d->kid[0]);
      if (t->err || !t->sec) continue;
      REPORT(&a, CONTRACT_PARAMETER, d->sp, "the field of the event", d->text);
      diag_hint(u->dg, "Events are public: everybody reads them.");
    }
}

static void check_actions(fe_unit *u, const module *m) {
  for (const sym *s = m->first; s; s = s->order) {
    if (s->kind != R_ACTION) continue;
    if (s->fn->ngeneric) {
      diag_report(u->dg, DIAG_NOT_RUNNABLE, s->decl->name_sp, s->name,
                  "an action cannot be generic");
      diag_hint(u->dg, "Give its parameters concrete types.");
    }
    for (const inst *i = s->fn->insts; i; i = i->next) {
      if (i->leak) {
        diag_report(u->dg, DIAG_SECRET_TO_PUBLIC, i->leak_sp, "the result",
                    ty_text(u->a, i->value));
        diag_hint(u->dg, "Open it, `reveal(...)`, or put it into secret "
                         "state.");
      } else if (i->ret && !i->ret->err && i->ret->sec) {
        diag_report(u->dg, DIAG_SECRET_RESULT, s->decl->name_sp, s->name);
        diag_hint(u->dg, "Open it, tell it, or put it into secret state.");
      }
    }
  }
}

static fe_state list_state(fe_unit *u, sym *s) {
  fe_state f = {.name = s->name, .doc = s->decl->doc,
                .constant = s->constant, .sp = s->decl->name_sp};
  const ty *t = state_type(u, s);
  f.secret = t->sec;
  f.value = fe_make_typed(u, arena_printf(u->a, "$%s", s->name), t, f.sp);
  if (!s->map) return f;
  const fe_type **key = ARENA_ARR(u->a, const fe_type *, s->map->nkey + 1);
  for (uint32_t i = 0; i < s->map->nkey; i++)
    key[i] = fe_make_typed(u, "key", s->map->key[i], f.sp).type;
  f.key = key;
  f.nkey = s->map->nkey;
  return f;
}

static fe_event list_event(fe_unit *u, const sym *s) {
  inst top = {.u = u, .mod = s->mod, .id0 = 1};
  an a = {.u = u, .in = &top, .quiet = true};
  fe_param *p = ARENA_ARR(u->a, fe_param, s->decl->nkid + 1);
  for (uint32_t i = 0; i < s->decl->nkid; i++) {
    const node *d = s->decl->kid[i];
    p[i] = fe_make_typed(u, d->text,
                         ty_close(u->ts, type_of(&a, d->kid[0])), d->sp);
  }
  return (fe_event){s->name, s->decl->doc, p, s->decl->nkid};
}

static fe_contract list_contract(fe_unit *u, const contract_info *c) {
  fe_contract f = {.name = c->s->name, .doc = c->s->decl->doc,
                   .nstate = c->nstate, .sp = c->s->decl->name_sp};
  uint32_t n = 0;
  for (const sym *s = c->mod->first; s; s = s->order) n++;
  fe_state *st = ARENA_ARR(u->a, fe_state, c->nstate + 1);
  fe_event *ev = ARENA_ARR(u->a, fe_event, n + 1);
  fe_action *ac = ARENA_ARR(u->a, fe_action, n + 1);
  for (uint32_t i = 0; i < c->nstate; i++) st[i] = list_state(u, c->state[i]);
  fe_fn *init = &ac[f.naction].fn;
  ac[f.naction++].kind = FE_INIT;
  *init = (fe_fn){.name = "init", .runnable = true, .max_rounds = -1,
                  .max_bytes = -1, .sp = f.sp};
  fe_param *p = ARENA_ARR(u->a, fe_param, c->init->nparam + 1);
  for (uint32_t i = 0; i < c->init->nparam; i++)
    p[i] = fe_make_typed(u, c->init->local[i].name, c->init_inst->param[i],
                         c->init->local[i].sp);
  init->param = p;
  init->nparam = c->init->nparam;
  init->result = fe_make_typed(u, "result", u->ts->unit, f.sp);
  for (const sym *s = c->mod->first; s; s = s->order) {
    if (s->kind == R_EVENT) ev[f.nevent++] = list_event(u, s);
    if (s->kind != R_ACTION) continue;
    fe_list_fn(u, s, &ac[f.naction].fn);
    ac[f.naction].body = s->decl->sp;
    ac[f.naction++].kind = s->decl->op == FN_VIEW ? FE_VIEW : FE_ACTION;
  }
  f.state = st;
  f.event = ev;
  f.action = ac;
  return f;
}

/* Every value given on the command line is some contract's, and the only one
 * of its name. */
static void check_given(fe_unit *u) {
  for (uint32_t i = 0; i < u->opt.ngiven; i++) {
    const char *g = u->opt.given[i], *eq = strchr(g, '=');
    if (!eq || eq == g || !eq[1]) {
      diag_report_nowhere(u->dg, DIAG_INPUT_FORM, g);
      continue;
    }
    char *name = arena_strndup(u->a, g, (size_t)(eq - g));
    bool known = false;
    for (uint32_t k = 0; k < i; k++)
      if (!strncmp(u->opt.given[k], g, (size_t)(eq - g) + 1)) {
        diag_report_nowhere(u->dg, DIAG_INPUT_TWICE, name);
        break;
      }
    for (uint32_t k = 0; k < u->ncon; k++) {
      const node *t = u->con[k]->s->decl->kid[0];
      for (uint32_t j = 0; j < t->nkid; j++)
        known |= !strcmp(t->kid[j]->text, name);
    }
    if (known) continue;
    diag_report_nowhere(u->dg, DIAG_OUTSIDE_CONTRACT, name);
    diag_hint(u->dg, "A template parameter is declared as in `contract "
                     "Pool<SEATS = 64> { .. }`.");
  }
}

void check_contracts(fe_unit *u) {
  for (uint32_t i = 0; i < u->ncon; i++) {
    if (!u->con[i]->init->bad) check_init(u, u->con[i]);
    check_events(u, u->con[i]->mod);
    check_actions(u, u->con[i]->mod);
  }
  check_given(u);
  if (diag_errors(u->dg) != u->before) return;
  u->contract = ARENA_ARR(u->a, fe_contract, u->ncon + 1);
  for (uint32_t i = 0; i < u->ncon; i++)
    if (u->con[i]->mod->up == u->mod[0])
      u->contract[u->ncontract++] = list_contract(u, u->con[i]);
}

uint32_t fe_contract_count(const fe_unit *u) { return u->ncontract; }
const fe_contract *fe_contract_at(const fe_unit *u, uint32_t i) {
  return &u->contract[i];
}
const fe_contract *fe_contract_find(const fe_unit *u, const char *name) {
  for (uint32_t i = 0; i < u->ncontract; i++)
    if (!strcmp(u->contract[i].name, name)) return &u->contract[i];
  return NULL;
}
