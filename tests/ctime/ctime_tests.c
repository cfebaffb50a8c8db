/* Constant time: every part of libchi that touches secrets, with the secrets
 * marked uninitialised.  Under memcheck a branch or an address that depends on
 * one is an error.  Usage: ctime_tests PART. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "chi_gen.h"
#include "ctime.h"
#include "session.h"

#define LANES 70

static volatile uint64_t sink;

/* Results leave through here: nobody may branch on them before. */
static void keep(const void *p, size_t bytes) {
  const uint8_t *b = p;
  uint64_t sum = 0;
  for (size_t i = 0; i < bytes; i++) sum += b[i];
  CHII_PUBLIC(&sum, sizeof sum);
  sink += sum;
}

static void need(int ok, const char *what) {
  if (ok) return;
  (void)fprintf(stderr, "ctime: %s\n", what);
  exit(3);
}

static uint64_t state = 88172645463325252u;
static uint64_t secret(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  uint64_t v = state % CHI_P;
  CHII_SECRET(&v, sizeof v);
  return v;
}

/* ---- what must be caught ---- */

static void caught_branch(void) {
  uint64_t v = secret();
  if (v & 1) sink++;
}

static void caught_lookup(void) {
  static const uint8_t table[256] = {3, 1, 4, 1, 5};
  uint64_t v = secret();
  sink += table[v & 255];
}

/* A careless equality of two secrets: how far it gets shows. */
static void caught_compare(void) {
  uint64_t a[64], b[64];
  int i = 0;
  for (; i < 64; i++) a[i] = b[i] = secret();
  for (i = 0; i < 64 && a[i] == b[i]; i++) sink++;
}

/* ---- arithmetic ---- */

static void field(void) {
  uint64_t r[8];
  for (int round = 0; round < 50; round++) {
    uint64_t a = secret(), b = secret();
    if (round == 0) {
      a = 0;
      CHII_SECRET(&a, sizeof a);
    }
    chi_acc z = chi_acc_zero();
    for (int i = 0; i < 20; i++) z = chi_acc_mul(z, a, b);
    z = chi_acc_add(z, b);
    r[0] = chi_f_add(a, b);
    r[1] = chi_f_sub(a, b);
    r[2] = chi_f_neg(a);
    r[3] = chi_f_mul(a, b);
    r[4] = chi_f_inv(a);
    r[5] = chi_acc_fold(z);
    r[6] = chi_f_from_i64((int64_t)(a - b));
    r[7] = (uint64_t)chi_f_to_i64(a);
    keep(r, sizeof r);
  }
}

/* The tables of the other fields, and what chi_gen.h exports of big.c. */
static const uint64_t prime_255[4] = {UINT64_MAX - 18, UINT64_MAX, UINT64_MAX,
                                      UINT64_MAX >> 1};
static const uint64_t prime_65[2] = {13, 1};
static const chi_field other[] = {
    {127, 2, NULL}, {0, 4, prime_255}, {0, 2, prime_65}};

static void field_of(const chi_field *from) {
  enum { N = 24, W = 4 };
  uint64_t a[N * W], b[N * W], r[N * W], wide[CHI_WIDE_WORDS] = {0};
  int64_t v[N];
  chii_field f;
  need(!chii_field_of(&f, from, true), "field");
  chii_prg g;
  uint8_t key[32] = {5};
  memset(&g, 0, sizeof g);
  CHII_SECRET(key, sizeof key);
  need(chii_prg_init(&g, key, 0, 1, CHII_REDUCE) &&
           chii_prg_fill(&f, &g, a, 0, N) && chii_prg_fill(&f, &g, b, N, N),
       "stream");
  memset(a, 0, f.bytes);
  CHII_SECRET(a, sizeof a);
  CHII_SECRET(b, sizeof b);
  for (int i = 0; i < N; i++) v[i] = (int64_t)secret() - (INT64_C(1) << 60);
#define KEEP(call)                                                             \
  do {                                                                         \
    memcpy(r, b, sizeof r);                                                    \
    call;                                                                      \
    keep(r, N * f.bytes);                                                      \
  } while (0)
  KEEP(chii_add(&f, r, a, b, N));
  KEEP(chii_sub(&f, r, a, b, N));
  KEEP(chii_mul(&f, r, a, b, N));
  KEEP(f.op->neg(&f, r, a, N));
  KEEP(f.op->add_two(&f, r, a, b, N));
  KEEP(f.op->shift(&f, r, a, b, N));
  KEEP(chii_scale(&f, r, b, a, 1, N));
  KEEP(f.op->scale_add(&f, r, b, a, 1, N));
  KEEP(f.op->add_to(&f, r, 2, a, N / 2));
  KEEP(chii_combine(&f, r, a, b, 2, 5, N / 3));
  KEEP(f.op->extract(&f, r, a, 3, 2, b, 8, 1, 9));
  KEEP(f.op->products(&f, r, a, b, N / 2, N / 2));
  KEEP(f.op->products(&f, r, a, b, 0, N));
  KEEP(f.op->dot(&f, r, a, b, N / 2, N / 2));
  KEEP(f.op->inner(&f, r, a, b, N));
  KEEP(f.op->inv(&f, r, a));
  KEEP(f.op->from_i64(&f, r, v, N));
  KEEP(f.op->from_wide(&f, r, wide));
  KEEP(r[0] = f.op->above(&f, a, N));
  KEEP(r[0] = f.op->trim(&f, r, N));
  uint64_t bad = chii_of_i64(&f, r, v, N, true);
  keep(&bad, sizeof bad);
  chii_prg_fini(&g);
}

static void fields(void) {
  for (size_t k = 0; k < sizeof other / sizeof *other; k++) field_of(&other[k]);
}

static void shares_of(int P) {
  uint64_t plane[2 * LANES];
  for (int i = 0; i < 2 * LANES; i++) plane[i] = secret();
  for (unsigned l = 0; l + 1 < LANES; l++) {
    chi_sh x = chi_sh_ld(P, plane, LANES, l);
    chi_sh y = chi_sh_ld(P, plane, LANES, l + 1);
    for (unsigned me = 0; me < 3; me++) {
      chi_acc z = chi_acc_zero();
      for (int i = 0; i < CHI_ACC_PAIRS; i++) z = chi_acc_pr(P, z, x, y);
      uint64_t p = chi_pr_mul(P, x, y);
      p = chi_f_add(p, chi_acc_fold(z));
      p = chi_pr_addp(P, me, p, 12345);
      p = chi_f_add(p, chi_pr_lift(P, y));
      chi_sh s = chi_sh_sub(P, chi_sh_add(P, x, y), chi_sh_neg(P, y));
      s = chi_sh_mulp(P, chi_sh_addp(P, me, s, 99), 7);
      s = chi_sh_sel(P, me & 1, s, x);
      keep(&p, sizeof p);
      chi_sh_st(P, plane, LANES, l, s);
    }
  }
  keep(plane, sizeof plane);
}

static void shares(void) {
  shares_of(CHI_GEN_REP3);
  shares_of(CHI_GEN_SHAMIR);
}

/* ---- clients ---- */

static void client_of(chi_protocol protocol, unsigned n, chi_field own) {
  chi_identity *id[CHI_PARTIES_MAX];
  uint8_t key[CHI_PARTIES_MAX][CHI_KEY_BYTES], *blob[CHI_PARTIES_MAX];
  chi_client_run run = {protocol, n, (const uint8_t(*)[CHI_KEY_BYTES])key, {5},
                        own};
  int64_t values[LANES];
  uint64_t elements[LANES];
  for (unsigned i = 0; i < n; i++) {
    need(!chi_identity_new(&id[i]), "no identity");
    chi_identity_public(id[i], key[i]);
    blob[i] = malloc(chi_client_blob_bytes(&run, i, LANES));
  }
  for (int i = 0; i < LANES; i++) values[i] = (int64_t)secret() >> 2;
  need(!chi_encode(elements, values, LANES, -(INT64_C(1) << 60) + 1,
                   (INT64_C(1) << 60) - 1),
       "encode");
  keep(elements, sizeof elements);
  need(!chi_client_share(blob, &run, 1, values, LANES), "share");
  for (unsigned i = 0; i < n; i++) {
    keep(blob[i], chi_client_blob_bytes(&run, i, LANES));
    free(blob[i]);
    chi_identity_free(id[i]);
  }
}

static void client(void) {
  const chi_field own = {0, 0, NULL};
  client_of(CHI_REP3, 3, own);
  client_of(CHI_SHAMIR, 4, own);
  client_of(CHI_SHAMIR, 7, own);
  for (size_t k = 0; k < sizeof other / sizeof *other; k++) {
    client_of(CHI_REP3, 3, other[k]);
    client_of(CHI_SHAMIR, 4, other[k]);
  }
  uint8_t seed[32], back[32];
  char text[65];
  memset(seed, 9, sizeof seed);
  CHII_SECRET(seed, sizeof seed);
  chi_hex(text, seed, sizeof seed);
  CHII_PUBLIC(text + 64, 1);
  text[64] = 0;
  keep(text, sizeof text);
  memset(back, 0, sizeof back);
}

/* ---- whole sessions ---- */

/* Slots of a circuit with everything in it: dealt and client inputs, products,
 * sums of products, linear steps, openings. */
enum { X = 0, Y = 140, W = 280, Z = 420, D = 560, OUT = 702 };
/* Bits: summands and elements of each dealer, products and moved values. */
enum {
  BITS = 8, PLANES = BITS * LANES, DEALERS = 7,
  S = 800, E = S + DEALERS * 80, PROD = E + DEALERS * 140, V = PROD + 80,
  U = V + 80, PUB = U + 80, INT = PUB + 16, J = INT + LANES, WORDS = J + 140
};

/* Of the field: every slot is so many times as far. */
static unsigned ew = 1;
#define AT(slot) ((uint64_t)ew * (slot))

static chi_b_load load_of(uint32_t items) {
  chi_b_load b = {.items = items};
  return b;
}

/* Every local operation on the bits of s[0] and s[1]; V gets the result. */
static void local_bits(chi_gen *g, const uint64_t *s) {
  static const chi_b_dim turn[] = {{LANES, 1}, {BITS, LANES}};
  static const chi_b_dim run = {PLANES, 1};
  static uint64_t index[PLANES];
  for (unsigned l = 0; l < PLANES; l++) index[l] = (l * 7 + 1) % PLANES;
  for (unsigned l = 0; l < LANES; l++) chi_gen_words(g)[AT(INT) + l] = l * 3;
  chi_gen_b_unpack(g, AT(PUB), AT(INT), LANES, BITS);
  chi_gen_b_add(g, CHI_B_SH, AT(V), s[0], s[1], PLANES);
  chi_gen_b_addp(g, CHI_B_SH, AT(V), AT(V), AT(PUB), PLANES);
  chi_gen_b_view(g, CHI_B_SH, AT(U), PLANES, 0, AT(V), PLANES, 0, turn, 2);
  chi_gen_b_put(g, CHI_B_SH, AT(V), PLANES, 0, turn, 2, AT(U), PLANES);
  chi_gen_b_gather(g, CHI_B_SH, AT(U), PLANES, AT(V), PLANES, index);
  chi_gen_b_view(g, CHI_B_SH, AT(V), PLANES, 0, AT(U), PLANES, 0, &run, 1);
  chi_gen_words(g)[AT(INT)] = 1;
  chi_gen_b_select(g, CHI_B_SH, AT(V), AT(V), AT(U), PLANES, AT(INT), 1);
  chi_gen_b_sum(g, CHI_B_SH, AT(U), AT(V), LANES, BITS);
  chi_gen_b_mulp(g, CHI_B_SH, AT(V), AT(V), AT(PUB), PLANES);
  chi_gen_b_lift(g, AT(PROD), AT(V), PLANES);
  chi_gen_b_muladd(g, AT(PROD), AT(PROD), s[0], s[1], PLANES);
}

/* X to bits, products of them, some to the field; both are opened. */
static int bits_of(int P, unsigned n, chi_gen *g) {
  unsigned d = P == CHI_GEN_REP3 ? 3 : (n + 1) / 2 * 2 - 1;
  uint64_t s[DEALERS], e[DEALERS];
  for (unsigned i = 0; i < d; i++) {
    s[i] = AT(S + i * 80);
    e[i] = AT(E + i * 140);
  }
  if (P == CHI_GEN_REP3) {
    chi_gen_b_split(g, s, AT(X), LANES, 3, BITS);
  } else {
    chi_b_load b = load_of(1);
    b.deal_lanes = PLANES;
    chi_gen_begin(g, 0, 0);
    chi_gen_begin_bits(g, &b);
    chi_gen_b_deal(g, s, AT(X), LANES, 3, BITS);
    if (chi_gen_end(g)) return 1;
  }
  local_bits(g, s);
  chi_b_load b = load_of(2);
  b.reduce_lanes = PLANES;
  b.reduce_bytes = PLANES / 8;
  for (unsigned r = 0; r < 3 && P == CHI_GEN_REP3; r++)
    b.xdeal[r] = (LANES + 2 - r) / 3;
  if (P != CHI_GEN_REP3) b.bdeal_lanes = LANES;
  chi_gen_begin(g, 0, 0);
  chi_gen_begin_bits(g, &b);
  chi_gen_b_reduce(g, AT(V), AT(PROD), PLANES);
  if (P == CHI_GEN_REP3)
    chi_gen_b_xdeal(g, e[0], AT(U), LANES);
  else
    chi_gen_b_bdeal(g, e, AT(U), LANES);
  if (chi_gen_end(g)) return 1;
  if (P == CHI_GEN_REP3) {
    b = load_of(1);
    for (unsigned r = 0; r < 3; r++) b.xjoin[r] = (LANES + 2 - r) / 3;
    chi_gen_begin(g, 0, 0);
    chi_gen_begin_bits(g, &b);
    chi_gen_b_xjoin(g, AT(J), e[0], AT(U), LANES);
    if (chi_gen_end(g)) return 1;
  }
  b = load_of(1);
  b.open_lanes = PLANES;
  b.open_bytes = PLANES / 8;
  chi_gen_begin(g, 0, LANES);
  chi_gen_begin_bits(g, &b);
  chi_gen_b_open(g, AT(PUB), AT(V), PLANES);
  chi_gen_open(g, AT(INT), P == CHI_GEN_REP3 ? AT(J) : e[0], LANES);
  if (chi_gen_end(g)) return 1;
  for (unsigned l = 0; l < LANES; l++)
    need(chi_gen_words(g)[AT(INT) + l * ew] < 2, "a converted bit is none");
  chi_gen_b_pack(g, AT(INT), AT(PUB), LANES, BITS);
  return 0;
}

static CHI_GEN_INLINE int circuit_of(int P, chi_gen *g) {
  uint64_t *w = chi_gen_words(g);
  unsigned me = chi_gen_me(g);
  chi_gen_begin(g, LANES + 1, 0);
  uint64_t *z = chi_gen_reduce_open_chunk(g, Z, LANES, 0, LANES);
  for (unsigned l = 0; l < LANES; l++) {
    z[l] = chi_f_add(z[l], chi_pr_mul(P, chi_sh_ld(P, w + X, LANES, l),
                                      chi_sh_ld(P, w + Y, LANES, l)));
  }
  chi_gen_reduce_close_chunk(g);
  z = chi_gen_reduce_open_chunk(g, D, 1, 0, 1);
  chi_acc acc = chi_acc_zero();
  for (unsigned l = 0; l < LANES; l++) {
    if (l % CHI_ACC_PAIRS == 0) {
      z[0] = chi_f_add(z[0], chi_acc_fold(acc));
      acc = chi_acc_zero();
    }
    acc = chi_acc_pr(P, acc, chi_sh_ld(P, w + W, LANES, l),
                     chi_sh_ld(P, w + Y, LANES, l));
  }
  z[0] = chi_f_add(z[0], chi_acc_fold(acc));
  chi_gen_reduce_close_chunk(g);
  if (chi_gen_end(g)) return 1;
  for (unsigned l = 0; l < LANES; l++) {
    chi_sh v = chi_sh_ld(P, w + Z, LANES, l);
    v = chi_sh_add(P, chi_sh_mulp(P, v, l + 2), chi_sh_ld(P, w + D, 1, 0));
    chi_sh_st(P, w + Z, LANES, l, chi_sh_addp(P, me, v, l));
  }
  chi_gen_begin(g, 0, LANES);
  chi_gen_open(g, OUT, Z, LANES);
  return chi_gen_end(g);
}

/* The same over a field's table: dot and products of shares, linear steps. */
static int wide_circuit(chi_gen *g) {
  const chii_field *f = &g->field;
  uint64_t *w = chi_gen_words(g), plane = g->proto->planes == 2 ? LANES : 0;
  unsigned me = chi_gen_me(g);
  uint64_t c[CHI_FIELD_WORDS_MAX];
  chi_gen_begin(g, LANES + 1, 0);
  uint64_t *z = chi_gen_reduce_open_chunk(g, AT(Z), LANES, 0, LANES);
  f->op->products(f, z, w + AT(X), w + AT(Y), plane, LANES);
  chi_gen_reduce_close_chunk(g);
  z = chi_gen_reduce_open_chunk(g, AT(D), 1, 0, 1);
  f->op->dot(f, z, w + AT(W), w + AT(Y), plane, LANES);
  chi_gen_reduce_close_chunk(g);
  if (chi_gen_end(g)) return 1;
  for (unsigned l = 0; l < LANES; l++)
    for (unsigned p = 0; p < g->proto->planes; p++) {
      uint64_t *v = w + AT(Z + p * LANES + l);
      chii_small(f, c, l + 2);
      chii_scale(f, v, c, v, 1, 1);
      chii_add(f, v, v, w + AT(D + p), 1);
      chii_small(f, c, l);
      if (!plane || (me == 0 && p == 0) || (me == 2 && p == 1))
        chii_add(f, v, v, c, 1);
    }
  chi_gen_begin(g, 0, LANES);
  chi_gen_open(g, AT(OUT), AT(Z), LANES);
  return chi_gen_end(g);
}

static unsigned nodes;
static int careless; /* a circuit that looks at what it computes on */

static int circuit(chi_gen *g) {
  if (careless && (chi_gen_words(g)[X] & 1)) sink++;
  int P = chi_gen_protocol(g);
  if (ew > 1) return wide_circuit(g) || bits_of(P, nodes, g);
  return (P == CHI_GEN_REP3 ? circuit_of(CHI_GEN_REP3, g)
                            : circuit_of(CHI_GEN_SHAMIR, g)) ||
         bits_of(P, nodes, g);
}

static chi_leaf INPUT[] = {
    {"x", "field", "[70]", CHI_KIND_SHARE, LANES, 0, 0, X},
    {"y", "i32", "[70]", CHI_KIND_SHARE, LANES, "-2147483648", "2147483647", Y},
    {"w", "field", "[70]", CHI_KIND_SHARE, LANES, 0, 0, W}};
static chi_leaf OUTPUT[] = {
    {"v", "field", "[70]", CHI_KIND_FIELD, LANES, 0, 0, OUT}};
static chi_program PROGRAM = {
    CHI_ABI, {0, 0, 0}, "ctime", {1}, {2}, WORDS, INPUT, 3, OUTPUT, 1, 0, 0,
    LANES + 1, LANES, 2, 1, 2, 2, 3, circuit, {0, 0}, 2, 0, 0, 0};

typedef struct party {
  unsigned me, n;
  chi_protocol protocol;
  chi_transport t;
  chi_identity *id;
  const uint8_t (*key)[CHI_KEY_BYTES];
  uint8_t *blob;
  size_t blob_bytes;
  int64_t out[LANES];
  pthread_t thread;
} party;

static void ok(chi_session *s, chi_status st, const char *what) {
  if (!st) return;
  (void)fprintf(stderr, "ctime: %s: %s\n", what, chi_session_detail(s));
  exit(3);
}

static int64_t y_of(unsigned l) { return (int64_t)l * 1001 - 35000; }

static void *party_main(void *arg) {
  party *p = arg;
  chi_session *s = NULL;
  int64_t x[LANES], y[LANES];
  const chi_session_config cfg = {.protocol = p->protocol, .n = p->n,
                                  .me = p->me, .party_key = p->key,
                                  .session_id = {3}, .identity = p->id,
                                  .deadline_ms = 120000};
  for (unsigned l = 0; l < LANES; l++) {
    x[l] = (int64_t)l * 17 + 3;
    y[l] = y_of(l);
  }
  CHII_SECRET(x, sizeof x);
  CHII_SECRET(y, sizeof y);
  need(!chi_session_new(&s, &p->t, &cfg, &PROGRAM), "session");
  ok(s, chi_session_input_node(s, 0, 0, p->me == 0 ? x : NULL, LANES), "x");
  ok(s, chi_session_input_node(s, 1, 1, p->me == 1 ? y : NULL, LANES), "y");
  ok(s, chi_session_input_sealed(s, 2, p->blob, p->blob_bytes), "w");
  ok(s, chi_session_start(s), "start");
  ok(s, chi_session_run(s), "run");
  for (unsigned l = 0; l < LANES; l++) {
    uint64_t v[CHI_WIDE_WORDS];
    char text[200];
    ok(s, chi_session_output_text(s, 0, l, text, sizeof text), "output");
    need(chi_element_parse(v, &PROGRAM.field, text, NULL, NULL) == CHI_OK &&
             chi_element_print(text, sizeof text, &PROGRAM.field, v, 1) ==
                 CHI_OK,
         "text");
    p->out[l] = strtoll(text, NULL, 10);
  }
  chi_session_free(s);
  return NULL;
}

static void session_of(chi_protocol protocol, unsigned n) {
  static party p[CHI_PARTIES_MAX];
  static uint8_t key[CHI_PARTIES_MAX][CHI_KEY_BYTES];
  chi_transport t[CHI_PARTIES_MAX];
  chi_client_run run = {protocol, n, (const uint8_t(*)[CHI_KEY_BYTES])key, {3},
                        PROGRAM.field};
  uint8_t *blob[CHI_PARTIES_MAX];
  int64_t w[LANES];
  nodes = n;
  need(!chi_mem_new(t, n), "transport");
  for (unsigned i = 0; i < n; i++) {
    p[i] = (party){.me = i, .n = n, .protocol = protocol, .t = t[i]};
    need(!chi_identity_new(&p[i].id), "identity");
    chi_identity_public(p[i].id, key[i]);
    p[i].key = (const uint8_t(*)[CHI_KEY_BYTES])key;
    blob[i] = malloc(chi_client_blob_bytes(&run, i, LANES));
  }
  for (unsigned l = 0; l < LANES; l++) w[l] = 5 - (int64_t)l;
  need(!chi_client_share(blob, &run, 2, w, LANES), "client");
  for (unsigned i = 0; i < n; i++) {
    p[i].blob = blob[i]; /* boxes are seen by everybody */
    p[i].blob_bytes = chi_client_blob_bytes(&run, i, LANES);
    CHII_PUBLIC(blob[i], p[i].blob_bytes);
    need(!pthread_create(&p[i].thread, NULL, party_main, &p[i]), "thread");
  }
  for (unsigned i = 0; i < n; i++) {
    need(!pthread_join(p[i].thread, NULL), "join");
    chi_identity_free(p[i].id);
    free(blob[i]);
  }
  int64_t dot = 0;
  for (unsigned l = 0; l < LANES; l++) dot += w[l] * y_of(l);
  for (unsigned i = 0; i < n; i++) {
    for (unsigned l = 0; l < LANES; l++) {
      int64_t v = ((int64_t)l * 17 + 3) * y_of(l) * (l + 2) + dot + l;
      need(p[i].out[l] == v, "wrong result");
    }
  }
}

static void rep3(void) { session_of(CHI_REP3, 3); }
static void shamir3(void) { session_of(CHI_SHAMIR, 3); }
static void shamir5(void) { session_of(CHI_SHAMIR, 5); }
static void caught_session(void) {
  careless = 1;
  session_of(CHI_REP3, 3);
}
static void shamir7(void) { session_of(CHI_SHAMIR, 7); }

/* The program in another field. */
static void in_field(const chi_field *f, chi_protocol protocol, unsigned n) {
  ew = f->words;
  PROGRAM.field = *f;
  PROGRAM.words = AT(WORDS);
  INPUT[0].slot = AT(X);
  INPUT[1].slot = AT(Y);
  INPUT[2].slot = AT(W);
  OUTPUT[0].slot = AT(OUT);
  session_of(protocol, n);
}
static void rep3_127(void) { in_field(&other[0], CHI_REP3, 3); }
static void shamir4_127(void) { in_field(&other[0], CHI_SHAMIR, 4); }
static void rep3_prime(void) { in_field(&other[1], CHI_REP3, 3); }
static void shamir3_prime(void) { in_field(&other[1], CHI_SHAMIR, 3); }
static void shamir7_prime(void) { in_field(&other[2], CHI_SHAMIR, 7); }

static const struct {
  const char *name;
  void (*run)(void);
} PART[] = {{"field", field},
            {"fields", fields},
            {"rep3_127", rep3_127},
            {"shamir4_127", shamir4_127},
            {"rep3_prime", rep3_prime},
            {"shamir3_prime", shamir3_prime},
            {"shamir7_prime", shamir7_prime},
            {"shares", shares},
            {"client", client},
            {"rep3", rep3},
            {"shamir3", shamir3},
            {"shamir5", shamir5},
            {"shamir7", shamir7},
            {"caught_session", caught_session},
            {"caught_branch", caught_branch},
            {"caught_lookup", caught_lookup},
            {"caught_compare", caught_compare}};

int main(int argc, char **argv) {
  if (!RUNNING_ON_VALGRIND) {
    (void)fprintf(stderr, "ctime_tests: only means something in valgrind\n");
    return 4;
  }
  for (size_t k = 0; k < sizeof PART / sizeof *PART; k++) {
    if (argc == 2 && !strcmp(argv[1], PART[k].name)) {
      PART[k].run();
      return VALGRIND_COUNT_ERRORS ? 9 : 0;
    }
  }
  return 2;
}
