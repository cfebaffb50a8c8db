/* What goes between a ledger's server and its clients.
 *
 *   u32 length of what follows | version 1 | kind | body
 *
 * A client asks one thing at a time and waits for its answer.
 *
 *   SUBMIT   transaction
 *            -> status, seq, outcome, why
 *   READ     kind, id, name, caller, args, seq
 *            -> status, answer
 *   WATCH    after, max, timeout
 *            -> status, records
 */
#ifndef LEDGER_FRAME_H
#define LEDGER_FRAME_H

#include "ledger/record.h"

enum {
  FRAME_VERSION = 1,
  FRAME_HEAD = 4,
  FRAME_REQUEST_MAX = TX_BYTES_MAX + (1 << 16),
  FRAME_ANSWER_MAX = 128 << 20,
  FRAME_RECORDS_BYTES = 8 << 20, /* about, in one answer */
  FRAME_WAIT_MAX_MS = 60000
};

typedef enum { FRAME_SUBMIT = 1, FRAME_READ = 2, FRAME_WATCH = 3 } frame_kind;

/* Begins a frame; frame_end gives its bytes, or NULL if a limit is broken. */
codec_writer frame_begin(arena *a, frame_kind kind, size_t max);
const uint8_t *frame_end(codec_writer *w, size_t *n);
/* Reads version and kind of a frame's bytes after the length. */
frame_kind frame_open(codec_reader *r);

void frame_put_receipt(codec_writer *w, ledger_status s,
                       const ledger_receipt *x);
ledger_status frame_get_receipt(codec_reader *r, ledger_receipt *x);

void frame_put_query(codec_writer *w, const ledger_query *q);
void frame_get_query(codec_reader *r, ledger_query *q);

/* record: of RECORD, or NULL; genesis: bytes of HEAD's, or NULL. */
void frame_put_answer(codec_writer *w, ledger_status s,
                      const ledger_answer *x, const raw_record *record,
                      const uint8_t *genesis, size_t genesis_bytes);
ledger_status frame_get_answer(codec_reader *r, ledger_answer *x);

void frame_put_records(codec_writer *w, ledger_status s, const raw_record *r,
                       uint32_t n);
/* CORRUPT if a record's hash is not its own. */
ledger_status frame_get_records(codec_reader *r, ledger_record **out,
                                uint32_t *n);

#endif
