/* Transport: how one party's bytes reach another's.  For people who bring
 * their own network; libchi brings TLS 1.3 over TCP (chi_tls_*) and an
 * in-memory one for tests and simulations (chi_mem_*).
 *
 * A transport connects party `me` with every other party of one session by an
 * ordered, reliable, authenticated and confidential byte stream.  The session
 * frames its messages itself, believes no length it has not scheduled, and is
 * the only caller; one thread at a time.
 */
#ifndef CHI_TRANSPORT_H
#define CHI_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Results of try_send and try_recv below 0. */
#define CHI_IO_CLOSED (-1) /* the peer closed or reset the stream */
#define CHI_IO_FAILED (-2) /* anything else; describe() tells */

typedef struct chi_transport_ops {
  /* Required.  Takes up to n bytes for `peer` without blocking; returns how
   * many were taken (0: none now), or CHI_IO_*.  What it keeps of them in
   * memory goes out with any later call, and drain waits for it. */
  long (*try_send)(void *state, unsigned peer, const void *p, size_t n);
  /* Required.  Gives up to n bytes from `peer` without blocking; 0: none now. */
  long (*try_recv)(void *state, unsigned peer, void *p, size_t n);
  /* Required.  Blocks until a peer of `readable` (bit j: peer j) may have
   * bytes, or one of `writable` may take some, or `deadline_ns` (monotonic
   * clock) has passed.  Returns 1, 0 at the deadline, or CHI_IO_FAILED. */
  int (*wait)(void *state, uint64_t readable, uint64_t writable,
              uint64_t deadline_ns);
  /* Optional, for a transport that keeps bytes in memory.  Blocks until all
   * that was taken is out of this process, or its peer is lost (the next call on
   * that peer says so): 1; 0 at the deadline.  The session calls it at the end
   * of a round, behind which nothing may be called for as long as the caller
   * likes. */
  int (*drain)(void *state, uint64_t deadline_ns);
  /* Optional.  Fills out[32] with a value that only this party and `peer`
   * know, bound to the stream (TLS exporter); 0 or CHI_IO_FAILED. */
  int (*exporter)(void *state, unsigned peer, uint8_t out[32]);
  /* Optional.  Why the last call on `peer` failed, for the session's detail. */
  const char *(*describe)(void *state, unsigned peer);
  /* Required.  Closes all streams and frees state. */
  void (*close)(void *state);
} chi_transport_ops;

typedef struct chi_transport {
  const chi_transport_ops *ops;
  void *state;
} chi_transport;

#ifdef __cplusplus
}
#endif
#endif
