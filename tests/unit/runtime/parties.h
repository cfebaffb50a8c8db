/* Runs the parties of one session as threads over the in-memory transport, and
 * watches or disturbs what they send. */
#ifndef TESTS_RUNTIME_PARTIES_H
#define TESTS_RUNTIME_PARTIES_H

#include <pthread.h>
#include <stdbool.h>

#include "session.h"
#include "transport_mem.h"

/* The field of programs and of sessions without one: the library's own, or the
 * same prime as any other (TEST_PRIME), for which everything has to be alike. */
#ifdef TEST_PRIME
static const uint64_t test_prime[1] = {CHI_P};
#define TEST_FIELD {0, 1, test_prime}
#else
#define TEST_FIELD CHI_FIELD_INIT
#endif

/* What happens to frame number `frame` (0: the hello) from one party to
 * another. */
typedef enum {
  FAULT_NONE,
  FAULT_FLIP,      /* bit 0 of payload byte `at` */
  FAULT_FLIP_TOP,  /* bit 7 */
  FAULT_GARBAGE,   /* the frame's header is overwritten */
  FAULT_SHORT,     /* the header announces 8 bytes less */
  FAULT_LONG,      /* 8 bytes more follow the payload */
  FAULT_REPLAY,    /* the frame before comes once more in front of it */
  FAULT_NONCANON,  /* payload word at / 8 becomes p */
  FAULT_WITHHOLD,  /* from payload byte `at` on nothing comes */
  FAULT_CLOSE      /* the stream ends there */
} fault_kind;

typedef struct fault {
  fault_kind kind;
  unsigned from, to, frame;
  uint64_t at;
} fault;

/* Recorded payload of one direction, frame after frame. */
typedef struct tap_stream {
  uint8_t head[CHII_FRAME_BYTES];
  unsigned head_got;
  uint64_t left, got;
  unsigned frame; /* of the bytes that come now */
  uint8_t *bytes;
  size_t n, cap;
  size_t frame_start[64]; /* offset of frame k's payload in bytes */
  bool dead;
} tap_stream;

typedef struct world world;
typedef void (*party_fn)(chi_session *s, void *user);

typedef struct party_result {
  chi_status status;
  int culprit;
  char detail[256];
  chi_stats stats;
  bool outputs; /* run succeeded */
} party_result;

struct world {
  chi_protocol protocol;
  unsigned n;
  const chi_program *program;
  const chi_program *odd_program; /* what party `odd` has instead, or NULL */
  unsigned odd;
  const chi_field *odd_field; /* without a program: what it has, or NULL */
  party_fn prepare, finish; /* before start; after run, whatever it gave */
  party_fn before_run;      /* after a successful start */
  void *user;
  uint32_t deadline_ms;
  uint64_t vec_words;
  chi_field field; /* of sessions without a program; zero: TEST_FIELD */
  const chi_identity *const *identity; /* per party, or NULL */
  const chi_alloc *alloc;              /* per party, or NULL */
  const uint8_t (*keys)[CHI_KEY_BYTES];
  uint8_t session_id[CHI_SESSION_ID_BYTES];
  bool record;
  bool in_turn; /* no threads: for many short rounds */
  fault fault;
  party_result result[CHI_PARTIES_MAX];
  tap_stream *tap; /* [from * n + to], if record or fault */
  double seconds;
};

/* Runs all parties to their end. */
void world_run(world *w);
/* Payload of frame `frame` from one party to another; words. */
const uint64_t *world_frame(const world *w, unsigned from, unsigned to,
                            unsigned frame, size_t *words);
void world_free(world *w);
/* A deterministic generator for test data (splitmix64). */
uint64_t test_random(uint64_t *state);
uint64_t test_element(uint64_t *state); /* in [0, p) */

/* Shares of v for all parties: rep3 a[i], b[i]; shamir a[i]. */
void test_split(chi_protocol protocol, unsigned n, uint64_t v,
                uint64_t *state, chi_sh *out);
/* The value of shares, -1 as uint64_t if they are inconsistent. */
uint64_t test_join(chi_protocol protocol, unsigned n, const chi_sh *in);

#endif
