/* Modules, instructions, editing, numbering, the circuit hash. */
#include "ir/ir.h"

#include <sodium/crypto_hash_sha256.h>
#include <string.h>

enum { ST_H = 1 << IR_HIGH, ST_K = 1 << IR_CORE, ST_X = 1 << IR_SCHED };

static const unsigned attrs_of[OP_COUNT] = {
    [OP_CONST] = AT_IMM,
    [OP_TABLE] = AT_TABLE,
    [OP_INPUT] = AT_NAME,
    [OP_OUTPUT] = AT_NAME,
    [OP_TELL] = AT_NAME,
    [OP_MLOAD] = AT_NAME,
    [OP_MSTORE] = AT_NAME,
    [OP_EMIT] = AT_NAME,
    [OP_WROTE] = AT_NAME,
    [OP_WRAP] = AT_BITS,
    [OP_SUM] = AT_INNER,
    [OP_GATHER] = AT_INNER,
    [OP_PROD] = AT_INNER,
    [OP_VIEW] = AT_OFF | AT_DIMS,
    [OP_GET] = AT_OFF | AT_DIMS,
    [OP_PUT] = AT_OFF | AT_DIMS,
    [OP_CHECK] = AT_MESSAGE,
    [OP_WHILE] = AT_MAX,
    [OP_REDUCE] = AT_ROUND,
    [OP_OPEN] = AT_ROUND,
    [OP_DIGITS] = AT_BITS,
    [OP_ONEHOT] = AT_INNER,
    [OP_SPLIT] = AT_OFF | AT_BITS,
    [OP_DEAL] = AT_OFF | AT_BITS | AT_ROUND,
    [OP_XDEAL] = AT_ROUND,
    [OP_XJOIN] = AT_ROUND,
    [OP_BDEAL] = AT_ROUND,
    [OP_PERM] = AT_OFF,
    [OP_SHUFFLE] = AT_INNER | AT_ROUND,
    [OP_UNSHUFFLE] = AT_INNER | AT_ROUND,
    [OP_UNPACK] = AT_BITS,
    [OP_PACK] = AT_BITS,
};

#define N -1
#define H ST_H
#define KX (ST_K | ST_X)
#define HKX (ST_H | ST_K | ST_X)
#define OP(E, SPELL, NARG, NRES, RULE, FLAGS, STAGES, DOC) \
  {#E, SPELL, NARG, NRES, RULE_##RULE, FLAGS, STAGES, DOC},
const ir_opinfo ir_ops[OP_COUNT] = {
#include "ir/ops.def"
};
#undef OP
#undef N
#undef H
#undef KX
#undef HKX

unsigned ir_op_attrs(ir_op op) { return attrs_of[op]; }

unsigned ir_target_summands(const ir_target *t) {
  return t->protocol == IR_REP3     ? 3
         : t->protocol == IR_SHAMIR ? 2 * ((t->n + 1) / 2 - 1) + 1
                                    : 0;
}

ir_module *ir_module_over(arena *a, const char *name, mpz_srcptr p) {
  ir_module *m = ARENA_NEW(a, ir_module);
  m->a = a;
  m->name = arena_strdup(a, name);
  m->body = ir_block_new(m);
  m->p = ir_mpz(m, p);
  m->k = (unsigned)mpz_sizeinbase(p, 2);
  m->is_mersenne = mpz_scan0(p, 0) == m->k;
  return m;
}

ir_module *ir_module_new(arena *a, const char *name, unsigned k) {
  mpz_t p;
  mpz_init(p);
  mpz_setbit(p, k);
  mpz_sub_ui(p, p, 1);
  ir_module *m = ir_module_over(a, name, p);
  mpz_clear(p);
  return m;
}

const char *ir_field_name(arena *a, const ir_module *m) {
  if (m->is_mersenne) return arena_printf(a, "2^%u-1", m->k);
  buf b = {0};
  buf_mpz(&b, m->p);
  const char *s = arena_strndup(a, b.p, b.n);
  buf_free(&b);
  return s;
}

/* The limbs go to the arena and the mpz is read-only, so nothing needs
 * clearing. */
mpz_srcptr ir_mpz(ir_module *m, mpz_srcptr v) {
  size_t n = mpz_size(v);
  __mpz_struct *z = ARENA_NEW(m->a, __mpz_struct);
  mp_limb_t *l = ARENA_ARR(m->a, mp_limb_t, n ? n : 1);
  memcpy(l, mpz_limbs_read(v), n * sizeof *l);
  mpz_roinit_n(z, l, mpz_sgn(v) < 0 ? -(mp_size_t)n : (mp_size_t)n);
  return z;
}

ir_block *ir_block_new(ir_module *m) { return ARENA_NEW(m->a, ir_block); }

/* Room for one more of n; capacities are the powers of two. */
static void *grow_one(arena *a, void *old, uint32_t n, size_t bytes) {
  if (n & (n - 1)) return old;
  return arena_grow(a, old, n, n ? (size_t)n * 2 : 1, bytes);
}

static ir_value *value_new(ir_module *m, ir_type ty, ir_inst *def, ir_block *b,
                           uint32_t index) {
  ir_value *v = ARENA_NEW(m->a, ir_value);
  v->ty = ty;
  v->id = m->nvalue++;
  v->def = def;
  v->block = b;
  v->index = index;
  return v;
}

ir_value *ir_param(ir_module *m, ir_block *b, ir_type ty, const char *name) {
  ir_value *v = value_new(m, ty, NULL, b, b->nparam);
  v->name = name;
  b->param = grow_one(m->a, b->param, b->nparam, sizeof *b->param);
  b->param[b->nparam++] = v;
  return v;
}

/* ---- editing ---- */
void ir_append(ir_block *b, ir_inst *i) {
  i->block = b;
  i->prev = b->last;
  i->next = NULL;
  *(b->last ? &b->last->next : &b->first) = i;
  b->last = i;
  for (uint32_t k = 0; k < i->nres; k++) i->res[k]->block = b;
}

void ir_insert_before(ir_inst *at, ir_inst *i) {
  ir_block *b = at->block;
  i->block = b;
  i->prev = at->prev;
  i->next = at;
  *(at->prev ? &at->prev->next : &b->first) = i;
  at->prev = i;
  for (uint32_t k = 0; k < i->nres; k++) i->res[k]->block = b;
}

void ir_remove(ir_inst *i) {
  ir_block *b = i->block;
  if (!b) return;
  *(i->prev ? &i->prev->next : &b->first) = i->next;
  *(i->next ? &i->next->prev : &b->last) = i->prev;
  i->prev = i->next = NULL;
  i->block = NULL;
}

ir_inst *ir_emit(ir_builder *b, ir_op op, ir_value **arg, uint32_t narg,
                 const ir_type *res, uint32_t nres) {
  ir_module *m = b->m;
  ir_inst *i = ARENA_NEW(m->a, ir_inst);
  i->op = op;
  i->sp = b->sp;
  i->narg = narg;
  i->nres = nres;
  if (narg) {
    i->arg = ARENA_ARR(m->a, ir_value *, narg);
    memcpy(i->arg, arg, narg * sizeof *arg);
  }
  if (nres) i->res = ARENA_ARR(m->a, ir_value *, nres);
  for (uint32_t k = 0; k < nres; k++)
    i->res[k] = value_new(m, res[k], i, b->b, k);
  if (b->at)
    ir_insert_before(b->at, i);
  else
    ir_append(b->b, i);
  return i;
}

ir_inst *ir_region_inst(ir_builder *b, ir_op op, ir_value **arg, uint32_t narg,
                        const ir_type *res, uint32_t nres, ir_block **region,
                        uint32_t nregion) {
  ir_inst *i = ir_emit(b, op, arg, narg, res, nres);
  i->nregion = nregion;
  i->region = ARENA_ARR(b->m->a, ir_block *, nregion ? nregion : 1);
  for (uint32_t k = 0; k < nregion; k++) {
    i->region[k] = region[k];
    region[k]->owner = i;
  }
  return i;
}

void ir_yield(ir_builder *b, ir_value **v, uint32_t n) {
  ir_emit(b, OP_YIELD, v, n, NULL, 0);
}

void ir_walk(ir_block *b, void (*f)(ir_inst *, void *), void *user) {
  for (ir_inst *i = b->first, *next; i; i = next) {
    next = i->next; /* f may remove i */
    f(i, user);
    for (uint32_t k = 0; k < i->nregion; k++) ir_walk(i->region[k], f, user);
  }
}

static uint32_t number_block(ir_block *b, uint32_t n) {
  for (uint32_t k = 0; k < b->nparam; k++) b->param[k]->id = n++;
  for (ir_inst *i = b->first; i; i = i->next) {
    for (uint32_t k = 0; k < i->nres; k++) i->res[k]->id = n++;
    for (uint32_t k = 0; k < i->nregion; k++)
      n = number_block(i->region[k], n);
  }
  return n;
}

uint32_t ir_number(ir_module *m) {
  return m->nvalue = number_block(m->body, 0);
}

bool ir_is_const(const ir_value *v, mpz_srcptr *out) {
  if (!v->def || v->def->op != OP_CONST) return false;
  if (out) *out = v->def->at.imm;
  return true;
}

bool ir_is_typed(const ir_inst *i) {
  switch (ir_ops[i->op].rule) {
  case RULE_ZZ:
  case RULE_ZBOOL: break;
  default:
    return i->op == OP_DIGITS || i->op == OP_ONEHOT ||
           (i->op == OP_SELECT && i->arg[0]->ty.kind == KIND_SH);
  }
  for (uint32_t k = 0; k < i->narg; k++)
    if (i->arg[k]->ty.kind == KIND_SH) return true;
  return false;
}

/* ---- leaves ---- */
int ir_leaf_find(const ir_leaf *leaf, uint32_t n, const char *name) {
  for (uint32_t k = 0; k < n; k++)
    if (!strcmp(leaf[k].name, name)) return (int)k;
  return -1;
}

static const char *dup_or_empty(arena *a, const char *s) {
  return arena_strdup(a, s ? s : "");
}

ir_leaf *ir_leaf_add(ir_module *m, bool out, const ir_leaf *leaf) {
  ir_leaf **tab = out ? &m->out : &m->in;
  uint32_t *n = out ? &m->nout : &m->nin;
  int at = ir_leaf_find(*tab, *n, leaf->name);
  if (at >= 0) return &(*tab)[at];
  *tab = grow_one(m->a, *tab, *n, sizeof **tab);
  ir_leaf *l = &(*tab)[(*n)++];
  *l = *leaf;
  l->name = dup_or_empty(m->a, leaf->name);
  l->type = dup_or_empty(m->a, leaf->type);
  l->shape = dup_or_empty(m->a, leaf->shape);
  l->top = dup_or_empty(m->a, leaf->top);
  return l;
}

/* ---- hash ---- */
void ir_hash(const ir_module *m, char out[65]) {
  static const char hex[] = "0123456789abcdef";
  unsigned char h[crypto_hash_sha256_BYTES];
  buf b = {0};
  ir_print(m, &b, false);
  crypto_hash_sha256(h, (const unsigned char *)b.p, b.n);
  buf_free(&b);
  for (size_t i = 0; i < sizeof h; i++) {
    out[2 * i] = hex[h[i] >> 4];
    out[2 * i + 1] = hex[h[i] & 15];
  }
  out[64] = 0;
}
