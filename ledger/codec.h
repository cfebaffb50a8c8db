/* Bytes of transactions, records and frames: big-endian numbers, lengths before
 * what they measure, one encoding for one value.
 *
 * A writer turns bad when a limit is broken, a reader at the first violation;
 * both stay so, and what is read after that is zero.  A reader never passes its
 * end and believes no length before it has seen the bytes.
 *
 *   bytes    u32 length, bytes           string   the same, without NUL
 *   integer  0: u8 0; else u8 1 (positive) or 2, u8 length, magnitude without
 *            leading zeros
 *   lanes    u32 count, integers
 *   values   u32 count; each: name, lanes
 */
#ifndef LEDGER_CODEC_H
#define LEDGER_CODEC_H

#include "ledger/tx.h"

typedef struct codec_writer {
  arena *a;
  uint8_t *p;
  size_t n, cap, max;
  bool bad;
} codec_writer;

codec_writer codec_writer_new(arena *a, size_t max);
void codec_put_raw(codec_writer *w, const void *p, size_t n);
void codec_put_u8(codec_writer *w, uint8_t v);
void codec_put_u32(codec_writer *w, uint32_t v);
void codec_put_u64(codec_writer *w, uint64_t v);
void codec_put_bytes(codec_writer *w, const void *p, size_t n);
void codec_put_text(codec_writer *w, const char *s);
/* These turn bad where the reader's counterpart would. */
void codec_put_name(codec_writer *w, const char *s);
void codec_put_why(codec_writer *w, const char *s);
void codec_put_mpz(codec_writer *w, mpz_srcptr v);
/* u32 count, integers. */
void codec_put_lanes(codec_writer *w, const mpz_t *lane, uint64_t n);
void codec_put_value(codec_writer *w, const tx_value *v);
void codec_put_values(codec_writer *w, const tx_values *v);

typedef struct codec_reader {
  arena *a;
  const uint8_t *p;
  size_t n, at;
  bool bad;
  const char *why; /* a clause about the first violation, once bad */
} codec_reader;

codec_reader codec_reader_new(arena *a, const void *p, size_t n);
void codec_fail(codec_reader *r, const char *why);
/* Into out; zeros if bad. */
void codec_get_raw(codec_reader *r, void *out, size_t n);
uint8_t codec_get_u8(codec_reader *r);
uint32_t codec_get_u32(codec_reader *r);
uint64_t codec_get_u64(codec_reader *r);
/* At most `most`: bad beyond it. */
uint32_t codec_get_count(codec_reader *r, uint32_t most);
bool codec_get_bool(codec_reader *r);
/* In place; NULL and 0 if bad. */
const uint8_t *codec_get_bytes(codec_reader *r, size_t max, size_t *n);
/* Text of at most max bytes with no control character, with a NUL, in the
 * arena; "" if bad. */
const char *codec_get_text(codec_reader *r, size_t max);
const char *codec_get_name(codec_reader *r); /* see codec_is_name */
const char *codec_get_why(codec_reader *r);
/* At most `most` integers, in the arena, only to be read; NULL and 0 if bad. */
mpz_t *codec_get_lanes(codec_reader *r, uint64_t most, uint64_t *n);
void codec_get_value(codec_reader *r, tx_value *v);
void codec_get_values(codec_reader *r, tx_values *v);
/* Did all of it fit, to the last byte? */
bool codec_done(codec_reader *r);

/* Printable ASCII without space, quote and backslash, at most TX_NAME_MAX. */
bool codec_is_name(const char *s);
/* A copy that is a proper reason: control characters and what is too long are
 * gone; never empty. */
const char *codec_clean(arena *a, const char *why);

#endif
