/* What a node sees of items on bits, exactly, as test_views.c: every lane is
 * one choice of the operands' sharings and of the streams' outputs, and the
 * distribution of a node's view is counted.  It must be the same for all
 * secrets with equal outputs; and must not be when the streams are left out.
 *
 * Over GF(2^8) not all streams fit: a node's own stay 0, and for a reduce the
 * sharing of the operands too is fixed.  Given these the view must be uniform,
 * hence independent of all that is fixed.
 */
#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "bits_kit.h"

/* ---- lanes are choices: mixed radix digits ---- */

enum { MAX_DIGITS = 12 };
static unsigned radix[MAX_DIGITS], n_digits;
static uint64_t choices; /* product of all */

static void digits(unsigned n, const unsigned *base) {
  n_digits = n;
  choices = 1;
  for (unsigned d = 0; d < n; d++) {
    radix[d] = base[d];
    choices *= base[d];
  }
}

static unsigned digit(uint64_t choice, unsigned d) {
  for (unsigned k = 0; k < d; k++)
    choice /= radix[k];
  return (unsigned)(choice % radix[d]);
}

/* The output of a stream at an element or byte; -1: always 0. */
static int (*stream_digit)(unsigned from, unsigned to, uint64_t at,
                           uint64_t *choice);
static bool dropped;
static chi_protocol protocol;

static bool enumerate(void *user, unsigned holder, unsigned from, unsigned to,
                      unsigned purpose, uint64_t *out, uint64_t index,
                      size_t n) {
  (void)user;
  (void)holder;
  unsigned per = purpose == CHII_CONVERT ? 1 : protocol == CHI_REP3 ? 64 : 8;
  for (size_t j = 0; j < n; j++) {
    out[j] = 0;
    for (unsigned k = 0; k < per; k++) {
      uint64_t choice = (index + j) * per + k;
      int d = stream_digit(from, to, choice, &choice);
      if (!dropped && d >= 0)
        out[j] |= (uint64_t)digit(choice, (unsigned)d) << (64 / per * k % 64);
    }
  }
  return true;
}

/* ---- counting ---- */

typedef struct view {
  uint32_t *key; /* of each lane */
  uint64_t lanes, bins;
} view;

static view view_new(uint64_t lanes) {
  view v = {calloc(lanes, sizeof *v.key), lanes, 1};
  if (!v.key)
    abort();
  return v;
}

static void see(view *v, uint64_t lane, unsigned base, uint64_t value) {
  if (value >= base)
    abort();
  v->key[lane] = v->key[lane] * base + (uint32_t)value;
}

static void see_digit(view *v, unsigned d) {
  for (uint64_t l = 0; l < v->lanes; l++)
    see(v, l, radix[d], digit(l, d));
  v->bins *= radix[d];
}
static void see_bits(view *v, const uint64_t *w) {
  for (uint64_t l = 0; l < v->lanes; l++)
    see(v, l, 2, kit_bit(w, l));
  v->bins *= 2;
}
static void see_bytes(view *v, const uint64_t *w) {
  for (uint64_t l = 0; l < v->lanes; l++)
    see(v, l, 256, ((const uint8_t *)w)[l]);
  v->bins *= 256;
}
static void see_words(view *v, const uint64_t *w, uint64_t first,
                      uint64_t step) {
  for (uint64_t l = 0; l < v->lanes; l++)
    see(v, l, CHI_P, w[first + l * step]);
  v->bins *= CHI_P;
}

/* Counts and ends the view. */
static uint32_t *count(view *v) {
  uint32_t *h = calloc(v->bins, sizeof *h);
  if (!h)
    abort();
  for (uint64_t l = 0; l < v->lanes; l++)
    h[v->key[l]]++;
  free(v->key);
  return h;
}

/* Keeps the first counts as reference; 1 if later ones differ. */
static unsigned same(uint32_t **ref, view *v) {
  uint32_t *h = count(v);
  if (!*ref) {
    *ref = h;
    return 0;
  }
  unsigned differ = memcmp(*ref, h, v->bins * sizeof *h) != 0;
  free(h);
  return differ;
}

/* ---- running one item ---- */

typedef enum { REDUCE, REDUCE_OPEN, DEAL, BDEAL, CONVERT } what;

static struct {
  chi_program program;
  what what;
  uint64_t lanes;
  unsigned bit; /* of a deal */
  uint64_t x, y, prod, z, out, d[3];
  uint64_t (*operand)(unsigned me, unsigned q, uint64_t lane, unsigned plane);
} c;
static uint64_t *arena[3];

static chi_b_load totals(void) {
  chi_b_load b = {.items = 1};
  uint64_t L = c.lanes;
  if (c.what == REDUCE || c.what == REDUCE_OPEN) {
    b.reduce_lanes = L;
    b.reduce_bytes = (L + 7) / 8;
  } else if (c.what == DEAL) {
    b.deal_lanes = L;
  } else if (c.what == BDEAL) {
    b.bdeal_lanes = L;
  } else {
    for (unsigned r = 0; r < 3; r++)
      b.xdeal[r] = (L + 2 - r) / 3;
  }
  return b;
}

static int run(chi_gen *g) {
  chi_b_load b = totals();
  chi_gen_begin(g, 0, 0);
  chi_gen_begin_bits(g, &b);
  if (c.what == DEAL)
    chi_gen_b_deal(g, c.d, c.x, c.lanes, c.bit, 1);
  else if (c.what == BDEAL)
    chi_gen_b_bdeal(g, c.d, c.x, c.lanes);
  else if (c.what == CONVERT)
    chi_gen_b_xdeal(g, c.prod, c.x, c.lanes);
  else {
    chi_gen_b_mul(g, c.prod, c.x, c.y, c.lanes);
    chi_gen_b_reduce(g, c.z, c.prod, c.lanes);
  }
  if (chi_gen_end(g) || c.what == REDUCE || c.what == DEAL || c.what == BDEAL)
    return (int)chi_session_status(g);
  memset(&b, 0, sizeof b);
  b.items = 1;
  chi_gen_begin(g, 0, 0);
  if (c.what == CONVERT) {
    for (unsigned r = 0; r < 3; r++)
      b.xjoin[r] = (c.lanes + 2 - r) / 3;
    chi_gen_begin_bits(g, &b);
    chi_gen_b_xjoin(g, c.z, c.prod, c.x, c.lanes);
  } else {
    b.open_lanes = c.lanes;
    b.open_bytes = (c.lanes + 7) / 8;
    chi_gen_begin_bits(g, &b);
    chi_gen_b_open(g, c.out, c.z, c.lanes);
  }
  return chi_gen_end(g);
}

static void load(chi_session *s, void *user) {
  (void)user;
  uint64_t L = c.lanes, W = (L + 63) / 64;
  for (unsigned q = 0; q < 2; q++) {
    uint64_t *w = s->w + (q ? c.y : c.x);
    for (uint64_t l = 0; l < L; l++) {
      uint64_t a = c.operand(s->me, q, l, 0);
      if (c.what == DEAL)
        w[l] = a;
      else if (protocol == CHI_SHAMIR)
        ((uint8_t *)w)[l] = (uint8_t)a;
      else {
        kit_set_bit(w, l, (unsigned)a);
        kit_set_bit(w + W, l, (unsigned)c.operand(s->me, q, l, 1));
      }
    }
  }
}

static void keep(chi_session *s, void *user) {
  (void)user;
  uint64_t *grown = realloc(arena[s->me], s->words * 8);
  if (!grown)
    abort();
  arena[s->me] = grown;
  memcpy(grown, s->w, s->words * 8);
}

/* Runs it on `lanes` lanes; the caller frees the world. */
static world observe(what item, uint64_t lanes) {
  uint64_t slot = 2 * lanes + 8;
  uint64_t *at[] = {&c.x, &c.y, &c.prod, &c.z, &c.out, c.d, c.d + 1, c.d + 2};
  c.what = item;
  c.lanes = lanes;
  for (unsigned k = 0; k < 8; k++)
    *at[k] = k * slot;
  c.program = (chi_program){.abi = CHI_ABI, .field = TEST_FIELD,
                            .name = "view", .words = 8 * slot,
                            .max_bit_values = 1, .run = run};
  world w = {.protocol = protocol, .n = 3, .program = &c.program,
             .before_run = load, .finish = keep, .record = true};
  chii_test_prg = enumerate;
  world_run(&w);
  chii_test_prg = NULL;
  for (unsigned i = 0; i < 3; i++)
    CU_ASSERT_EQUAL_FATAL(w.result[i].status, CHI_OK);
  return w;
}

/* Payload of the k-th frame of a direction; rounds without one do not count,
 * and 0 is the hello. */
static const uint64_t *frame(const world *w, unsigned from, unsigned to,
                             unsigned k) {
  size_t words;
  return world_frame(w, from, to, k, &words);
}

/* ---- rep3: a product of bits, and its opening ---- */

static unsigned secret[2];

/* Digits 0..3: components 0 and 1 of x and of y; 4..6: the keys' bits. */
static uint64_t rep3_operand(unsigned me, unsigned q, uint64_t lane,
                             unsigned plane) {
  unsigned x[3] = {digit(lane, 2 * q), digit(lane, 2 * q + 1), 0};
  x[2] = secret[q] ^ x[0] ^ x[1];
  return x[(me + plane) % 3];
}

static int rep3_stream(unsigned from, unsigned to, uint64_t at,
                       uint64_t *choice) {
  (void)from;
  *choice = at % choices;
  return 4 + (int)to;
}

static void rep3_view(view *v, const world *w, unsigned i, bool opened) {
  uint64_t W = (c.lanes + 63) / 64;
  unsigned next = (i + 1) % 3, prev = (i + 2) % 3;
  see_bits(v, arena[i] + c.x);
  see_bits(v, arena[i] + c.x + W);
  see_bits(v, arena[i] + c.y);
  see_bits(v, arena[i] + c.y + W);
  see_digit(v, 4 + i);
  see_digit(v, 4 + next);
  see_bits(v, frame(w, next, i, 1));
  if (opened)
    see_bits(v, frame(w, prev, i, 1));
}

/* Views that differ: of the product, and with the opening. */
static void rep3_products(unsigned differ[2]) {
  uint32_t *ref[2][3] = {{NULL}}, *open[2][3] = {{NULL}};
  protocol = CHI_REP3;
  stream_digit = rep3_stream;
  c.operand = rep3_operand;
  digits(7, (unsigned[]){2, 2, 2, 2, 2, 2, 2});
  differ[0] = differ[1] = 0;
  for (unsigned xy = 0; xy < 4; xy++) {
    secret[0] = xy & 1;
    secret[1] = xy >> 1;
    world w = observe(REDUCE_OPEN, choices);
    unsigned product = secret[0] & secret[1];
    for (unsigned i = 0; i < 3; i++) {
      for (uint64_t l = 0; l < choices; l++)
        CU_ASSERT_EQUAL_FATAL(kit_bit(arena[i] + c.out, l), product);
      view v = view_new(choices), u = view_new(choices);
      rep3_view(&v, &w, i, false);
      rep3_view(&u, &w, i, true);
      differ[0] += same(&ref[0][i], &v);
      differ[1] += same(&open[product][i], &u);
    }
    world_free(&w);
  }
  for (unsigned i = 0; i < 3; i++) {
    free(ref[0][i]);
    free(open[0][i]);
    free(open[1][i]);
  }
}

static void rep3_product(void) {
  unsigned differ[2];
  dropped = false;
  rep3_products(differ);
  CU_ASSERT_EQUAL(differ[0], 0);
  CU_ASSERT_EQUAL(differ[1], 0);
  dropped = true;
  rep3_products(differ);
  CU_ASSERT(differ[0] > 0);
  CU_ASSERT(differ[1] > 0);
  dropped = false;
}

/* ---- rep3: a bit to the field ---- */

/* Lane 3 a + r has choice a, for each class r = l mod 3.  Digits 0, 1:
 * components 0, 1; 2: F(k_r) of the xdeal; 3, 4: z_r and z_{r+1}. */
static uint64_t convert_operand(unsigned me, unsigned q, uint64_t lane,
                                unsigned plane) {
  uint64_t a = lane / 3;
  unsigned x[3] = {digit(a, 0), digit(a, 1), 0};
  (void)q;
  x[2] = secret[0] ^ x[0] ^ x[1];
  return x[(me + plane) % 3];
}

static int convert_stream(unsigned from, unsigned to, uint64_t at,
                          uint64_t *choice) {
  uint64_t half = chii_prg_round(choices);
  (void)from;
  (void)to;
  *choice = at % half < choices ? at % half : 0;
  return 2 + (int)(at / half);
}

static void convert_view(view *v, const world *w, unsigned i, unsigned r) {
  unsigned next = (i + 1) % 3, prev = (i + 2) % 3;
  for (unsigned d = 0; d < 2; d++) { /* its components */
    for (uint64_t a = 0; a < choices; a++)
      see(v, a, 2, convert_operand(i, 0, 3 * a + r, d));
    v->bins *= 2;
  }
  if (i == r || i == (r + 2) % 3) { /* it holds k_r */
    see_digit(v, 2);
    see_digit(v, 3);
  }
  if (i == r || i == (r + 1) % 3) /* k_{r+1} */
    see_digit(v, 4);
  if (i == (r + 1) % 3) {
    see_words(v, frame(w, prev, i, 1), 0, 1);
    see_words(v, frame(w, next, i, 1), 0, 1);
  } else if (i == (r + 2) % 3) {
    see_words(v, frame(w, prev, i, 2), 0, 1);
  }
}

static unsigned conversions(void) {
  unsigned differ = 0;
  uint32_t *ref[3][3] = {{NULL}};
  protocol = CHI_REP3;
  stream_digit = convert_stream;
  c.operand = convert_operand;
  digits(5, (unsigned[]){2, 2, CHI_P, CHI_P, CHI_P});
  for (secret[0] = 0; secret[0] < 2; secret[0]++) {
    world w = observe(CONVERT, 3 * choices);
    for (unsigned i = 0; i < 3; i++)
      for (unsigned r = 0; r < 3; r++) {
        view v = view_new(choices);
        convert_view(&v, &w, i, r);
        differ += same(&ref[i][r], &v);
      }
    for (uint64_t l = 0; l < c.lanes; l++) {
      chi_sh sh[3];
      for (unsigned i = 0; i < 3; i++)
        sh[i] = chi_sh_ld(CHI_REP3, arena[i] + c.z, c.lanes, l);
      CU_ASSERT_EQUAL_FATAL(test_join(CHI_REP3, 3, sh), secret[0]);
    }
    world_free(&w);
  }
  for (unsigned i = 0; i < 9; i++)
    free(ref[i / 3][i % 3]);
  return differ;
}

static void rep3_conversion(void) {
  dropped = false;
  CU_ASSERT_EQUAL(conversions(), 0);
  dropped = true;
  CU_ASSERT(conversions() > 0);
  dropped = false;
}

/* ---- shamir, three nodes: dealer i seeds i + 1 and sends to i + 2 ---- */

static unsigned viewer; /* its own stream is 0 */
static uint64_t fixed[2][3]; /* shares of a reduce */

/* Digit 0: the stream of the viewer's next; 1: of its previous. */
static int shamir_stream(unsigned from, unsigned to, uint64_t at,
                         uint64_t *choice) {
  (void)to;
  *choice = at % choices;
  return from == viewer ? -1 : from == (viewer + 1) % 3 ? 0 : 1;
}

static uint64_t fixed_operand(unsigned me, unsigned q, uint64_t lane,
                              unsigned plane) {
  (void)lane;
  (void)plane;
  return fixed[q][me];
}

/* Messages of a reduce to the viewer: is each pair there once?  Counts those
 * operands for which it is not so. */
static unsigned reduces(void) {
  unsigned differ = 0;
  uint64_t seed = 5;
  protocol = CHI_SHAMIR;
  stream_digit = shamir_stream;
  c.operand = fixed_operand;
  digits(2, (unsigned[]){256, 256});
  for (viewer = 0; viewer < 3; viewer++)
    for (unsigned k = 0; k < 8; k++) {
      for (unsigned q = 0; q < 2; q++) {
        uint64_t slope = k < 4 ? 0 : test_random(&seed) & 0xff;
        for (unsigned i = 0; i < 3; i++)
          fixed[q][i] = kit_gf_mul((unsigned)slope, i + 1) ^ (k >> q & 1);
      }
      world w = observe(REDUCE, choices);
      view v = view_new(choices);
      see_digit(&v, 1); /* it is seeded by the one before */
      see_bytes(&v, frame(&w, (viewer + 1) % 3, viewer, 1));
      uint32_t *h = count(&v);
      for (uint64_t b = 0; b < v.bins; b++)
        if (h[b] != 1) {
          differ++;
          break;
        }
      free(h);
      for (uint64_t l = 0; l < choices; l += 99)
        CU_ASSERT_EQUAL_FATAL(
            kit_join(CHI_SHAMIR, 3, CHI_B_SH, choices, arena, c.z, l),
            (k & 1) & (k >> 1 & 1));
      world_free(&w);
    }
  return differ;
}

static void shamir_reduce(void) {
  dropped = false;
  CU_ASSERT_EQUAL(reduces(), 0);
  dropped = true;
  CU_ASSERT(reduces() > 0);
  dropped = false;
}

/* Digit 2: the slope of the operand's sharing. */
static uint64_t element_operand(unsigned me, unsigned q, uint64_t lane,
                                unsigned plane) {
  (void)q;
  (void)plane;
  return (secret[0] + digit(lane, 2) * (me + 1)) % CHI_P;
}

static uint64_t byte_operand(unsigned me, unsigned q, uint64_t lane,
                             unsigned plane) {
  (void)q;
  (void)plane;
  return secret[0] ^ kit_gf_mul(digit(lane, 2), me + 1);
}

/* The node's share, its seed and what it is sent, over all sharings. */
static bool quick; /* for builds with sanitizers */

static unsigned deals(what item, unsigned secrets) {
  unsigned differ = 0;
  protocol = CHI_SHAMIR;
  stream_digit = shamir_stream;
  c.operand = item == DEAL ? element_operand : byte_operand;
  if (item == DEAL)
    digits(3, (unsigned[]){256, 256, CHI_P});
  else
    digits(3, (unsigned[]){CHI_P, CHI_P, 256});
  for (viewer = 0; viewer < (quick ? 1 : 3); viewer++) {
    uint32_t *ref = NULL;
    unsigned step = quick && secrets > 2 ? 3 : 1;
    for (secret[0] = 0; secret[0] < secrets; secret[0] += step) {
      world w = observe(item, choices);
      view v = view_new(choices);
      const uint64_t *f = frame(&w, (viewer + 1) % 3, viewer, 1);
      see_digit(&v, 1);
      if (item == DEAL) {
        see_words(&v, arena[viewer] + c.x, 0, 1);
        see_bytes(&v, f);
      } else {
        see_bytes(&v, arena[viewer] + c.x);
        see_words(&v, f, 0, 1);
      }
      differ += same(&ref, &v);
      world_free(&w);
    }
    free(ref);
  }
  return differ;
}

static void shamir_deals(void) {
  dropped = false;
  CU_ASSERT_EQUAL(deals(DEAL, CHI_P), 0);
  CU_ASSERT_EQUAL(deals(BDEAL, 2), 0);
  quick = true; /* the other bits, and the control, with less */
  for (c.bit = 1; c.bit < CHI_MERSENNE; c.bit++)
    CU_ASSERT_EQUAL(deals(DEAL, CHI_P), 0);
  c.bit = 0;
  dropped = true;
  CU_ASSERT(deals(DEAL, CHI_P) > 0);
  CU_ASSERT(deals(BDEAL, 2) > 0);
  dropped = false;
}

int main(int argc, char **argv) {
  quick = argc > 1 && strcmp(argv[1], "quick") == 0;
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("views of bits", NULL, NULL);
  CU_add_test(s, "rep3: product and opening", rep3_product);
  CU_add_test(s, "rep3: a bit to the field", rep3_conversion);
  CU_add_test(s, "shamir: product", shamir_reduce);
  CU_add_test(s, "shamir: deals", shamir_deals);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  for (unsigned i = 0; i < 3; i++)
    free(arena[i]);
  return failed != 0;
}
