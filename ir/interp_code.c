/* A module flattened for the interpreter: the form of each op, last uses,
 * exchanges. */
#include <string.h>

#include "ir/interp_impl.h"

typedef struct last_use {
  code_block *block;   /* where the value is defined */
  node *last;    /* of that block; NULL: never used */
  uint32_t uses;
  bool nested;   /* last uses it inside a region */
} last_use;

typedef struct compiler {
  ir_interp *x;
  last_use *use; /* by id */
} compiler;

static bool is_wide(const compiler *c, const ir_value *v) {
  return ir_lanes_wide(c->x->m, &v->ty);
}

/* ---- uses ---- */
static void note_use(compiler *c, node *at, code_block *where,
                     const ir_value *v) {
  last_use *u = &c->use[v->id];
  bool nested = false;
  for (; where != u->block; where = where->parent) {
    at = where->owner;
    nested = true;
  }
  u->nested = nested || (u->last == at && u->nested);
  u->last = at;
  u->uses++;
}

static void note_def(compiler *c, code_block *where, node *at,
                     const ir_value *v) {
  c->use[v->id] = (last_use){.block = where, .last = at};
}

/* ---- nodes ---- */
/* CONST and TABLE are made once. */
static void make_fixed(compiler *c, node *nd) {
  const ir_inst *i = nd->i;
  ir_interp *x = c->x;
  const ir_type *ty = &i->res[0]->ty;
  uint64_t n = nd->op == OP_TABLE ? ty->lanes : 1;
  bool wide = ir_lanes_wide(x->m, ty);
  store *s = wide ? store_gmp(x, n, i->sp) : store_words(x, n, i->sp);
  if (!s) return;
  for (uint64_t k = 0; k < n; k++) {
    mpz_set(x->t[0], nd->op == OP_TABLE ? i->at.table[k] : i->at.imm);
    if (ty->dom == DOM_P) mpz_mod(x->t[0], x->t[0], x->m->p);
    if (!store_set(s, k, x->t[0]))
      interp_fail(x, IR_RUN_WRONG, i->sp, "a constant outside its range");
  }
  nd->fixed.st = s;
  if (n > 1 || wide) return;
  uint64_t word = s->w[0];
  val_drop(x, &nd->fixed);
  nd->fixed.word = word;
}

/* Words of a lane. */
static uint32_t words_of(const compiler *c, const ir_value *v) {
  const ir_range *r = v->ty.range;
  size_t bits = 64;
  if (v->ty.dom == DOM_P) {
    bits = mpz_sizeinbase(c->x->m->p, 2);
  } else if (r) {
    size_t lo = mpz_sizeinbase(r->lo, 2), hi = mpz_sizeinbase(r->hi, 2);
    bits = lo > hi ? lo : hi;
  }
  return (uint32_t)(bits / 64 + 1);
}

static bool multiplies(ir_op op) {
  return op == OP_MUL || op == OP_PROD || op == OP_DIV || op == OP_MOD ||
         op == OP_RDIV || op == OP_ISQRT || op == OP_INV;
}

/* Measured: a lane in GMP costs as much as WIDE_STEPS in words, and a step
 * more for each STEP_WORDS words, or STEP_PRODUCTS products of two, that it
 * takes. */
enum { WIDE_STEPS = 8, STEP_WORDS = 8, STEP_PRODUCTS = 32 };

static uint32_t weight_of(const compiler *c, const node *nd) {
  const ir_inst *i = nd->i;
  uint32_t w = 1;
  if (nd->words || !c->x->o.weigh) return 1;
  for (uint32_t k = 0; k < i->narg + i->nres; k++) {
    uint32_t n = words_of(c, k < i->narg ? i->arg[k] : i->res[k - i->narg]);
    if (n > w) w = n;
  }
  return WIDE_STEPS + (multiplies(nd->op) ? w * w / STEP_PRODUCTS
                                          : w / STEP_WORDS);
}

static void compile_block(compiler *c, code_block *blk, const ir_block *b);

static void compile_node(compiler *c, code_block *where, node *nd,
                         const ir_inst *i) {
  arena *a = c->x->a;
  nd->i = i;
  nd->op = i->op;
  nd->words = nd->scalar = true;
  for (uint32_t k = 0; k < i->narg; k++) {
    note_use(c, nd, where, i->arg[k]);
    nd->words = nd->words && !is_wide(c, i->arg[k]);
    nd->scalar = nd->scalar && i->arg[k]->ty.lanes == 1;
  }
  for (uint32_t k = 0; k < i->nres; k++) {
    nd->words = nd->words && !is_wide(c, i->res[k]);
    nd->scalar = nd->scalar && i->res[k]->ty.lanes == 1;
  }
  /* residues stand for integers: eq and select alone do not care */
  if (ir_is_typed(i) && i->op != OP_EQ && i->op != OP_SELECT)
    nd->words = false;
  nd->scalar = nd->scalar && nd->words;
  nd->weight = weight_of(c, nd);
  if (i->op == OP_CONST || i->op == OP_TABLE) make_fixed(c, nd);
  if (!i->nregion) {
    for (uint32_t k = 0; k < i->nres; k++) note_def(c, where, nd, i->res[k]);
    return;
  }
  nd->turn = ARENA_ARR(a, val, i->nres ? i->nres : 1);
  nd->next = ARENA_ARR(a, val, i->nres ? i->nres : 1);
  nd->region = ARENA_ARR(a, code_block, i->nregion);
  for (uint32_t k = 0; k < i->nregion; k++) {
    nd->region[k].parent = where;
    nd->region[k].owner = nd;
    compile_block(c, &nd->region[k], i->region[k]);
  }
  for (uint32_t k = 0; k < i->nres; k++) note_def(c, where, nd, i->res[k]);
}

/* ---- kills ---- */
static bool dies_early(const compiler *c, const node *nd, const ir_value *v) {
  return nd->op != OP_YIELD && nd->i->nregion && !c->use[v->id].nested;
}

static void add_kill(compiler *c, const ir_value *v, bool count_only) {
  node *nd = c->use[v->id].last;
  bool early = nd->i->nregion && v->def != nd->i && dies_early(c, nd, v);
  if (count_only) {
    nd->nkill++;
    return;
  }
  if (!nd->kill) {
    nd->kill = ARENA_ARR(c->x->a, uint32_t, nd->nkill);
    nd->nkill = 0;
  }
  nd->kill[nd->nkill++] = v->id;
  if (early) { /* to the front */
    nd->kill[nd->nkill - 1] = nd->kill[nd->nearly];
    nd->kill[nd->nearly++] = v->id;
  }
  nd->arg0_dies = nd->arg0_dies || (nd->i->narg && nd->i->arg[0] == v);
}

static void add_kills(compiler *c, code_block *blk, bool count_only) {
  for (uint32_t k = 0; k < blk->b->nparam; k++)
    add_kill(c, blk->b->param[k], count_only);
  for (uint32_t j = 0; j < blk->nnode; j++)
    for (uint32_t k = 0; k < blk->first[j].i->nres; k++)
      add_kill(c, blk->first[j].i->res[k], count_only);
}

/* Read once, lane by lane, by the op that follows it in words. */
static void mark_lazy(compiler *c, code_block *blk, node *nd) {
  if (!nd->words || !nd->i->nres || c->x->o.check_ranges) return;
  const ir_value *v = nd->i->res[0];
  const last_use *u = &c->use[v->id];
  if (nd->op != OP_ADD && nd->op != OP_SUB && nd->op != OP_NEG &&
      nd->op != OP_MUL && nd->op != OP_SELECT)
    return;
  nd->lazy = v->ty.lanes >= LAZY_MIN && u->uses == 1 && !u->nested &&
             u->block == blk && u->last != nd && u->last->words &&
             (is_word_op(u->last->op) || u->last->op == OP_SUM);
}

/* ---- exchanges ---- */
static bool interacts(const node *nd) {
  return ir_ops[nd->op].flags & F_I;
}

static void mark_exchanges(compiler *c, code_block *blk) {
  bool sched = c->x->m->stage == IR_SCHED;
  for (uint32_t j = 0; j < blk->nnode; j++) {
    node *nd = &blk->first[j], *h = nd;
    if (!interacts(nd)) continue;
    if (sched && j && interacts(nd - 1) &&
        nd[-1].i->at.round == nd->i->at.round)
      for (h--; !h->head; h--) continue;
    if (h == nd) {
      nd->head = true;
      nd->ex.first = nd->i;
    }
    h->ex.nop++;
    if (ir_ops[nd->op].rule == RULE_SHUFFLE) continue;
    *(nd->op == OP_OPEN ? &h->ex.open_lanes : &h->ex.reduce_lanes) +=
        nd->i->res[0]->ty.lanes;
  }
}

static void compile_block(compiler *c, code_block *blk, const ir_block *b) {
  blk->b = b;
  for (const ir_inst *i = b->first; i; i = i->next) blk->nnode++;
  blk->first = ARENA_ARR(c->x->a, node, blk->nnode ? blk->nnode : 1);
  for (uint32_t k = 0; k < b->nparam; k++)
    note_def(c, blk, blk->first, b->param[k]);
  node *nd = blk->first;
  for (const ir_inst *i = b->first; i; i = i->next, nd++)
    compile_node(c, blk, nd, i);
  add_kills(c, blk, true);
  for (uint32_t j = 0; j < blk->nnode; j++)
    mark_lazy(c, blk, &blk->first[j]);
  add_kills(c, blk, false);
  mark_exchanges(c, blk);
}

void interp_compile(ir_interp *x) {
  arena *scratch = arena_new();
  compiler c = {.x = x};
  c.use = ARENA_ARR(scratch, last_use, (size_t)x->m->nvalue + 1);
  compile_block(&c, &x->body, x->m->body);
  arena_free(scratch);
  x->broken = x->status != IR_RUN_OK;
}
