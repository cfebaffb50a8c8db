/* Lanes of bits from place to place, and between bits and integers.  A view
 * goes by runs along its innermost dimension; only public numbers steer. */
#include <string.h>

#include "bits.h"

/* ---- runs ---- */

/* The runs of a view in order of its lanes. */
typedef struct runs {
  chi_b_dim dim[CHI_B_DIMS]; /* outer dimensions, outermost first */
  uint64_t i[CHI_B_DIMS];
  unsigned n;
  chi_b_dim in; /* the run */
  int64_t at;   /* its first lane */
} runs;

/* False if the view has no lane.  Dimensions that go on where the next one
 * ends become one. */
static bool runs_begin(runs *r, int64_t off, const chi_b_dim *dim,
                       unsigned ndim) {
  CHII_REQUIRE(ndim <= CHI_B_DIMS, "a view has too many dimensions");
  r->n = 0;
  r->in = (chi_b_dim){1, 1};
  r->at = off;
  for (unsigned k = ndim; k-- > 0;) {
    if (dim[k].n == 0)
      return false;
    if (dim[k].n == 1)
      continue;
    if (r->in.n == 1)
      r->in = dim[k];
    else if (r->n == 0 &&
             dim[k].stride == r->in.stride * (int64_t)r->in.n)
      r->in.n *= dim[k].n;
    else
      r->dim[CHI_B_DIMS - ++r->n] = dim[k];
  }
  memmove(r->dim, r->dim + CHI_B_DIMS - r->n, r->n * sizeof *r->dim);
  memset(r->i, 0, sizeof r->i);
  return true;
}

static bool runs_next(runs *r) {
  for (unsigned k = r->n; k-- > 0;) {
    r->at += r->dim[k].stride;
    if (++r->i[k] < r->dim[k].n)
      return true;
    r->at -= r->dim[k].stride * (int64_t)r->i[k];
    r->i[k] = 0;
  }
  return false;
}

/* ---- packed bits ---- */

static void copy_bits(uint64_t *d, uint64_t to, const uint64_t *v,
                      uint64_t from, uint64_t n) {
  uint64_t k = chii_min(n, (64 - to % 64) % 64); /* up to a word's end */
  if (k)
    chii_bits_put(d, to, k, chii_bits_get(v, from, k));
  to += k;
  from += k;
  n -= k;
  uint64_t *out = d + to / 64, words = n / 64;
  const uint64_t *in = v + from / 64;
  unsigned s = from % 64;
  if (s == 0)
    memmove(out, in, words * sizeof *out);
  else
    for (uint64_t i = 0; i < words; i++)
      out[i] = in[i] >> s | in[i + 1] << (64 - s);
  k = n % 64;
  if (k)
    chii_bits_put(d, to + n - k, k, chii_bits_get(v, from + n - k, k));
}

static uint64_t bit(const uint64_t *v, uint64_t at) {
  return v[at / 64] >> (at % 64) & 1;
}

/* One run of a view to lanes to.. of d. */
static void run_of_bits(uint64_t *d, uint64_t to, const uint64_t *v,
                        uint64_t from, chi_b_dim in) {
  if (in.stride == 1) {
    copy_bits(d, to, v, from, in.n);
    return;
  }
  for (uint64_t left = in.n, k; left; left -= k, to += k) {
    uint64_t w = 0;
    k = chii_min(left, 64 - to % 64);
    if (in.stride == 0)
      w = (0 - bit(v, from)) & chii_low(k);
    else
      for (uint64_t j = 0; j < k; j++, from += (uint64_t)in.stride)
        w |= bit(v, from) << j;
    chii_bits_put(d, to, k, w);
  }
}

/* The inverse: lanes from.. of v. */
static void run_to_bits(uint64_t *d, uint64_t to, chi_b_dim in,
                        const uint64_t *v, uint64_t from) {
  if (in.stride == 1) {
    copy_bits(d, to, v, from, in.n);
    return;
  }
  for (uint64_t j = 0; j < in.n; j++, to += (uint64_t)in.stride)
    chii_bits_put(d, to, 1, bit(v, from + j));
}

/* ---- bytes ---- */

static void run_of_bytes(uint8_t *d, const uint8_t *v, chi_b_dim in) {
  if (in.stride == 1)
    memcpy(d, v, in.n);
  else if (in.stride == 0)
    memset(d, *v, in.n);
  else
    for (uint64_t j = 0; j < in.n; j++)
      d[j] = v[(int64_t)j * in.stride];
}

static void run_to_bytes(uint8_t *d, chi_b_dim in, const uint8_t *v) {
  for (uint64_t j = 0; j < in.n; j++)
    d[(int64_t)j * in.stride] = v[j];
}

/* ---- values: one plane after the other ---- */

typedef struct move {
  uint64_t *dst;
  const uint64_t *src;
  unsigned planes;
  uint64_t dst_plane, src_plane; /* words */
  bool bytes;
} move;

static move move_of(chi_gen *g, int kind, uint64_t dst, uint64_t dst_lanes,
                    uint64_t src, uint64_t src_lanes) {
  bool shamir = g->proto->id == CHI_SHAMIR;
  move m = {g->w + dst, g->w + src, 1, 0, 0, shamir && kind != CHI_B_PUB};
  if (!shamir && kind == CHI_B_SH) {
    m.planes = 2;
    m.dst_plane = chii_bit_words(dst_lanes);
    m.src_plane = chii_bit_words(src_lanes);
  }
  return m;
}

void chi_gen_b_view(chi_gen *g, int kind, uint64_t dst, uint64_t dst_lanes,
                    uint64_t dst_off, uint64_t src, uint64_t src_lanes,
                    int64_t off, const chi_b_dim *dim, unsigned ndim) {
  move m = move_of(g, kind, dst, dst_lanes, src, src_lanes);
  for (unsigned p = 0; p < m.planes; p++) {
    uint64_t to = dst_off, *d = m.dst + p * m.dst_plane;
    const uint64_t *v = m.src + p * m.src_plane;
    runs r;
    if (!runs_begin(&r, off, dim, ndim))
      return;
    do {
      if (m.bytes)
        run_of_bytes((uint8_t *)d + to, (const uint8_t *)v + r.at, r.in);
      else
        run_of_bits(d, to, v, (uint64_t)r.at, r.in);
      to += r.in.n;
    } while (runs_next(&r));
    if (to == dst_lanes) /* the last word has no other bits */
      d[m.bytes ? (to - 1) / 8 : (to - 1) / 64] &=
          m.bytes ? chii_last_bytes(to) : chii_last_bits(to);
  }
}

void chi_gen_b_put(chi_gen *g, int kind, uint64_t dst, uint64_t dst_lanes,
                   int64_t off, const chi_b_dim *dim, unsigned ndim,
                   uint64_t src, uint64_t src_lanes) {
  move m = move_of(g, kind, dst, dst_lanes, src, src_lanes);
  for (unsigned p = 0; p < m.planes; p++) {
    uint64_t from = 0, *d = m.dst + p * m.dst_plane;
    const uint64_t *v = m.src + p * m.src_plane;
    runs r;
    if (!runs_begin(&r, off, dim, ndim))
      return;
    do {
      if (m.bytes)
        run_to_bytes((uint8_t *)d + r.at, r.in, (const uint8_t *)v + from);
      else
        run_to_bits(d, (uint64_t)r.at, r.in, v, from);
      from += r.in.n;
    } while (runs_next(&r));
  }
}

void chi_gen_b_gather(chi_gen *g, int kind, uint64_t dst, uint64_t dst_lanes,
                      uint64_t src, uint64_t src_lanes,
                      const uint64_t *index) {
  move m = move_of(g, kind, dst, dst_lanes, src, src_lanes);
  if (m.bytes) {
    uint8_t *d = (uint8_t *)m.dst;
    memset(d, 0, chii_bit_bytes(dst_lanes) * 8);
    for (uint64_t l = 0; l < dst_lanes; l++)
      d[l] = ((const uint8_t *)m.src)[index[l]];
    return;
  }
  for (unsigned p = 0; p < m.planes; p++) {
    uint64_t *d = m.dst + p * m.dst_plane;
    memset(d, 0, chii_bit_words(dst_lanes) * 8);
    for (uint64_t l = 0; l < dst_lanes; l++)
      d[l / 64] |= bit(m.src + p * m.src_plane, index[l]) << (l % 64);
  }
}

static void rows_of_bits(uint64_t *d, const uint64_t *v, const uint64_t *index,
                         uint64_t n, uint64_t inner) {
  memset(d, 0, chii_bit_words(n * inner) * 8);
  if (inner % 64) {
    for (uint64_t r = 0; r < n; r++)
      copy_bits(d, r * inner, v, index[r] * inner, inner);
    return;
  }
  for (uint64_t r = 0; r < n; r++)
    memcpy(d + r * (inner / 64), v + index[r] * (inner / 64), inner / 8);
}

void chi_gen_b_rows(chi_gen *g, int kind, uint64_t dst, uint64_t src,
                    uint64_t src_lanes, const uint64_t *index, uint64_t n,
                    uint64_t inner) {
  uint64_t lanes = n * inner;
  move m = move_of(g, kind, dst, lanes, src, src_lanes);
  if (m.bytes) {
    uint8_t *d = (uint8_t *)m.dst;
    if (lanes)
      m.dst[chii_bit_bytes(lanes) - 1] = 0; /* words of as many bytes */
    for (uint64_t r = 0; r < n; r++)
      memcpy(d + r * inner, (const uint8_t *)m.src + index[r] * inner, inner);
    return;
  }
  for (unsigned p = 0; p < m.planes; p++)
    rows_of_bits(m.dst + p * m.dst_plane, m.src + p * m.src_plane, index, n,
                 inner);
}

/* ---- integers to planes and back ---- */

/* a[i] bit j to a[j] bit i. */
static void transpose(uint64_t a[64]) {
  uint64_t m = UINT64_C(0x00000000ffffffff);
  for (unsigned j = 32; j; j >>= 1, m ^= m << j)
    for (unsigned k = 0; k < 64; k = ((k | j) + 1) & ~j) {
      uint64_t t = (a[k] >> j ^ a[k | j]) & m;
      a[k] ^= t << j;
      a[k | j] ^= t;
    }
}

/* Up to 64 integers from lane l on to their place in planes `first` .. */
static void put_planes(uint64_t *d, uint64_t lanes, unsigned first, uint64_t l,
                       uint64_t block[64], unsigned bits) {
  uint64_t n = chii_min(64, lanes - l);
  transpose(block);
  for (unsigned i = 0; i < bits; i++)
    chii_bits_put(d, (first + i) * lanes + l, n, block[i] & chii_low(n));
}

/* 64 bits of v, an element of w words, from bit `at` on. */
static CHI_GEN_INLINE uint64_t window(const uint64_t *v, unsigned w,
                                      unsigned at) {
  unsigned i = at / 64, k = at % 64;
  uint64_t x = i < w ? v[i] >> k : 0;
  return k && i + 1 < w ? x | v[i + 1] << (64 - k) : x;
}

/* v, or p for 0 if alias. */
static CHI_GEN_INLINE void aliased(uint64_t *out, const chii_field *f,
                                   const uint64_t *v, unsigned w, bool alias) {
  uint64_t any = 0;
  for (unsigned i = 0; i < w; i++)
    any |= v[i];
  uint64_t zero = ((any | (0 - any)) >> 63) - 1; /* all ones if v is 0 */
  for (unsigned i = 0; i < w; i++)
    out[i] = v[i] | (f->prime[i] & zero & (0 - (uint64_t)alias));
}

/* A component's bits to a plane; with alias, 0 is written as p. */
static CHI_GEN_INLINE void split_words(uint64_t *d, const chii_field *f,
                                       unsigned w, const uint64_t *v,
                                       uint64_t lanes, unsigned off,
                                       unsigned bits, bool alias) {
  uint64_t block[64], x[CHI_FIELD_WORDS_MAX];
  for (unsigned at = 0; at < bits; at += 64)
    for (uint64_t l = 0; l < lanes; l += 64) {
      memset(block, 0, sizeof block);
      for (uint64_t k = 0; k < 64 && l + k < lanes; k++) {
        aliased(x, f, v + (l + k) * w, w, alias);
        block[k] = window(x, w, off + at);
      }
      put_planes(d, lanes, at, l, block, (unsigned)chii_min(64, bits - at));
    }
  chii_wipe(block, sizeof block);
  chii_wipe(x, sizeof x);
}

static void split_plane(const chi_gen *g, uint64_t *d, const uint64_t *v,
                        uint64_t lanes, unsigned off, unsigned bits,
                        bool alias) {
  if (g->ew == 1)
    split_words(d, &g->field, 1, v, lanes, off, bits, alias);
  else
    split_words(d, &g->field, g->ew, v, lanes, off, bits, alias);
}

void chi_gen_b_split(chi_gen *g, const uint64_t dst[3], uint64_t src,
                     uint64_t lanes, unsigned off, unsigned bits) {
  CHII_REQUIRE(g->proto->id == CHI_REP3, "split is of rep3");
  uint64_t W = chii_bit_words(bits * lanes);
  for (unsigned c = 0; c < 3; c++) {
    uint64_t *d = g->w + dst[c];
    memset(d, 0, 2 * W * 8);
    if (c == g->me)
      split_plane(g, d, g->w + src, lanes, off, bits, c == 0);
    else if (c == (g->me + 1) % 3)
      split_plane(g, d + W, g->w + src + lanes * g->ew, lanes, off, bits,
                  c == 0);
  }
}

/* Word k of the two's complement of a public integer. */
static uint64_t word_of(const uint64_t *z, bool wide, unsigned k) {
  if (!wide)
    return k == 0 ? z[0] : 0 - (z[0] >> 63);
  uint64_t m = k < CHI_WIDE_LIMBS ? z[1 + k] : 0;
  if ((int64_t)z[0] >= 0)
    return m;
  for (unsigned j = 0; j < k && j < CHI_WIDE_LIMBS; j++)
    if (z[1 + j])
      return ~m;
  return 0 - m;
}

static void unpack(chi_gen *g, uint64_t dst, uint64_t z, uint64_t lanes,
                   unsigned bits, bool wide) {
  uint64_t block[64], step = wide ? CHI_WIDE_WORDS : 1;
  memset(g->w + dst, 0, chii_bit_words(bits * lanes) * 8);
  for (unsigned first = 0; first < bits; first += 64)
    for (uint64_t l = 0; l < lanes; l += 64) {
      memset(block, 0, sizeof block);
      for (uint64_t i = 0; i < 64 && l + i < lanes; i++)
        block[i] = word_of(g->w + z + (l + i) * step, wide, first / 64);
      put_planes(g->w + dst, lanes, first, l, block,
                 (unsigned)chii_min(64, bits - first));
    }
}

void chi_gen_b_unpack(chi_gen *g, uint64_t dst, uint64_t z, uint64_t lanes,
                      unsigned bits) {
  unpack(g, dst, z, lanes, bits, false);
}

void chi_gen_b_unpack_wide(chi_gen *g, uint64_t dst, uint64_t z,
                           uint64_t lanes, unsigned bits) {
  unpack(g, dst, z, lanes, bits, true);
}

/* Bits first .. of up to 64 integers from lane l on. */
static void get_planes(uint64_t block[64], const uint64_t *v, uint64_t lanes,
                       uint64_t l, unsigned first, unsigned bits) {
  uint64_t n = chii_min(64, lanes - l);
  memset(block, 0, 64 * sizeof *block);
  for (unsigned i = 0; i < bits; i++)
    block[i] = chii_bits_get(v, (first + i) * lanes + l, n);
  transpose(block);
}

void chi_gen_b_pack(chi_gen *g, uint64_t z, uint64_t src, uint64_t lanes,
                    unsigned bits) {
  uint64_t block[64];
  for (uint64_t l = 0; l < lanes; l += 64) {
    get_planes(block, g->w + src, lanes, l, 0, bits);
    memcpy(g->w + z + l, block, chii_min(64, lanes - l) * 8);
  }
}

void chi_gen_b_pack_wide(chi_gen *g, uint64_t z, uint64_t src, uint64_t lanes,
                         unsigned bits) {
  uint64_t block[64];
  memset(g->w + z, 0, lanes * CHI_WIDE_WORDS * 8);
  for (unsigned first = 0; first < bits; first += 64)
    for (uint64_t l = 0; l < lanes; l += 64) {
      get_planes(block, g->w + src, lanes, l, first,
                 (unsigned)chii_min(64, bits - first));
      for (uint64_t i = 0; i < 64 && l + i < lanes; i++) {
        uint64_t *v = g->w + z + (l + i) * CHI_WIDE_WORDS;
        v[1 + first / 64] = block[i];
        v[0] |= block[i] != 0;
      }
    }
}
