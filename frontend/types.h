/* Types, interned: equal types are equal pointers.
 *
 * An integer type IS its interval; u8 is a name of [0, 255].  Labels stand at
 * scalars.  A declared type may leave a label open (LAB_OPEN): public in an
 * entry function, whatever flows in elsewhere.  The type of a value never is.
 *
 * Arrays are never nested directly: [[T; m]; n] is [T; n, m].
 */
#ifndef FRONTEND_TYPES_H
#define FRONTEND_TYPES_H

#include "base/buf.h"
#include "frontend/ival.h"
#include "grammar/ast.h"

typedef enum {
  T_ERROR, /* poisoned: fits everything, silently */
  T_UNIT,
  T_BOOL,     /* iv: what it may be, 0..1 */
  T_INT,      /* iv */
  T_FIXED,    /* iv: the raw value, value * 2^fbits */
  T_FIELD,
  T_IDENTITY,
  T_TOLD,     /* result of reveal(x, to: id); elem[0]: what is told */
  T_STRUCT,
  T_TUPLE,
  T_ARRAY     /* elem[0], dim[ndim] */
} ty_kind;

typedef enum { LAB_PUB, LAB_SEC, LAB_OPEN } ty_label;

typedef struct ty ty;
struct ty {
  ty_kind kind;
  ty_label label; /* scalars */
  const ival *iv;
  unsigned ibits, fbits; /* FIXED */
  const node *decl;      /* STRUCT */
  const char *name;
  uint32_t nelem;
  const ty **elem;
  const char **fname; /* STRUCT */
  uint32_t ndim;
  uint64_t *dim;
  uint64_t lanes;     /* ARRAY: product of dim */
  uint32_t nleaf;     /* scalars below; 0 for unit */
  bool sec;           /* some leaf is secret */
  bool open;          /* some leaf's label is open */
  bool err;           /* some leaf is poisoned */
  uint64_t hash;
  ty *next;
};

typedef struct ty_set {
  arena *a;
  ival_set *iv;
  ty **slot;
  size_t nslot, count;
  const ty *error, *unit;
} ty_set;

enum {
  TY_MAX_BITS = 256,        /* widest public uN */
  TY_MAX_VALUE_BITS = 1024, /* widest public value in between */
  TY_DEF_IBITS = 16,
  TY_DEF_FBITS = 16
};
#define TY_MAX_LANES ((uint64_t)1 << 32)
/* Numbers of secret permutations: a turn, and that many in each. */
#define TY_TURNS 3
#define TY_PERMS ((int64_t)1 << 40)

ty_set *ty_set_new(arena *a);
const ty *ty_scalar(ty_set *s, ty_kind k, const ival *iv, ty_label l);
const ty *ty_int(ty_set *s, const ival *iv, ty_label l);
const ty *ty_bool(ty_set *s, ty_label l);
const ty *ty_bool_known(ty_set *s, bool v);
const ty *ty_fixed(ty_set *s, unsigned i, unsigned f, const ival *iv,
                   ty_label l);
const ival *ty_fixed_range(ty_set *s, unsigned i, unsigned f);
const ty *ty_told(ty_set *s, const ty *what);
const ty *ty_tuple(ty_set *s, const ty **elem, uint32_t n);
const ty *ty_struct(ty_set *s, const node *decl, const char *name,
                    const char **fname, const ty **elem, uint32_t n);
/* Flattens an array element; no dims: the element itself. */
const ty *ty_array(ty_set *s, const ty *elem, const uint64_t *dim,
                   uint32_t ndim);

static inline const ty *ty_elem(const ty *t) {
  return t->kind == T_ARRAY ? t->elem[0] : t;
}
static inline bool ty_is_scalar(const ty *t) {
  return t->kind >= T_BOOL && t->kind <= T_IDENTITY;
}
static inline uint64_t ty_lanes(const ty *t) {
  return t->kind == T_ARRAY ? t->lanes : 1;
}
static inline bool ty_is_data(const ty *t) {
  return t->kind >= T_STRUCT || ty_is_scalar(t);
}
/* All elements of all leaves. */
uint64_t ty_size(const ty *t);

/* Leaves: kinds and labels rebuilt over the same shape. */
typedef const ty *(*ty_map_fn)(ty_set *s, const ty *leaf, void *user);
const ty *ty_map(ty_set *s, const ty *t, ty_map_fn f, void *user);
const ty *ty_relabel(ty_set *s, const ty *t, ty_label l);
const ty *ty_close(ty_set *s, const ty *t); /* open labels become public */
const ty *ty_leaf(const ty *t, uint32_t i); /* the i-th scalar */
/* Same shape; intervals and labels may differ. */
bool ty_alike(const ty *a, const ty *b);
/* Hull of two alike types; NULL if they are not. */
const ty *ty_join(ty_set *s, const ty *a, const ty *b);
/* The same type with element [dims] replaced. */
const ty *ty_with_dims(ty_set *s, const ty *t, const uint64_t *dim,
                       uint32_t ndim);

/* As the user would write it: "secret u32", "[i16; 3, 4]", "0..510". */
void ty_print(const ty *t, buf *out);
void ty_print_plain(const ty *t, buf *out); /* without labels */
const char *ty_text(arena *a, const ty *t);
const char *ty_text_plain(arena *a, const ty *t);

#endif
