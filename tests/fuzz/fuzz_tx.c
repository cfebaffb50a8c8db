/* Any bytes: a transaction is refused with a reason, or it encodes back to just
 * these bytes; the same of effects, frames' questions and answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chi.h"
#include "ledger/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void demand(bool ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "fuzz_tx: %s\n", what);
  abort();
}

/* The sender is another one and so is the signature: 64 bytes at the end, and
 * 32 after the net. */
static void same(const uint8_t *p, const uint8_t *q, size_t n, bool signed_) {
  enum { SENDER = 38, AFTER = 70 };
  demand(!memcmp(p, q, SENDER), "the head is another");
  demand(!memcmp(p + AFTER, q + AFTER, n - AFTER - 64),
         "the body is another");
  demand(signed_ || !memcmp(p, q, n), "an expiry is another");
}

static void one_transaction(arena *a, const uint8_t *data, size_t n) {
  static chi_identity *id;
  static const uint8_t seed[32] = {1};
  const char *why = NULL;
  size_t m = 0;
  tx t;
  if (!id && chi_identity_from_seed(&id, seed) != CHI_OK) abort();
  if (!tx_decode(a, data, n, &t, &why)) {
    demand(why && *why, "refused without a reason");
    return;
  }
  (void)tx_signed(data, n, &t);
  bool is_signed = t.kind != TX_EXPIRE;
  if (t.kind == TX_GENESIS) /* by its first node only */
    chi_identity_public(id, t.u.genesis.key[0]);
  uint8_t *p = tx_encode(a, &t, is_signed ? id : NULL, &m);
  if (t.kind == TX_GENESIS) {
    demand(!p || m == n, "a genesis has another length");
    return;
  }
  demand(p && m == n, "does not encode to as many bytes");
  same(data, p, n, is_signed);
  demand(!is_signed || tx_signed(p, m, &t), "not signed");
}

static void other_bytes(arena *a, const uint8_t *data, size_t n) {
  effects e;
  const char *why = NULL;
  size_t m;
  if (effects_decode(a, data, n, &e, &why)) {
    uint8_t *p = effects_encode(a, &e, &m);
    demand(!p || (m == n && !memcmp(p, data, n)), "effects are others");
  } else {
    demand(why != NULL, "effects are refused without a reason");
  }
  codec_reader r = codec_reader_new(a, data, n);
  ledger_query q;
  frame_get_query(&r, &q);
  if (codec_done(&r)) {
    codec_writer w = codec_writer_new(a, FRAME_REQUEST_MAX);
    frame_put_query(&w, &q);
    demand(!w.bad && w.n == n && !memcmp(w.p, data, n), "another question");
  }
  ledger_answer x;
  r = codec_reader_new(a, data, n);
  frame_get_answer(&r, &x);
  ledger_record *rec;
  uint32_t k;
  r = codec_reader_new(a, data, n);
  frame_get_records(&r, &rec, &k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  arena *a = arena_new();
  one_transaction(a, data, n);
  if (n > 1 && data[0] == 'e') other_bytes(a, data + 1, n - 1);
  arena_free(a);
  return 0;
}
