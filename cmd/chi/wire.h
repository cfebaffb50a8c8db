/* Messages between the driver and its nodes, over an inherited socket pair:
 * one byte of kind, eight of length (this machine's order), the payload. */
#ifndef CMD_CHI_WIRE_H
#define CMD_CHI_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
  /* driver to node */
  MSG_CONFIG = 'C', /* JSON: me, n, protocol, deadline, parties */
  MSG_KEY = 'K',    /* 32 bytes: the seed of the node's identity */
  MSG_LOAD = 'L',   /* JSON: library, symbol, session */
  MSG_SMALL = 'P',  /* u32 input, int64 values: public */
  MSG_TEXT = 'T',   /* u32 input, NUL-ended numbers: public */
  MSG_SEALED = 'S', /* u32 input, a client's box */
  MSG_GO = 'G',     /* start and run */
  /* node to driver */
  MSG_LOADED = 'l', /* the library is in memory: its file may go */
  MSG_VALUES = 'v', /* u32 output, int64 values */
  MSG_DIGITS = 'd', /* u32 output, NUL-ended numbers */
  MSG_TOLD = 't',   /* u32 output, u32 0, u64 lanes, 32 bytes to, a box */
  MSG_DONE = 'e'    /* JSON: status, detail, site, counters, times */
};
enum { WIRE_HEAD = 9 };

void wire_put(buf *b, char kind, const void *head, size_t nhead,
              const void *body, size_t nbody);
/* Blocking, for nodes: false at the end of the stream or on failure. */
bool wire_send(int fd, const buf *b);
bool wire_recv(int fd, char *kind, buf *payload);

#endif
