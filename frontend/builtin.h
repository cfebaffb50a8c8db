/* The functions that are always there. */
#ifndef FRONTEND_BUILTIN_H
#define FRONTEND_BUILTIN_H

#include <stdbool.h>

/* BUILTIN(ENUM, name, fewest arguments, most arguments).  Names in __ are for
 * the standard library alone: what they open or take for granted is argued
 * there (docs/std.md). */
#define BUILTINS(X)          \
  X(SUM, "sum", 1, 2)        \
  X(PROD, "prod", 1, 1)      \
  X(DOT, "dot", 2, 2)        \
  X(COUNT, "count", 1, 1)    \
  X(XOR, "xor", 1, 1)        \
  X(ANY, "any", 1, 1)        \
  X(ALL, "all", 1, 1)        \
  X(MIN, "min", 1, 2)        \
  X(MAX, "max", 1, 2)        \
  X(ARGMIN, "argmin", 1, 1)  \
  X(ARGMAX, "argmax", 1, 1)  \
  X(LEN, "len", 1, 1)        \
  X(ABS, "abs", 1, 1)        \
  X(SQRT, "sqrt", 1, 1)      \
  X(ISQRT, "isqrt", 1, 1)    \
  X(POPCOUNT, "popcount", 1, 1) \
  X(ROTL, "rotl", 2, 2)      \
  X(ROTR, "rotr", 2, 2)      \
  X(BITS, "bits", 1, 1)      \
  X(FROM_BITS, "from_bits", 1, 1) \
  X(POW, "pow", 2, 2)        \
  X(WRAP, "wrap", 2, 2)      \
  X(CLAMP, "clamp", 2, 2)    \
  X(ASSUME, "assume", 2, 2)  \
  X(FIELD, "field", 1, 1)    \
  X(FIXED, "fixed", 1, 1)    \
  X(INT, "int", 1, 1)        \
  X(TRANSPOSE, "transpose", 1, 1) \
  X(REVEAL, "reveal", 1, 2)  \
  X(ASSERT, "assert", 1, 2)  \
  X(REQUIRE, "require", 1, 2)   \
  X(PERMUTATION, "__permutation", 1, 1) \
  X(SHUFFLE, "__shuffle", 2, 2) \
  X(UNSHUFFLE, "__unshuffle", 2, 2) \
  X(OPEN, "__open", 1, 1)       \
  X(DIGITS, "__digits", 1, 1)   \
  X(SUMS_BEFORE, "__sums_before", 1, 1)

typedef enum {
#define BUILTIN_ENUM(E, N, LO, HI) B_##E,
  BUILTINS(BUILTIN_ENUM)
#undef BUILTIN_ENUM
  B_COUNT_
} builtin;
enum { B_COUNT_ALL = B_COUNT_ };

int builtin_find(const char *name); /* -1: none */
const char *builtin_name(unsigned b);
static inline bool builtin_is_trusted(unsigned b) {
  return b >= B_PERMUTATION;
}
unsigned builtin_min_args(unsigned b);
unsigned builtin_max_args(unsigned b);

#endif
