/* Bump arenas.  Out of memory ends the process through arena_oom_hook. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

typedef struct arena arena;

arena *arena_new(void);
void arena_free(arena *a);
void *arena_alloc(arena *a, size_t bytes);            /* zeroed, 16-aligned */
void *arena_array(arena *a, size_t n, size_t bytes);  /* overflow-checked */
void *arena_grow(arena *a, void *old, size_t oldn, size_t newn, size_t bytes);
char *arena_strdup(arena *a, const char *s);
char *arena_strndup(arena *a, const char *s, size_t n);
char *arena_printf(arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
size_t arena_used(const arena *a);
/* Runs f(p) when the arena is freed (mpz_clear and the like). */
void arena_defer(arena *a, void (*f)(void *), void *p);
extern void (*arena_oom_hook)(void); /* default: message, exit 4 */

#define ARENA_NEW(a, T) ((T *)arena_alloc((a), sizeof(T)))
#define ARENA_ARR(a, T, n) ((T *)arena_array((a), (n), sizeof(T)))

#endif
