#include "ledger/codec.h"

#include <string.h>

#include "base/be.h"

/* ---- writing ---- */
codec_writer codec_writer_new(arena *a, size_t max) {
  return (codec_writer){.a = a, .max = max};
}

void codec_put_raw(codec_writer *w, const void *p, size_t n) {
  if (w->bad || n > w->max - w->n) {
    w->bad = true;
    return;
  }
  if (n > w->cap - w->n) {
    size_t cap = w->cap ? w->cap * 2 : 256;
    if (cap < w->n + n) cap = w->n + n;
    w->p = arena_grow(w->a, w->p, w->n, cap, 1);
    w->cap = cap;
  }
  if (n) memcpy(w->p + w->n, p, n);
  w->n += n;
}

void codec_put_u8(codec_writer *w, uint8_t v) { codec_put_raw(w, &v, 1); }

static void put_big(codec_writer *w, uint64_t v, int n) {
  uint8_t b[8];
  be_put(b, v, n);
  codec_put_raw(w, b, (size_t)n);
}

void codec_put_u32(codec_writer *w, uint32_t v) { put_big(w, v, 4); }
void codec_put_u64(codec_writer *w, uint64_t v) { put_big(w, v, 8); }

void codec_put_bytes(codec_writer *w, const void *p, size_t n) {
  if (n > UINT32_MAX) w->bad = true;
  codec_put_u32(w, (uint32_t)n);
  codec_put_raw(w, p, n);
}

void codec_put_text(codec_writer *w, const char *s) {
  codec_put_bytes(w, s, strlen(s));
}

void codec_put_name(codec_writer *w, const char *s) {
  if (!s || !codec_is_name(s))
    w->bad = true;
  else
    codec_put_text(w, s);
}

static bool is_text(const char *s, size_t n) {
  for (size_t k = 0; k < n; k++)
    if ((unsigned char)s[k] < ' ' || s[k] == 0x7f) return false;
  return true;
}

void codec_put_why(codec_writer *w, const char *s) {
  size_t n = s ? strlen(s) : 0;
  if (n > TX_WHY_MAX || !is_text(s, n)) w->bad = true;
  codec_put_bytes(w, s, n);
}

void codec_put_mpz(codec_writer *w, mpz_srcptr v) {
  uint8_t b[2 + TX_LANE_BITS_MAX / 8];
  int sign = mpz_sgn(v);
  size_t n = 0;
  if (!sign) {
    codec_put_u8(w, 0);
    return;
  }
  if (mpz_sizeinbase(v, 2) > TX_LANE_BITS_MAX) {
    w->bad = true;
    return;
  }
  mpz_export(b + 2, &n, 1, 1, 1, 0, v);
  b[0] = sign > 0 ? 1 : 2;
  b[1] = (uint8_t)n;
  codec_put_raw(w, b, n + 2);
}

void codec_put_lanes(codec_writer *w, const mpz_t *lane, uint64_t n) {
  if (n > TX_LANES_MAX) w->bad = true;
  codec_put_u32(w, (uint32_t)n);
  for (uint64_t k = 0; k < n && !w->bad; k++) codec_put_mpz(w, lane[k]);
}

void codec_put_value(codec_writer *w, const tx_value *v) {
  codec_put_name(w, v->name);
  codec_put_lanes(w, (const mpz_t *)v->lane, v->n);
}

void codec_put_values(codec_writer *w, const tx_values *v) {
  uint64_t lanes = 0;
  if (v->n > TX_VALUES_MAX) w->bad = true;
  codec_put_u32(w, v->n);
  for (uint32_t k = 0; k < v->n && !w->bad; k++) {
    lanes += v->p[k].n;
    if (v->p[k].n > TX_LANES_MAX || lanes > TX_LANES_MAX) w->bad = true;
    codec_put_value(w, &v->p[k]);
  }
}

/* ---- reading ---- */
codec_reader codec_reader_new(arena *a, const void *p, size_t n) {
  return (codec_reader){.a = a, .p = p, .n = n};
}

void codec_fail(codec_reader *r, const char *why) {
  if (!r->bad) r->why = why;
  r->bad = true;
}

/* n bytes in place, or NULL. */
static const uint8_t *take(codec_reader *r, size_t n) {
  if (!r->bad && n > r->n - r->at) codec_fail(r, "it is cut off");
  if (r->bad) return NULL;
  const uint8_t *p = r->p + r->at;
  r->at += n;
  return p;
}

void codec_get_raw(codec_reader *r, void *out, size_t n) {
  const uint8_t *p = take(r, n);
  if (p)
    memcpy(out, p, n);
  else
    memset(out, 0, n);
}

static uint64_t get_big(codec_reader *r, int n) {
  const uint8_t *p = take(r, (size_t)n);
  return p ? be_get(p, n) : 0;
}

uint8_t codec_get_u8(codec_reader *r) { return (uint8_t)get_big(r, 1); }
uint32_t codec_get_u32(codec_reader *r) { return (uint32_t)get_big(r, 4); }
uint64_t codec_get_u64(codec_reader *r) { return get_big(r, 8); }

uint32_t codec_get_count(codec_reader *r, uint32_t most) {
  uint32_t n = codec_get_u32(r);
  if (!r->bad && n > most) codec_fail(r, "a count is too large");
  return r->bad ? 0 : n;
}

bool codec_get_bool(codec_reader *r) {
  uint8_t v = codec_get_u8(r);
  if (v > 1) codec_fail(r, "a truth value is neither 0 nor 1");
  return v == 1;
}

const uint8_t *codec_get_bytes(codec_reader *r, size_t max, size_t *n) {
  *n = codec_get_u32(r);
  if (!r->bad && *n > max) codec_fail(r, "a length is too large");
  const uint8_t *p = take(r, *n);
  if (!p) *n = 0;
  return p;
}

const char *codec_get_text(codec_reader *r, size_t max) {
  size_t n;
  const char *p = (const char *)codec_get_bytes(r, max, &n);
  if (p && !is_text(p, n)) codec_fail(r, "a text has control characters");
  return r->bad ? "" : arena_strndup(r->a, p, n);
}

const char *codec_get_name(codec_reader *r) {
  const char *s = codec_get_text(r, TX_NAME_MAX);
  if (!r->bad && !codec_is_name(s)) codec_fail(r, "a name is not proper");
  return r->bad ? "" : s;
}

const char *codec_get_why(codec_reader *r) {
  return codec_get_text(r, TX_WHY_MAX);
}

/* The lane's limbs go to the arena: nothing to clear, and memory stays in
 * proportion to the bytes. */
static void get_mpz(codec_reader *r, mpz_ptr v) {
  uint8_t sign = codec_get_u8(r);
  static const mp_limb_t zero[1] = {0};
  mpz_roinit_n(v, zero, 0);
  if (r->bad || !sign) return;
  uint8_t n = codec_get_u8(r);
  if (sign > 2 || !n || n > TX_LANE_BITS_MAX / 8) {
    codec_fail(r, "an integer is not canonical");
    return;
  }
  const uint8_t *p = take(r, n);
  if (!p) return;
  if (!p[0]) {
    codec_fail(r, "an integer is not canonical");
    return;
  }
  size_t size = sizeof(mp_limb_t), limbs = (n + size - 1) / size;
  mp_limb_t *l = ARENA_ARR(r->a, mp_limb_t, limbs);
  for (size_t k = 0; k < n; k++)
    l[k / size] |= (mp_limb_t)p[n - 1 - k] << (8 * (k % size));
  mpz_roinit_n(v, l, sign == 1 ? (mp_size_t)limbs : -(mp_size_t)limbs);
}

mpz_t *codec_get_lanes(codec_reader *r, uint64_t most, uint64_t *n) {
  uint32_t c = codec_get_count(r, TX_LANES_MAX);
  *n = 0;
  if (c > most) codec_fail(r, "there are too many lanes");
  if (c > r->n - r->at) codec_fail(r, "it is cut off");
  if (r->bad) return NULL;
  mpz_t *lane = ARENA_ARR(r->a, mpz_t, c);
  for (uint32_t k = 0; k < c; k++) get_mpz(r, lane[k]);
  if (r->bad) return NULL;
  *n = c;
  return lane;
}

/* `left`: lanes that the list may still have. */
static void get_value(codec_reader *r, tx_value *v, uint64_t *left) {
  *v = (tx_value){.name = codec_get_name(r)};
  v->lane = codec_get_lanes(r, *left, &v->n);
  *left -= v->n;
}

void codec_get_value(codec_reader *r, tx_value *v) {
  uint64_t left = TX_LANES_MAX;
  get_value(r, v, &left);
}

void codec_get_values(codec_reader *r, tx_values *v) {
  uint64_t left = TX_LANES_MAX;
  *v = (tx_values){0};
  uint32_t n = codec_get_count(r, TX_VALUES_MAX);
  if (n > (r->n - r->at) / 8) codec_fail(r, "it is cut off");
  if (r->bad) return;
  v->p = ARENA_ARR(r->a, tx_value, n);
  for (; v->n < n && !r->bad; v->n++) get_value(r, &v->p[v->n], &left);
  if (r->bad) *v = (tx_values){0};
}

bool codec_done(codec_reader *r) {
  if (!r->bad && r->at != r->n) codec_fail(r, "there are bytes after its end");
  return !r->bad;
}

/* ---- texts ---- */
bool codec_is_name(const char *s) {
  size_t n = 0;
  for (; s[n] && n <= TX_NAME_MAX; n++)
    if (s[n] <= ' ' || s[n] > '~' || s[n] == '"' || s[n] == '\\') return false;
  return n > 0 && n <= TX_NAME_MAX;
}

const char *codec_clean(arena *a, const char *why) {
  size_t n = strlen(why), k = 0;
  if (!n) return "no reason is given";
  if (n > TX_WHY_MAX) n = TX_WHY_MAX;
  char *s = arena_strndup(a, why, n);
  for (; k < n; k++)
    if ((unsigned char)s[k] < ' ' || s[k] == 0x7f) s[k] = ' ';
  /* No half of a UTF-8 sequence at a cut. */
  if (why[n])
    while (n && ((unsigned char)why[n] & 0xc0) == 0x80) s[--n] = 0;
  return s;
}
