#include "ledger/record.h"

#include <sodium.h>
#include <string.h>

/* ---- lists of values ---- */
tx_value *values_add(arena *a, tx_values *v) {
  if (!(v->n & (v->n - 1))) /* capacities are powers of two */
    v->p = arena_grow(a, v->p, v->n, v->n ? 2 * (size_t)v->n : 1,
                      sizeof *v->p);
  return &v->p[v->n++];
}

void values_add_u64(arena *a, tx_values *v, const char *name, uint64_t n) {
  mp_limb_t *limb = ARENA_NEW(a, mp_limb_t);
  mpz_t *lane = ARENA_NEW(a, mpz_t);
  *limb = n;
  mpz_roinit_n(*lane, limb, 1);
  *values_add(a, v) = (tx_value){name, 1, lane};
}

static bool value_equal(const tx_value *x, const tx_value *y) {
  if (strcmp(x->name, y->name) || x->n != y->n) return false;
  for (uint64_t k = 0; k < x->n; k++)
    if (mpz_cmp(x->lane[k], y->lane[k])) return false;
  return true;
}

bool values_equal(const tx_values *x, const tx_values *y) {
  if (x->n != y->n) return false;
  for (uint32_t k = 0; k < x->n; k++)
    if (!value_equal(&x->p[k], &y->p[k])) return false;
  return true;
}

/* ---- effects ---- */
uint8_t *effects_encode(arena *a, const effects *e, size_t *n) {
  codec_writer w = codec_writer_new(a, EFFECTS_BYTES_MAX);
  codec_put_raw(&w, e->contract, 32);
  codec_put_u64(&w, e->call);
  codec_put_u64(&w, e->lock_until_ms);
  codec_put_values(&w, &e->handed);
  codec_put_values(&w, &e->secret_before);
  codec_put_values(&w, &e->secret_after);
  codec_put_values(&w, &e->result);
  if (e->nevent > RECORD_EVENTS_MAX || e->nwrite > RECORD_WRITES_MAX)
    w.bad = true;
  codec_put_u32(&w, e->nevent);
  for (uint32_t k = 0; k < e->nevent && !w.bad; k++) {
    codec_put_name(&w, e->event[k].name);
    codec_put_values(&w, &e->event[k].field);
  }
  codec_put_u32(&w, e->nwrite);
  for (uint32_t k = 0; k < e->nwrite && !w.bad; k++) {
    codec_put_value(&w, &e->write[k].value);
    codec_put_lanes(&w, (const mpz_t *)e->write[k].key.lane,
                    e->write[k].key.n);
  }
  codec_put_text(&w, e->label ? e->label : "");
  codec_put_u32(&w, e->nslot);
  for (uint32_t k = 0; k < e->nslot && !w.bad; k++) {
    codec_put_name(&w, e->slot[k].name);
    codec_put_values(&w, &e->slot[k].initial);
  }
  *n = w.n;
  return w.bad ? NULL : w.p;
}

static void get_events(codec_reader *r, effects *e) {
  uint32_t n = codec_get_count(r, RECORD_EVENTS_MAX);
  if (n > (r->n - r->at) / 8) codec_fail(r, "it is cut off");
  e->event = ARENA_ARR(r->a, ledger_event, r->bad ? 0 : n);
  for (; e->nevent < n && !r->bad; e->nevent++) {
    e->event[e->nevent].name = codec_get_name(r);
    codec_get_values(r, &e->event[e->nevent].field);
  }
}

static void get_writes(codec_reader *r, effects *e) {
  uint32_t n = codec_get_count(r, RECORD_WRITES_MAX);
  if (n > (r->n - r->at) / 13) codec_fail(r, "it is cut off");
  e->write = ARENA_ARR(r->a, effect_write, r->bad ? 0 : n);
  for (; e->nwrite < n && !r->bad; e->nwrite++) {
    tx_value *key = &e->write[e->nwrite].key;
    codec_get_value(r, &e->write[e->nwrite].value);
    key->lane = codec_get_lanes(r, CONTRACT_KEYS_MAX, &key->n);
  }
}

static void get_slots(codec_reader *r, effects *e) {
  uint32_t n = codec_get_count(r, TX_VALUES_MAX);
  e->slot = ARENA_ARR(r->a, ledger_slot, n);
  for (; e->nslot < n && !r->bad; e->nslot++) {
    e->slot[e->nslot].name = codec_get_name(r);
    codec_get_values(r, &e->slot[e->nslot].initial);
  }
}

bool effects_decode(arena *a, const uint8_t *p, size_t n, effects *e,
                    const char **why) {
  codec_reader r = codec_reader_new(a, p, n);
  *e = (effects){0};
  codec_get_raw(&r, e->contract, 32);
  e->call = codec_get_u64(&r);
  e->lock_until_ms = codec_get_u64(&r);
  codec_get_values(&r, &e->handed);
  codec_get_values(&r, &e->secret_before);
  codec_get_values(&r, &e->secret_after);
  codec_get_values(&r, &e->result);
  get_events(&r, e);
  get_writes(&r, e);
  e->label = codec_get_text(&r, TX_NAME_MAX);
  get_slots(&r, e);
  if (codec_done(&r)) return true;
  *why = r.why;
  return false;
}

/* ---- records ---- */
static void hash_big(crypto_hash_sha256_state *s, uint64_t v) {
  uint8_t b[8];
  for (int k = 8; k-- > 0; v >>= 8) b[k] = (uint8_t)v;
  crypto_hash_sha256_update(s, b, 8);
}

static void hash_bytes(crypto_hash_sha256_state *s, const void *p, size_t n) {
  hash_big(s, n);
  crypto_hash_sha256_update(s, p, n);
}

void record_hash(const raw_record *r, uint8_t out[32]) {
  static const char label[] = "chirograph record v1";
  crypto_hash_sha256_state s;
  crypto_hash_sha256_init(&s);
  crypto_hash_sha256_update(&s, (const uint8_t *)label, sizeof label - 1);
  crypto_hash_sha256_update(&s, r->prev, 32);
  hash_big(&s, r->seq);
  hash_big(&s, r->time_ms);
  hash_bytes(&s, r->tx, r->tx_bytes);
  hash_big(&s, (uint64_t)r->outcome);
  hash_bytes(&s, r->why, strlen(r->why));
  hash_bytes(&s, r->effects, r->effects_bytes);
  crypto_hash_sha256_final(&s, out);
}

bool record_open(arena *a, const raw_record *r, ledger_record *out,
                 effects *e, const char **why) {
  effects mine;
  if (!e) e = &mine;
  *out = (ledger_record){.seq = r->seq,
                         .time_ms = r->time_ms,
                         .tx = r->tx,
                         .tx_bytes = r->tx_bytes,
                         .outcome = r->outcome,
                         .why = r->why};
  memcpy(out->prev, r->prev, 32);
  memcpy(out->hash, r->hash, 32);
  if (!tx_decode(a, r->tx, r->tx_bytes, &out->t, why) ||
      !effects_decode(a, r->effects, r->effects_bytes, e, why))
    return false;
  memcpy(out->contract, e->contract, 32);
  out->call = e->call;
  out->handed = e->handed;
  out->secret_before = e->secret_before;
  out->secret_after = e->secret_after;
  out->result = e->result;
  out->lock_until_ms = e->lock_until_ms;
  if (r->outcome != REC_DONE) return true;
  out->event = e->event;
  out->nevent = e->nevent;
  return true;
}

void record_put(codec_writer *w, const raw_record *r) {
  codec_put_u64(w, r->seq);
  codec_put_u64(w, r->time_ms);
  codec_put_raw(w, r->prev, 32);
  codec_put_raw(w, r->hash, 32);
  codec_put_bytes(w, r->tx, r->tx_bytes);
  codec_put_u8(w, (uint8_t)r->outcome);
  codec_put_why(w, r->why);
  codec_put_bytes(w, r->effects, r->effects_bytes);
}

void record_get(codec_reader *rd, raw_record *r) {
  *r = (raw_record){0};
  r->seq = codec_get_u64(rd);
  r->time_ms = codec_get_u64(rd);
  codec_get_raw(rd, r->prev, 32);
  codec_get_raw(rd, r->hash, 32);
  r->tx = codec_get_bytes(rd, TX_BYTES_MAX, &r->tx_bytes);
  r->outcome = (rec_outcome)codec_get_u8(rd);
  if (r->outcome < REC_DONE || r->outcome > REC_NOTED)
    codec_fail(rd, "an outcome is not known");
  r->why = codec_get_why(rd);
  r->effects = codec_get_bytes(rd, EFFECTS_BYTES_MAX, &r->effects_bytes);
}
