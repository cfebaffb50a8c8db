/* The ledger: where contracts, their public state and their history stand.
 * One interface; behind it the embedded ledger (a SQLite file), its server seen
 * from another process, later a chain.
 *
 *   submit   a signed transaction; returns when it is durable, with its receipt
 *   read     what stands there now
 *   watch    records from a sequence number on, as they come
 *
 * The life of a call:
 *
 *   submit ── before runs ──┬─ a require fails ............ REVERTED
 *                           ├─ no circuit ................. DONE
 *                           └─ circuit .................... PENDING, locked
 *   PENDING ── all nodes vote to commit, after runs ......... DONE
 *           ├─ after fails ................................. REVERTED
 *           ├─ a node votes to abort, or they differ ........ ABORTED
 *           └─ the lock runs out ............................ ABORTED
 *
 * What before wrote and emitted is kept aside and becomes visible together with
 * what after writes, at DONE; REVERTED and ABORTED leave the state as it was.
 * While a call is pending, calls that write what it reads or writes, or read
 * what it writes, get LEDGER_LOCKED: nothing is recorded and the same
 * transaction may be submitted again.  Views see the state before the call.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "base/diag.h"
#include "ledger/tx.h"

typedef enum {
  LEDGER_OK = 0,
  LEDGER_REVERTED,    /* recorded: a require failed; `why` is its reason */
  LEDGER_LOCKED,      /* not recorded: `seq` is the pending call */
  LEDGER_REFUSED,     /* not recorded: malformed, signature, counter, contract,
                         arguments, an argument used before */
  LEDGER_COUNTER,     /* not recorded: counter is not the next one */
  LEDGER_NOT_FOUND,   /* read: there is no such thing */
  LEDGER_UNREACHABLE, /* no server, or it went away */
  LEDGER_CORRUPT,     /* the file does not check: `why` names record and item */
  LEDGER_FAILED       /* the operating system or SQLite */
} ledger_status;

typedef enum {
  REC_DONE = 1,
  REC_PENDING = 2,  /* record of a call; what became of it: a later record */
  REC_REVERTED = 3,
  REC_ABORTED = 4,  /* record of the vote or expiry that ended it */
  REC_NOTED = 5     /* a vote that did not decide yet */
} rec_outcome;

typedef struct ledger_event {
  const char *name;
  tx_values field; /* leaves by name, in order of declaration */
} ledger_event;

/* One record of the chain.  hash = SHA-256 of "chirograph record v1", prev,
 * seq, time, transaction, outcome, why, effects. */
typedef struct ledger_record {
  uint64_t seq;     /* 1, 2, .. */
  uint64_t time_ms; /* never before the record before it; @now is in seconds */
  uint8_t prev[32], hash[32];
  const uint8_t *tx;
  size_t tx_bytes;
  tx t;             /* decoded */
  rec_outcome outcome;
  const char *why;
  /* effects */
  uint8_t contract[32];    /* of deploy, call, and what ends a call */
  uint64_t call;           /* DONE, REVERTED, ABORTED by vote or expiry: the
                              pending record; else 0 */
  tx_values handed;        /* PENDING: "%.." for circuit and after */
  tx_values secret_before; /* PENDING: secret state used: name -> version */
  tx_values secret_after;  /* DONE: secret state written: name -> version (the
                              seq of the call) */
  tx_values result;        /* DONE */
  const ledger_event *event; /* DONE */
  uint32_t nevent;
  uint64_t lock_until_ms;  /* PENDING */
} ledger_record;

typedef struct ledger_receipt {
  uint64_t seq;
  rec_outcome outcome;
  const char *why;
} ledger_receipt;

typedef enum {
  READ_HEAD,      /* seq, hash, net id, genesis */
  READ_COUNTER,   /* of an identity: next */
  READ_CONTRACTS, /* all instances */
  READ_CONTRACT,  /* one: by label, name or hexadecimal id (unique prefix) */
  READ_PACKAGE,   /* bytes, by instance id */
  READ_STATE,     /* of an instance: public leaves, map entries, secret slots */
  READ_VIEW,      /* runs a view */
  READ_RECORD,    /* one record */
  READ_PENDING,   /* seqs of pending calls, of all contracts */
  READ_VERIFY     /* checks the whole chain, signatures, state: OK or CORRUPT */
} read_kind;

typedef struct ledger_query {
  read_kind kind;
  uint8_t id[32];     /* COUNTER: identity; PACKAGE, STATE, VIEW: instance */
  const char *name;   /* CONTRACT; VIEW: the view */
  uint8_t caller[32]; /* VIEW: @caller; zeros without one */
  tx_values args;     /* VIEW */
  uint64_t seq;       /* RECORD */
} ledger_query;

typedef struct ledger_instance {
  uint8_t id[32], package[32], creator[32];
  const char *label; /* "SalaryPool", "SalaryPool-2": unique on the ledger */
  uint64_t seq, locked_by; /* 0: not locked */
} ledger_instance;

typedef struct ledger_entry { /* one entry of a map */
  const char *leaf;
  tx_value key, value; /* key: its lanes are the keys */
} ledger_entry;

typedef struct ledger_slot { /* a secret state variable */
  const char *name;
  uint64_t version; /* 0: never written */
  tx_values initial; /* version 0: public value per leaf; n = 0: zero */
} ledger_slot;

typedef struct ledger_answer {
  const char *why;
  uint64_t seq, time_ms;        /* HEAD, STATE; COUNTER: the next one */
  uint8_t hash[32], net[32];    /* HEAD */
  tx genesis;                   /* HEAD */
  ledger_instance *instance;    /* CONTRACTS, CONTRACT */
  uint32_t ninstance;
  const char *bytes;            /* PACKAGE */
  size_t nbytes;
  tx_values values;             /* STATE: public leaves; VIEW: result */
  ledger_entry *entry;          /* STATE */
  uint32_t nentry;
  ledger_slot *slot;            /* STATE */
  uint32_t nslot;
  ledger_record *record;        /* RECORD */
  uint64_t *pending;            /* PENDING */
  uint32_t npending;
} ledger_answer;

typedef struct ledger ledger;

typedef struct ledger_ops {
  /* OK for whatever was recorded but a deploy or call that reverted; the
   * receipt says with which outcome, also of a vote. */
  ledger_status (*submit)(ledger *l, arena *a, const uint8_t *tx, size_t n,
                          ledger_receipt *out);
  ledger_status (*read)(ledger *l, arena *a, const ledger_query *q,
                        ledger_answer *out);
  /* The first records after `seq`, at most `max`; waits up to timeout_ms for
   * one (0: no wait).  OK with *n = 0 when the time is up. */
  ledger_status (*watch)(ledger *l, arena *a, uint64_t after, uint32_t max,
                         int timeout_ms, ledger_record **out, uint32_t *n);
  void (*close)(ledger *l);
} ledger_ops;

struct ledger {
  const ledger_ops *ops;
};

/* ---- embedded: chain.c ---- */
typedef struct ledger_options {
  uint64_t (*clock_ms)(void *user); /* NULL: the system's */
  void *user;
} ledger_options;

/* Makes a new ledger file with this genesis transaction as record 1; refuses
 * one that is there. */
ledger_status ledger_create(const char *path, const uint8_t *genesis,
                            size_t n, const char **why, arena *a);
/* Opens and checks chain and state; CORRUPT names what is wrong. */
ledger_status ledger_open(ledger **out, arena *a, const char *path,
                          const ledger_options *o, const char **why);
/* Many transactions, one durable commit: what the server does with all that is
 * waiting.  status[i], receipt[i] for tx[i]. */
void ledger_submit_group(ledger *l, arena *a, uint32_t n,
                         const uint8_t *const *tx, const size_t *bytes,
                         ledger_status *status, ledger_receipt *receipt);
/* Ends pending calls whose lock has run out; milliseconds until the next one
 * does, or -1. */
int ledger_expire(ledger *l, arena *a);

/* ---- server.c: one thread; what is waiting becomes one commit ---- */
/* Serves until stop_fd is readable or at its end.  0, or -1 with *why. */
int ledger_serve(ledger *l, int listen_fd, int stop_fd, const char **why);

/* ---- remote.c: the same interface over a socket to the server ---- */
ledger_status ledger_connect(ledger **out, arena *a, const char *host,
                             uint16_t port, const char **why);

/* Points where tests kill a ledger: "executed" before a commit, "committed"
 * behind it, before anybody is answered.  Called with the point's name; NULL:
 * nothing happens. */
extern void (*ledger_barrier)(const char *point);

const char *ledger_status_text(ledger_status s);
const char *rec_outcome_name(rec_outcome o); /* "done", "pending" .. */

#endif
