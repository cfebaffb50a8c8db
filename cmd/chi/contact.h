/* The ledger and the nodes of this folder's network, as callers reach them. */
#ifndef CMD_CHI_CONTACT_H
#define CMD_CHI_CONTACT_H

#include "chi.h"
#include "cmd/chi/iface.h"
#include "cmd/chi/net.h"
#include "cmd/chi/proc.h"
#include "ledger/ledger.h"

typedef struct contact {
  cli *c;
  net *w;
  ledger *l;
  people who; /* identities of this user */
  uint8_t id[32]; /* of the net */
  uint8_t (*key)[32]; /* of the nodes, as the genesis names them */
} contact;

/* Everything here reports what goes wrong. */

/* Connects and checks that it is the network of net.json: its id, its nodes. */
bool contact_open(cli *c, contact *x);
void contact_close(contact *x);
/* A status of the ledger that is no success, as a report.  `what` was asked
 * for: "read the state". */
void contact_failed(contact *x, ledger_status st, const char *what,
                    const char *why);
bool contact_read(contact *x, const ledger_query *q, ledger_answer *out,
                  const char *what);
bool contact_instance(contact *x, const char *name, ledger_instance *out);
/* The package of an instance, checked against the hash that the ledger
 * names. */
iface *contact_iface(contact *x, const ledger_instance *i);
/* What a run of the nodes is, for chi_client_share and chi_client_open. */
chi_client_run contact_run(const contact *x, const ir_module *circuit,
                           const uint8_t session[32]);

/* ---- submit.c: a transaction of an identity ---- */

typedef struct submission {
  contact *x;
  const char *name;       /* of the identity */
  const chi_identity *id;
  uint8_t pub[32];
  unsigned timeout;       /* seconds, for all of it */
  double limit;           /* clock_seconds() */
  progress *prog;
  /* Fills t for its counter; sends nodes what they need.  False after a
   * report. */
  bool (*fill)(void *user, arena *a, tx *t);
  void *user;
} submission;

/* Until it is recorded: waits for locks, counts again after a race.  *t is
 * what was recorded. */
bool submit(submission *s, tx *t, ledger_receipt *out);
/* Records from `seq` on until the one that ends the call; those in between that
 * belong to the call (votes) are given to `see`.  NULL after a report. */
const ledger_record *submit_wait(submission *s, uint64_t call,
                                 void (*see)(void *user,
                                             const ledger_record *r),
                                 void *user);

#endif
