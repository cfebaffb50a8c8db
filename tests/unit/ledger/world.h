/* A net of three nodes, people, a ledger in a folder of its own, and a contract
 * that has everything: for the tests of the ledger. */
#ifndef TEST_LEDGER_WORLD_H
#define TEST_LEDGER_WORLD_H

#include <stdio.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "chi.h"
#include "ledger/codec.h"
#include "ledger/ledger.h"

enum { NODES = 3, PEOPLE = 20 };

typedef struct world {
  arena *a;
  char dir[64], path[96];
  chi_identity *node[NODES], *person[PEOPLE];
  uint64_t counter[PEOPLE]; /* the next one */
  uint8_t net[32];
  uint64_t now; /* the ledger's clock, in ms */
  uint64_t steps; /* budget; 0: the default */
  ledger *l;
  /* of the last submission */
  ledger_status status;
  ledger_receipt receipt;
} world;

void world_open(world *w, uint64_t steps);
void world_close(world *w);
/* Opens the file again, checks it thoroughly. */
void world_reopen(world *w);
uint64_t world_clock(void *w);

/* "name=1,2,3" each, NULL at the end. */
tx_values world_values(arena *a, ...);
tx_values world_none(void);

uint8_t *world_bytes(world *w, tx *t, const chi_identity *id, size_t *n);
ledger_status world_submit(world *w, tx *t, const chi_identity *id);
/* The test contract with seats; the id of the instance. */
ledger_status world_deploy(world *w, int who, const char *seats,
                           uint8_t id[32]);
ledger_status world_deploy_text(world *w, int who, const char *package,
                                tx_values args, uint8_t id[32]);
/* The transaction of a call, counter included; sealed: with fresh digests. */
tx world_call_tx(world *w, int who, const uint8_t id[32], const char *action,
                 tx_values args, bool sealed);
ledger_status world_call(world *w, int who, const uint8_t id[32],
                         const char *action, tx_values args, bool sealed);
ledger_status world_commit(world *w, int node, uint64_t call,
                           tx_values opened);
ledger_status world_abort(world *w, int node, uint64_t call, const char *why,
                          int32_t status);
void world_all_commit(world *w, uint64_t call, tx_values opened);
ledger_record *world_record(world *w, uint64_t seq);
/* A public leaf as decimal text, lanes with commas; "" without it. */
const char *world_state(world *w, const uint8_t id[32], const char *leaf);
const char *world_entry(world *w, const uint8_t id[32], const char *leaf,
                        const char *key);
uint64_t world_version(world *w, const uint8_t id[32], const char *name);
const char *world_view(world *w, const uint8_t id[32], const char *view,
                       tx_values args);
const char *world_text(arena *a, const tx_value *v);
/* The caller's key as decimal text. */
const char *world_key(world *w, const chi_identity *id);

/* ---- pool.c ---- */
/* The package of the contract "Pool". */
const char *pool_package(arena *a);
/* A contract of one action: IR of its three parts, or NULL, its params. */
const char *pool_single(arena *a, const char *name, const char *params,
                        const char *before, const char *circuit,
                        const char *after);

#define WHY(w, text) CU_ASSERT_PTR_NOT_NULL(strstr((w)->receipt.why, text))

/* packages: a folder of packages that the compiler wrote */
void suite_contract(const char *packages);
void suite_codec(void);
void suite_tx(void);
void suite_chain(void);
void suite_calls(void);
void suite_tamper(void);
void suite_server(void);

#endif
