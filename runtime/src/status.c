/* Names and texts from CHI_STATUS_MAP, the misuse hook, wiping, the clock. */
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "chi_gen.h"
#include "util.h"

const char *chi_status_name(chi_status st) {
  switch (st) {
#define CHI_STATUS_NAME(name, value, spelling, text)                           \
  case name:                                                                   \
    return spelling;
    CHI_STATUS_MAP(CHI_STATUS_NAME)
#undef CHI_STATUS_NAME
  default:
    return "E_UNNAMED";
  }
}

const char *chi_status_text(chi_status st) {
  switch (st) {
#define CHI_STATUS_TEXT(name, value, spelling, text)                           \
  case name:                                                                   \
    return text;
    CHI_STATUS_MAP(CHI_STATUS_TEXT)
#undef CHI_STATUS_TEXT
  default:
    return "a status of another version of libchi";
  }
}

const char *chi_version(void) { return CHI_VERSION_STRING; }

unsigned chi_mersenne(void) { return CHI_MERSENNE; }

const char *chi_protocol_name(chi_protocol protocol) {
  return protocol == CHI_REP3     ? "rep3"
         : protocol == CHI_SHAMIR ? "shamir"
                                  : "none";
}

/* The only state of the process: set once, before the first session. */
static _Atomic(chi_misuse_hook) misuse_hook;

void chi_set_misuse_hook(chi_misuse_hook hook) {
  atomic_store(&misuse_hook, hook);
}

void chii_misuse(const char *function, const char *what) {
  chi_misuse_hook hook = atomic_load(&misuse_hook);
  if (hook)
    hook(function, what);
  abort();
}

uint64_t chii_now_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void chii_wipe(void *p, size_t bytes) {
  if (p && bytes)
    sodium_memzero(p, bytes);
}
