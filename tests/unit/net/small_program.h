/* A circuit written by hand against chi_gen.h: z = x y + w, results z and
 * z z.  x, y come from nodes 0 and 1, w from a client. */
#ifndef CHI_TEST_SMALL_PROGRAM_H
#define CHI_TEST_SMALL_PROGRAM_H

#include "chi.h"

#define SMALL_LANES 5000

extern const chi_program small_program, small_other;
/* Their inputs. */
int64_t small_x(unsigned lane);
int64_t small_y(unsigned lane);
int64_t small_w(unsigned lane);
/* Whether outputs 0 and 1 of a session that ran are right. */
int small_right(chi_session *s);

#endif
