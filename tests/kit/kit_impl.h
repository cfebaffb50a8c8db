/* Internals of the test kit. */
#ifndef TESTS_KIT_IMPL_H
#define TESTS_KIT_IMPL_H

#include "kit.h"

struct kit_program {
  void *dl;
  const chi_program *program;
  double cc_seconds;
  size_t source_bytes;
};

#endif
