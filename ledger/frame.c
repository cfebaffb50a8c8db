#include "ledger/frame.h"

#include <string.h>

#include "base/be.h"

enum { RECORDS_MAX = 1024, LIST_MAX = 1 << 22, WHY_MAX = 4096 };

/* ---- frames ---- */
codec_writer frame_begin(arena *a, frame_kind kind, size_t max) {
  codec_writer w = codec_writer_new(a, max);
  codec_put_u32(&w, 0);
  codec_put_u8(&w, FRAME_VERSION);
  codec_put_u8(&w, (uint8_t)kind);
  return w;
}

const uint8_t *frame_end(codec_writer *w, size_t *n) {
  if (w->bad) return NULL;
  be_put(w->p, w->n - FRAME_HEAD, FRAME_HEAD);
  *n = w->n;
  return w->p;
}

frame_kind frame_open(codec_reader *r) {
  if (codec_get_u8(r) != FRAME_VERSION)
    codec_fail(r, "the frame's version is not known");
  frame_kind k = (frame_kind)codec_get_u8(r);
  if (k < FRAME_SUBMIT || k > FRAME_WATCH)
    codec_fail(r, "the frame's kind is not known");
  return k;
}

static ledger_status get_status(codec_reader *r) {
  uint8_t s = codec_get_u8(r);
  if (s > LEDGER_FAILED) codec_fail(r, "a status is not known");
  return (ledger_status)s;
}

/* ---- submissions ---- */
void frame_put_receipt(codec_writer *w, ledger_status s,
                       const ledger_receipt *x) {
  codec_put_u8(w, (uint8_t)s);
  codec_put_u64(w, x->seq);
  codec_put_u8(w, (uint8_t)x->outcome);
  codec_put_text(w, x->why ? x->why : "");
}

ledger_status frame_get_receipt(codec_reader *r, ledger_receipt *x) {
  ledger_status s = get_status(r);
  x->seq = codec_get_u64(r);
  x->outcome = (rec_outcome)codec_get_u8(r);
  x->why = codec_get_text(r, WHY_MAX);
  return s;
}

/* ---- queries ---- */
void frame_put_query(codec_writer *w, const ledger_query *q) {
  codec_put_u8(w, (uint8_t)q->kind);
  codec_put_raw(w, q->id, 32);
  codec_put_text(w, q->name ? q->name : "");
  codec_put_raw(w, q->caller, 32);
  codec_put_values(w, &q->args);
  codec_put_u64(w, q->seq);
}

void frame_get_query(codec_reader *r, ledger_query *q) {
  *q = (ledger_query){.kind = (read_kind)codec_get_u8(r)};
  if (q->kind > READ_VERIFY) codec_fail(r, "a question is not known");
  codec_get_raw(r, q->id, 32);
  q->name = codec_get_text(r, TX_NAME_MAX);
  codec_get_raw(r, q->caller, 32);
  codec_get_values(r, &q->args);
  q->seq = codec_get_u64(r);
}

/* ---- answers ---- */
static void put_instance(codec_writer *w, const ledger_instance *x) {
  codec_put_raw(w, x->id, 32);
  codec_put_raw(w, x->package, 32);
  codec_put_raw(w, x->creator, 32);
  codec_put_text(w, x->label);
  codec_put_u64(w, x->seq);
  codec_put_u64(w, x->locked_by);
}

static void put_lists(codec_writer *w, const ledger_answer *x) {
  codec_put_u32(w, x->ninstance);
  for (uint32_t k = 0; k < x->ninstance; k++)
    put_instance(w, &x->instance[k]);
  codec_put_u32(w, x->nentry);
  for (uint32_t k = 0; k < x->nentry && !w->bad; k++) {
    const ledger_entry *e = &x->entry[k];
    codec_put_name(w, e->leaf);
    codec_put_lanes(w, (const mpz_t *)e->key.lane, e->key.n);
    codec_put_lanes(w, (const mpz_t *)e->value.lane, e->value.n);
  }
  codec_put_u32(w, x->nslot);
  for (uint32_t k = 0; k < x->nslot && !w->bad; k++) {
    codec_put_name(w, x->slot[k].name);
    codec_put_u64(w, x->slot[k].version);
    codec_put_values(w, &x->slot[k].initial);
  }
  codec_put_u32(w, x->npending);
  for (uint32_t k = 0; k < x->npending; k++)
    codec_put_u64(w, x->pending[k]);
}

void frame_put_answer(codec_writer *w, ledger_status s,
                      const ledger_answer *x, const raw_record *record,
                      const uint8_t *genesis, size_t genesis_bytes) {
  codec_put_u8(w, (uint8_t)s);
  codec_put_text(w, x->why ? x->why : "");
  codec_put_u64(w, x->seq);
  codec_put_u64(w, x->time_ms);
  codec_put_raw(w, x->hash, 32);
  codec_put_raw(w, x->net, 32);
  codec_put_bytes(w, genesis, genesis_bytes);
  codec_put_bytes(w, x->bytes, x->nbytes);
  codec_put_values(w, &x->values);
  put_lists(w, x);
  codec_put_u8(w, record != NULL);
  if (record) record_put(w, record);
}

/* A list of which each entry has at least `least` bytes. */
static uint32_t get_list(codec_reader *r, size_t least) {
  uint32_t n = codec_get_count(r, LIST_MAX);
  if (n > (r->n - r->at) / least) codec_fail(r, "it is cut off");
  return r->bad ? 0 : n;
}

static void get_instances(codec_reader *r, ledger_answer *x) {
  uint32_t n = get_list(r, 116);
  x->instance = ARENA_ARR(r->a, ledger_instance, n);
  for (; x->ninstance < n && !r->bad; x->ninstance++) {
    ledger_instance *i = &x->instance[x->ninstance];
    codec_get_raw(r, i->id, 32);
    codec_get_raw(r, i->package, 32);
    codec_get_raw(r, i->creator, 32);
    i->label = codec_get_text(r, TX_NAME_MAX);
    i->seq = codec_get_u64(r);
    i->locked_by = codec_get_u64(r);
  }
}

static void get_lists(codec_reader *r, ledger_answer *x) {
  get_instances(r, x);
  uint32_t n = get_list(r, 13);
  x->entry = ARENA_ARR(r->a, ledger_entry, n);
  for (; x->nentry < n && !r->bad; x->nentry++) {
    ledger_entry *e = &x->entry[x->nentry];
    e->leaf = e->key.name = e->value.name = codec_get_name(r);
    e->key.lane = codec_get_lanes(r, CONTRACT_KEYS_MAX, &e->key.n);
    e->value.lane = codec_get_lanes(r, TX_LANES_MAX, &e->value.n);
  }
  n = get_list(r, 17);
  x->slot = ARENA_ARR(r->a, ledger_slot, n);
  for (; x->nslot < n && !r->bad; x->nslot++) {
    ledger_slot *s = &x->slot[x->nslot];
    s->name = codec_get_name(r);
    s->version = codec_get_u64(r);
    codec_get_values(r, &s->initial);
  }
  n = get_list(r, 8);
  x->pending = ARENA_ARR(r->a, uint64_t, n);
  for (; x->npending < n; x->npending++)
    x->pending[x->npending] = codec_get_u64(r);
}

/* One record, whose hash must be its own. */
static ledger_status get_record(codec_reader *r, ledger_record *out) {
  raw_record raw;
  uint8_t hash[32];
  const char *why;
  record_get(r, &raw);
  if (r->bad) return LEDGER_OK;
  record_hash(&raw, hash);
  if (!memcmp(hash, raw.hash, 32) &&
      record_open(r->a, &raw, out, NULL, &why))
    return LEDGER_OK;
  return LEDGER_CORRUPT;
}

ledger_status frame_get_answer(codec_reader *r, ledger_answer *x) {
  size_t n;
  const char *why;
  *x = (ledger_answer){0};
  ledger_status s = get_status(r);
  x->why = codec_get_text(r, WHY_MAX);
  x->seq = codec_get_u64(r);
  x->time_ms = codec_get_u64(r);
  codec_get_raw(r, x->hash, 32);
  codec_get_raw(r, x->net, 32);
  const uint8_t *g = codec_get_bytes(r, TX_BYTES_MAX, &n);
  if (n && !tx_decode(r->a, g, n, &x->genesis, &why)) codec_fail(r, why);
  x->bytes = (const char *)codec_get_bytes(r, CONTRACT_BYTES_MAX, &x->nbytes);
  if (!r->bad) x->bytes = arena_strndup(r->a, x->bytes, x->nbytes);
  codec_get_values(r, &x->values);
  get_lists(r, x);
  if (!codec_get_bool(r)) return s;
  x->record = ARENA_NEW(r->a, ledger_record);
  ledger_status found = get_record(r, x->record);
  if (found) x->why = "the record's hash is not its own";
  return found ? found : s;
}

/* ---- records ---- */
void frame_put_records(codec_writer *w, ledger_status s, const raw_record *r,
                       uint32_t n) {
  codec_put_u8(w, (uint8_t)s);
  codec_put_u32(w, n);
  for (uint32_t k = 0; k < n; k++) record_put(w, &r[k]);
}

ledger_status frame_get_records(codec_reader *r, ledger_record **out,
                                uint32_t *n) {
  ledger_status s = get_status(r);
  uint32_t count = codec_get_count(r, RECORDS_MAX);
  *out = ARENA_ARR(r->a, ledger_record, count);
  *n = 0;
  for (; *n < count && !r->bad; ++*n) {
    ledger_status found = get_record(r, &(*out)[*n]);
    if (found) return found;
  }
  return s;
}
