/* What the files of the front end share: modules and symbols, resolved names,
 * instances of functions and the facts the analysis finds about their nodes.
 *
 *   unit.c     loads a file and what it imports; the list of functions
 *   resolve.c  names: once per function, whatever its instances are
 *   type_of.c  type syntax to types
 *   expr.c operators.c calls.c builtins.c arrays.c   expressions
 *   stmt.c loop.c   statements; intervals of what a loop changes
 *   circuit.c bristol*.c   functions whose body is a file
 *   secret.c   what may not depend on a secret condition
 *   contract.c   state, maps, events, actions
 *   lower*.c   checked instances to circuits
 */
#ifndef FRONTEND_SEMA_H
#define FRONTEND_SEMA_H

#include "base/diag.h"
#include "frontend/builtin.h"
#include "frontend/frontend.h"
#include "frontend/types.h"
#include "grammar/ast.h"

typedef struct module module;
typedef struct sym sym;
typedef struct inst inst;
typedef struct fninfo fninfo;

/* ---- symbols ---- */

typedef enum {
  R_NONE,
  R_ERROR,   /* reported */
  R_LOCAL,   /* idx: slot */
  R_GENERIC, /* idx: which */
  R_CONST,   /* p: sym */
  R_FN,      /* p: sym */
  R_STRUCT,  /* p: sym */
  R_BUILTIN, /* idx: builtin */
  R_STATE,   /* p: sym; in actions a local stands for it, see hidden */
  R_MAP,     /* p: sym */
  R_EVENT,   /* p: sym */
  R_ACTION,  /* p: sym; also views */
  R_CONTRACT, /* p: sym */
  R_LOOP     /* p: loopset of FOR, WHILE, COMPR */
} res_kind;

typedef struct res {
  uint8_t kind;
  uint32_t idx;
  void *p;
} res;

/* Slots a loop's body may assign among those declared before it. */
typedef struct loopset {
  uint32_t first; /* slots from here on are the loop's own */
  uint32_t n;
  uint32_t *slot; /* ascending */
} loopset;
int64_t loopset_find(const loopset *l, uint32_t slot); /* -1: not in it */

typedef struct local {
  const char *name;
  const node *decl; /* NAME, PARAM */
  span sp;
  bool mutable, used, param, assigned, loopvar;
  bool hidden; /* state, caller, now, height */
} local;

/* In an action, each state variable that is not a map, and `caller`, `now`,
 * `height`, are locals from the beginning: the circuit's input "$x" is their
 * first value, its output "$x" their last. */
typedef struct hidden {
  sym *state;       /* NULL: context_name[context] */
  uint32_t context;
  uint32_t slot;
} hidden;
enum { NCONTEXT = 3 };
extern const char *const context_name[NCONTEXT]; /* "caller" .. */

/* A contract's own scope is a module inside of its file's. */
typedef struct contract_info {
  const sym *s;
  module *mod;
  sym **state; /* parameters of the contract, then state, in order */
  uint32_t nstate;
  fninfo *init; /* sets the state; its parameters are the contract's */
  inst *init_inst;
  bool wide_field; /* something secret in it needs more than 2^61 - 1: there */
  span wide_sp;
} contract_info;

typedef struct mapinfo {
  const ty **key;
  uint32_t nkey;
  const ty *value;
} mapinfo;

struct fninfo {
  const node *decl; /* FN or TEST */
  const char **generic;
  uint32_t ngeneric;
  local *local;
  uint32_t nlocal, nparam;
  uint32_t id0, id1; /* node ids of the function lie in [id0, id1) */
  bool resolved, early_return, bad, effect_known, circuit_bad;
  const char *effect; /* what a call does that everybody sees: secret.c */
  struct bristol *circuit; /* of a function that is a file; NULL: not read */
  inst *insts;
  hidden *hide; /* of an action, a view, an init */
  uint32_t nhide;
};

struct sym {
  const char *name;
  res_kind kind;
  const node *decl;
  module *mod;
  fninfo *fn;   /* FN */
  inst *cinst;  /* CONST: holds its expression's facts */
  uint32_t nlocal; /* CONST: slots of its comprehensions */
  const ty *ct; /* CONST: its type once state is 2 */
  int state;    /* CONST, STRUCT, STATE: 0 new, 1 being looked at, 2 done */
  mapinfo *map; /* STATE that is a map */
  bool constant; /* STATE: a parameter of the contract */
  const char *given; /* CONST: a template parameter's value, or NULL */
  uint32_t hash;
  sym *next, *order;
};

typedef struct import {
  const char *path; /* "std.stats" */
  const char *last; /* "stats" */
  module *mod;
  span sp;
} import;

struct module {
  const char *path, *dir;
  const source_file *file;
  const node *ast;
  sym *bucket[256];
  sym *first, **last;
  import *import;
  uint32_t nimport;
  int state; /* 1 while its imports are read */
  module *up; /* of a contract: its file's */
  contract_info *contract;
};

struct fe_unit {
  arena *a;
  source_set *ss;
  diag *dg;
  fe_options opt;
  mpz_t narrow, pmax; /* (p - 1) / 2; of the widest field to choose from */
  module **mod;
  uint32_t nmod;
  ty_set *ts;
  ival_set *iv;
  res *res; /* by node id */
  uint32_t nnode;
  fe_fn *fn;
  uint32_t nfn;
  const sym **fnsym;
  contract_info **con; /* of all files; those of the file itself first */
  uint32_t ncon;
  fe_contract *contract; /* of the file itself */
  uint32_t ncontract;
  fe_test *test;
  fninfo **testinfo;
  inst **testinst;
  uint32_t ntest;
  bool syntax_ok, checked;
  bool too_large; /* a circuit was: what calls it will be too */
  uint32_t before; /* errors that were there before this unit */
  struct seen { uint64_t key; } *seen; /* messages already given */
  size_t nseen, capseen;
  uint64_t work; /* nodes looked at, bounds the analysis of loops */
  uint32_t ninst, depth;
};

/* ---- instances ---- */

typedef struct ninfo {
  const ty *t;    /* type of the expression, hull over all analyses */
  const ty *want; /* declared type it is put into, or of the declaration */
  void *p;        /* CALL: inst; loops: loopfact */
} ninfo;

/* What a loop needs when it is lowered. */
typedef struct loopfact {
  const ty **carry; /* by loopset: hull at the head and at the end */
  int64_t trip;     /* static trip count, -1 if it is not */
} loopfact;

struct inst {
  fe_unit *u;
  const sym *s; /* NULL for a test */
  fninfo *f;
  module *mod;
  const ty **targ;  /* generics: a type; a size is an int of one value */
  const ty **param; /* types at entry */
  const ty *ret;    /* declared; NULL: () */
  const ty *want;   /* of a constant: its declared type */
  const ty *value;  /* hull of what is returned, once done */
  bool leak;        /* an unlabelled result is secret */
  span leak_sp;
  bool called;
  ninfo *info;      /* by node id - f->id0 */
  uint32_t id0, id1;
  bool poly;  /* unlabelled places take labels */
  bool test, busy, failed;
  bool guarded; /* called under a secret condition: nothing in it may fail */
  bool wide_field; /* a secret in it, or in what it calls, needs more than */
  span wide_sp;    /* 2^61 - 1: there */
  inst *next, *caller;
  span call_sp;
};

/* ---- abstract values ---- */

/* value = slot's leaf at the head of the loop + something in d. */
typedef struct rel {
  uint32_t loop; /* serial of the analysed loop */
  uint32_t slot, leaf;
  const ival *d;
} rel;

/* fresh: type of the elements that the next indexed update touches, where
 * that is known better than t, the type of all elements: turns of a loop that
 * touch distinct elements find each as it was before the loop.  NULL: t. */
typedef struct val {
  const ty *t;
  const rel **rel; /* by leaf, entries may be NULL; NULL: none */
  const ty *fresh;
} val;
static inline const ty *val_fresh(val v) { return v.fresh ? v.fresh : v.t; }

typedef struct trail {
  uint32_t slot;
  val old;
} trail;

/* A loop being analysed: are the elements that its turns change distinct?
 * at[i] is the place that stores to set->slot[i], NULL before the first. */
typedef struct frame {
  const loopset *set;
  int64_t var; /* slot of the loop variable; -1: none */
  const node **at;
  bool *shared; /* turns may touch the same element of this slot */
  struct frame *up;
} frame;

/* A secret condition around what is analysed. */
typedef struct under {
  span cond;
  uint32_t first; /* slots below are declared outside of it */
} under;

/* The analysis of one instance. */
typedef struct an {
  fe_unit *u;
  inst *in;
  val *cur;          /* by slot */
  const ty **decl;   /* by slot: declared type or NULL */
  trail *trail;
  uint32_t ntrail, captrail;
  bool quiet;        /* do not record: intervals are still being sought */
  bool join;         /* record hulls */
  bool wide;         /* calls give all of their declared results */
  uint32_t poisons;  /* errors met, quiet ones too */
  uint32_t loop;     /* serial of the innermost loop being analysed, 0 none */
  uint32_t nloop;
  bool returned;     /* the statements from here on are not reached */
  frame *frame;
  const under *under; /* the innermost, NULL: none */
  bool beside; /* right of a secret && or || */
  uint32_t *stamp, stamps; /* by slot: scratch of merge */
} an;

/* ---- unit.c ---- */
sym *module_find(const module *m, const char *name);
/* Of the standard library, which may use what others may not. */
bool module_is_std(const fe_unit *u, const module *m);
sym *module_add(fe_unit *u, module *m, const node *d, res_kind k);
fninfo *new_fn(fe_unit *u, const node *d);
inst *base_inst(fe_unit *u, const sym *s);
uint32_t name_hash(const char *s);
/* One report per place and id, however often a place is analysed. */
bool fe_once(fe_unit *u, diag_id id, span sp);
/* REPORT(a, NAME, span, arguments of the format...): dropped, with its hints,
 * while the analysis is quiet or if the place has been reported. */
#define REPORT(A, ID, ...)                                            \
  do {                                                                \
    bool mute_ = (A)->quiet || !fe_once((A)->u, DIAG_##ID,            \
                                        REPORT_SPAN(__VA_ARGS__, 0)); \
    if (mute_) diag_mute((A)->u->dg);                                 \
    diag_report((A)->u->dg, DIAG_##ID, __VA_ARGS__);                  \
    if (mute_) diag_unmute((A)->u->dg);                               \
  } while (0)
#define REPORT_SPAN(SP, ...) (SP)

/* ---- contract.c ---- */
void contract_load(fe_unit *u, module *m, const node *d, sym *s);
/* The declared type of a state variable (of a map: of its values). */
const ty *state_type(fe_unit *u, sym *s);
const ty *hidden_type(fe_unit *u, const hidden *h);
const hidden *hidden_find(const fninfo *f, uint32_t slot);
/* The map that n is an entry of, all keys given; key[0 .. nkey-1] its keys in
 * order.  NULL: n is no such index. */
enum { MAP_KEYS_MAX = 8 };
sym *map_entry(const fe_unit *u, const node *n, const node **key);
/* The part of a place that is the entry of a map, or NULL. */
const node *map_root(const fe_unit *u, const node *place);
val map_whole(an *a, const node *n, const sym *s); /* an error */
val map_of(an *a, const node *n, sym *s, const node *const *key);
void map_assign(an *a, const node *n);
void emit_of(an *a, const node *n);
void check_contracts(fe_unit *u);

/* ---- secret.c ---- */
/* What in the branches or the loop n would tell the condition: reported; false
 * if there is nothing. */
bool effect_under_secret(an *a, const node *n, span cond);
/* Values of type t that a secret decides: all of it secret; reports what cannot
 * be. */
const ty *decided(an *a, span sp, const ty *t, const char *what);
/* May a place of the declared type hold what `why`, a secret condition or
 * index, decides?  Reports. */
bool decided_fits(an *a, const node *n, const local *v, const ty *want,
                  const char *why, span at);
void return_under_secret(an *a, const node *n);
/* Is a secret condition around it, here or where the function is called? */
static inline bool is_guarded(const an *a) {
  return a->under || a->beside || a->in->guarded;
}
/* n assigns something: the condition of a secret `while` may not. */
bool assigns_within(const node *n);
/* The result of an operation that gives r if nothing of the label is secret. */
static inline ty_label label_join(ty_label x, ty_label y) {
  return x == LAB_SEC || y == LAB_SEC ? LAB_SEC : LAB_PUB;
}

/* ---- list.c ---- */
fe_param fe_make_typed(fe_unit *u, const char *name, const ty *t, span sp);
void fe_list_fn(fe_unit *u, const sym *s, fe_fn *f);
void fe_list(fe_unit *u);
fe_param fe_make_param(fe_unit *u, const char *name, const ty *t);

/* ---- resolve.c ---- */
void resolve_fn(fe_unit *u, module *m, fninfo *f);
void resolve_const(fe_unit *u, module *m, sym *s); /* also structs, state,
                                                        events */
void resolve_init(fe_unit *u, contract_info *c);
sym *find_sym(fe_unit *u, module *m, const char *name, span sp, bool report);
import *find_import(module *m, const node *n); /* NAME or dotted FIELD */
void ids_of(const node *n, uint32_t *lo, uint32_t *hi);

/* ---- type_of.c ---- */
/* The type a type expression means; labels may be open.  Error type after a
 * report. */
const ty *type_of(an *a, const node *t);
/* Open labels become secret; an error where the type cannot be. */
const ty *label_secret(an *a, const ty *t, span sp);
/* A size: a compile-time integer >= 1; 0 after a report. */
uint64_t size_of(an *a, const node *n, const char *what);
/* Generics of `in` from the type of an argument; false after a report. */
typedef struct unifier {
  an *a;
  const char *const *name;
  uint32_t n;
  const ty **targ;
  span sp;
  bool *size; /* it is the size of an array: of one value */
} unifier;
unifier unifier_new(an *a, const char *const *name, uint32_t n, span sp);
bool unify(unifier *u, module *m, const node *t, const ty *arg);
const sym *struct_sym(an *a, module *m, const char *name, span sp);
const ty *struct_field_types(an *a, const sym *s, const ty **targ, span sp);
const char **struct_generics(an *a, const sym *s, uint32_t *n);

/* ---- fit.c ---- */
typedef struct fitting {
  span sp;
  const char *what;  /* "variable \"x\"", "result" */
  bool follow;       /* an open label follows the value */
  bool leaked;       /* out: it did, and the value is secret */
  const ty *held;    /* what a place without a declared type holds; or NULL */
} fitting;
/* A value of type v goes where `want` is declared; its type there. */
const ty *fit(an *a, fitting *f, const ty *v, const ty *want);
val fit_val(an *a, fitting *f, val v, const ty *want);
/* What a place takes that holds a t and has no declared type: anything of its
 * shape, but fields of structs what they are declared to be. */
const ty *undeclared(an *a, const ty *t);

/* ---- expr.c ---- */
val expr_of(an *a, const node *n, const ty *want);
val val_of(const ty *t);
const ty *poison(an *a);
void record(an *a, const node *n, const ty *t);
ninfo *info_of(const inst *in, const node *n); /* NULL outside of in */
const char *tx(an *a, const ty *t);  /* type text; empty while quiet */
const char *ivtx(an *a, const ival *v); /* "0..510" */
const char *suggest(an *a, const ival *v, ty_label l);
/* A computed integer: too wide for its label is an error. */
const ty *checked_int(an *a, span sp, const ival *iv, ty_label l,
                      const char *what);
bool secret_fits(const an *a, const ival *iv);
/* Such a secret is here: the instance may need the wider field. */
void secret_seen(an *a, const ival *iv, span sp);
/* The instance, and the contract it is of, need the wide field. */
void needs_wide(an *a, span sp);
const char *field_text(const an *a);  /* "2^61 - 1" */
unsigned secret_bits(const an *a, bool sign); /* N of the widest uN, or iN */
bool same_expr(const node *x, const node *y);
void unsupported(an *a, span sp, const char *what, const char *mend);
val const_val(an *a, sym *s, span sp);

/* ---- operators.c ---- */
val unary_of(an *a, const node *n, const ty *want);
val binary_of(an *a, const node *n, const ty *want);
val apply_binary(an *a, const node *n, node_op op, val x, val y);
bool broadcast(const ty *x, const ty *y, uint64_t *dim, uint32_t *ndim);
const ty *fixed_result(an *a, unsigned i, unsigned f, const ival *raw,
                       ty_label l);
const ival *fixed_raw(an *a, const ty *t, unsigned f); /* at f fraction bits */
unsigned fixed_ibits(const ty *t, unsigned least); /* of an int or fixed */
bool is_decimal(const node *n);
/* The declared uN of x, of type t, whose bits n means; kept in n's want.  NULL
 * after a report. */
const ival *whole_width(an *a, const node *n, const node *x, const ty *t,
                        const char *what);

/* ---- arrays.c ---- */
val index_of(an *a, const node *n);
const ty *index_type(an *a, const node *n, const ty *base); /* when read */
const ty *index_place(an *a, const node *n, const ty *base); /* as declared */
val array_of(an *a, const node *n, const ty *want);
val repeat_of(an *a, const node *n, const ty *want);
val compr_of(an *a, const node *n, const ty *want);
const ty *matmul_type(an *a, const node *n, const ty *x, const ty *y);
bool slice_length(an *a, const node *range, uint64_t extent, uint64_t *len);

/* ---- calls.c ---- */
val call_of(an *a, const node *n, const ty *want);
val structlit_of(an *a, const node *n);
inst *new_inst(fe_unit *u, const sym *s, fninfo *f, module *m);
void check_inst(fe_unit *u, inst *in, const ty *ret);
void inst_gives(inst *in, const ty *t); /* a value that it returns */
const ty *entry_type(an *a, const ty *decl, const ty *arg, bool *poly);

/* ---- circuit.c ---- */
/* The body is the name of a circuit file, not a block. */
static inline bool is_circuit(const node *fn) {
  return fn->kind == N_FN && fn->kid[3]->kind == N_STRING;
}
/* The file's circuit, read once; NULL after a report. */
struct bristol *circuit_of(fe_unit *u, const sym *s);
/* The value of a circuit on in's parameters; reports where they, or the
 * declared result, are not as the file has them. */
val circuit_value(an *a, const ty *ret);
/* A circuit that no one may call yet: is it declared as its file is? */
void circuit_check(fe_unit *u, const sym *s);

/* ---- builtins.c ---- */
val builtin_of(an *a, const node *n, builtin b, const ty *want);

val field_val(an *a, const node *n, val base);
val join_vals(an *a, val x, val y); /* type NULL: they do not agree */

/* ---- stmt.c ---- */
void bind_pattern(an *a, const node *p, val v);
/* The assignment to `place` may touch an element in several turns. */
void note_store(an *a, uint32_t slot, const node *place);
val block_of(an *a, const node *n, const ty *want);
val if_of(an *a, const node *n, const ty *want);
void set_slot(an *a, uint32_t slot, val v);
void stmt_of(an *a, const node *n);
void roll_back(an *a, uint32_t mark);

/* ---- lower_narrow.c ---- */
/* The variables in cond, which is evaluated and of the label, are what they may
 * be where it is `truth`. */
void narrow(an *a, const node *cond, bool truth, ty_label label);

/* ---- loop.c ---- */
/* Analyses `body` so often that the state at the loop's head holds for every
 * turn; tlo..thi is the number of turns. */
typedef void (*loop_body)(an *a, const node *n, void *user);
void analyse_loop(an *a, const node *n, loop_body body, void *user,
                  mpz_srcptr tlo, mpz_srcptr thi, int64_t var);

#endif
