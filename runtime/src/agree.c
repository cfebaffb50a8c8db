/* Before the first share moves: all parties mean the same run, each pair has a
 * fresh key, inputs dealt by nodes are dealt, those of clients and of the nodes'
 * stores are consistent. */
#include <sodium.h>
#include <string.h>

#include "session.h"

#define HELLO_TAG UINT64_C(0x314f4c4c45484843) /* "CHHELLO1" */
#define NONCE 32

/* Hello, after the frame header.  Its length is the same in every version. */
enum {
  AT_VERSION = 0, /* u32 */
  AT_PROTOCOL = 4,
  AT_N = 5,
  AT_ME = 6,
  AT_MERSENNE = 7,
  AT_TABLE = 8,
  AT_SESSION = 40,
  AT_CIRCUIT = 72,
  AT_PLAN = 104, /* which inputs are public, sealed, kept, dealt by whom */
  AT_PUBLIC = 136,
  AT_NONCE = 168,
  HELLO_BYTES = 200
};

static const struct {
  uint8_t at, bytes;
  const char *item;
} agreed[] = {
    {AT_VERSION, 4, "the wire version"}, {AT_PROTOCOL, 1, "the protocol"},
    {AT_N, 1, "the number of parties"},  {AT_MERSENNE, 1, "the field"},
    {AT_TABLE, 32, "the party table"},   {AT_SESSION, 32, "the session id"},
    {AT_CIRCUIT, 32, "the circuit"},     {AT_PLAN, 32, "who gives the inputs"},
    {AT_PUBLIC, 32, "the public inputs"}};

static size_t leaf_words(const chi_session *s, const chi_leaf *lf) {
  return (size_t)lf->lanes * (lf->kind == CHI_KIND_WIDE    ? CHI_WIDE_WORDS
                              : lf->kind == CHI_KIND_FIELD ? s->ew
                                                           : 1);
}

/* What stands for the circuit where there is none: nothing, or the field if it
 * is not the library's own. */
static void hash_field(const chi_session *s, uint8_t out[32]) {
  const chii_field *f = &s->field;
  uint64_t head[2] = {f->mersenne, f->words};
  crypto_generichash_state st;
  if (f->mersenne == CHI_MERSENNE)
    return;
  crypto_generichash_init(&st, NULL, 0, 32);
  crypto_generichash_update(&st, (const uint8_t *)"chi-field-1", 11);
  crypto_generichash_update(&st, (const uint8_t *)head, sizeof head);
  crypto_generichash_update(&st, (const uint8_t *)f->prime, f->bytes);
  crypto_generichash_final(&st, out, 32);
}

static void hash_inputs(const chi_session *s, uint8_t plan[32],
                        uint8_t values[32]) {
  crypto_generichash_state hp, hv;
  crypto_generichash_init(&hp, NULL, 0, 32);
  crypto_generichash_init(&hv, NULL, 0, 32);
  for (uint32_t i = 0; s->program && i < s->program->n_input; i++) {
    const chi_leaf *lf = &s->program->input[i];
    uint8_t how[2] = {(uint8_t)s->input[i].how, (uint8_t)s->input[i].dealer};
    crypto_generichash_update(&hp, how, sizeof how);
    if (s->input[i].how == CHII_IN_PUBLIC)
      crypto_generichash_update(&hv, (const uint8_t *)(s->w + lf->slot),
                                leaf_words(s, lf) * 8);
  }
  crypto_generichash_final(&hp, plan, 32);
  crypto_generichash_final(&hv, values, 32);
}

static void make_hello(const chi_session *s, uint8_t h[HELLO_BYTES]) {
  memset(h, 0, HELLO_BYTES);
  h[AT_VERSION] = CHI_WIRE_VERSION;
  h[AT_PROTOCOL] = (uint8_t)s->proto->id;
  h[AT_N] = (uint8_t)s->n;
  h[AT_ME] = (uint8_t)s->me;
  h[AT_MERSENNE] = (uint8_t)s->field.mersenne;
  crypto_generichash(h + AT_TABLE, 32, (const uint8_t *)s->party_key,
                     (size_t)s->n * CHI_KEY_BYTES, NULL, 0);
  memcpy(h + AT_SESSION, s->session_id, 32);
  if (s->program)
    memcpy(h + AT_CIRCUIT, s->program->hash, 32);
  else
    hash_field(s, h + AT_CIRCUIT);
  hash_inputs(s, h + AT_PLAN, h + AT_PUBLIC);
}

static void compare(chi_session *s, unsigned j, const uint8_t *mine,
                    const uint8_t *theirs) {
  for (size_t k = 0; k < sizeof agreed / sizeof *agreed; k++)
    if (memcmp(mine + agreed[k].at, theirs + agreed[k].at, agreed[k].bytes)) {
      chii_fail(s, CHI_E_DISAGREE, (int)j, "party %u disagrees on %s", j,
                agreed[k].at == AT_CIRCUIT && !s->program
                    ? "the field, or has a circuit"
                    : agreed[k].item);
      return;
    }
  if (theirs[AT_ME] != j)
    chii_fail(s, CHI_E_DISAGREE, (int)j,
              "party %u takes itself for party %u", j, theirs[AT_ME]);
}

/* Both sides' fresh bytes under the stream's exporter, bound to everything
 * agreed. */
static bool pair_key(chi_session *s, unsigned j, const uint8_t *mine,
                     const uint8_t *theirs) {
  uint8_t exporter[32] = {0};
  if (s->tr.ops->exporter &&
      s->tr.ops->exporter(s->tr.state, j, exporter) != 0) {
    chii_fail(s, CHI_E_CRYPTO, (int)j,
              "the stream to party %u gives no exporter value", j);
    return false;
  }
  bool low = s->me < j;
  uint8_t pair[2] = {(uint8_t)(low ? s->me : j), (uint8_t)(low ? j : s->me)};
  crypto_generichash_state st;
  crypto_generichash_init(&st, exporter, sizeof exporter, 32);
  crypto_generichash_update(&st, (const uint8_t *)"chi-pair-1", 10);
  crypto_generichash_update(&st, pair, 2);
  crypto_generichash_update(&st, (low ? mine : theirs) + AT_NONCE, NONCE);
  crypto_generichash_update(&st, (low ? theirs : mine) + AT_NONCE, NONCE);
  crypto_generichash_update(&st, mine + AT_TABLE, AT_NONCE - AT_TABLE);
  crypto_generichash_final(&st, s->pair_key[j], 32);
  chii_wipe(exporter, sizeof exporter);
  chii_wipe(&st, sizeof st);
  return true;
}

static void hello(chi_session *s) {
  uint8_t *out = chii_alloc(s, 2u * s->n, HELLO_BYTES);
  if (!out) {
    chii_fail(s, CHI_E_NOMEM, -1, "no memory for the agreement");
    return;
  }
  uint8_t *in = out + s->n * HELLO_BYTES;
  for (unsigned j = 0; j < s->n; j++) {
    make_hello(s, out + j * HELLO_BYTES);
    randombytes_buf(out + j * HELLO_BYTES + AT_NONCE, NONCE);
  }
  s->tag = HELLO_TAG;
  chii_swap(s, out, HELLO_BYTES, in, HELLO_BYTES);
  for (unsigned j = 0; j < s->n && !s->status; j++)
    if (j != s->me)
      compare(s, j, out + j * HELLO_BYTES, in + j * HELLO_BYTES);
  for (unsigned j = 0; j < s->n && !s->status; j++)
    if (j != s->me)
      pair_key(s, j, out + j * HELLO_BYTES, in + j * HELLO_BYTES);
  if (!s->status) { /* frames of this session from here on */
    uint8_t h[16];
    crypto_generichash(h, sizeof h, out + AT_TABLE, AT_NONCE - AT_TABLE, NULL,
                       0);
    s->tag = chii_get64(h);
  }
  chii_free(s, out);
}

static void deal_node_inputs(chi_session *s) {
  for (uint32_t i = 0; i < s->program->n_input && !s->status; i++) {
    const chi_leaf *lf = &s->program->input[i];
    chii_input *in = &s->input[i];
    if (in->how != CHII_IN_NODE)
      continue;
    s->proto->deal(s, in->dealer, s->w + lf->slot, in->values, lf->lanes);
    if (!s->status) {
      chii_free(s, in->values);
      in->values = NULL;
    }
  }
}

/* Sealed and kept inputs always; dealt ones where a dealer could miss the
 * degree. */
static void check_inputs(chi_session *s) {
  const chi_program *p = s->program;
  uint32_t *list = chii_alloc(s, p->n_input, sizeof *list), count = 0;
  if (!list) {
    chii_fail(s, CHI_E_NOMEM, -1, "no memory to check inputs");
    return;
  }
  for (uint32_t i = 0; i < p->n_input; i++)
    if (s->input[i].how == CHII_IN_SEALED ||
        s->input[i].how == CHII_IN_SHARE ||
        (s->input[i].how == CHII_IN_NODE && s->proto->id == CHI_SHAMIR))
      list[count++] = i;
  if (count)
    s->proto->check_inputs(s, list, count);
  chii_free(s, list);
}

chi_status chi_session_start(chi_session *s) {
  CHII_REQUIRE(s, "the session is NULL");
  if (s->status)
    return s->status;
  if (s->phase != CHII_NEW)
    return chii_refuse(s, CHI_E_STATE, "the session has started already");
  for (uint32_t i = 0; s->program && i < s->program->n_input; i++)
    if (s->input[i].how == CHII_IN_MISSING)
      return chii_refuse(s, CHI_E_STATE, "input '%s' is missing",
                         s->program->input[i].name);
  hello(s);
  if (!s->status && !s->proto->keys(s))
    chii_fail(s, CHI_E_CRYPTO, -1, "AES could not be set up");
  if (!s->status && s->shuffle && !s->proto->shuffle_keys(s))
    chii_fail(s, CHI_E_CRYPTO, -1, "AES could not be set up");
  if (!s->status && s->program)
    deal_node_inputs(s);
  if (!s->status && s->program)
    check_inputs(s);
  if (!s->status) {
    s->phase = CHII_STARTED;
    s->setup = false;
  }
  return s->status;
}
