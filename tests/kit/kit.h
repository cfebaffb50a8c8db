/* Test kit: a scheduled circuit through the C compiler and onto nodes in
 * memory, beside the interpreter.  For unit and differential tests.
 *
 *   kit_program *p = kit_compile(m, NULL, &why);
 *   kit_result r;
 *   kit_run(p, CHI_SHAMIR, 5, in, &r);       one protocol
 *   kit_compare(m, p, CHI_SHAMIR, 5, in, &why)  against ir_interp, with cost
 *
 * Nothing here asserts or prints: `why` gets what went wrong.
 */
#ifndef TESTS_KIT_KIT_H
#define TESTS_KIT_KIT_H

#include <gmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "chi.h"
#include "ir/interp.h"
#include "ir/ir.h"

typedef struct kit_build {
  const char *cc;    /* NULL: the one the kit was built with */
  const char *flags; /* blank-separated; NULL: -O1 and all warnings as errors */
  const char *keep;  /* directory to leave the sources in; NULL: none */
} kit_build;

typedef struct kit_program kit_program;

/* Emits, compiles and loads m (stage sched, verified).  NULL: `why` tells. */
kit_program *kit_compile(ir_module *m, const kit_build *b, buf *why);
/* The same for n circuits of different names in one compilation, most of whose
 * time is the compiler's start.  All to out[0 .. n - 1], or none. */
bool kit_compile_all(ir_module *const *m, unsigned n, const kit_build *b,
                     kit_program **out, buf *why);
void kit_free(kit_program *p);
double kit_cc_seconds(const kit_program *p);
size_t kit_source_bytes(const kit_program *p);

/* One public or reconstructed output, one told value. */
typedef struct kit_value {
  uint64_t n;
  mpz_t *lane; /* z: the integer; p: the canonical residue */
} kit_value;

typedef struct kit_told {
  uint32_t output;
  bool opened; /* it was for kit_identity */
  kit_value value;
} kit_told;

/* Frames from one node to another, set-up included. */
typedef struct kit_frame {
  uint64_t round, bytes; /* of payload */
} kit_frame;

typedef struct kit_stream {
  kit_frame *frame;
  unsigned n;
  uint64_t left; /* of the last one's payload */
  uint8_t head[24];
  unsigned head_got;
} kit_stream;

typedef struct kit_result {
  chi_status status;          /* of the first node that failed */
  char detail[256];
  bool agree;                 /* all nodes gave equal public outputs */
  uint64_t rounds;
  uint64_t bytes[CHI_PARTIES_MAX], elements[CHI_PARTIES_MAX];
  double seconds;             /* chi_session_run of node 0 */
  uint32_t nout, ntold;
  kit_value *out;             /* per output leaf; told: n = 0 */
  kit_told *told;
  unsigned nsent;
  kit_stream *sent;           /* [from * n + to] */
} kit_result;

/* Runs n nodes as threads.  in[k]: the lanes of input leaf k.  Secret leaves
 * come from a client (even k) or from node k mod n (odd k).  False with `why`
 * only if the run could not be set up; a failed run is a result. */
bool kit_run(kit_program *p, const ir_module *m, chi_protocol protocol,
             unsigned n, const ir_lanes *in, kit_result *r, buf *why);
void kit_result_fini(kit_result *r);

/* Whether two runs sent frames of the same lengths in the same rounds in every
 * direction.  False: `why` gets the first that differs. */
bool kit_same_shape(const kit_result *a, const kit_result *b, unsigned n,
                    buf *why);

/* The public key to which kit_run opens what is told, as an integer. */
void kit_identity(mpz_t out);

/* Runs interpreter and nodes and compares status, outputs, told values, rounds
 * and bytes of every node.  False: `why` gets the first difference. */
bool kit_compare(kit_program *p, const ir_module *m, chi_protocol protocol,
                 unsigned n, const ir_lanes *in, buf *why);

/* Text of a circuit at any stage to a verified one at stage sched, by
 * `pipeline` (NULL: none), for `target` if it needs one.  Lives in `a`. */
ir_module *kit_module(arena *a, const char *text, const char *pipeline,
                      ir_target target, buf *why);
/* The target of nodes, and whether m runs on them. */
ir_target kit_target(chi_protocol protocol, unsigned n);
bool kit_fits(const ir_module *m, ir_target t);

/* Pseudorandom lanes within the range of every input leaf, from `seed`. */
ir_lanes *kit_inputs(const ir_module *m, arena *a, uint64_t seed);

#endif
