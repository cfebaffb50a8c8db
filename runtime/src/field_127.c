/* 2^127 - 1. */
#undef CHI_MERSENNE
#define CHI_MERSENNE 127
#define OPS chii_127_ops
#include "field_mersenne.h"
