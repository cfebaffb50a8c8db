/* Which values are roots.  Linear in the instructions. */
#include "backend/c/plan.h"

c_rep plan_rep(const ir_type *t) {
  if (t->dom == DOM_Z) return ir_range_is_int64(t->range) ? REP_Z : REP_WIDE;
  return (c_rep)((t->dom == DOM_B ? REP_B : REP_P) + t->kind);
}

/* Of bits, W words hold a lane a bit, V a lane a byte: rep3 has two planes of
 * W in a share and one in a product, shamir V in both. */
static uint64_t bit_words(const ir_module *m, c_rep r, uint64_t lanes) {
  uint64_t w = lanes / 64 + (lanes % 64 != 0), v = lanes / 8 + (lanes % 8 != 0);
  if (r == REP_B) return w;
  if (r == REP_BSH) w *= 2;
  switch (m->target.protocol) {
  case IR_REP3: return w;
  case IR_SHAMIR: return v;
  default: return w > v ? w : v;
  }
}

uint64_t plan_words(const ir_module *m, c_rep r, uint64_t lanes) {
  if (rep_is_bits(r)) return bit_words(m, r, lanes);
  switch (r) {
  case REP_Z: return lanes;
  case REP_WIDE: return 17 * lanes;
  case REP_SH: return 2 * lanes * ir_field_words(m);
  default: return lanes * ir_field_words(m);
  }
}

bool plan_is_bits(const ir_inst *i) {
  return ir_ops[i->op].rule == RULE_BITS ||
         ir_ops[i->op].rule == RULE_SHUFFLE || i->op == OP_PERM ||
         (i->nres && !i->nregion && i->res[0]->ty.dom == DOM_B);
}

/* ---- positions ---- */

static bool is_interactive(const ir_inst *i) {
  return (ir_ops[i->op].flags & F_I) != 0;
}

static bool is_region(const ir_inst *i) {
  return (ir_ops[i->op].flags & F_R) != 0;
}

/* All interactive ops of an exchange share a position: their operands are read
 * and their results written during the whole of it. */
static void number_block(c_plan *p, ir_block *b) {
  uint32_t seg = 0;
  for (ir_inst *i = b->first; i; i = i->next) {
    c_ins *ci = ARENA_NEW(p->a, c_ins);
    i->tmp = ci;
    bool joins = i->prev && is_interactive(i) && is_interactive(i->prev) &&
                 i->prev->at.round == i->at.round;
    if (!joins) {
      /* what follows an exchange or a region is a new piece */
      if (i->prev && (is_region(i->prev) || is_interactive(i->prev))) seg++;
      p->pos++;
    }
    ci->pos = ci->end = p->pos;
    ci->seg = seg;
    for (uint32_t r = 0; r < i->nregion; r++) number_block(p, i->region[r]);
    if (i->nregion) ci->end = ++p->pos;
  }
}

/* ---- first walk: who reads what ---- */

static void want_root(c_plan *p, const ir_value *v) {
  plan_val(p, v)->root = true;
}

static void note_use(c_plan *p, const ir_inst *i, const ir_value *v) {
  c_val *c = plan_val(p, v);
  if (c->user && c->user != i) c->many = true;
  c->user = i;
  if (v->block != i->block ||
      (v->def && plan_ins(v->def)->seg != plan_ins(i)->seg))
    c->far = true;
}

static void note_operands(c_plan *p, const ir_inst *i) {
  for (uint32_t k = 0; k < plan_narg(i); k++) note_use(p, i, i->arg[k]);
  if (plan_is_bits(i))
    for (uint32_t k = 0; k < i->narg; k++) want_root(p, i->arg[k]);
  switch (i->op) {
  case OP_OPEN:
  case OP_OUTPUT:
    want_root(p, i->arg[0]);
    break;
  case OP_TELL:
    want_root(p, i->arg[0]);
    want_root(p, i->arg[1]);
    break;
  case OP_GET:
    if (!plan_is_leaf_op(i->arg[1])) want_root(p, i->arg[1]);
    break;
  case OP_PUT:
    plan_val(p, i->arg[0])->mutated = true;
    if (!plan_is_leaf_op(i->arg[2])) want_root(p, i->arg[2]);
    break;
  case OP_GATHER:
    if (!plan_is_leaf_op(i->arg[0])) want_root(p, i->arg[0]);
    break;
  case OP_FOR:
  case OP_WHILE:
  case OP_IF:
  case OP_YIELD:
    for (uint32_t k = 0; k < i->narg; k++) {
      plan_val(p, i->arg[k])->mutated = true;
      if (!plan_is_leaf_op(i->arg[k])) want_root(p, i->arg[k]);
    }
    break;
  default:
    break;
  }
}

static void walk_uses(c_plan *p, const ir_block *b) {
  for (uint32_t k = 0; k < b->nparam; k++) {
    c_val *c = plan_val(p, b->param[k]);
    c->rep = plan_rep(&b->param[k]->ty);
    c->root = c->mutated = true;
  }
  for (const ir_inst *i = b->first; i; i = i->next) {
    for (uint32_t k = 0; k < i->nres; k++) {
      c_val *c = plan_val(p, i->res[k]);
      c->rep = plan_rep(&i->res[k]->ty);
      if (plan_is_bits(i)) c->root = true;
    }
    note_operands(p, i);
    for (uint32_t r = 0; r < i->nregion; r++) walk_uses(p, i->region[r]);
  }
}

/* ---- second walk: roots ---- */

/* The slot behind a chain of views, or NULL. */
static const ir_value *base_of(const c_plan *p, const ir_value *v) {
  while (!plan_val(p, v)->root) {
    if (!v->def) return NULL;
    ir_op op = v->def->op;
    if (op != OP_VIEW && op != OP_GET && op != OP_GATHER && op != OP_ASSUME)
      return NULL;
    v = v->def->arg[0];
  }
  return v;
}

static bool always_root(ir_op op) {
  return op == OP_INPUT || op == OP_OPEN || op == OP_REDUCE || op == OP_DEC ||
         op == OP_PUT || op == OP_CONCAT || op == OP_FOR || op == OP_WHILE ||
         op == OP_IF;
}

static uint32_t node_cost(const c_plan *p, const ir_value *v) {
  return plan_val(p, v)->rep == REP_WIDE ? PLAN_WIDE_COST : 1;
}

/* Weight of the tree of v; operands become roots, heaviest first, until it is
 * below the limit. */
static void weigh(c_plan *p, const ir_inst *i, const ir_value *v) {
  c_val *c = plan_val(p, v);
  c->weight = 1;
  if (i->op == OP_CONCAT) return; /* every operand is a loop of its own */
  for (;;) {
    const ir_value *worst = NULL;
    uint32_t sum = node_cost(p, v);
    for (uint32_t k = 0; k < plan_narg(i); k++) {
      c_val *x = plan_val(p, i->arg[k]);
      if (x->root) continue;
      sum += x->weight;
      if (!worst || plan_val(p, worst)->weight < x->weight) worst = i->arg[k];
    }
    c->weight = sum;
    if (sum <= PLAN_WEIGHT || !worst || plan_val(p, worst)->weight < 2) return;
    plan_val(p, worst)->root = true;
  }
}

/* A product of bits that only an addition to products reads is made by it. */
static void fuse_product(c_plan *p, const ir_inst *i) {
  uint64_t n = i->res[0]->ty.lanes;
  if (i->op != OP_ADD && i->op != OP_SUB) return;
  for (uint32_t k = 2; k-- > 0;) {
    const ir_value *x = i->arg[k], *acc = i->arg[1 - k];
    c_val *c = plan_val(p, x);
    if (x == acc || c->rep != REP_BPROD || c->many || c->far || !x->def ||
        x->def->op != OP_MUL || plan_val(p, acc)->rep != REP_BPROD ||
        acc->ty.lanes != n)
      continue;
    const ir_value *const *f = (const ir_value *const *)x->def->arg;
    if (plan_val(p, f[0])->rep != REP_BSH || f[0]->ty.lanes != n ||
        plan_val(p, f[1])->rep != REP_BSH || f[1]->ty.lanes != n)
      continue;
    c->root = false;
    return;
  }
}

static void decide(c_plan *p, const ir_inst *i, const ir_value *v) {
  c_val *c = plan_val(p, v);
  if (plan_is_leaf_op(v)) {
    c->weight = 1;
    c->cheap = true;
    return;
  }
  const ir_value *x = i->narg ? i->arg[0] : NULL;
  c_val *cx = x ? plan_val(p, x) : NULL;
  if ((i->op == OP_VIEW || i->op == OP_GATHER || i->op == OP_GET) &&
      v->ty.lanes > x->ty.lanes && !cx->cheap)
    cx->root = true;
  weigh(p, i, v);
  for (uint32_t k = 0; k < i->narg; k++) {
    c_val *y = plan_val(p, i->arg[k]);
    if (i->op == OP_SUM && y->nest >= PLAN_NEST) y->root = true;
    if (!y->root && y->nest > c->nest) c->nest = y->nest;
  }
  if (i->op == OP_SUM) c->nest++;
  if (c->rep == REP_BPROD) fuse_product(p, i);
  if (c->root) return;
  if (always_root(i->op)) {
    c->root = true;
    return;
  }
  if (i->op == OP_VIEW || i->op == OP_ASSUME ||
      (i->op == OP_GET && !c->far)) {
    c->depth = cx->root ? 1 : cx->depth + 1;
    c->cheap = (cx->root || cx->cheap) && c->depth <= PLAN_CHAIN;
  }
  if ((i->op == OP_VIEW || i->op == OP_GET || i->op == OP_GATHER) &&
      v->ty.lanes <= PLAN_MOVE) {
    /* do not keep a large array from being overwritten for a few lanes */
    const ir_value *base = base_of(p, x);
    if (base && plan_val(p, base)->mutated && base->ty.lanes > 16)
      c->root = true;
  }
  if ((c->many || c->far) && !c->cheap) c->root = true;
}

static void walk_roots(c_plan *p, const ir_block *b) {
  for (const ir_inst *i = b->first; i; i = i->next) {
    for (uint32_t k = 0; k < i->nres; k++) decide(p, i, i->res[k]);
    for (uint32_t r = 0; r < i->nregion; r++) walk_roots(p, i->region[r]);
  }
}

/* ---- what C cannot hold ---- */

static bool check_type(const ir_module *m, const ir_value *v, span sp,
                       diag *dg, mpz_t words) {
  if (v->ty.dom == DOM_Z) {
    size_t lo = mpz_sizeinbase(v->ty.range->lo, 2);
    size_t hi = mpz_sizeinbase(v->ty.range->hi, 2);
    if (lo > 1024 || hi > 1024) {
      diag_report(dg, DIAG_C_WIDE, sp, lo > hi ? lo : hi);
      return false;
    }
  }
  c_rep r = plan_rep(&v->ty);
  mpz_add_ui(words, words, plan_words(m, r, v->ty.lanes));
  return true;
}

static bool check_block(const ir_module *m, const ir_block *b, diag *dg,
                        mpz_t words) {
  bool ok = true;
  for (const ir_inst *i = b->first; i; i = i->next) {
    for (uint32_t k = 0; k < i->nres; k++)
      if (!check_type(m, i->res[k], i->sp, dg, words)) ok = false;
    for (uint32_t r = 0; r < i->nregion; r++) {
      for (uint32_t k = 0; k < i->region[r]->nparam; k++)
        if (!check_type(m, i->region[r]->param[k], i->sp, dg, words))
          ok = false;
      if (!check_block(m, i->region[r], dg, words)) ok = false;
    }
  }
  return ok;
}

c_plan *plan_new(ir_module *m, arena *a, diag *dg) {
  mpz_t words;
  mpz_init(words);
  bool ok = check_block(m, m->body, dg, words);
  if (ok && mpz_sizeinbase(words, 2) > 62) {
    diag_report_nowhere(dg, DIAG_C_MEMORY, m->name);
    ok = false;
  }
  mpz_clear(words);
  if (!ok) return NULL;
  c_plan *p = ARENA_NEW(a, c_plan);
  p->a = a;
  p->m = m;
  uint32_t n = ir_number(m);
  p->val = ARENA_ARR(a, c_val, n + 1);
  number_block(p, m->body);
  walk_uses(p, m->body);
  walk_roots(p, m->body);
  plan_fill_uses(p);
  plan_assign_slots(p);
  if (p->words >> PLAN_WORDS_MAX_BITS) {
    diag_report_nowhere(dg, DIAG_C_MEMORY, m->name);
    return NULL;
  }
  return p;
}
