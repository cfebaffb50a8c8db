/* A transport that misbehaves at one frame, over one that does not. */
#ifndef CHI_TEST_EVIL_H
#define CHI_TEST_EVIL_H

#include "chi.h"

#define EVIL_MODES(X)                                                      \
  X(HONEST, "honest")                                                      \
  X(KILLED, "killed")           /* SIGKILL */                              \
  X(STOPPED, "stopped")         /* SIGSTOP */                              \
  X(CLOSED, "closed")           /* closes its streams, exits */            \
  X(GARBAGE, "garbage")         /* noise instead of the frame */           \
  X(LONGER, "longer")           /* announces and sends 8 bytes more */     \
  X(SHORTER, "shorter")         /* announces and sends 8 bytes less */     \
  X(TRUNCATED, "truncated")     /* half of the frame, then silence */      \
  X(REPLAYED, "replayed")       /* the frame before, again */              \
  X(DOUBLED, "doubled")         /* the frame twice */                      \
  X(NONCANONICAL, "non-canonical") /* every word of the payload is p */    \
  X(OTHER_CIRCUIT, "other circuit") /* not the transport's doing */

typedef enum evil_mode {
#define EVIL_ENUM(name, text) EVIL_##name,
  EVIL_MODES(EVIL_ENUM)
#undef EVIL_ENUM
  EVIL_COUNT
} evil_mode;

const char *evil_name(evil_mode mode);

/* What the wrapper tells, in memory that the wrapper's death leaves alone. */
typedef struct evil_log {
  unsigned rounds; /* rounds seen */
  int done;        /* it has happened */
} evil_log;

/* Wraps *t, which is then closed with the result.  The frames of round `at`
 * (1: the first) are the ones. */
chi_transport evil_wrap(const chi_transport *t, unsigned n, evil_mode mode,
                        unsigned at, volatile evil_log *log);

#endif
