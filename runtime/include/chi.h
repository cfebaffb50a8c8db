/* libchi: arithmetic on secrets shared among n nodes, t of which may pool what
 * they see and learn nothing.  For programs that embed a node or a client of a
 * Chirograph circuit, and for hosts that compute on shares without a compiler.
 *
 * The adversary of this release follows the protocol (semi-honest) and
 * controls up to t = ceil(n/2) - 1 nodes.  Openings and client inputs are
 * checked nevertheless, in the round in which they happen; a peer that dies,
 * stalls or speaks nonsense is named in bounded time.
 *
 * Laws, for every function here:
 *   order    session, outputs, in-outs, inputs; a length follows its array.
 *   units    counts are elements of F_p unless the name ends in _bytes; times
 *            are milliseconds.
 *   fields   p is 2^61 - 1 unless a chi_field says otherwise.  An element is
 *            `words` uint64_t, least significant first, below p; arrays of
 *            elements have as many words a lane.
 *   threads  a session belongs to one thread at a time; different sessions
 *            share nothing and run concurrently.
 *   errors   environment and peers: a chi_status.  The caller broke a contract
 *            written here: the misuse hook (default: abort).  Failures of a
 *            session are sticky: its shares and keys are wiped, its streams
 *            closed, and every later call returns the same status.
 *   memory   handles are freed by their _free; the caller owns every buffer
 *            passed in, and it is not kept after the call unless said so.
 *   output   libchi prints nothing, exits never, and keeps no global state but
 *            the misuse hook.
 */
#ifndef CHI_H
#define CHI_H

#include <stddef.h>
#include <stdint.h>

#include "chi_transport.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CHI_API __attribute__((visibility("default")))
#define CHI_MUST_USE __attribute__((warn_unused_result))
#else
#define CHI_API
#define CHI_MUST_USE
#endif

/* Version of the program descriptor and of chi_gen.h. */
#define CHI_ABI 3
/* Version of the bytes between nodes. */
#define CHI_WIRE_VERSION 1
#define CHI_PARTIES_MIN 3
#define CHI_PARTIES_MAX 64
#define CHI_KEY_BYTES 32
#define CHI_HASH_BYTES 32
#define CHI_SESSION_ID_BYTES 32

/* ---- statuses -------------------------------------------------------- */

/* X(name, value, spelling, text): the single list.  Values never change. */
#define CHI_STATUS_MAP(X)                                                      \
  X(CHI_OK, 0, "OK", "no failure")                                             \
  X(CHI_E_ARG, 1, "E_ARG", "an argument or a configuration cannot be used")    \
  X(CHI_E_STATE, 2, "E_STATE", "the call does not fit the session's state")    \
  X(CHI_E_NOMEM, 3, "E_NOMEM", "memory could not be allocated")                \
  X(CHI_E_PEER_LOST, 4, "E_PEER_LOST", "a party closed its stream")            \
  X(CHI_E_PEER_STALLED, 5, "E_PEER_STALLED", "a party was silent until the "   \
    "deadline")                                                                \
  X(CHI_E_PROTOCOL, 6, "E_PROTOCOL", "a party sent bytes that the protocol "   \
    "does not allow")                                                          \
  X(CHI_E_CHECK, 7, "E_CHECK", "an opened value failed its check")             \
  X(CHI_E_DISAGREE, 8, "E_DISAGREE", "the parties do not mean the same run")   \
  X(CHI_E_RANGE, 9, "E_RANGE", "a revealed value lies outside its type")       \
  X(CHI_E_REQUIRE, 10, "E_REQUIRE", "a condition of the program is false")     \
  X(CHI_E_INPUT, 11, "E_INPUT", "the shares of an input are not of one value") \
  X(CHI_E_CRYPTO, 12, "E_CRYPTO", "a cryptographic operation failed")          \
  X(CHI_E_IO, 13, "E_IO", "the operating system reported a failure")           \
  X(CHI_E_LIMIT, 14, "E_LIMIT", "a size limit was reached")                    \
  X(CHI_E_BUG, 15, "E_BUG", "an invariant of libchi is broken")

typedef enum chi_status {
#define CHI_STATUS_ENUM(name, value, spelling, text) name = value,
  CHI_STATUS_MAP(CHI_STATUS_ENUM)
#undef CHI_STATUS_ENUM
  CHI_STATUS_FORCE_INT = 0x7fffffff
} chi_status;

/* Spelling ("E_PEER_LOST") and one-line text of a status; never NULL. */
CHI_API const char *chi_status_name(chi_status st);
CHI_API const char *chi_status_text(chi_status st);
/* "0.1.0"; of the library linked, not of this header. */
CHI_API const char *chi_version(void);
/* The Mersenne exponent k of the library's own field, p = 2^k - 1 (61). */
CHI_API unsigned chi_mersenne(void);

/* What happens when a caller breaks a contract of this header.  `what` is a
 * static sentence.  The hook must not return (abort, longjmp, throw); if it
 * does, libchi aborts.  Process-wide; set it before the first session.
 * NULL restores the default, abort(). */
typedef void (*chi_misuse_hook)(const char *function, const char *what);
CHI_API void chi_set_misuse_hook(chi_misuse_hook hook);

/* ---- protocols ------------------------------------------------------- */

/* REP3: replicated sharing, exactly three nodes, one may be curious.
 * SHAMIR: n nodes, any t = ceil(n/2) - 1 may be curious. */
typedef enum chi_protocol { CHI_REP3 = 1, CHI_SHAMIR = 2 } chi_protocol;

CHI_API const char *chi_protocol_name(chi_protocol protocol);

/* ---- fields ---------------------------------------------------------- */

/* F_p.  All zero: the library's own, p = 2^61 - 1.
 *   mersenne  k: p = 2^k - 1, k = chi_mersenne() or 127; 0: p is `prime`
 *   words     of an element: 1, 2, or ceil(bits of p / 64) limbs of prime
 *   prime     any prime of 3 to CHI_PRIME_BITS_MAX bits, least significant
 *             limb first; kept as long as what was given the field */
typedef struct chi_field {
  uint32_t mersenne;
  uint32_t words;
  const uint64_t *prime;
} chi_field;

#define CHI_PRIME_BITS_MAX 576
#define CHI_FIELD_WORDS_MAX 9

/* The element that a decimal or 0x-hexadecimal text stands for; v < 0 is p + v.
 * lo, hi: decimal, or NULL: 1 - p, p - 1.
 *
 * Returns  CHI_OK; CHI_E_ARG (no integer, no field); CHI_E_RANGE (outside
 *          lo..hi, or no part of 1 - p .. p - 1).
 * Out      out     words of the field; zeros on failure.
 * Leaks    timing tells of the value. */
CHI_API CHI_MUST_USE chi_status chi_element_parse(uint64_t *out,
                                                 const chi_field *f,
                                                 const char *text,
                                                 const char *lo,
                                                 const char *hi);
/* Decimal text of an element, NUL-terminated; 180 bytes always suffice.
 * centred: the integer of least absolute value that it stands for.
 *
 * Returns  CHI_OK; CHI_E_ARG (no field, no element); CHI_E_RANGE (too few
 *          bytes).
 * Leaks    timing tells of the value. */
CHI_API CHI_MUST_USE chi_status chi_element_print(char *text, size_t bytes,
                                                 const chi_field *f,
                                                 const uint64_t *element,
                                                 int centred);

/* ---- programs -------------------------------------------------------- */

/* How a leaf lies in the word arena, at word `slot`.
 *   SHARE  two planes of `lanes` elements (Shamir uses the first)
 *   FIELD  one plane of canonical elements
 *   INT    one plane of int64_t
 *   WIDE   CHI_WIDE_WORDS words a lane: sign (-1, 0, 1) and 16 limbs of
 *          magnitude, least significant first
 *   TOLD   nothing: the value left through chi_gen_tell */
typedef enum chi_kind {
  CHI_KIND_SHARE = 0,
  CHI_KIND_FIELD = 1,
  CHI_KIND_INT = 2,
  CHI_KIND_WIDE = 3,
  CHI_KIND_TOLD = 4
} chi_kind;

#define CHI_WIDE_LIMBS 16
#define CHI_WIDE_WORDS 17

/* One leaf of a parameter or of the result.  lo and hi: the interval of the
 * integer it stands for, decimal; both NULL for any field element. */
typedef struct chi_leaf {
  const char *name;  /* leaf path, "p.age" */
  const char *type;  /* type of one element in the source, "u32" */
  const char *shape; /* "", "[3]", "[3, 4]" */
  chi_kind kind;
  uint64_t lanes;
  const char *lo, *hi;
  uint64_t slot;
} chi_leaf;

typedef enum chi_site_kind {
  CHI_SITE_REQUIRE = 0, /* a condition: CHI_E_REQUIRE */
  CHI_SITE_RANGE = 1    /* a revealed value: CHI_E_RANGE */
} chi_site_kind;

/* A place in the source that can fail at run time. */
typedef struct chi_site {
  chi_site_kind kind;
  const char *message;
  const char *file;
  uint32_t line, column;
} chi_site;

struct chi_session;

/* For whom a circuit was compiled: one that works on bits of shares follows the
 * protocol's own sharing.  All zero: for every protocol and number of nodes. */
typedef struct chi_target {
  uint32_t protocol; /* chi_protocol, or 0 */
  uint32_t n;
} chi_target;

/* A compiled circuit: a static constant in emitted C.  The max_ members bound
 * every single exchange and size the session's buffers once. */
typedef struct chi_program {
  uint32_t abi; /* CHI_ABI */
  chi_field field;
  const char *name;
  uint8_t hash[CHI_HASH_BYTES];        /* of the circuit: what nodes agree on */
  uint8_t source_hash[CHI_HASH_BYTES];
  uint64_t words; /* arena size */
  const chi_leaf *input;
  uint32_t n_input;
  const chi_leaf *output;
  uint32_t n_output;
  const chi_site *site;
  uint32_t n_site;
  uint64_t max_reduce_lanes, max_open_lanes;   /* lanes of one exchange */
  uint32_t max_reduce_values, max_open_values; /* calls in one exchange */
  uint64_t rounds_rep3, rounds_shamir_1, rounds_shamir_2; /* predicted: REP3,
      SHAMIR n <= 5, SHAMIR n >= 6; UINT64_MAX where it depends on values */
  int (*run)(struct chi_session *g); /* 0, or the session has failed */
  chi_target target;
  uint32_t max_bit_values; /* calls on bits in one exchange */
  uint32_t max_shuffle_values; /* shuffles in one exchange; 0: none at all */
  uint64_t max_shuffle_lanes, max_shuffle_rows; /* of these, of one */
} chi_program;

/* ---- identities, sealed boxes (keys.c) -------------------------------- */

/* An Ed25519 key pair.  Nodes are known by its public half; the same key,
 * converted to X25519, receives sealed boxes. */
typedef struct chi_identity chi_identity;

/* A fresh identity, or the one that a 32-byte seed determines.
 * Returns  CHI_OK; CHI_E_NOMEM; CHI_E_CRYPTO (no randomness). */
CHI_API CHI_MUST_USE chi_status chi_identity_new(chi_identity **out);
CHI_API CHI_MUST_USE chi_status chi_identity_from_seed(chi_identity **out,
                                                      const uint8_t seed[32]);
CHI_API void chi_identity_public(const chi_identity *id,
                                 uint8_t out[CHI_KEY_BYTES]);
/* The seed of an identity, for a host that stores it: a secret. */
CHI_API void chi_identity_seed(const chi_identity *id, uint8_t out[32]);
/* Wipes and frees; NULL is allowed. */
CHI_API void chi_identity_free(chi_identity *id);

#define CHI_SIGNATURE_BYTES 64

/* Ed25519 signature of a message, and its check.  Domains are the caller's
 * business: begin the message with a label of your own.
 * Returns  CHI_OK; CHI_E_CRYPTO (verify: not by `key`, or not on `msg`). */
CHI_API CHI_MUST_USE chi_status
chi_identity_sign(uint8_t signature[CHI_SIGNATURE_BYTES],
                  const chi_identity *id, const void *msg, size_t msg_bytes);
CHI_API CHI_MUST_USE chi_status
chi_identity_verify(const uint8_t key[CHI_KEY_BYTES],
                    const uint8_t signature[CHI_SIGNATURE_BYTES],
                    const void *msg, size_t msg_bytes);

/* Overwrites a secret; not optimised away. */
CHI_API void chi_wipe(void *p, size_t bytes);

/* Lower-case hexadecimal, constant-time in the bytes.  chi_hex writes
 * 2 * bytes characters and a NUL.  chi_unhex takes exactly 2 * bytes digits
 * of either case and nothing else, or gives CHI_E_ARG and zeros. */
CHI_API void chi_hex(char *text, const uint8_t *in, size_t bytes);
CHI_API CHI_MUST_USE chi_status chi_unhex(uint8_t *out, size_t bytes,
                                          const char *text);

/* Bytes that sealing adds. */
#define CHI_SEAL_BYTES 48

/* Encrypts `msg` so that only the holder of `to` can read it; the sender stays
 * anonymous and the box is not signed.
 *
 * Returns  CHI_OK; CHI_E_ARG if `to` is no usable public key; CHI_E_CRYPTO.
 * Out      box     msg_bytes + CHI_SEAL_BYTES bytes.
 * Leaks    the length.
 * Source   libsodium crypto_box_seal (X25519, XSalsa20-Poly1305). */
CHI_API CHI_MUST_USE chi_status chi_seal(uint8_t *box,
                                        const uint8_t to[CHI_KEY_BYTES],
                                        const void *msg, size_t msg_bytes);

/* Opens a sealed box.
 * Returns  CHI_OK; CHI_E_CRYPTO if the box is not for `id` or was changed.
 * Out      msg     box_bytes - CHI_SEAL_BYTES bytes; zeros on failure. */
CHI_API CHI_MUST_USE chi_status chi_unseal(void *msg, const chi_identity *id,
                                          const uint8_t *box,
                                          size_t box_bytes);

/* ---- clients: give inputs, receive told outputs (client.c) ------------- */

/* Exact integers to canonical elements of the library's own field and back:
 * v >= 0 is v, v < 0 is p + v, and an element above (p-1)/2 stands for a
 * negative number.
 *
 * Returns  CHI_OK; CHI_E_ARG if lo..hi is empty or no part of the 2^61 - 1
 *          integers -(p-1)/2 .. (p-1)/2; CHI_E_RANGE if a value lies outside
 *          lo..hi (all lanes are looked at first; out is zeros then).
 * Leaks    whether a value lies outside; constant time otherwise. */
CHI_API CHI_MUST_USE chi_status chi_encode(uint64_t *out, const int64_t *in,
                                           size_t lanes, int64_t lo,
                                           int64_t hi);
CHI_API CHI_MUST_USE chi_status chi_decode(int64_t *out, const uint64_t *in,
                                           size_t lanes, int64_t lo,
                                           int64_t hi);

/* Which run a client talks about; equal for all nodes. */
typedef struct chi_client_run {
  chi_protocol protocol;
  unsigned n;
  const uint8_t (*party_key)[CHI_KEY_BYTES]; /* n public keys */
  uint8_t session_id[CHI_SESSION_ID_BYTES];
  chi_field field; /* the program's */
} chi_client_run;

/* Bytes of node `node`'s blob for an input of `lanes` elements; 0 if there is
 * no such run or they are too many.  Protocol, n and field of the run count. */
CHI_API size_t chi_client_blob_bytes(const chi_client_run *run, unsigned node,
                                     size_t lanes);

/* Splits an input into one sealed blob per node; any t blobs say nothing.
 *
 * Returns  CHI_OK; CHI_E_ARG (n, lanes, field, |value| > (p-1)/2 for negative
 *          ones, value >= p, a key); CHI_E_NOMEM; CHI_E_CRYPTO.
 * Out      blobs   n buffers of chi_client_blob_bytes each.
 * In       values  lanes integers; a negative v stands for p + v.
 *          input   index in the program's input table.
 * Cost     rep3: two seeds and one explicit component, 2 elements a lane in
 *          total; shamir: n elements a lane.
 * Source   docs/protocols.md, "Inputs". */
CHI_API CHI_MUST_USE chi_status chi_client_share(uint8_t *const *blobs,
                                                const chi_client_run *run,
                                                uint32_t input,
                                                const int64_t *values,
                                                size_t lanes);
/* The same of canonical elements. */
CHI_API CHI_MUST_USE chi_status
chi_client_share_elements(uint8_t *const *blobs, const chi_client_run *run,
                          uint32_t input, const uint64_t *elements,
                          size_t lanes);

/* Joins the nodes' sealed blobs of one told output.
 *
 * Returns  CHI_OK; CHI_E_CHECK if the blobs are not shares of one value (a
 *          node lied or was mistaken; nothing is given); CHI_E_PROTOCOL if a
 *          blob is malformed or of another run; CHI_E_CRYPTO if one does not
 *          open.  In the last two *bad_node (may be NULL) tells which.
 * Out      values  lanes canonical field elements.
 * In       blobs   n boxes, in node order, blob_bytes[i] each.
 *          output  index in the program's output table. */
CHI_API CHI_MUST_USE chi_status
chi_client_open(uint64_t *values, size_t lanes, unsigned *bad_node,
                const chi_client_run *run, const chi_identity *id,
                uint32_t output, const uint8_t *const *blobs,
                const size_t *blob_bytes);

/* ---- transports -------------------------------------------------------- */

/* n transports in one process, transport i for party i, for tests and
 * simulations; parties may live in threads.  Closing one gives its peers
 * CHI_IO_CLOSED; the last close frees everything.
 * Returns  CHI_OK; CHI_E_ARG; CHI_E_NOMEM. */
CHI_API CHI_MUST_USE chi_status chi_mem_new(chi_transport *out, unsigned n);

typedef struct chi_party {
  uint8_t key[CHI_KEY_BYTES];
  const char *host; /* numeric IPv4 or IPv6 address: looking up names is the
                       host's task, since that cannot be bounded in time; may
                       be NULL for parties above `me`, which call us */
  uint16_t port;
} chi_party;

/* An identity as TLS wants it: certificate, ciphers, rules for peers.  It
 * holds nothing of a connection, so a node that connects for one run after the
 * other makes it once; any number of transports and threads use it together.
 * Making one takes about a millisecond. */
typedef struct chi_tls_context chi_tls_context;

/* Returns  CHI_OK; CHI_E_CRYPTO (OpenSSL or memory failed).
 * Out      *out  free with chi_tls_context_free, after the last transport made
 *                with it has been closed. */
CHI_API CHI_MUST_USE chi_status chi_tls_context_new(chi_tls_context **out,
                                                   const chi_identity *id);
/* c may be NULL. */
CHI_API void chi_tls_context_free(chi_tls_context *c);

typedef struct chi_tls_config {
  unsigned me, n;
  const chi_identity *identity; /* must have party[me].key */
  const chi_party *party;       /* n entries, the same on all nodes */
  int listen_fd;                /* bound and listening; stays the caller's; of
                                   one set-up at a time; not used by the last
                                   party, which calls all others */
  uint32_t deadline_ms;         /* for the whole mesh; 0: 30000 */
  chi_tls_context *context;     /* of the identity; NULL: made for this one */
} chi_tls_config;

/* Connects party `me` with all others: TLS 1.3, both sides authenticated by
 * the pinned keys of the party table, AES-128-GCM.  It calls the parties below
 * `me`, again and again until they are up, and accepts those above.  Strangers
 * who connect, speak garbage or keep silent are turned away and harm nobody.
 *
 * Returns  CHI_OK; CHI_E_ARG (config); CHI_E_PEER_STALLED (a party did not
 *          come up in time); CHI_E_CRYPTO (a party we called has another key
 *          than the table says); CHI_E_PROTOCOL (it does not speak TLS 1.3);
 *          CHI_E_DISAGREE (it refuses our key, or its table has other places);
 *          CHI_E_IO; CHI_E_NOMEM.
 * Out      out     owned by the caller until a session takes it; close it
 *                  with out->ops->close(out->state) if none does.
 *          detail  NUL-terminated reason that names the party; may be NULL.
 * Cost     one key agreement and two signatures a peer, some milliseconds;
 *          0.5 MiB of buffers a peer. */
CHI_API CHI_MUST_USE chi_status chi_tls_connect(chi_transport *out,
                                               char *detail,
                                               size_t detail_bytes,
                                               const chi_tls_config *cfg);

/* ---- sessions ---------------------------------------------------------- */

typedef struct chi_session chi_session;

/* Memory hook.  alloc returns NULL on failure and memory aligned for any
 * type.  What the rounds of a run need is taken in chi_session_new; in them
 * nothing is allocated.  Besides, these call the hook:
 *   inputs   chi_session_input_sealed while it opens the blob;
 *            chi_session_input_node, for a copy of the dealer's values, until
 *            they are dealt
 *   start    for its own messages, until it returns
 *   told     outputs, between rounds their shares and after the last one their
 *            sealed blobs, which live as long as the session
 * OpenSSL has an allocator of its own, for the AES contexts of a session: made
 * by chi_session_start and kept, or made for the seeds of inputs and released
 * at once.  So have identities (locked pages), the functions of clients
 * (malloc) and transports.  libsodium seals without allocating. */
typedef struct chi_alloc {
  void *(*alloc)(void *user, size_t bytes);
  void (*free)(void *user, void *p);
  void *user;
} chi_alloc;

typedef struct chi_session_config {
  chi_protocol protocol;
  unsigned n, me;
  const uint8_t (*party_key)[CHI_KEY_BYTES]; /* n public keys; copied */
  uint8_t session_id[CHI_SESSION_ID_BYTES];  /* fresh for every run */
  const chi_identity *identity; /* opens sealed inputs; must outlive the
                                   session; NULL if there are none */
  uint32_t deadline_ms;         /* silence allowed in a round, plus 1 ms for
                                   each KiB of the round; 0: 30000 */
  const chi_alloc *alloc;       /* NULL: malloc, free */
  /* Only for sessions without a program (chi_vec_*): */
  uint64_t vec_words;           /* room for vectors: 2 elements a lane */
  uint32_t vec_queue;           /* operations between two exchanges; 0: 64 */
  chi_field field;              /* a program brings its own */
} chi_session_config;

/* Makes a session of party cfg->me over a connected transport.
 *
 * Returns  CHI_OK; CHI_E_ARG (protocol, n, me, no field, a field with n
 *          elements or fewer under shamir, a program of another CHI_ABI or
 *          compiled for other nodes: its `target`); CHI_E_NOMEM; CHI_E_LIMIT
 *          (program too large).
 * Out      out        free with chi_session_free; NULL on failure.
 * In       transport  owned by the session from here on, on failure closed.
 *          program    kept; static in emitted code.  NULL: chi_vec_* only.
 * Cost     local; no message moves before chi_session_start. */
CHI_API CHI_MUST_USE chi_status chi_session_new(chi_session **out,
                                               const chi_transport *transport,
                                               const chi_session_config *cfg,
                                               const chi_program *program);

/* Gives a public input, the same on all nodes (a difference is found at
 * chi_session_start).  _text takes decimal or 0x-hexadecimal integers of any
 * width that the leaf's interval allows.
 *
 * Returns  CHI_OK; CHI_E_RANGE (not sticky) if a value lies outside the
 *          leaf's interval; CHI_E_ARG (not sticky) if a text is no integer,
 *          `lanes` is not the leaf's or the leaf is secret; CHI_E_STATE after
 *          the start. */
CHI_API CHI_MUST_USE chi_status chi_session_input_public(chi_session *s,
                                                        uint32_t input,
                                                        const int64_t *values,
                                                        size_t lanes);
CHI_API CHI_MUST_USE chi_status
chi_session_input_public_text(chi_session *s, uint32_t input,
                              const char *const *values, size_t lanes);

/* Gives this node's blob of a secret input from chi_client_share.
 *
 * Returns  CHI_OK; CHI_E_INPUT (not sticky) if the blob does not open, is of
 *          another run, node, input or length, or holds a number >= p;
 *          CHI_E_ARG (not sticky) if the leaf is public; CHI_E_NOMEM,
 *          CHI_E_CRYPTO (OpenSSL fails), neither sticky; CHI_E_STATE.
 * Leaks    nothing; that the nodes' blobs belong to one value is checked by
 *          all at chi_session_start. */
CHI_API CHI_MUST_USE chi_status chi_session_input_sealed(chi_session *s,
                                                        uint32_t input,
                                                        const uint8_t *blob,
                                                        size_t blob_bytes);

/* Gives this node's own share of a secret input, kept from an earlier run
 * (chi_session_output_share): rep3 a = x_i, b = x_{i+1}; shamir a, and b is
 * unused (may be NULL).  All nodes give theirs.
 *
 * Returns  CHI_OK; CHI_E_INPUT (not sticky) if an element is p or more;
 *          CHI_E_ARG (not sticky) if the leaf is public or `lanes` is not the
 *          leaf's; CHI_E_STATE after the start.
 * In       a, b    lanes elements each; copied.
 * Leaks    nothing; that the nodes' shares belong to one value is checked by
 *          all at chi_session_start. */
CHI_API CHI_MUST_USE chi_status chi_session_input_share(chi_session *s,
                                                       uint32_t input,
                                                       const uint64_t *a,
                                                       const uint64_t *b,
                                                       size_t lanes);

/* Declares a secret input dealt by node `dealer`, on every node; the dealer
 * gives the values (a negative v stands for p + v), the others NULL.
 *
 * Returns  CHI_OK; CHI_E_RANGE, CHI_E_ARG, CHI_E_NOMEM (not sticky);
 *          CHI_E_STATE.
 * Cost     set-up round; rep3 an element a lane, shamir n-1-t. */
CHI_API CHI_MUST_USE chi_status
chi_session_input_node(chi_session *s, uint32_t input, unsigned dealer,
                       const int64_t *values, size_t lanes);
/* The same of canonical elements. */
CHI_API CHI_MUST_USE chi_status
chi_session_input_node_elements(chi_session *s, uint32_t input,
                                unsigned dealer, const uint64_t *elements,
                                size_t lanes);

/* Agrees with all parties on wire version, protocol, n, field, party table,
 * session id, circuit and public inputs; derives pair keys; deals node inputs;
 * checks that the shares of every input from a client or from the nodes'
 * stores belong to one value.
 *
 * Returns  CHI_OK; CHI_E_STATE (an input is missing; not sticky);
 *          CHI_E_DISAGREE (names party and item); CHI_E_INPUT (names the
 *          input; a false one passes with probability 1/p at most for
 *          shamir, 2^-128 for rep3); CHI_E_PEER_*, CHI_E_PROTOCOL;
 *          CHI_E_NOMEM; CHI_E_CRYPTO (OpenSSL fails, if only for want of
 *          memory).
 * Cost     set-up: not in rounds and bytes_sent, see chi_stats. */
CHI_API CHI_MUST_USE chi_status chi_session_start(chi_session *s);

/* Runs the program, then a barrier.  CHI_OK means that every party has told
 * this one that all its checks passed.  No honest node has outputs if another
 * one failed a check; a node that is cut off after it sent its last message
 * may fail while the others succeed, as in any barrier.
 *
 * Returns  CHI_OK; CHI_E_REQUIRE, CHI_E_RANGE (a site, see detail);
 *          CHI_E_CHECK, CHI_E_PEER_*, CHI_E_PROTOCOL; CHI_E_STATE; of told
 *          outputs CHI_E_NOMEM, CHI_E_ARG (no identity; an address that is no
 *          usable public key), CHI_E_CRYPTO.
 * Leaks    what the program opens, and nothing else; message lengths and
 *          rounds depend on public values alone. */
CHI_API CHI_MUST_USE chi_status chi_session_run(chi_session *s);

/* A public output, after a successful run.  _text writes lane `lane` in
 * decimal, NUL-terminated; 320 bytes always suffice.  FIELD leaves give the
 * canonical element.
 *
 * Returns  CHI_OK; CHI_E_STATE; CHI_E_ARG (not sticky): a share or told leaf,
 *          a wrong lane count; CHI_E_RANGE (not sticky): a WIDE value that
 *          does not fit, any FIELD leaf if p has more than 63 bits, a buffer
 *          too small. */
CHI_API CHI_MUST_USE chi_status chi_session_output(chi_session *s,
                                                  uint32_t output,
                                                  int64_t *values,
                                                  size_t lanes);
CHI_API CHI_MUST_USE chi_status
chi_session_output_text(chi_session *s, uint32_t output, uint64_t lane,
                        char *text, size_t text_bytes);

/* This node's share of a secret output: rep3 (x_i, x_{i+1}) as two planes a
 * and b; shamir one plane, b unused (may be NULL).  A secret of the host. */
CHI_API CHI_MUST_USE chi_status chi_session_output_share(chi_session *s,
                                                        uint32_t output,
                                                        uint64_t *a,
                                                        uint64_t *b,
                                                        size_t lanes);

/* Told outputs, in order of the run: count, and the k-th.  The blob, sealed
 * for `to`, is to be carried to its holder (chi_client_open); it belongs to
 * the session.  0 and CHI_E_STATE before a successful run. */
CHI_API size_t chi_session_told_count(const chi_session *s);
CHI_API CHI_MUST_USE chi_status
chi_session_told(const chi_session *s, size_t k, uint8_t to[CHI_KEY_BYTES],
                 uint32_t *output, uint64_t *lanes, const uint8_t **blob,
                 size_t *blob_bytes);

/* Counters.  rounds, elements, bytes_sent: the run itself, share layer, equal
 * to the cost formulas of docs/protocols.md; set-up and the final barrier are
 * in setup_bytes_sent; wire_bytes_sent is all of these with frame headers,
 * before TLS.  elements and lanes are of the field: bits are in bytes_sent
 * alone. */
typedef struct chi_stats {
  uint64_t rounds;
  uint64_t exchanges;
  uint64_t elements_sent;
  uint64_t bytes_sent;
  uint64_t setup_bytes_sent;
  uint64_t wire_bytes_sent;
  uint64_t reduced_lanes, opened_lanes, told_lanes;
} chi_stats;

CHI_API void chi_session_stats(const chi_session *s, chi_stats *out);
/* The sticky status, CHI_OK while healthy. */
CHI_API chi_status chi_session_status(const chi_session *s);
/* Why the last call failed: one sentence that names party, site or input and
 * never a secret.  "" without a failure.  Valid until the next call. */
CHI_API const char *chi_session_detail(const chi_session *s);
/* The party that the failure names, or -1. */
CHI_API int chi_session_culprit(const chi_session *s);
CHI_API const chi_program *chi_session_program(const chi_session *s);
/* Wipes, closes the transport, frees; NULL is allowed. */
CHI_API void chi_session_free(chi_session *s);

/* ---- direct share arithmetic, without the compiler ---------------------- */

/* A vector of shares inside a session made without a program.  Linear
 * operations are local and immediate.  Interactive ones are queued; one
 * chi_exchange moves everything queued, in one round where the protocol has
 * one; results exist after it.  All nodes make the same calls in the same
 * order.  Vectors live until the session is freed.  Operands of queued calls
 * must not be changed before the exchange. */
typedef struct chi_vec {
  uint64_t slot, lanes;
} chi_vec;

/* A vector of zeros.  CHI_E_LIMIT (not sticky) if vec_words is used up. */
CHI_API CHI_MUST_USE chi_status chi_vec_new(chi_session *s, chi_vec *out,
                                           size_t lanes);
/* Local: out = a + b, a - b, c * a, a + c, where c is one public element, below
 * p.  out may be a or b; equal lane counts, or it is misuse. */
CHI_API CHI_MUST_USE chi_status chi_vec_add(chi_session *s, chi_vec out,
                                           chi_vec a, chi_vec b);
CHI_API CHI_MUST_USE chi_status chi_vec_sub(chi_session *s, chi_vec out,
                                           chi_vec a, chi_vec b);
CHI_API CHI_MUST_USE chi_status chi_vec_scale(chi_session *s, chi_vec out,
                                             chi_vec a, const uint64_t *c);
CHI_API CHI_MUST_USE chi_status chi_vec_shift(chi_session *s, chi_vec out,
                                             chi_vec a, const uint64_t *c);

/* Queues an input by node `dealer`: canonical elements there, NULL elsewhere;
 * `values` is read at chi_exchange.
 *
 * Returns  CHI_OK; CHI_E_STATE; CHI_E_LIMIT (queue full; not sticky).
 * Cost     one round of its own per dealer call; rep3 an element a lane by the
 *          dealer, shamir n-1-t.
 * Leaks    nothing. */
CHI_API CHI_MUST_USE chi_status chi_share(chi_session *s, chi_vec out,
                                         unsigned dealer,
                                         const uint64_t *values);

/* Queues out = a * b, lane by lane.
 *
 * Returns  CHI_OK; CHI_E_STATE; CHI_E_LIMIT (queue full; not sticky).
 * Out      out     lanes of a and b; distinct from every operand queued.
 * Cost     1 round shared by the queue (shamir n >= 6: 2); rep3: 1 element a
 *          lane from each node; shamir: docs/protocols.md.
 * Leaks    nothing; constant time in values.
 * Source   docs/protocols.md, "Products" [AFLNO16], [DN07]. */
CHI_API CHI_MUST_USE chi_status chi_mul(chi_session *s, chi_vec out, chi_vec a,
                                       chi_vec b);

/* Queues out = sum of a[i] * b[i]: one lane, the cost of one product whatever
 * the length.  Otherwise as chi_mul. */
CHI_API CHI_MUST_USE chi_status chi_dot(chi_session *s, chi_vec out, chi_vec a,
                                       chi_vec b);

/* Queues the opening of a to all nodes; `values` (lanes canonical elements)
 * is written by chi_exchange, after the check of the same round.
 *
 * Returns  CHI_OK; CHI_E_STATE; CHI_E_LIMIT (queue full; not sticky).
 * Cost     1 round shared by the queue; rep3: 1 element a lane and a 16-byte
 *          tag; shamir: n-1 elements a lane.
 * Leaks    the values, to every node. */
CHI_API CHI_MUST_USE chi_status chi_open(chi_session *s, uint64_t *values,
                                        chi_vec a);

/* Queues the opening of a to node `party` alone: `values` there, NULL
 * elsewhere.  Otherwise as chi_open.
 *
 * Cost     one round of its own; rep3: 1 element a lane from one node, a
 *          16-byte tag from another; shamir: 1 element a lane from each other.
 * Leaks    the values, to `party`. */
CHI_API CHI_MUST_USE chi_status chi_open_to(chi_session *s, unsigned party,
                                           uint64_t *values, chi_vec a);

/* Moves everything queued.  Inputs first, then openings to one node, then
 * products and openings to all together.
 *
 * Returns  CHI_OK; CHI_E_CHECK, CHI_E_PEER_*, CHI_E_PROTOCOL (sticky: no value
 *          of this exchange is given). */
CHI_API CHI_MUST_USE chi_status chi_exchange(chi_session *s);

#ifdef __cplusplus
}
#endif
#endif
