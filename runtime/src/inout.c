/* Inputs into the arena, outputs out of it, texts of integers. */
#include <gmp.h>
#include <stdio.h>
#include <string.h>

#include "ctime.h"
#include "format.h"
#include "session.h"

bool chii_wide_parse(uint64_t *r, const char *text) {
  int sign = 1;
  unsigned base = 10;
  mp_limb_t m[CHI_WIDE_LIMBS + 1] = {0};
  if (*text == '-' || *text == '+')
    sign = *text++ == '-' ? -1 : 1;
  if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    base = 16;
    text += 2;
  }
  if (!*text)
    return false;
  for (; *text; text++) {
    unsigned d = *text >= '0' && *text <= '9'   ? (unsigned)(*text - '0')
                 : *text >= 'a' && *text <= 'f' ? (unsigned)(*text - 'a' + 10)
                 : *text >= 'A' && *text <= 'F' ? (unsigned)(*text - 'A' + 10)
                                                : 99;
    if (d >= base)
      return false;
    mpn_mul_1(m, m, CHI_WIDE_LIMBS + 1, base);
    mpn_add_1(m, m, CHI_WIDE_LIMBS + 1, d);
    if (m[CHI_WIDE_LIMBS])
      return false;
  }
  uint64_t limb[CHI_WIDE_LIMBS];
  for (int i = 0; i < CHI_WIDE_LIMBS; i++)
    limb[i] = m[i];
  chi_wide_set_limbs(r, sign, limb, CHI_WIDE_LIMBS);
  return true;
}

bool chii_wide_print(char *text, size_t bytes, const uint64_t *a) {
  char digits[320];
  size_t n = 0;
  mp_limb_t m[CHI_WIDE_LIMBS];
  memcpy(m, a + 1, sizeof m);
  do {
    digits[n++] = (char)('0' + mpn_divrem_1(m, 0, m, CHI_WIDE_LIMBS, 10));
  } while (!mpn_zero_p(m, CHI_WIDE_LIMBS));
  if ((int64_t)a[0] < 0)
    digits[n++] = '-';
  if (n + 1 > bytes)
    return false;
  while (n)
    *text++ = digits[--n];
  *text = 0;
  return true;
}

/* The leaf if `input` may be given now in `kind of way`, else NULL and *st. */
static const chi_leaf *input_leaf(chi_session *s, uint32_t input, size_t lanes,
                                  bool secret, chi_status *st) {
  *st = s->status;
  if (*st)
    return NULL;
  if (s->phase != CHII_NEW || !s->program) {
    *st = chii_refuse(s, CHI_E_STATE, "inputs are given before the start");
    return NULL;
  }
  CHII_REQUIRE(input < s->program->n_input, "no such input");
  const chi_leaf *lf = &s->program->input[input];
  if ((lf->kind == CHI_KIND_SHARE) != secret)
    *st = chii_refuse(s, CHI_E_ARG, "input '%s' is %s", lf->name,
                      secret ? "public" : "secret");
  else if (lanes != lf->lanes)
    *st = chii_refuse(s, CHI_E_ARG, "input '%s' has %llu elements, not %llu",
                      lf->name, (unsigned long long)lf->lanes,
                      (unsigned long long)lanes);
  return *st ? NULL : lf;
}

/* Is v in lo..hi of the leaf, or, for any field element, in -(p-1)..p-1? */
static bool in_range(const chii_field *f, const chi_leaf *lf,
                     const uint64_t *v) {
  uint64_t b[CHI_WIDE_WORDS];
  if (lf->lo && lf->hi) {
    if (!chii_wide_parse(b, lf->lo) || chi_wide_cmp(v, b) < 0)
      return false;
    return chii_wide_parse(b, lf->hi) && chi_wide_cmp(v, b) <= 0;
  }
  chi_wide_set_limbs(b, 1, f->prime, f->words);
  if (chi_wide_cmp(v, b) >= 0)
    return false;
  chi_wide_neg(b, b);
  return chi_wide_cmp(v, b) > 0;
}

static chi_status put_public(chi_session *s, const chi_leaf *lf, uint64_t lane,
                             const uint64_t *v) {
  uint64_t *w = s->w + lf->slot;
  if (!in_range(&s->field, lf, v))
    return chii_refuse(s, CHI_E_RANGE,
                       "element %llu of input '%s' lies outside %s .. %s",
                       (unsigned long long)lane, lf->name,
                       lf->lo ? lf->lo : "1 - p", lf->hi ? lf->hi : "p - 1");
  if (lf->kind == CHI_KIND_WIDE)
    chi_wide_copy(w + lane * CHI_WIDE_WORDS, v);
  else if (lf->kind == CHI_KIND_FIELD)
    s->field.op->from_wide(&s->field, w + lane * s->ew, v);
  else
    w[lane] = (uint64_t)chi_wide_get_i64(v);
  return CHI_OK;
}

chi_status chi_session_input_public(chi_session *s, uint32_t input,
                                    const int64_t *values, size_t lanes) {
  CHII_REQUIRE(s && (values || !lanes), "an argument is NULL");
  chi_status st;
  uint64_t v[CHI_WIDE_WORDS];
  const chi_leaf *lf = input_leaf(s, input, lanes, false, &st);
  for (size_t i = 0; lf && i < lanes && !st; i++) {
    chi_wide_set_i64(v, values[i]);
    st = put_public(s, lf, i, v);
  }
  if (lf && !st)
    s->input[input].how = CHII_IN_PUBLIC;
  return st;
}

chi_status chi_session_input_public_text(chi_session *s, uint32_t input,
                                         const char *const *values,
                                         size_t lanes) {
  CHII_REQUIRE(s && (values || !lanes), "an argument is NULL");
  chi_status st;
  uint64_t v[CHI_WIDE_WORDS];
  const chi_leaf *lf = input_leaf(s, input, lanes, false, &st);
  for (size_t i = 0; lf && i < lanes && !st; i++) {
    if (!chii_wide_parse(v, values[i]))
      st = chii_refuse(s, CHI_E_ARG,
                       "element %llu of input '%s' is no integer",
                       (unsigned long long)i, lf->name);
    else
      st = put_public(s, lf, i, v);
  }
  if (lf && !st)
    s->input[input].how = CHII_IN_PUBLIC;
  return st;
}

/* Are all n elements below p?  Constant time. */
static bool reduced(const chi_session *s, const uint64_t *v, uint64_t n) {
  uint64_t bad = s->field.op->above(&s->field, v, (size_t)n);
  CHII_PUBLIC(&bad, sizeof bad);
  return !bad;
}

/* Body of an input blob to the planes of a share. */
static chi_status read_body(chi_session *s, const chi_leaf *lf,
                            const uint8_t *body) {
  const chii_field *f = &s->field;
  uint64_t *a = s->w + lf->slot, *b = a + lf->lanes * s->ew;
  size_t bytes = lf->lanes * s->eb;
  chi_status st = CHI_OK;
  if (s->proto->id == CHI_SHAMIR) {
    memcpy(a, body, bytes);
  } else if (s->me == 0) {
    st = chii_seed_expand(f, a, body, lf->lanes);
    if (!st)
      st = chii_seed_expand(f, b, body + CHII_SEED_BYTES, lf->lanes);
  } else if (s->me == 1) {
    st = chii_seed_expand(f, a, body, lf->lanes);
    memcpy(b, body + CHII_SEED_BYTES, bytes);
  } else {
    memcpy(a, body, bytes);
    st = chii_seed_expand(f, b, body + bytes, lf->lanes);
  }
  bool ok = reduced(s, a, lf->lanes * s->proto->planes);
  CHII_SECRET(a, bytes * s->proto->planes);
  return st ? st : ok ? CHI_OK : CHI_E_INPUT;
}

chi_status chi_session_input_sealed(chi_session *s, uint32_t input,
                                    const uint8_t *blob, size_t blob_bytes) {
  CHII_REQUIRE(s && blob, "an argument is NULL");
  chi_status st = s->status;
  const chi_leaf *lf = NULL;
  if (!st && s->program && input < s->program->n_input)
    lf = input_leaf(s, input, s->program->input[input].lanes, true, &st);
  else if (!st)
    st = chii_refuse(s, CHI_E_ARG, "there is no such input");
  if (!lf)
    return st;
  if (!s->identity)
    return chii_refuse(s, CHI_E_ARG, "the session has no identity");
  size_t plain = chii_blob_bytes(&s->field, CHII_BLOB_INPUT, s->proto->id,
                                 s->n, s->me, lf->lanes);
  if (plain == 0 || blob_bytes != plain + CHI_SEAL_BYTES)
    return chii_refuse(s, CHI_E_INPUT, "the blob of input '%s' has %llu bytes,"
                       " not %llu", lf->name, (unsigned long long)blob_bytes,
                       (unsigned long long)(plain + CHI_SEAL_BYTES));
  uint8_t *msg = chii_alloc(s, plain, 1);
  if (!msg)
    return chii_refuse(s, CHI_E_NOMEM, "no memory for input '%s'", lf->name);
  if (chi_unseal(msg, s->identity, blob, blob_bytes) != CHI_OK)
    st = chii_refuse(s, CHI_E_INPUT,
                     "the blob of input '%s' is not sealed for this node",
                     lf->name);
  else if (chii_blob_check(&s->field, msg, plain, CHII_BLOB_INPUT,
                           s->proto->id, s->n, s->me, input, lf->lanes,
                           s->session_id))
    st = chii_refuse(s, CHI_E_INPUT,
                     "the blob of input '%s' is of another run or input",
                     lf->name);
  else if ((st = read_body(s, lf, msg + CHII_BLOB_HEAD)) == CHI_E_CRYPTO)
    st = chii_refuse(s, st, "AES failed");
  else if (st)
    st = chii_refuse(s, st,
                     "the blob of input '%s' holds a number that is not"
                     " reduced modulo p",
                     lf->name);
  chii_free(s, msg);
  if (!st)
    s->input[input].how = CHII_IN_SEALED;
  return st;
}

chi_status chi_session_input_share(chi_session *s, uint32_t input,
                                   const uint64_t *a, const uint64_t *b,
                                   size_t lanes) {
  CHII_REQUIRE(s && (a || !lanes), "an argument is NULL");
  chi_status st;
  const chi_leaf *lf = input_leaf(s, input, lanes, true, &st);
  if (!lf)
    return st;
  uint64_t *w = s->w + lf->slot;
  CHII_REQUIRE(b || !lanes || s->proto->planes == 1,
               "rep3 shares have two planes");
  if (!reduced(s, a, lanes) ||
      (s->proto->planes == 2 && !reduced(s, b, lanes)))
    return chii_refuse(s, CHI_E_INPUT,
                       "the share of input '%s' holds a number that is not"
                       " reduced modulo p",
                       lf->name);
  memcpy(w, a, lanes * s->eb);
  if (s->proto->planes == 2)
    memcpy(w + lanes * s->ew, b, lanes * s->eb);
  CHII_SECRET(w, lanes * s->eb * s->proto->planes);
  s->input[input].how = CHII_IN_SHARE;
  return CHI_OK;
}

/* A bound of a leaf, cut to what an int64_t can be compared with. */
static int64_t int64_bound(const char *text, int64_t none) {
  uint64_t b[CHI_WIDE_WORDS];
  if (!text || !chii_wide_parse(b, text))
    return none;
  if (chi_wide_fits_i64(b))
    return chi_wide_get_i64(b);
  return (int64_t)b[0] < 0 ? INT64_MIN : INT64_MAX;
}

/* The leaf, if the input may be dealt so, and memory for values if they are
 * given. */
static const chi_leaf *dealt_leaf(chi_session *s, uint32_t input,
                                  unsigned dealer, bool given, size_t lanes,
                                  chi_status *st) {
  CHII_REQUIRE(dealer < s->n, "no such dealer");
  CHII_REQUIRE(given == (dealer == s->me),
               "values are given by the dealer, and by nobody else");
  const chi_leaf *lf = input_leaf(s, input, lanes, true, st);
  if (!lf)
    return NULL;
  chii_input *in = &s->input[input];
  chii_free(s, in->values);
  in->values = given ? chii_alloc(s, lanes, s->eb) : NULL;
  if (!given || in->values)
    return lf;
  *st = chii_refuse(s, CHI_E_NOMEM, "no memory for input '%s'", lf->name);
  return NULL;
}

static chi_status dealt(chi_session *s, uint32_t input, unsigned dealer,
                        uint64_t bad) {
  CHII_PUBLIC(&bad, sizeof bad);
  if (bad)
    return chii_refuse(s, CHI_E_RANGE,
                       "an element of input '%s' lies outside its range",
                       s->program->input[input].name);
  s->input[input].how = CHII_IN_NODE;
  s->input[input].dealer = dealer;
  return CHI_OK;
}

chi_status chi_session_input_node(chi_session *s, uint32_t input,
                                  unsigned dealer, const int64_t *values,
                                  size_t lanes) {
  CHII_REQUIRE(s, "the session is NULL");
  chi_status st;
  const chi_leaf *lf = dealt_leaf(s, input, dealer, values != NULL, lanes,
                                  &st);
  if (!lf)
    return st;
  int64_t lo = int64_bound(lf->lo, INT64_MIN);
  int64_t hi = int64_bound(lf->hi, INT64_MAX);
  uint64_t bad = 0; /* all are looked at, in constant time */
  for (size_t i = 0; values && i < lanes; i++)
    bad |= (uint64_t)(values[i] < lo) | (uint64_t)(values[i] > hi);
  if (values)
    bad |= chii_of_i64(&s->field, s->input[input].values, values, lanes,
                       false);
  return dealt(s, input, dealer, bad);
}

/* Not 0 if an element stands for no integer in lo..hi of the leaf: if it is
 * more than hi - lo above lo. */
static uint64_t outside(const chii_field *f, const chi_leaf *lf,
                        const uint64_t *v, size_t n) {
  uint64_t lo[CHI_WIDE_WORDS], span[CHI_WIDE_WORDS];
  uint64_t low[CHI_FIELD_WORDS_MAX], most[CHI_FIELD_WORDS_MAX];
  uint64_t d[CHI_FIELD_WORDS_MAX], bad = f->op->above(f, v, n);
  if (!lf->lo || !lf->hi)
    return bad;
  if (!chii_wide_parse(lo, lf->lo) || !chii_wide_parse(span, lf->hi))
    return 1;
  chi_wide_sub(span, span, lo);
  if (!chii_of_wide(f, most, span))
    return bad; /* all of them */
  f->op->from_wide(f, low, lo);
  for (size_t i = 0; i < n; i++) {
    uint64_t below = 0; /* most - d borrows */
    chii_sub(f, d, v + i * f->words, low, 1);
    for (unsigned k = 0; k < f->words; k++) {
      uint64_t x = most[k] - d[k];
      below = (uint64_t)(most[k] < d[k]) | (uint64_t)(x < below);
    }
    bad |= below;
  }
  return bad;
}

chi_status chi_session_input_node_elements(chi_session *s, uint32_t input,
                                           unsigned dealer,
                                           const uint64_t *elements,
                                           size_t lanes) {
  CHII_REQUIRE(s, "the session is NULL");
  chi_status st;
  const chi_leaf *lf = dealt_leaf(s, input, dealer, elements != NULL, lanes,
                                  &st);
  if (!lf)
    return st;
  if (elements)
    memcpy(s->input[input].values, elements, lanes * s->eb);
  return dealt(s, input, dealer,
               elements ? outside(&s->field, lf, elements, lanes) : 0);
}

/* ---- outputs ---- */

static const chi_leaf *output_leaf(chi_session *s, uint32_t output,
                                   bool share, chi_status *st) {
  *st = s->status;
  if (*st)
    return NULL;
  if (s->phase != CHII_DONE) {
    *st = chii_refuse(s, CHI_E_STATE, "the session has not run");
    return NULL;
  }
  CHII_REQUIRE(output < s->program->n_output, "no such output");
  const chi_leaf *lf = &s->program->output[output];
  if (lf->kind == CHI_KIND_TOLD || (lf->kind == CHI_KIND_SHARE) != share)
    *st = chii_refuse(s, CHI_E_ARG, "output '%s' is not %s", lf->name,
                      share ? "a share" : "public");
  return *st ? NULL : lf;
}

chi_status chi_session_output(chi_session *s, uint32_t output, int64_t *values,
                              size_t lanes) {
  CHII_REQUIRE(s && (values || !lanes), "an argument is NULL");
  chi_status st;
  const chi_leaf *lf = output_leaf(s, output, false, &st);
  if (lf && lanes != lf->lanes)
    st = chii_refuse(s, CHI_E_ARG, "output '%s' has %llu elements", lf->name,
                     (unsigned long long)lf->lanes);
  for (size_t i = 0; lf && i < lanes && !st; i++) {
    const uint64_t *w = s->w + lf->slot;
    if (lf->kind == CHI_KIND_FIELD && s->field.bits > 63)
      st = chii_refuse(s, CHI_E_RANGE,
                       "output '%s' has elements of %u bits:"
                       " chi_session_output_text gives them",
                       lf->name, s->field.bits);
    else if (lf->kind != CHI_KIND_WIDE)
      values[i] = (int64_t)w[i];
    else if (chi_wide_fits_i64(w + i * CHI_WIDE_WORDS))
      values[i] = chi_wide_get_i64(w + i * CHI_WIDE_WORDS);
    else
      st = chii_refuse(s, CHI_E_RANGE, "output '%s' exceeds 64 bits",
                       lf->name);
  }
  return st;
}

chi_status chi_session_output_text(chi_session *s, uint32_t output,
                                   uint64_t lane, char *text,
                                   size_t text_bytes) {
  CHII_REQUIRE(s && text, "an argument is NULL");
  chi_status st;
  uint64_t v[CHI_WIDE_WORDS];
  const chi_leaf *lf = output_leaf(s, output, false, &st);
  if (!lf)
    return st;
  CHII_REQUIRE(lane < lf->lanes, "no such element");
  const uint64_t *w = s->w + lf->slot;
  if (lf->kind == CHI_KIND_WIDE)
    chi_wide_copy(v, w + lane * CHI_WIDE_WORDS);
  else if (lf->kind == CHI_KIND_FIELD)
    chii_to_wide(&s->field, v, w + lane * s->ew, false);
  else
    chi_wide_set_i64(v, (int64_t)w[lane]);
  if (!chii_wide_print(text, text_bytes, v))
    return chii_refuse(s, CHI_E_RANGE, "the text does not fit");
  return CHI_OK;
}

chi_status chi_session_output_share(chi_session *s, uint32_t output,
                                    uint64_t *a, uint64_t *b, size_t lanes) {
  CHII_REQUIRE(s && (a || !lanes), "an argument is NULL");
  chi_status st;
  const chi_leaf *lf = output_leaf(s, output, true, &st);
  if (!lf)
    return st;
  if (lanes != lf->lanes)
    return chii_refuse(s, CHI_E_ARG, "output '%s' has %llu elements", lf->name,
                       (unsigned long long)lf->lanes);
  const uint64_t *w = s->w + lf->slot;
  memcpy(a, w, lanes * s->eb);
  if (s->proto->planes == 2) {
    CHII_REQUIRE(b || !lanes, "rep3 shares have two planes");
    memcpy(b, w + lanes * s->ew, lanes * s->eb);
  }
  return CHI_OK;
}
