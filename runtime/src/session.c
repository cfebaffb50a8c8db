/* Life of a session: memory, failure, run, told outputs. */
#include "session.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "keys.h"

#define DEADLINE_MS 30000
/* Set-up needs a few spans a peer besides one for each value. */
#define SPANS_EXTRA 16

/* Every block knows its size, so that freeing wipes it, and its neighbours, so
 * that the session frees what is left. */
struct chii_block {
  chii_block *next, *prev;
  size_t bytes, pad;
};

static void *system_alloc(void *user, size_t bytes) {
  (void)user;
  return malloc(bytes);
}

static void system_free(void *user, void *p) {
  (void)user;
  free(p);
}

void *chii_alloc(chi_session *s, uint64_t count, size_t size) {
  size_t bytes;
  if (!chii_mul_size(&bytes, count, size) ||
      bytes > SIZE_MAX - sizeof(chii_block))
    return NULL;
  chii_block *b = s->mem.alloc(s->mem.user, bytes + sizeof *b);
  if (!b)
    return NULL;
  b->bytes = bytes;
  b->prev = NULL;
  b->next = s->blocks;
  if (b->next)
    b->next->prev = b;
  s->blocks = b;
  memset(b + 1, 0, bytes);
  return b + 1;
}

void chii_free(chi_session *s, void *p) {
  if (!p)
    return;
  chii_block *b = (chii_block *)p - 1;
  if (b->prev)
    b->prev->next = b->next;
  else
    s->blocks = b->next;
  if (b->next)
    b->next->prev = b->prev;
  chii_wipe(p, b->bytes);
  s->mem.free(s->mem.user, b);
}

/* Overwrites shares and keys; memory stays, for kernels that still run. */
static void wipe_secrets(chi_session *s) {
  chii_wipe(s->w, s->w ? s->words * 8 : 0);
  chii_wipe(s->pair_key, s->pair_key ? s->n * CHII_PAIR_KEY_BYTES : 0);
  if (s->proto)
    s->proto->wipe(s);
  for (uint32_t i = 0; s->program && s->input && i < s->program->n_input;
       i++)
    if (s->input[i].values) {
      chii_free(s, s->input[i].values);
      s->input[i].values = NULL;
    }
  chii_vec_wipe(s);
  chii_shuffle_wipe(s);
  while (s->told) {
    chii_told *t = s->told;
    s->told = t->next;
    chii_free(s, t->share);
    chii_free(s, t->blob);
    chii_free(s, t);
  }
  s->told_tail = &s->told;
  s->n_told = 0;
}

static void close_transport(chi_session *s) {
  if (!s->tr_open)
    return;
  s->tr_open = false;
  s->tr.ops->close(s->tr.state);
}

void chii_fail(chi_session *s, chi_status st, int culprit, const char *format,
               ...) {
  if (s->status)
    return;
  va_list ap;
  va_start(ap, format);
  vsnprintf(s->detail, sizeof s->detail, format, ap);
  va_end(ap);
  s->status = st;
  s->culprit = culprit;
  if (s->tr_open && s->link)
    chii_farewell(s, st == CHI_E_PEER_LOST || st == CHI_E_PEER_STALLED);
  close_transport(s);
  wipe_secrets(s);
}

chi_status chii_refuse(chi_session *s, chi_status st, const char *format,
                       ...) {
  va_list ap;
  va_start(ap, format);
  vsnprintf(s->detail, sizeof s->detail, format, ap);
  va_end(ap);
  return st;
}

static chi_status check_config(chii_field *f, const chi_session_config *cfg,
                               const chi_program *p) {
  if (cfg->protocol != CHI_REP3 && cfg->protocol != CHI_SHAMIR)
    return CHI_E_ARG;
  if (cfg->n < CHI_PARTIES_MIN || cfg->n > CHI_PARTIES_MAX ||
      cfg->me >= cfg->n || !cfg->party_key)
    return CHI_E_ARG;
  if (p && (p->abi != CHI_ABI || !p->run))
    return CHI_E_ARG;
  chi_status st = chii_field_of(f, p ? &p->field : &cfg->field, true);
  if (st)
    return st;
  if (cfg->protocol == CHI_SHAMIR && !chii_below_p(f, cfg->n))
    return CHI_E_ARG; /* points must differ and not be 0: tiny fields */
  if (p && (p->words > SIZE_MAX / 16 ||
            p->max_reduce_lanes > p->words / f->words ||
            p->max_open_lanes > p->words / f->words ||
            p->max_shuffle_lanes > p->words / f->words))
    return CHI_E_LIMIT;
  if (p && ((p->target.protocol && p->target.protocol != cfg->protocol) ||
            (p->target.n && p->target.n != cfg->n)))
    return CHI_E_ARG;
  if (!p && cfg->vec_words > SIZE_MAX / 16)
    return CHI_E_LIMIT;
  return CHI_OK;
}

static chi_status set_up(chi_session *s, const chi_session_config *cfg) {
  const chi_program *p = s->program;
  uint32_t queue = cfg->vec_queue ? cfg->vec_queue : 64;
  s->words = p ? p->words : cfg->vec_words;
  s->max_reduce = p ? p->max_reduce_lanes : s->words / s->ew;
  s->max_open = p ? p->max_open_lanes : s->words / s->ew;
  s->reduce_cap = p ? p->max_reduce_values : queue;
  s->open_cap = p ? p->max_open_values : queue;
  s->vec_queue = p ? 0 : queue;
  s->party_key = chii_alloc(s, s->n, CHI_KEY_BYTES);
  s->pair_key = chii_alloc(s, s->n, CHII_PAIR_KEY_BYTES);
  s->w = chii_alloc(s, s->words, 8);
  s->reduce = chii_alloc(s, s->reduce_cap, sizeof *s->reduce);
  s->opened = chii_alloc(s, s->open_cap, sizeof *s->opened);
  s->scrap = chii_alloc(s, CHUNK, s->eb);
  s->input = chii_alloc(s, p ? p->n_input : 0, sizeof *s->input);
  s->vec_op = chii_alloc(s, s->vec_queue, chii_vec_op_bytes);
  if (!s->party_key || !s->pair_key || !s->w || !s->reduce || !s->opened ||
      !s->scrap || !s->input || !s->vec_op)
    return CHI_E_NOMEM;
  memcpy(s->party_key, cfg->party_key, (size_t)s->n * CHI_KEY_BYTES);
  uint64_t spans = (uint64_t)s->reduce_cap + s->open_cap + SPANS_EXTRA;
  spans += p ? p->max_bit_values : queue;
  if (spans > UINT32_MAX)
    return CHI_E_LIMIT;
  chi_status st = chii_links_new(s, (uint32_t)spans);
  if (!st)
    st = chii_bit_items_new(s, p ? p->max_bit_values : queue);
  if (!st)
    st = s->proto->setup(s);
  if (!st && p)
    st = chii_shuffle_new(s, p->max_shuffle_values, p->max_shuffle_lanes,
                          p->max_shuffle_rows);
  return st;
}

chi_status chi_session_new(chi_session **out, const chi_transport *transport,
                           const chi_session_config *cfg,
                           const chi_program *program) {
  CHII_REQUIRE(out && transport && transport->ops && cfg,
               "an argument is NULL");
  *out = NULL;
  chii_field field;
  chi_status st = sodium_init() < 0 ? CHI_E_CRYPTO
                                    : check_config(&field, cfg, program);
  chi_alloc mem = cfg->alloc ? *cfg->alloc
                             : (chi_alloc){system_alloc, system_free, NULL};
  chi_session *s = st ? NULL : mem.alloc(mem.user, sizeof *s);
  if (!s) {
    transport->ops->close(transport->state);
    return st ? st : CHI_E_NOMEM;
  }
  memset(s, 0, sizeof *s);
  s->mem = mem;
  s->tr = *transport;
  s->tr_open = true;
  s->program = program;
  s->field = field;
  s->ew = field.words;
  s->eb = field.bytes;
  s->proto = cfg->protocol == CHI_REP3 ? &chii_rep3_ops : &chii_shamir_ops;
  s->n = cfg->n;
  s->me = cfg->me;
  s->culprit = s->stopped_by = -1;
  s->identity = cfg->identity;
  s->deadline_ms = cfg->deadline_ms ? cfg->deadline_ms : DEADLINE_MS;
  memcpy(s->session_id, cfg->session_id, sizeof s->session_id);
  s->told_tail = &s->told;
  s->setup = true;
  st = set_up(s, cfg);
  if (st) {
    chi_session_free(s);
    return st;
  }
  *out = s;
  return CHI_OK;
}

void chi_session_free(chi_session *s) {
  if (!s)
    return;
  close_transport(s);
  wipe_secrets(s);
  while (s->blocks)
    chii_free(s, s->blocks + 1);
  chi_alloc mem = s->mem;
  chii_wipe(s, sizeof *s);
  mem.free(mem.user, s);
}

/* ---- run ---- */

/* Everybody tells everybody that all its checks passed; nothing may be left on
 * the streams. */
static void barrier(chi_session *s) {
  uint8_t out[8], in[8 * CHI_PARTIES_MAX];
  chii_put64(out, s->stats.rounds);
  s->setup = true;
  chii_swap(s, out, 0, in, sizeof out);
  s->setup = false;
  for (unsigned j = 0; j < s->n && !s->status; j++) {
    if (j == s->me)
      continue;
    if (chii_get64(in + 8 * j) != s->stats.rounds)
      chii_fail(s, CHI_E_PROTOCOL, (int)j,
                "party %u counts another number of rounds", j);
    else
      chii_quiet(s, j);
  }
}

static chi_status seal_one(chi_session *s, chii_told *t) {
  size_t plain = chii_blob_bytes(&s->field, CHII_BLOB_TOLD, s->proto->id, s->n,
                                 s->me, t->lanes);
  uint8_t *msg = plain ? chii_alloc(s, plain, 1) : NULL;
  t->blob_bytes = plain + CHII_TOLD_BYTES;
  t->blob = msg ? chii_alloc(s, t->blob_bytes, 1) : NULL;
  if (!t->blob) {
    chii_free(s, msg);
    return CHI_E_NOMEM;
  }
  chii_blob_put_head(msg, CHII_BLOB_TOLD, s->proto->id, s->n, s->me, t->output,
                     t->lanes, s->session_id);
  memcpy(msg + CHII_BLOB_HEAD, t->share, t->lanes * s->proto->planes * s->eb);
  chi_status st = chii_told_seal(t->blob, s->identity, t->to, msg, plain);
  chii_free(s, msg);
  chii_free(s, t->share);
  t->share = NULL;
  return st;
}

chi_status chi_session_run(chi_session *s) {
  CHII_REQUIRE(s, "the session is NULL");
  if (s->status)
    return s->status;
  if (s->phase != CHII_STARTED || !s->program)
    return chii_refuse(s, CHI_E_STATE, "the session is not ready to run");
  int r = s->program->run(s);
  if (!s->status && (r || s->in_exchange))
    chii_fail(s, CHI_E_BUG, -1, "the circuit ended without a reason");
  if (!s->status)
    barrier(s);
  for (chii_told *t = s->told; t && !s->status; t = t->next) {
    chi_status st = seal_one(s, t);
    if (st) {
      chii_fail(s, st, -1, "output '%s' could not be sealed",
                t->output < s->program->n_output
                    ? s->program->output[t->output].name
                    : "");
      break;
    }
  }
  if (!s->status)
    s->phase = CHII_DONE;
  return s->status;
}

size_t chi_session_told_count(const chi_session *s) {
  return s->phase == CHII_DONE && !s->status ? s->n_told : 0;
}

chi_status chi_session_told(const chi_session *s, size_t k,
                            uint8_t to[CHI_KEY_BYTES], uint32_t *output,
                            uint64_t *lanes, const uint8_t **blob,
                            size_t *blob_bytes) {
  if (s->status)
    return s->status;
  if (s->phase != CHII_DONE)
    return CHI_E_STATE;
  const chii_told *t = s->told;
  for (; t && k; k--)
    t = t->next;
  if (!t)
    return CHI_E_ARG;
  memcpy(to, t->to, CHI_KEY_BYTES);
  *output = t->output;
  *lanes = t->lanes;
  *blob = t->blob;
  *blob_bytes = t->blob_bytes;
  return CHI_OK;
}

void chi_session_stats(const chi_session *s, chi_stats *out) {
  *out = s->stats;
}

chi_status chi_session_status(const chi_session *s) { return s->status; }

const char *chi_session_detail(const chi_session *s) { return s->detail; }

int chi_session_culprit(const chi_session *s) { return s->culprit; }

const chi_program *chi_session_program(const chi_session *s) {
  return s->program;
}
