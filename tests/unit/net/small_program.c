#include "small_program.h"

#include "chi_gen.h"

enum {
  L = SMALL_LANES,
  X = 0,
  Y = 2 * L,
  W = 4 * L,
  Z = 6 * L,
  ZZ = 8 * L,
  OUT_Z = 10 * L,
  OUT_ZZ = 11 * L,
  WORDS = 12 * L
};

int64_t small_x(unsigned lane) { return (int64_t)lane * 3 - 700; }
int64_t small_y(unsigned lane) { return 41 - (int64_t)lane; }
int64_t small_w(unsigned lane) { return (int64_t)lane * lane; }

static CHI_GEN_INLINE void product(int P, chi_gen *g, uint64_t dst, uint64_t a,
                                   uint64_t b) {
  const uint64_t *w = chi_gen_words(g);
  for (uint64_t off = 0; off < L; off += CHI_GEN_CHUNK) {
    uint64_t n = L - off < CHI_GEN_CHUNK ? L - off : CHI_GEN_CHUNK;
    uint64_t *z = chi_gen_reduce_open_chunk(g, dst, L, off, n);
    for (uint64_t i = 0; i < n; i++) {
      z[i] = chi_f_add(z[i], chi_pr_mul(P, chi_sh_ld(P, w + a, L, off + i),
                                        chi_sh_ld(P, w + b, L, off + i)));
    }
    chi_gen_reduce_close_chunk(g);
  }
}

static CHI_GEN_INLINE int circuit(int P, chi_gen *g) {
  uint64_t *w = chi_gen_words(g);
  chi_gen_begin(g, L, 0);
  product(P, g, Z, X, Y);
  if (chi_gen_end(g)) return 1;
  for (uint64_t l = 0; l < L; l++) {
    chi_sh_st(P, w + Z, L, l,
              chi_sh_add(P, chi_sh_ld(P, w + Z, L, l),
                         chi_sh_ld(P, w + W, L, l)));
  }
  chi_gen_begin(g, L, L);
  product(P, g, ZZ, Z, Z);
  chi_gen_open(g, OUT_Z, Z, L);
  if (chi_gen_end(g)) return 1;
  chi_gen_begin(g, 0, L);
  chi_gen_open(g, OUT_ZZ, ZZ, L);
  return chi_gen_end(g);
}

static int run(chi_gen *g) {
  return chi_gen_protocol(g) == CHI_GEN_REP3 ? circuit(CHI_GEN_REP3, g)
                                             : circuit(CHI_GEN_SHAMIR, g);
}

static const chi_leaf INPUT[] = {
    {"x", "i32", "[5000]", CHI_KIND_SHARE, L, "-2147483648", "2147483647", X},
    {"y", "i32", "[5000]", CHI_KIND_SHARE, L, "-2147483648", "2147483647", Y},
    {"w", "i32", "[5000]", CHI_KIND_SHARE, L, "-2147483648", "2147483647", W}};
static const chi_leaf OUTPUT[] = {
    {"z", "field", "[5000]", CHI_KIND_FIELD, L, 0, 0, OUT_Z},
    {"zz", "field", "[5000]", CHI_KIND_FIELD, L, 0, 0, OUT_ZZ}};

#define PROGRAM(hash0)                                                       \
  {CHI_ABI, {0, 0, 0}, "small", {hash0}, {7}, WORDS, INPUT, 3, OUTPUT, 2, 0, 0, L, L, \
   1, 1, 3, 3, 5, run, {0, 0}, 0, 0, 0, 0}

const chi_program small_program = PROGRAM(1);
const chi_program small_other = PROGRAM(2);

int small_right(chi_session *s) {
  static int64_t z[L], zz[L];
  __extension__ typedef __int128 i128;
  const i128 p = ((i128)1 << 61) - 1;
  if (chi_session_output(s, 0, z, L) || chi_session_output(s, 1, zz, L)) {
    return 0;
  }
  for (unsigned l = 0; l < L; l++) {
    i128 v = (i128)small_x(l) * small_y(l) + small_w(l);
    if (z[l] != (int64_t)((v % p + p) % p)) return 0;
    if (zz[l] != (int64_t)(v * v % p)) return 0;
  }
  return 1;
}
