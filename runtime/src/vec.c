/* Direct share arithmetic: vectors bump-allocated in the arena, linear work at
 * once, interactive work queued for one exchange. */
#include <string.h>

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
      chii_wipe(s->vec_op[i].opened, s->vec_op[i].a.lanes * 8);
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
  if (lanes > left / 2)
    return chii_refuse(s, CHI_E_LIMIT, "vec_words is used up");
  out->slot = s->vec_used;
  out->lanes = lanes;
  s->vec_used += 2 * (uint64_t)lanes;
  memset(s->w + out->slot, 0, lanes * 16);
  return CHI_OK;
}

static bool valid(const chi_session *s, chi_vec v) {
  return v.lanes && v.lanes <= s->vec_used / 2 &&
         v.slot <= s->vec_used - 2 * v.lanes;
}

chi_status chi_vec_add(chi_session *s, chi_vec out, chi_vec a, chi_vec b) {
  chi_status st = ready(s);
  if (st)
    return st;
  CHII_REQUIRE(valid(s, out) && valid(s, a) && valid(s, b) &&
                   out.lanes == a.lanes && a.lanes == b.lanes,
               "vectors of different lengths");
  uint64_t *w = s->w;
  for (uint64_t l = 0; l < a.lanes * s->proto->planes; l++)
    w[out.slot + l] = chi_f_add(w[a.slot + l], w[b.slot + l]);
  return CHI_OK;
}

chi_status chi_vec_sub(chi_session *s, chi_vec out, chi_vec a, chi_vec b) {
  chi_status st = ready(s);
  if (st)
    return st;
  CHII_REQUIRE(valid(s, out) && valid(s, a) && valid(s, b) &&
                   out.lanes == a.lanes && a.lanes == b.lanes,
               "vectors of different lengths");
  uint64_t *w = s->w;
  for (uint64_t l = 0; l < a.lanes * s->proto->planes; l++)
    w[out.slot + l] = chi_f_sub(w[a.slot + l], w[b.slot + l]);
  return CHI_OK;
}

chi_status chi_vec_scale(chi_session *s, chi_vec out, chi_vec a, uint64_t c) {
  chi_status st = ready(s);
  if (st)
    return st;
  CHII_REQUIRE(valid(s, out) && valid(s, a) && out.lanes == a.lanes,
               "vectors of different lengths");
  CHII_REQUIRE(c < CHI_P, "a factor that is not reduced modulo p");
  uint64_t *w = s->w;
  for (uint64_t l = 0; l < a.lanes * s->proto->planes; l++)
    w[out.slot + l] = chi_f_mul(w[a.slot + l], c);
  return CHI_OK;
}

chi_status chi_vec_shift(chi_session *s, chi_vec out, chi_vec a, uint64_t c) {
  chi_status st = ready(s);
  if (st)
    return st;
  CHII_REQUIRE(valid(s, out) && valid(s, a) && out.lanes == a.lanes,
               "vectors of different lengths");
  CHII_REQUIRE(c < CHI_P, "a summand that is not reduced modulo p");
  int P = (int)s->proto->id;
  for (uint64_t l = 0; l < a.lanes; l++)
    chi_sh_st(P, s->w + out.slot, a.lanes, l,
              chi_sh_addp(P, s->me, chi_sh_ld(P, s->w + a.slot, a.lanes, l),
                          c));
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
  chi_status st = ready(s);
  if (st)
    return st;
  CHII_REQUIRE(valid(s, out) && valid(s, a) && valid(s, b) &&
                   out.lanes == a.lanes && a.lanes == b.lanes,
               "vectors of different lengths");
  vec_op op = {.kind = VEC_MUL, .out = out, .a = a, .b = b};
  return enqueue(s, &op);
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

static CHI_GEN_INLINE void mul_chunk(int P, uint64_t *restrict z,
                                     const uint64_t *a, const uint64_t *b,
                                     uint64_t lanes, uint64_t off, size_t n) {
  for (size_t i = 0; i < n; i++)
    z[i] = chi_f_add(z[i], chi_pr_mul(P, chi_sh_ld(P, a, lanes, off + i),
                                      chi_sh_ld(P, b, lanes, off + i)));
}

static void run_mul(chi_session *s, const vec_op *op) {
  const uint64_t *a = s->w + op->a.slot, *b = s->w + op->b.slot;
  uint64_t lanes = op->a.lanes;
  for (uint64_t off = 0; off < lanes; off += CHUNK) {
    size_t n = (size_t)chii_min(CHUNK, lanes - off);
    uint64_t *z = chii_ex_open_chunk(s, s->w + op->out.slot, lanes, off, n);
    if (s->proto->id == CHI_REP3)
      mul_chunk(CHI_GEN_REP3, z, a, b, lanes, off, n);
    else
      mul_chunk(CHI_GEN_SHAMIR, z, a, b, lanes, off, n);
    chii_ex_close_chunk(s);
  }
}

static CHI_GEN_INLINE uint64_t dot_lanes(int P, const uint64_t *a,
                                         const uint64_t *b, uint64_t lanes) {
  uint64_t sum = 0;
  for (uint64_t at = 0; at < lanes; at += CHI_ACC_PAIRS) {
    uint64_t to = chii_min(lanes, at + CHI_ACC_PAIRS);
    chi_acc z = chi_acc_zero();
    for (uint64_t l = at; l < to; l++)
      z = chi_acc_pr(P, z, chi_sh_ld(P, a, lanes, l),
                     chi_sh_ld(P, b, lanes, l));
    sum = chi_f_add(sum, chi_acc_fold(z));
  }
  return sum;
}

static void run_dot(chi_session *s, const vec_op *op) {
  const uint64_t *a = s->w + op->a.slot, *b = s->w + op->b.slot;
  uint64_t *z = chii_ex_open_chunk(s, s->w + op->out.slot, 1, 0, 1);
  uint64_t v = s->proto->id == CHI_REP3
                   ? dot_lanes(CHI_GEN_REP3, a, b, op->a.lanes)
                   : dot_lanes(CHI_GEN_SHAMIR, a, b, op->a.lanes);
  *z = chi_f_add(*z, v);
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
      for (uint64_t l = 0; op->values && l < op->out.lanes; l++)
        CHII_REQUIRE(op->values[l] < CHI_P,
                     "an input that is not reduced modulo p");
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
