/* Direct share arithmetic: vectors bump-allocated in the arena, linear work at
 * once, interactive work queued for one exchange. */
#include <string.h>

#include "ctime.h"
#include "session.h"

typedef enum { VEC_SHARE, VEC_MUL, VEC_DOT, VEC_OPEN, VEC_OPEN_TO } vec_kind;

typedef struct chii_vec_op {
  vec_kind kind;
  chi_vec out, a, b;
  unsigned party; /* dealer, or who is told */
  const uint64_t *values; /* VEC_SHARE */
  uint64_t *opened;       /* VEC_OPEN, VEC_OPEN_TO; may be NULL there */
} vec_op;

const size_t chii_vec_op_bytes = sizeof(vec_op);

void chii_vec_wipe(chi_session *s) {
  for (uint32_t i = 0; i < s->n_vec_op; i++)
    if (s->vec_op[i].opened)
      chii_wipe(s->vec_op[i].opened, s->vec_op[i].a.lanes * s->eb);
  s->n_vec_op = 0;
}

static chi_status ready(chi_session *s) {
  if (s->status)
    return s->status;
  if (s->program || s->phase != CHII_STARTED)
    return chii_refuse(s, CHI_E_STATE,
                       "vectors need a started session without a program");
  return CHI_OK;
}

chi_status chi_vec_new(chi_session *s, chi_vec *out, size_t lanes) {
  CHII_REQUIRE(s && out && lanes, "an empty vector or a NULL argument");
  chi_status st = ready(s);
  if (st)
    return st;
  uint64_t left = s->words - s->vec_used;
  if (lanes > left / (2 * s->ew))
    return chii_refuse(s, CHI_E_LIMIT, "vec_words is used up");
  out->slot = s->vec_used;
  out->lanes = lanes;
  s->vec_used += 2 * (uint64_t)lanes * s->ew;
  memset(s->w + out->slot, 0, 2 * lanes * s->eb);
  return CHI_OK;
}

static bool valid(const chi_session *s, chi_vec v) {
  return v.lanes && v.lanes <= s->vec_used / (2 * s->ew) &&
         v.slot <= s->vec_used - 2 * v.lanes * s->ew;
}

/* Vectors of one length, in a session that has vectors? */
static chi_status alike(chi_session *s, chi_vec out, chi_vec a, chi_vec b) {
  chi_status st = ready(s);
  CHII_REQUIRE(st || (valid(s, out) && valid(s, a) && valid(s, b) &&
                      out.lanes == a.lanes && a.lanes == b.lanes),
               "vectors of different lengths");
  return st;
}

chi_status chi_vec_add(chi_session *s, chi_vec out, chi_vec a, chi_vec b) {
  chi_status st = alike(s, out, a, b);
  if (!st)
    chii_add(&s->field, s->w + out.slot, s->w + a.slot, s->w + b.slot,
             a.lanes * s->proto->planes);
  return st;
}

chi_status chi_vec_sub(chi_session *s, chi_vec out, chi_vec a, chi_vec b) {
  chi_status st = alike(s, out, a, b);
  if (!st)
    chii_sub(&s->field, s->w + out.slot, s->w + a.slot, s->w + b.slot,
             a.lanes * s->proto->planes);
  return st;
}

/* The same beside a public element. */
static chi_status constant(chi_session *s, chi_vec out, chi_vec a,
                           const uint64_t *c) {
  chi_status st = alike(s, out, a, a);
  CHII_REQUIRE(st || (c && !s->field.op->above(&s->field, c, 1)),
               "a constant that is not reduced modulo p");
  return st;
}

chi_status chi_vec_scale(chi_session *s, chi_vec out, chi_vec a,
                         const uint64_t *c) {
  chi_status st = constant(s, out, a, c);
  if (!st)
    chii_scale(&s->field, s->w + out.slot, c, s->w + a.slot, 1,
               a.lanes * s->proto->planes);
  return st;
}

chi_status chi_vec_shift(chi_session *s, chi_vec out, chi_vec a,
                         const uint64_t *c) {
  chi_status st = constant(s, out, a, c);
  if (st)
    return st;
  uint64_t *d = s->w + out.slot;
  size_t plane = a.lanes * s->ew;
  memmove(d, s->w + a.slot, plane * 8 * s->proto->planes);
  if (s->proto->id == CHI_REP3 && s->me == 2) /* (c, 0, 0): see chi_sh_pub */
    d += plane;
  else if (s->proto->id == CHI_REP3 && s->me == 1)
    return CHI_OK;
  s->field.op->shift(&s->field, d, d, c, a.lanes);
  return CHI_OK;
}

static chi_status enqueue(chi_session *s, const vec_op *op) {
  if (s->n_vec_op == s->vec_queue)
    return chii_refuse(s, CHI_E_LIMIT, "the queue is full");
  s->vec_op[s->n_vec_op++] = *op;
  return CHI_OK;
}

chi_status chi_share(chi_session *s, chi_vec out, unsigned dealer,
                     const uint64_t *values) {
  chi_status st = ready(s);
  if (st)
    return st;
  CHII_REQUIRE(valid(s, out) && dealer < s->n &&
                   (values != NULL) == (dealer == s->me),
               "values are given by the dealer, and by nobody else");
  vec_op op = {.kind = VEC_SHARE, .out = out, .party = dealer,
               .values = values};
  return enqueue(s, &op);
}

chi_status chi_mul(chi_session *s, chi_vec out, chi_vec a, chi_vec b) {
  vec_op op = {.kind = VEC_MUL, .out = out, .a = a, .b = b};
  chi_status st = alike(s, out, a, b);
  return st ? st : enqueue(s, &op);
}

chi_status chi_dot(chi_session *s, chi_vec out, chi_vec a, chi_vec b) {
  chi_status st = ready(s);
  if (st)
    return st;
  CHII_REQUIRE(valid(s, out) && valid(s, a) && valid(s, b) && out.lanes == 1 &&
                   a.lanes == b.lanes,
               "vectors of different lengths");
  vec_op op = {.kind = VEC_DOT, .out = out, .a = a, .b = b};
  return enqueue(s, &op);
}

chi_status chi_open(chi_session *s, uint64_t *values, chi_vec a) {
  chi_status st = ready(s);
  if (st)
    return st;
  CHII_REQUIRE(values && valid(s, a), "an argument is NULL");
  vec_op op = {.kind = VEC_OPEN, .a = a, .opened = values};
  return enqueue(s, &op);
}

chi_status chi_open_to(chi_session *s, unsigned party, uint64_t *values,
                       chi_vec a) {
  chi_status st = ready(s);
  if (st)
    return st;
  CHII_REQUIRE(valid(s, a) && party < s->n &&
                   (values != NULL) == (party == s->me),
               "values are taken by the party told, and by nobody else");
  vec_op op = {.kind = VEC_OPEN_TO, .a = a, .party = party, .opened = values};
  return enqueue(s, &op);
}

/* Of the planes of a share; 0: there is one. */
static uint64_t plane_of(const chi_session *s, uint64_t lanes) {
  return s->proto->planes == 2 ? lanes : 0;
}

static void run_mul(chi_session *s, const vec_op *op) {
  const uint64_t *a = s->w + op->a.slot, *b = s->w + op->b.slot;
  uint64_t lanes = op->a.lanes;
  for (uint64_t off = 0; off < lanes; off += CHUNK) {
    size_t n = (size_t)chii_min(CHUNK, lanes - off);
    uint64_t *z = chii_ex_open_chunk(s, s->w + op->out.slot, lanes, off, n);
    s->field.op->products(&s->field, z, a + off * s->ew, b + off * s->ew,
                          plane_of(s, lanes), n);
    chii_ex_close_chunk(s);
  }
}

static void run_dot(chi_session *s, const vec_op *op) {
  const uint64_t *a = s->w + op->a.slot, *b = s->w + op->b.slot;
  uint64_t *z = chii_ex_open_chunk(s, s->w + op->out.slot, 1, 0, 1);
  s->field.op->dot(&s->field, z, a, b, plane_of(s, op->a.lanes), op->a.lanes);
  chii_ex_close_chunk(s);
}

chi_status chi_exchange(chi_session *s) {
  CHII_REQUIRE(s, "the session is NULL");
  chi_status st = ready(s);
  if (st)
    return st;
  uint64_t m = 0, o = 0;
  for (uint32_t i = 0; i < s->n_vec_op && !s->status; i++) {
    const vec_op *op = &s->vec_op[i];
    if (op->kind == VEC_SHARE) {
      uint64_t bad = op->values ? s->field.op->above(&s->field, op->values,
                                                     op->out.lanes)
                                : 0;
      CHII_PUBLIC(&bad, sizeof bad);
      CHII_REQUIRE(!bad, "an input that is not reduced modulo p");
      s->proto->deal(s, op->party, s->w + op->out.slot, op->values,
                     op->out.lanes);
    } else if (op->kind == VEC_OPEN) {
      o += op->a.lanes;
    } else if (op->kind != VEC_OPEN_TO) {
      m += op->out.lanes;
    }
  }
  for (uint32_t i = 0; i < s->n_vec_op && !s->status; i++) {
    const vec_op *op = &s->vec_op[i];
    if (op->kind == VEC_OPEN_TO)
      s->proto->open_to(s, op->party, op->opened, s->w + op->a.slot,
                        op->a.lanes);
  }
  if (s->status)
    return s->status;
  chii_ex_begin(s, m, o);
  for (uint32_t i = 0; i < s->n_vec_op && !s->status; i++) {
    const vec_op *op = &s->vec_op[i];
    if (op->kind == VEC_MUL)
      run_mul(s, op);
    else if (op->kind == VEC_DOT)
      run_dot(s, op);
    else if (op->kind == VEC_OPEN)
      chii_ex_open(s, op->opened, s->w + op->a.slot, op->a.lanes);
  }
  if (chii_ex_end(s) == 0)
    s->n_vec_op = 0;
  return s->status;
}
