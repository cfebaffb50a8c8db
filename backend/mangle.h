/* C symbols of circuits: chi_<module>_<function>, without collisions and
 * without a double underscore (reserved in C++).
 *
 * The module ends at the first '_' that is not followed by one of the digits
 * 0, 2, 3.  Inside a module: '_' is "_0", '.' is "_2", any other byte that
 * is no letter or digit is "_3" and two hex digits.  What comes first and is no
 * letter: '_' is "0", a digit d is "1d", another byte "2" and two hex digits.
 * Inside a function: a '_'
 * that is first is "1"; one that follows or precedes a '_', ends the name or
 * precedes one of 0..3 is "_0"; other bytes as in a module.
 */
#ifndef BACKEND_MANGLE_H
#define BACKEND_MANGLE_H

#include "base/arena.h"
#include "base/buf.h"

char *mangle_symbol(arena *a, const char *module, const char *function);
/* Stem of include guards and enumerators: "CHI_" for the symbol's "chi_". */
char *mangle_constant(arena *a, const char *symbol);
/* A leaf path ("p.age", "t.0") as part of an enum member: injective. */
char *mangle_path(arena *a, const char *path);

#endif
