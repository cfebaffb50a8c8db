/* Inside the tables of a ledger: the statements. */
#ifndef LEDGER_STATE_IMPL_H
#define LEDGER_STATE_IMPL_H

#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>

#include "ledger/state.h"

/* X(name, text) */
#define STATE_QUERIES(X)                                                       \
  X(APPLICATION, "PRAGMA application_id")                                      \
  X(FORMAT, "PRAGMA user_version")                                             \
  X(RECORD, "SELECT seq, time, prev, hash, tx, outcome, why, effects"          \
            " FROM record WHERE seq=?")                                        \
  X(ENDS, "SELECT min(seq), max(seq) FROM record")                             \
  X(INSTANCE, "SELECT seq, id, package, creator, label FROM instance"          \
              " WHERE id=?")                                                   \
  X(LABELLED, "SELECT seq, id, package, creator, label FROM instance"          \
              " WHERE label=?")                                                \
  X(INSTANCES, "SELECT seq, id, package, creator, label FROM instance"         \
               " WHERE seq>? ORDER BY seq LIMIT ?")                            \
  X(PACKAGE, "SELECT bytes FROM package WHERE hash=?")                         \
  X(COUNTER, "SELECT next FROM counter WHERE id=?")                            \
  X(ARGUMENT, "SELECT seq FROM argument WHERE digest=?")                       \
  X(LEAF, "SELECT value FROM leaf WHERE inst=? AND name=?")                    \
  X(LEAVES, "SELECT name, value FROM leaf WHERE inst=? ORDER BY name")         \
  X(ENTRY, "SELECT value FROM entry WHERE inst=? AND leaf=? AND key=?")        \
  X(ENTRIES, "SELECT leaf, key, value FROM entry WHERE inst=?"                 \
             " ORDER BY leaf, key")                                            \
  X(SLOT, "SELECT version FROM slot WHERE inst=? AND name=?")                  \
  X(SLOTS, "SELECT name, version, initial FROM slot WHERE inst=?"              \
           " ORDER BY name")                                                   \
  X(PENDING_OF, "SELECT call, inst, until, action FROM pending WHERE inst=?"   \
                " ORDER BY call")                                              \
  X(PENDING_ALL, "SELECT call, inst, until, action FROM pending"               \
                 " ORDER BY call")                                             \
  X(PENDING_CALL, "SELECT call, inst, until, action FROM pending"              \
                  " WHERE call=?")                                             \
  X(FIRST_UNTIL, "SELECT call, until FROM pending ORDER BY until, call"        \
                 " LIMIT 1")                                                   \
  X(VOTE, "SELECT seq FROM vote WHERE hash=?")                                 \
  X(VOTE_OF, "SELECT seq FROM vote WHERE call=? AND node=?")                   \
  X(VOTES, "SELECT seq FROM vote WHERE call=? ORDER BY node")                  \
  X(PUT_RECORD, "INSERT INTO record VALUES(?,?,?,?,?,?,?,?)")                  \
  X(PUT_INSTANCE, "INSERT INTO instance VALUES(?,?,?,?,?)")                    \
  X(PUT_PACKAGE, "INSERT OR IGNORE INTO package VALUES(?,?,?)")                \
  X(PUT_LEAF, "INSERT OR REPLACE INTO leaf VALUES(?,?,?,?)")                   \
  X(PUT_ENTRY, "INSERT OR REPLACE INTO entry VALUES(?,?,?,?,?)")               \
  X(PUT_SLOT, "INSERT INTO slot VALUES(?,?,?,0,?)")                            \
  X(SET_SLOT, "UPDATE slot SET version=?1, seq=?2 WHERE inst=?3 AND name=?4")  \
  X(PUT_PENDING, "INSERT INTO pending VALUES(?,?,?,?)")                        \
  X(END_PENDING, "DELETE FROM pending WHERE call=?")                           \
  X(PUT_VOTE, "INSERT INTO vote VALUES(?,?,?,?)")                              \
  X(PUT_COUNTER, "INSERT OR REPLACE INTO counter VALUES(?,?,?)")               \
  X(PUT_ARGUMENT, "INSERT INTO argument VALUES(?,?)")

typedef enum {
#define Q(E, TEXT) Q_##E,
  STATE_QUERIES(Q)
#undef Q
  Q_COUNT
} state_q;

struct state {
  sqlite3 *db;
  state *records; /* whose records: itself, or the file's */
  sqlite3_stmt *stmt[Q_COUNT];
  bool failed, damaged;
  char error[512];
};

void state_fail(state *st, int rc);
/* A statement with its parameters bound: i uint64_t, t text, h 32 bytes, b
 * pointer and size_t.  NULL after a failure. */
sqlite3_stmt *state_query(state *st, state_q q, const char *fmt, ...);
/* Is there a (further) row?  The last step resets. */
bool state_step(state *st, sqlite3_stmt *s);
void state_done(sqlite3_stmt *s);
const uint8_t *state_blob(arena *a, sqlite3_stmt *s, int k, size_t *n);

#endif
