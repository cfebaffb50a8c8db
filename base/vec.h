/* A typed growable array in an arena.
 *
 *   VEC(node *) list = {0};
 *   vec_push(a, &list, n);
 *
 * Doubling keeps pushes linear; what was outgrown stays in the arena (at most
 * as much again).  Size arithmetic is checked by arena_array.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/arena.h"

#define VEC(T)                                                                 \
  struct {                                                                     \
    T *p;                                                                      \
    size_t n, cap;                                                             \
  }

#define vec_push(a, v, x)                                                      \
  do {                                                                         \
    if ((v)->n == (v)->cap) {                                                  \
      size_t vec_cap = (v)->cap ? (v)->cap * 2 : 4;                            \
      (v)->p = arena_grow((a), (v)->p, (v)->n, vec_cap, sizeof *(v)->p);       \
      (v)->cap = vec_cap;                                                      \
    }                                                                          \
    (v)->p[(v)->n++] = (x);                                                    \
  } while (0)

#endif
