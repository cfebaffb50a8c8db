/* F_p of any prime: chi_big_* of chi_gen.h, in big.c. */
#ifndef CHII_BIG_H
#define CHII_BIG_H

#include <stdbool.h>

#include "chi_gen.h"

/* Is there scratch for primes of n limbs with this GMP? */
bool chii_big_fits(unsigned n);

#endif
