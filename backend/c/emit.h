/* Internals of the C backend: writing kernels, units and control flow.
 *
 * A kernel is one loop nest over the lanes of a root.  Inside it every value
 * of the root's tree is one C variable.  Lane indices are affine in the loop
 * variables wherever views allow it; a view that cuts a loop across makes the
 * kernel start anew with that loop split in two.
 */
#ifndef BACKEND_C_EMIT_H
#define BACKEND_C_EMIT_H

#include "backend/backend.h"
#include "backend/c/plan.h"
#include "base/vec.h"
#include "ir/cost.h"

enum {
  EMIT_DIMS = 40,       /* loops open at once */
  EMIT_GROUP_DIMS = 7,  /* loops one group of lanes is split into */
  EMIT_GROUPS = 256,    /* sums of one kernel */
  EMIT_SYMS = 4,        /* run-time terms of an index */
  EMIT_STATEMENTS = 32, /* of one function before the next begins: C compilers
                           take more than linear time for long ones */
  EMIT_CALLS = 200,     /* of one control function */
  EMIT_CHUNK = 4096     /* CHI_GEN_CHUNK */
};

/* c + sum k_j * sym_j + sum s_d * (loop variable of dimension d). */
typedef struct c_idx {
  int64_t c;
  int64_t s[EMIT_DIMS];
  uint32_t nsym;
  struct {
    const char *name; /* an int64_t variable */
    int64_t k;
  } sym[EMIT_SYMS];
} c_idx;

typedef struct c_name {
  char s[48]; /* a variable or literal; wide: a pointer to 17 words */
} c_name;

typedef struct c_site {
  bool range;
  const char *message;
  span sp;
} c_site;

/* A function of calls and control flow. */
typedef struct c_ctl {
  buf body;
  uint32_t calls;
  int indent;
} c_ctl;

typedef struct c_emit {
  c_plan *p;
  ir_module *m;
  arena *a;
  const backend_info *info;
  buf data, fns;  /* static arrays; finished functions */
  buf code;       /* the straight function being written */
  uint32_t stmts; /* in it */
  bool shares, uses_me, uses_g, uses_w;
  c_ctl *ctl;
  uint32_t nfn, nname, ndata;
  VEC(c_site) site;
  uint64_t max_reduce, max_open;
  uint32_t max_reduce_values, max_open_values, max_bit_values;
  uint32_t max_shuffle_values;
  uint64_t max_shuffle_lanes, max_shuffle_rows;
} c_emit;

/* Is the circuit over the field that the library is built for? */
static inline bool emit_own_field(const c_emit *e) {
  unsigned k = e->info->mersenne ? e->info->mersenne : 61;
  return e->m->is_mersenne && e->m->k == k;
}

typedef struct c_scalar {
  const c_slot *slot;
  c_name name;
} c_scalar;

typedef struct c_kernel {
  c_emit *e;
  buf pre, body; /* loads of scalars; the loops */
  int indent;
  uint32_t stmts;
  struct {
    uint64_t n;
    const char *name;
  } dim[EMIT_DIMS];
  uint32_t ndim, ngroup, nopen; /* open dimensions; groups begun, open */
  struct c_group {
    uint32_t n, first;
    uint64_t size[EMIT_GROUP_DIMS]; /* outermost first; n = 0: not yet cut */
    uint32_t strip; /* 0: none, 1: pause behind, 2: within the inner loop */
  } group[EMIT_GROUPS];
  uint32_t open[EMIT_DIMS]; /* groups, outermost first */
  bool restart;
  VEC(c_scalar) scalar;
} c_kernel;

/* ---- text.c: literals, lines ---- */
const char *emit_i64(c_emit *e, int64_t v);
const char *emit_mpz_i64(c_emit *e, mpz_srcptr v);
const char *emit_field(c_emit *e, mpz_srcptr v);
const char *emit_name(c_emit *e, const char *prefix); /* fresh: "v12" */
uint32_t emit_wide_const(c_emit *e, mpz_srcptr v);    /* c<n>, 17 words */
uint32_t emit_table(c_emit *e, const ir_value *v);    /* t<n> */
void emit_line(c_emit *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));            /* straight code */
void emit_ctl(c_emit *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));            /* control code */
void emit_quoted(buf *b, const char *s);              /* a C string literal */
uint32_t emit_site(c_emit *e, bool range, const char *message, span sp);

/* ---- index.c ---- */
c_idx idx_const(int64_t c);
void idx_add_sym(c_kernel *k, c_idx *x, const char *name, int64_t coef);
/* Operand lane of result lane `in` under a view. */
c_idx idx_view(c_kernel *k, const c_idx *in, int64_t off, const ir_dim *dim,
               uint32_t ndim);
const char *idx_text(c_kernel *k, const c_idx *x);
/* The lane does not matter after all; nor do the variables it was made of. */
void idx_unused(c_kernel *k, const c_idx *x);

/* ---- kernel.c ---- */
typedef void (*c_body)(c_kernel *k, const c_idx *lane, void *user);
void kernel_line(c_kernel *k, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Writes a loop nest over lanes [from, to), two int64_t variables, or over all
 * `lanes` if from is NULL. */
void kernel_run(c_emit *e, uint64_t lanes, const char *from, const char *to,
                c_body body, void *user);
/* Opens the loops of a new group of n lanes; its lane index is outer * n +
 * lane.  strip: iterations between two pauses, 0: no pauses. */
c_idx kernel_open(c_kernel *k, uint64_t n, const c_idx *outer,
                  uint64_t strip);
/* Closes them; `pause` is the line that runs after each strip. */
void kernel_close(c_kernel *k, const char *pause);
/* Asks for dimension d to be cut into (n / inner, inner); false if it cannot
 * be.  The kernel starts anew. */
bool kernel_split(c_kernel *k, uint32_t d, uint64_t inner);
c_name kernel_load(c_kernel *k, const c_slot *s, c_rep r, uint64_t lanes,
                   const c_idx *lane);
void kernel_store(c_kernel *k, const c_slot *s, c_rep r, uint64_t lanes,
                  const c_idx *lane, c_name v);

/* ---- element.c ---- */
c_name elem(c_kernel *k, const ir_value *v, const c_idx *lane);
/* The operation of v, even if v is a root. */
c_name elem_make(c_kernel *k, const ir_value *v, const c_idx *lane);
c_name elem_as(c_kernel *k, const ir_value *v, const c_idx *lane, c_rep to);
c_name elem_convert(c_kernel *k, c_name x, c_rep from, c_rep to);

/* ---- fold.c: sums and sums of products ---- */
c_name elem_sum(c_kernel *k, const ir_value *v, const c_idx *lane);
/* Is v an inline tree of additions worth one accumulator? */
bool fold_wanted(const c_kernel *k, const ir_value *v);
c_name elem_fold(c_kernel *k, const ir_value *v, const c_idx *lane);

/* ---- bits.c ---- */
void bits_emit(c_emit *e, const ir_inst *i); /* not interactive */
/* What chi_gen_begin_bits gets, and the calls within an exchange. */
void bits_begin(c_emit *e, const ir_load *x);
void bits_exchange(c_emit *e, const ir_inst *i);

/* ---- unit.c ---- */
void unit_copy(c_emit *e, const c_slot *to, const c_slot *from);
void unit_emit(c_emit *e, const ir_inst *i);
void unit_moves(c_emit *e, const ir_inst *i);

/* ---- control.c ---- */
void control_flush(c_emit *e); /* ends the straight function */
/* The functions of a block; the name to call, NULL if there is nothing. */
const char *control_block(c_emit *e, const ir_block *b);

/* ---- header.c ---- */
void emit_header(c_emit *e, buf *out, const char *symbol);

#endif
