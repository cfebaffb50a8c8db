/* The library's own field: 2^61 - 1, or the smaller one of a test build. */
#define OPS chii_own_ops
#include "field_mersenne.h"
