/* The tables of a ledger in SQLite: records, and the state that follows from
 * them.  The same code keeps the file and, in memory, the state folded again
 * from the records, with which a check compares the file (verify.h).
 *
 * Every row of state has the number of the record that wrote it.  A failure of
 * SQLite is sticky: state_error says which, reads give nothing from then on,
 * and state_rollback clears it.
 */
#ifndef LEDGER_STATE_H
#define LEDGER_STATE_H

#include "ledger/record.h"

typedef struct state state;

/* Opens a file that is there, or a new one with its tables (create), or, with
 * path NULL, an empty one in memory whose records are `records`'s.  NULL with
 * a sentence; *damaged: the file is none of ours, or damaged. */
state *state_open(const char *path, bool create, state *records, arena *a,
                  const char **why, bool *damaged);
void state_close(state *st);
const char *state_error(const state *st); /* NULL: none */
bool state_damaged(const state *st);      /* the error is of the file's pages */
void state_begin(state *st);
void state_commit(state *st);
void state_rollback(state *st);

/* ---- records ---- */
/* Strings live in `a`.  False if there is none of that number. */
bool state_record(state *st, arena *a, uint64_t seq, raw_record *out);
/* Writes the record and all that follows from it. */
void state_apply(state *st, const raw_record *raw, const ledger_record *r,
                 const effects *e);
/* Only what follows from it. */
void state_fold(state *st, const ledger_record *r, const effects *e);

/* ---- state ---- */
typedef struct instance_row {
  uint64_t seq; /* of its deploy: its number everywhere below */
  uint8_t id[32], package[32], creator[32];
  const char *label;
} instance_row;

bool state_instance(state *st, arena *a, const uint8_t id[32],
                    instance_row *out);
bool state_labelled(state *st, arena *a, const char *label, instance_row *out);
/* Instances after number `after`, at most max. */
uint32_t state_instances(state *st, arena *a, uint64_t after, uint32_t max,
                         instance_row *out);
/* Bytes of a package; NULL if there is none. */
const char *state_package(state *st, arena *a, const uint8_t hash[32],
                          size_t *n);
/* The next counter of an identity. */
uint64_t state_counter(state *st, const uint8_t id[32]);
/* Record that used a sealed argument, or 0. */
uint64_t state_argument(state *st, const uint8_t digest[32]);

/* Lanes of a public leaf, of an entry: false if there is no row. */
bool state_leaf(state *st, arena *a, uint64_t inst, const char *name,
                tx_value *out);
bool state_entry(state *st, arena *a, uint64_t inst, const char *leaf,
                 const mpz_t *key, uint64_t nkey, tx_value *out);
/* Version of a secret variable; false if there is no such slot. */
bool state_version(state *st, uint64_t inst, const char *name,
                   uint64_t *version);
/* All of an instance, in `a`. */
void state_read(state *st, arena *a, uint64_t inst, ledger_answer *out);

typedef struct pending_row {
  uint64_t call, inst, until_ms;
  const char *action;
} pending_row;
/* Pending calls in order; of one instance, or of all (0). */
uint32_t state_pending(state *st, arena *a, uint64_t inst, pending_row **out);
bool state_pending_call(state *st, arena *a, uint64_t call, pending_row *out);
/* The pending call whose lock runs out first; false if there is none. */
bool state_first_until(state *st, uint64_t *call, uint64_t *until_ms);

/* Record of the vote with this hash, or of a node on a call; 0: none. */
uint64_t state_vote(state *st, const uint8_t hash[32]);
uint64_t state_vote_of(state *st, uint64_t call, uint32_t node);
/* Records of the votes on a call, by node. */
uint32_t state_votes(state *st, uint64_t call, uint64_t seq[TX_NODES_MAX]);

/* Compares all state; false with a clause about the first row that differs in
 * `st`, and the record it belongs to. */
bool state_compare(state *st, state *folded, arena *a, const char **why);
/* The numbers of the first and last record, 0: none. */
void state_ends(state *st, uint64_t *first, uint64_t *last);

#endif
