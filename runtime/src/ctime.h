/* Where secrets begin and end, for the constant-time check.
 *
 * Built with CHI_CTIME and run under valgrind's memcheck, secret bytes count as
 * uninitialised: any branch and any address that depends on them is reported
 * [the method of ctgrind].  Everywhere else both macros are nothing.
 */
#ifndef CHII_CTIME_H
#define CHII_CTIME_H

#ifdef CHI_CTIME
#include <valgrind/memcheck.h>
#define CHII_SECRET(p, bytes) ((void)VALGRIND_MAKE_MEM_UNDEFINED(p, bytes))
/* What everybody may learn: an opened value, that a check failed. */
#define CHII_PUBLIC(p, bytes) ((void)VALGRIND_MAKE_MEM_DEFINED(p, bytes))
#else
#define CHII_SECRET(p, bytes) ((void)(p), (void)(bytes))
#define CHII_PUBLIC(p, bytes) ((void)(p), (void)(bytes))
#endif

#endif
