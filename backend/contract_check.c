/* What the three parts of an action may do (contract.h): their leaves, maps
 * and events fit the package, and all that they touch is declared, because the
 * ledger's locks rest on it. */
#include <string.h>

#include "backend/contract_impl.h"

typedef struct checker {
  ct_reader *r;
  const contract *c;
  const ct_action *x;
  ct_part part;
  const char *where; /* "before of action 'join'" */
} checker;

static const char *const part_names[] = {"before", "circuit", "after"};

const ir_type *contract_leaf_type(const ir_module *m, bool out,
                                  const char *name) {
  for (const ir_inst *i = m ? m->body->first : NULL; i; i = i->next)
    if (i->op == (out ? OP_OUTPUT : OP_INPUT) && !strcmp(i->at.name, name))
      return out ? &i->arg[0]->ty : &i->res[0]->ty;
  return NULL;
}

const ir_type *contract_output(const ct_action *x, ct_part part,
                               const char *name) {
  const ir_module *m = x->part[part];
  int k = m ? ir_leaf_find(m->out, m->nout, name) : -1;
  return k < 0 ? NULL : x->out[part][k];
}

/* One walk: the verifier allows one op for a leaf, in the body. */
static void find_types(arena *a, ct_action *x, ct_part part) {
  const ir_module *m = x->part[part];
  const ir_type **in = ARENA_ARR(a, const ir_type *, (size_t)m->nin + 1);
  const ir_type **out = ARENA_ARR(a, const ir_type *, (size_t)m->nout + 1);
  for (const ir_inst *i = m->body->first; i; i = i->next) {
    if (i->op == OP_INPUT)
      in[ir_leaf_find(m->in, m->nin, i->at.name)] = &i->res[0]->ty;
    if (i->op == OP_OUTPUT)
      out[ir_leaf_find(m->out, m->nout, i->at.name)] = &i->arg[0]->ty;
  }
  x->in[part] = in;
  x->out[part] = out;
}

bool ct_count_lanes(ct_reader *r, const char *what, uint64_t lanes,
                    uint64_t *sum) {
  *sum += lanes > CONTRACT_LANES_MAX ? CONTRACT_LANES_MAX + 1 : lanes;
  return *sum <= CONTRACT_LANES_MAX ||
         ct_refuse(r, "%s must have at most 2^20 elements in all", what);
}

static bool wrong(checker *k, const char *name, const char *why) {
  return ct_refuse(k->r, "%s: '%.60s' %s", k->where, name, why);
}

/* ---- state ---- */
/* The leaf of a state variable that a part names; NULL after a report. */
static const ct_leaf *state_leaf(checker *k, const char *name, uint64_t lanes,
                                 bool write, int *s) {
  const ct_leaf *l = contract_leaf(k->c, name, s);
  if (!l) {
    wrong(k, name, "is no leaf of the state");
    return NULL;
  }
  if (l->lanes != lanes) {
    wrong(k, name, "has another number of lanes in the state");
    return NULL;
  }
  if (!(write ? k->x->writes : k->x->reads)[*s]) {
    wrong(k, name, write ? "is written, but not listed in 'writes'"
                         : "is read, but not listed in 'reads'");
    return NULL;
  }
  return l;
}

static bool check_state(checker *k, const char *name, const ir_type *ty,
                        bool write) {
  int s;
  if (!state_leaf(k, name, ty->lanes, write, &s)) return false;
  const ct_state *v = &k->c->state[s];
  bool init = k->x->kind == CT_INIT && write;
  if (v->nkey) return wrong(k, name, "is a map");
  if (write && v->constant && !init) return wrong(k, name, "is a constant");
  if (!init && v->secret != (k->part == CT_CIRCUIT))
    return wrong(k, name, v->secret ? "is secret state outside the circuit"
                                    : "is public state in the circuit");
  return true;
}

static bool check_map(checker *k, const ir_inst *i) {
  bool store = i->op == OP_MSTORE;
  const ir_value *v = store ? i->arg[0] : i->res[0];
  int s;
  if (!state_leaf(k, i->at.name, v->ty.lanes, store, &s)) return false;
  if (k->c->state[s].nkey != i->narg - store)
    return wrong(k, i->at.name, "has another number of keys");
  if (store && k->x->kind == CT_VIEW)
    return wrong(k, i->at.name, "is written in a view");
  return true;
}

static bool check_emit(checker *k, const ir_inst *i) {
  const ct_event *e = contract_event(k->c, i->at.name);
  if (!e) return wrong(k, i->at.name, "is no event of the contract");
  bool ok = e->nfield == i->narg;
  for (uint32_t j = 0; ok && j < i->narg; j++)
    ok = e->field[j].lanes == i->arg[j]->ty.lanes;
  if (!ok) return wrong(k, i->at.name, "has other fields in its declaration");
  if (k->x->kind == CT_VIEW)
    return wrong(k, i->at.name, "is emitted in a view");
  return true;
}

/* ---- edges ---- */
static const ct_leaf *param_leaf(const checker *k, const char *name) {
  for (uint32_t j = 0; j < k->x->nparam; j++)
    if (!strcmp(k->x->param[j].name, name)) return &k->x->param[j];
  return NULL;
}

/* A value that another part gives: it does, with as many lanes. */
static bool check_given(checker *k, const char *name, const ir_type *ty,
                        ct_part from) {
  const ir_type *t = contract_output(k->x, from, name);
  if (!t) return wrong(k, name, "is given by no part before");
  if (t->kind != KIND_PUB || ty->kind != KIND_PUB || t->lanes != ty->lanes)
    return wrong(k, name, "has another form in the part that gives it");
  return true;
}

static bool check_param(checker *k, const char *name, const ir_type *ty) {
  const ct_leaf *l = param_leaf(k, name);
  if (!l || k->part == CT_AFTER)
    return wrong(k, name, "is no input that this part may have");
  if (l->lanes != ty->lanes)
    return wrong(k, name, "has another number of lanes as a parameter");
  if (l->secret != (k->part == CT_CIRCUIT))
    return wrong(k, name, l->secret ? "is secret outside the circuit"
                                    : "is a public parameter in the circuit");
  return true;
}

static bool check_input(checker *k, const char *name, const ir_type *ty) {
  static const char *const from_ledger[] = {"@caller", "@now", "@height"};
  if (*name == '$') return check_state(k, name, ty, false);
  if (*name == '%')
    return k->part == CT_BEFORE
               ? wrong(k, name, "is no input that this part may have")
               : check_given(k, name, ty, CT_BEFORE);
  if (*name == '!')
    return k->part != CT_AFTER
               ? wrong(k, name, "is no input that this part may have")
               : check_given(k, name, ty, CT_CIRCUIT);
  if (*name != '@') return check_param(k, name, ty);
  for (int j = 0; j < 3; j++)
    if (!strcmp(name, from_ledger[j]) && k->part == CT_BEFORE &&
        ty->dom == DOM_Z && ty->lanes == 1)
      return true;
  return wrong(k, name, "is no input that this part may have");
}

static bool is_result(const char *name) {
  return !strncmp(name, "result", 6) && (!name[6] || name[6] == '.');
}

static bool check_output(checker *k, const char *name, const ir_type *ty) {
  if (*name == '$')
    return k->x->kind == CT_VIEW ? wrong(k, name, "is written in a view")
                                 : check_state(k, name, ty, true);
  if ((*name == '%' && k->part == CT_BEFORE && k->x->kind == CT_ACTION) ||
      (*name == '!' && k->part == CT_CIRCUIT && ty->kind == KIND_PUB))
    return true;
  if (is_result(name) && k->x->kind != CT_INIT &&
      k->part == (k->x->part[CT_AFTER] ? CT_AFTER : CT_BEFORE))
    return true;
  return wrong(k, name, "is no output that this part may have");
}

static bool check_inst(checker *k, const ir_inst *i) {
  switch (i->op) {
  case OP_INPUT: return check_input(k, i->at.name, &i->res[0]->ty);
  case OP_OUTPUT: return check_output(k, i->at.name, &i->arg[0]->ty);
  case OP_MLOAD:
  case OP_MSTORE:
    return k->part == CT_CIRCUIT ? wrong(k, i->at.name, "is a map")
                                 : check_map(k, i);
  case OP_EMIT:
    return k->part == CT_CIRCUIT ? wrong(k, i->at.name, "is an event")
                                 : check_emit(k, i);
  case OP_TELL:
  case OP_OPEN:
  case OP_REDUCE:
  case OP_HIDE:
    return k->part == CT_CIRCUIT ||
           ct_refuse(k->r, "%s works on shares", k->where);
  default: return true;
  }
}

/* Arithmetic on very wide integers takes long, whatever the steps. */
static bool narrow(checker *k, ir_value *const *v, uint32_t n) {
  for (uint32_t j = 0; j < n && k->part != CT_CIRCUIT; j++) {
    const ir_range *r = v[j]->ty.range;
    if (r && (mpz_sizeinbase(r->lo, 2) > CONTRACT_BITS_MAX ||
              mpz_sizeinbase(r->hi, 2) > CONTRACT_BITS_MAX))
      return ct_refuse(k->r, "%s has a value of more than %d bits", k->where,
                       CONTRACT_BITS_MAX);
  }
  return true;
}

static bool check_block(checker *k, const ir_block *b) {
  if (!narrow(k, b->param, b->nparam)) return false;
  for (const ir_inst *i = b->first; i; i = i->next) {
    if (!check_inst(k, i) || !narrow(k, i->res, i->nres)) return false;
    for (uint32_t j = 0; j < i->nregion; j++)
      if (!check_block(k, i->region[j])) return false;
  }
  return true;
}

/* ---- a part ---- */
/* Outside the circuit all is public and not too large; a name is a name. */
static bool check_leaves(checker *k, const ir_module *m, bool out) {
  const ir_leaf *l = out ? m->out : m->in;
  uint32_t n = out ? m->nout : m->nin;
  uint64_t lanes = 0;
  if (n > CONTRACT_LIST_MAX)
    return ct_refuse(k->r, "%s has more than %d leaves", k->where,
                     CONTRACT_LIST_MAX);
  for (uint32_t j = 0; j < n; j++) {
    if (!ct_is_name(l[j].name))
      return ct_refuse(k->r, "%s has a leaf without a proper name", k->where);
    const ir_type *ty = (out ? k->x->out : k->x->in)[k->part][j];
    if (!ty && (!out || k->part != CT_CIRCUIT))
      return wrong(k, l[j].name, "is listed, but no operation has it");
    if (ty && ty->kind != KIND_SH &&
        !ct_count_lanes(k->r, k->where, ty->lanes, &lanes))
      return false;
  }
  return true;
}

/* A circuit leaves all of a secret variable or nothing: its version is one. */
static bool check_whole(checker *k) {
  const contract *c = k->c;
  for (uint32_t s = 0; s < c->nstate; s++) {
    uint32_t n = 0;
    const ct_state *v = &c->state[s];
    for (uint32_t j = 0; v->secret && j < v->nleaf; j++)
      n += contract_output(k->x, CT_CIRCUIT, v->leaf[j].name) != NULL;
    if (n && n != v->nleaf)
      return wrong(k, v->name, "is written in part: all its leaves must be");
  }
  return true;
}

static bool check_part(checker *k) {
  const ir_module *m = k->x->part[k->part];
  k->where = arena_printf(k->r->a, "%s of action '%s'", part_names[k->part],
                          k->x->name);
  if (mpz_cmp(m->p, k->c->p) != 0 || m->stage != IR_HIGH)
    return ct_refuse(k->r, "%s must be a circuit of stage high over %s",
                     k->where, k->c->field);
  return check_leaves(k, m, false) && check_leaves(k, m, true) &&
         check_block(k, m->body) &&
         (k->part != CT_CIRCUIT || check_whole(k));
}

bool ct_check_action(ct_reader *r, const contract *c, ct_action *x) {
  checker k = {.r = r, .c = c, .x = x};
  for (uint32_t p = 0; p < CT_PARTS; p++)
    if (x->part[p]) find_types(r->a, x, (ct_part)p);
  if (x->kind != CT_ACTION && (x->part[CT_CIRCUIT] || x->part[CT_AFTER]))
    return ct_refuse(r, "'%s' may have no part but before", x->name);
  if (x->part[CT_AFTER] && !x->part[CT_CIRCUIT])
    return ct_refuse(r, "action '%s' has an after but no circuit", x->name);
  for (uint32_t s = 0; s < c->nstate && x->kind == CT_VIEW; s++)
    if (x->writes[s])
      return ct_refuse(r, "view '%s' may have no 'writes'", x->name);
  if (x->kind != CT_ACTION)
    for (uint32_t j = 0; j < x->nparam; j++)
      if (x->param[j].secret)
        return ct_refuse(r, "'%s' may have no secret parameter", x->name);
  for (uint32_t p = 0; p < CT_PARTS; p++) {
    k.part = (ct_part)p;
    if (x->part[p] && !check_part(&k)) return false;
  }
  return true;
}
