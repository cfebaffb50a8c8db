/* Names, once per function: every NAME gets what it stands for, every loop the
 * slots it may assign.  Locals are numbered in order of declaration, so that a
 * slot below a loop's first is declared outside of it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "frontend/builtin.h"
#include "frontend/sema.h"

typedef struct entry {
  const char *name;
  uint32_t slot, hash;
  int32_t prev; /* older entry of the same bucket, -1 none */
} entry;

typedef struct rs {
  fe_unit *u;
  module *m;
  fninfo *f;
  VEC(entry) scope;
  int32_t bucket[512];
  VEC(local) local;
  VEC(loopset *) loops;
  VEC(uint32_t) caps;
  VEC(uint64_t) opened; /* when each loop was entered */
  uint64_t time;        /* of assignments and loops, in order of the source */
  VEC(uint64_t) last;   /* by slot: its latest assignment */
  bool sig;             /* in the types of a declaration */
} rs;

static void expr(rs *r, const node *n);
static void block(rs *r, const node *n);

static void set(rs *r, const node *n, res_kind k, uint32_t idx, void *p) {
  r->u->res[n->id] = (res){(uint8_t)k, idx, p};
}

/* ---- scopes ---- */

static uint32_t declare(rs *r, const node *n, const char *name, bool mutable,
                        bool param) {
  if (r->sig) {
    diag_report(r->u->dg, DIAG_SIZE_NOT_CONSTANT, n->sp, "array size", name);
    diag_hint(r->u->dg, "A size here declares no names; make it a `const`.");
  }
  uint32_t slot = (uint32_t)r->local.n;
  local l = {.name = name, .decl = n, .sp = n->name_sp.end ? n->name_sp : n->sp,
             .mutable = mutable, .param = param};
  vec_push(r->u->a, &r->local, l);
  vec_push(r->u->a, &r->last, 0);
  uint32_t h = name_hash(name);
  entry e = {name, slot, h, r->bucket[h & 511]};
  vec_push(r->u->a, &r->scope, e);
  r->bucket[h & 511] = (int32_t)r->scope.n - 1;
  set(r, n, R_LOCAL, slot, NULL);
  return slot;
}

static void leave(rs *r, size_t mark) {
  while (r->scope.n > mark) {
    const entry *e = &r->scope.p[--r->scope.n];
    r->bucket[e->hash & 511] = e->prev;
  }
}

static int64_t lookup(const rs *r, const char *name) {
  uint32_t h = name_hash(name);
  for (int32_t i = r->bucket[h & 511]; i >= 0; i = r->scope.p[i].prev)
    if (strcmp(r->scope.p[i].name, name) == 0) return r->scope.p[i].slot;
  return -1;
}

import *find_import(module *m, const node *n) {
  char path[512];
  size_t at = sizeof path - 1;
  path[at] = 0;
  for (;; n = n->kid[0]) {
    if (n->kind != N_NAME && n->kind != N_FIELD) return NULL;
    size_t len = strlen(n->text);
    if (len + 1 > at) return NULL;
    at -= len;
    memcpy(path + at, n->text, len);
    if (n->kind == N_NAME) break;
    path[--at] = '.';
  }
  for (uint32_t i = 0; i < m->nimport; i++)
    if (!strcmp(m->import[i].path, path + at) ||
        !strcmp(m->import[i].last, path + at))
      return &m->import[i];
  return NULL;
}

/* The file's own names, then those of its imports if only one has it. */
sym *find_sym(fe_unit *u, module *m, const char *name, span sp, bool report) {
  sym *s = module_find(m, name);
  if (s) return s;
  const import *from = NULL;
  for (uint32_t i = 0; i < m->nimport; i++) {
    sym *t = m->import[i].mod ? module_find(m->import[i].mod, name) : NULL;
    if (!t || t == s) continue;
    if (s && report) {
      diag_report(u->dg, DIAG_AMBIGUOUS_NAME, sp, name, from->path,
                  m->import[i].path);
      diag_hint(u->dg, "Write \"%s.%s\" or \"%s.%s\".", from->last, name,
                m->import[i].last, name);
      return s;
    }
    s = t;
    from = &m->import[i];
  }
  return s;
}

/* Levenshtein distance, at most 3 told apart. */
static unsigned distance(const char *a, const char *b) {
  size_t n = strlen(a), m = strlen(b);
  if (n > 30 || m > 30 || (n > m ? n - m : m - n) > 2) return 9;
  unsigned row[32];
  for (unsigned j = 0; j <= m; j++) row[j] = j;
  for (unsigned i = 1; i <= n; i++) {
    unsigned diagonal = row[0];
    row[0] = i;
    for (unsigned j = 1; j <= m; j++) {
      unsigned best = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      if (row[j] + 1 < best) best = row[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      row[j] = best;
    }
  }
  return row[m];
}

static const char *nearest(rs *r, const char *name) {
  const char *best = NULL;
  unsigned d = strlen(name) < 4 ? 2 : 3;
  for (size_t i = r->scope.n; i-- > 0 && r->scope.n - i < 2000;) {
    unsigned e = distance(name, r->scope.p[i].name);
    if (e < d) d = e, best = r->scope.p[i].name;
  }
  for (const sym *s = r->m->first; s; s = s->order) {
    unsigned e = distance(name, s->name);
    if (e < d) d = e, best = s->name;
  }
  for (unsigned i = 0; i < B_COUNT_ALL && !builtin_is_trusted(i); i++) {
    unsigned e = distance(name, builtin_name(i));
    if (e < d) d = e, best = builtin_name(i);
  }
  return best;
}

/* Names that contracts have in other languages. */
static const char *elsewhere(const char *name) {
  static const struct {
    const char *name, *mend;
  } t[] = {{"msg", "Who calls is `caller`."},
           {"tx", "Who calls is `caller`."},
           {"sender", "Who calls is `caller`."},
           {"block", "The ledger's time in seconds is `now`, the number of the "
                     "record `height`."},
           {"this", "State is named as it is: `filled`."},
           {"self", "State is named as it is: `filled`."},
           {"revert", "Say what has to hold: `require(c, \"why\")`."}};
  for (size_t i = 0; i < sizeof t / sizeof *t; i++)
    if (!strcmp(t[i].name, name)) return t[i].mend;
  return NULL;
}

static void unknown(rs *r, const node *n, const char *what) {
  set(r, n, R_ERROR, 0, NULL);
  diag_report(r->u->dg, DIAG_UNKNOWN_NAME, n->sp, what, n->text);
  const char *other = elsewhere(n->text);
  if (other) {
    diag_hint(r->u->dg, "%s", other);
    return;
  }
  /* A guess costs a look at all names; the first mistakes get one. */
  const char *s = diag_errors(r->u->dg) < 30 ? nearest(r, n->text) : NULL;
  if (s) diag_hint(r->u->dg, "There is a similar name: \"%s\".", s);
}

static void to_sym(rs *r, const node *n, sym *s) {
  set(r, n, s->kind, 0, s);
}

static bool is_context(const char *s) {
  for (int i = 0; i < NCONTEXT; i++)
    if (!strcmp(s, context_name[i])) return true;
  return false;
}

/* In actions these are locals and were found.  `now` and `height` are plain
 * names where there is no contract. */
static bool outside_action(rs *r, const node *n) {
  if (!r->m->contract && strcmp(n->text, "caller")) return false;
  diag_report(r->u->dg, DIAG_CONTEXT_OUTSIDE, n->sp, n->text);
  diag_hint(r->u->dg, "Pass it as an argument.");
  set(r, n, R_ERROR, 0, NULL);
  return true;
}

static void outside_state(rs *r, const node *n, const sym *s) {
  diag_report(r->u->dg, DIAG_STATE_OUTSIDE, n->sp, s->name);
  diag_note(r->u->dg, s->decl->name_sp, "declared here");
  diag_hint(r->u->dg, "Pass it as an argument and give back what it becomes.");
  set(r, n, R_ERROR, 0, NULL);
}

/* A function that is always there, for this module. */
static int builtin_here(const rs *r, const char *name) {
  int b = builtin_find(name);
  return b >= 0 && builtin_is_trusted((unsigned)b) &&
                 !module_is_std(r->u, r->m)
             ? -1 : b;
}

static void name(rs *r, const node *n, bool callee) {
  int64_t slot = lookup(r, n->text);
  if (slot >= 0) {
    r->local.p[slot].used = true;
    set(r, n, R_LOCAL, (uint32_t)slot, NULL);
    return;
  }
  for (uint32_t i = 0; r->f && i < r->f->ngeneric; i++)
    if (!strcmp(r->f->generic[i], n->text)) {
      set(r, n, R_GENERIC, i, NULL);
      return;
    }
  sym *s = module_find(r->m, n->text);
  if (!s && is_context(n->text) && outside_action(r, n)) return;
  int b = s ? -1 : builtin_here(r, n->text);
  if (b >= 0) {
    set(r, n, R_BUILTIN, (uint32_t)b, NULL);
    return;
  }
  if (!s) s = find_sym(r->u, r->m, n->text, n->sp, true);
  if (s && s->kind == R_STATE) outside_state(r, n, s);
  else if (s) to_sym(r, n, s);
  else unknown(r, n, callee ? "function" : "name");
}

/* ---- assignment ---- */

static void assigns(rs *r, uint32_t slot) {
  r->local.p[slot].assigned = true;
  uint64_t before = r->last.p[slot];
  r->last.p[slot] = ++r->time;
  for (size_t i = r->loops.n; i-- > 0;) {
    loopset *l = r->loops.p[i];
    if (slot >= l->first) break;
    if (before > r->opened.p[i]) break; /* this loop has it, and those around */
    if (l->n == r->caps.p[i]) {
      uint32_t cap = l->n ? l->n * 2 : 8;
      l->slot = arena_grow(r->u->a, l->slot, l->n, cap, sizeof *l->slot);
      r->caps.p[i] = cap;
    }
    l->slot[l->n++] = slot;
  }
}

/* The place of an assignment; the name at its root is not "used" by it. */
static void place(rs *r, const node *n) {
  const node *root = n;
  while (root->kind == N_INDEX || root->kind == N_FIELD) {
    for (uint32_t i = 1; i < root->nkid; i++) expr(r, root->kid[i]);
    root = root->kid[0];
  }
  if (root->kind != N_NAME) { /* the grammar has reported it */
    set(r, n, R_ERROR, 0, NULL);
    return;
  }
  int64_t slot = lookup(r, root->text);
  if (slot < 0) {
    name(r, root, false);
    if (r->u->res[root->id].kind == R_MAP) return;
    if (r->u->res[root->id].kind != R_ERROR) {
      diag_report(r->u->dg, DIAG_NOT_ASSIGNABLE, root->sp, root->text,
                  "not a variable");
      diag_hint(r->u->dg, "Assign to a `var`.");
      set(r, root, R_ERROR, 0, NULL);
    }
    return;
  }
  set(r, root, R_LOCAL, (uint32_t)slot, NULL);
  const local *l = &r->local.p[slot];
  if (!l->mutable) {
    const hidden *h = l->hidden ? hidden_find(r->f, (uint32_t)slot) : NULL;
    if (l->hidden) {
      bool view = r->f->decl->kind == N_FN && r->f->decl->op == FN_VIEW;
      diag_report(r->u->dg, DIAG_NOT_ASSIGNABLE, root->sp, root->text,
                  !h || !h->state       ? "told by the ledger"
                  : h->state->constant ? "a parameter of the contract, fixed "
                                         "when it is deployed"
                                       : "state, which a view only reads");
      diag_hint(r->u->dg, view && h && h->state && !h->state->constant
                              ? "Make it an action."
                              : "Declare a state variable.");
      return;
    }
    const char *why = l->param     ? "a parameter"
                      : l->loopvar ? "the variable of a loop"
                                   : "declared with `let`";
    diag_report(r->u->dg, DIAG_NOT_ASSIGNABLE, root->sp, root->text, why);
    if (l->param || l->loopvar)
      diag_hint(r->u->dg, "Copy it first: `var v = %s;`.", root->text);
    else
      diag_hint(r->u->dg, "Declare it with `var %s`.", root->text);
    diag_note(r->u->dg, l->sp, "declared here");
    return;
  }
  assigns(r, (uint32_t)slot);
}

/* ---- patterns, loops ---- */

static void pattern(rs *r, const node *p, bool mutable, bool loopvar) {
  if (p->kind == N_TUPLE) {
    for (uint32_t i = 0; i < p->nkid; i++) {
      const node *k = p->kid[i];
      for (uint32_t j = 0; j < i; j++)
        if (k->kind == N_NAME && p->kid[j]->kind == N_NAME &&
            strcmp(k->text, "_") && !strcmp(k->text, p->kid[j]->text)) {
          diag_report(r->u->dg, DIAG_TWICE, k->sp, k->text);
          diag_hint(r->u->dg, "Give each part its own name.");
        }
      pattern(r, k, mutable, loopvar);
    }
  } else if (p->kind == N_NAME) {
    uint32_t s = declare(r, p, p->text, mutable, false);
    r->local.p[s].loopvar = loopvar;
  }
}

static loopset *enter_loop(rs *r, const node *n) {
  loopset *l = ARENA_NEW(r->u->a, loopset);
  l->first = (uint32_t)r->local.n;
  vec_push(r->u->a, &r->loops, l);
  vec_push(r->u->a, &r->caps, 0);
  vec_push(r->u->a, &r->opened, ++r->time);
  set(r, n, R_LOOP, 0, l);
  return l;
}

static int by_slot(const void *x, const void *y) {
  uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
  return (a > b) - (a < b);
}

int64_t loopset_find(const loopset *l, uint32_t slot) {
  const uint32_t *p = l->n ? bsearch(&slot, l->slot, l->n, sizeof slot, by_slot)
                           : NULL;
  return p ? p - l->slot : -1;
}

static void leave_loop(rs *r) {
  loopset *l = r->loops.p[--r->loops.n];
  if (l->n) qsort(l->slot, l->n, sizeof *l->slot, by_slot);
  r->opened.n--;
  r->caps.n--;
}

/* ---- types ---- */

static void type(rs *r, const node *t) {
  if (!t) return;
  uint32_t from = 0;
  switch (t->kind) {
  case N_TY_FIXED: break;
  case N_TY_ARRAY:
    type(r, t->kid[0]);
    from = 1;
    break;
  case N_TY_SECRET:
  case N_TY_PUBLIC: {
    node_kind k = t->kid[0]->kind;
    if (k == N_TY_SECRET || k == N_TY_PUBLIC) {
      diag_report(r->u->dg, DIAG_LABEL_TWICE, t->sp,
                  t->kind == N_TY_SECRET ? "secret" : "public",
                  k == N_TY_SECRET ? "secret" : "public");
      diag_hint(r->u->dg, "Write one of them.");
    }
    type(r, t->kid[0]);
    return;
  }
  case N_TY_TUPLE:
  case N_TY_APPLY:
    for (uint32_t i = 0; i < t->nkid; i++)
      if (t->kid[i]->kind == N_INT) expr(r, t->kid[i]);
      else type(r, t->kid[i]);
    return;
  default: return;
  }
  for (uint32_t i = from; i < t->nkid; i++) expr(r, t->kid[i]);
}

/* ---- expressions ---- */

static bool type_argument(const node *call, uint32_t i) {
  const node *c = call->kid[0];
  if (c->kind != N_NAME || i != 2) return false;
  return !strcmp(c->text, "wrap") || !strcmp(c->text, "clamp") ||
         !strcmp(c->text, "assume");
}

/* A type where the grammar could only see an expression. */
static void type_like(rs *r, const node *n) {
  switch (n->kind) {
  case N_NAME: return; /* type_of looks it up */
  case N_REPEAT:
    type_like(r, n->kid[0]);
    for (uint32_t i = 1; i < n->nkid; i++) expr(r, n->kid[i]);
    return;
  case N_TUPLE:
    for (uint32_t i = 0; i < n->nkid; i++) type_like(r, n->kid[i]);
    return;
  default: type(r, n);
  }
}

static void call(rs *r, const node *n) {
  const node *c = n->kid[0];
  bool types = false;
  if (c->kind == N_NAME) {
    name(r, c, true);
    types = r->u->res[c->id].kind == R_BUILTIN;
    if (r->u->res[c->id].kind == R_LOCAL) {
      diag_report(r->u->dg, DIAG_NOT_CALLABLE, c->sp, c->text);
      diag_hint(r->u->dg, "Only functions can be called.");
      set(r, c, R_ERROR, 0, NULL);
    }
  } else if (c->kind == N_FIELD) {
    import *im = c->kid[0]->kind == N_NAME && lookup(r, c->kid[0]->text) >= 0
                     ? NULL : find_import(r->m, c->kid[0]);
    sym *s = im && im->mod ? module_find(im->mod, c->text) : NULL;
    if (s) {
      to_sym(r, c, s);
    } else if (im) {
      set(r, c, R_ERROR, 0, NULL);
      if (im->mod) {
        diag_report(r->u->dg, DIAG_NOT_IN_MODULE, c->name_sp.end ? c->name_sp
                    : c->sp, im->path, c->text);
        diag_hint(r->u->dg, "Look at the functions of %s.", im->mod->path);
      }
    } else {
      set(r, c, R_ERROR, 0, NULL);
      diag_report(r->u->dg, DIAG_NOT_CALLABLE, c->sp, c->text);
      diag_hint(r->u->dg, "A function of another file needs `import`; there "
                          "are no methods.");
    }
  } else if (c->kind == N_TY_FIXED) {
    type(r, c);
  } else {
    set(r, c, R_ERROR, 0, NULL);
    diag_report(r->u->dg, DIAG_NOT_CALLABLE, c->sp, "this expression");
    diag_hint(r->u->dg, "Only functions can be called, by their name.");
  }
  for (uint32_t i = 1; i < n->nkid; i++) {
    const node *g = n->kid[i];
    if (types && type_argument(n, i)) type_like(r, g);
    else expr(r, g->kind == N_NAMED ? g->kid[0] : g);
  }
}

static void compr(rs *r, const node *n) {
  size_t mark = r->scope.n;
  for (uint32_t i = 1; i < n->nkid; i++)
    expr(r, n->kid[i]->kid[1]); /* sources do not see the variables */
  enter_loop(r, n);
  for (uint32_t i = 1; i < n->nkid; i++)
    pattern(r, n->kid[i]->kid[0], false, true);
  expr(r, n->kid[0]);
  leave_loop(r);
  leave(r, mark);
}

static void field(rs *r, const node *n) {
  const node *base = n->kid[0];
  if (base->kind == N_NAME || base->kind == N_FIELD) {
    const node *root = base;
    while (root->kind == N_FIELD) root = root->kid[0];
    if (root->kind == N_NAME && lookup(r, root->text) < 0) {
      import *im = find_import(r->m, base);
      sym *s = im && im->mod ? module_find(im->mod, n->text) : NULL;
      if (s) {
        to_sym(r, n, s);
        return;
      }
      if (im && !module_find(r->m, root->text)) {
        set(r, n, R_ERROR, 0, NULL);
        if (im->mod)
          diag_report(r->u->dg, DIAG_NOT_IN_MODULE, n->sp, im->path, n->text);
        return;
      }
    }
  }
  expr(r, base);
}

static void expr(rs *r, const node *n) {
  if (!n) return;
  /* The left spine in a loop; right operands on the way back up do not need
   * the order of the source, as expressions declare no names outside. */
  while (n->kind == N_BINARY) {
    expr(r, n->kid[1]);
    n = n->kid[0];
  }
  switch (n->kind) {
  case N_NAME: name(r, n, false); break;
  case N_CALL: call(r, n); break;
  case N_FIELD: field(r, n); break;
  case N_COMPR: compr(r, n); break;
  case N_IF: {
    expr(r, n->kid[0]);
    set(r, n, R_NONE, (uint32_t)r->local.n, NULL); /* slots of its branches */
    block(r, n->kid[1]);
    if (n->nkid > 2 && n->kid[2]) {
      if (n->kid[2]->kind == N_IF) expr(r, n->kid[2]);
      else block(r, n->kid[2]);
    }
    break;
  }
  case N_BLOCK: block(r, n); break;
  case N_TY_NAME:
  case N_TY_FIXED:
  case N_TY_SECRET:
  case N_TY_PUBLIC:
  case N_TY_ARRAY:
  case N_TY_TUPLE:
  case N_TY_APPLY:
    diag_report(r->u->dg, DIAG_TYPE_AS_VALUE, n->sp);
    diag_hint(r->u->dg, "A type stands after `:`, `->` or as the second "
                        "argument of wrap, clamp and assume.");
    set(r, n, R_ERROR, 0, NULL);
    break;
  default:
    for (uint32_t i = 0; i < n->nkid; i++)
      expr(r, n->kid[i] && n->kid[i]->kind == N_NAMED ? n->kid[i]->kid[0]
                                                      : n->kid[i]);
  }
}

/* ---- statements ---- */

static void emit(rs *r, const node *n) {
  sym *s = module_find(r->m, n->text);
  if (s && s->kind == R_EVENT) {
    set(r, n, R_EVENT, 0, s);
  } else {
    set(r, n, R_ERROR, 0, NULL);
    diag_report(r->u->dg, DIAG_UNKNOWN_NAME, n->name_sp, "event", n->text);
    diag_hint(r->u->dg, r->m->contract
                            ? "Declare it in the contract: `event %s(..);`."
                            : "Events belong to a contract: `event %s(..);`.",
              n->text);
  }
  for (uint32_t i = 0; i < n->nkid; i++)
    expr(r, n->kid[i]->kind == N_NAMED ? n->kid[i]->kid[0] : n->kid[i]);
}

static void stmt(rs *r, const node *n) {
  switch (n->kind) {
  case N_LET:
  case N_VAR:
    type(r, n->kid[1]);
    expr(r, n->kid[2]);
    pattern(r, n->kid[0], n->kind == N_VAR, false);
    break;
  case N_ASSIGN:
    expr(r, n->kid[1]);
    place(r, n->kid[0]);
    break;
  case N_FOR: {
    size_t mark = r->scope.n;
    expr(r, n->kid[1]);
    enter_loop(r, n);
    pattern(r, n->kid[0], false, true);
    block(r, n->kid[2]);
    leave_loop(r);
    leave(r, mark);
    break;
  }
  case N_WHILE:
    expr(r, n->kid[1]);
    enter_loop(r, n);
    expr(r, n->kid[0]);
    block(r, n->kid[2]);
    leave_loop(r);
    break;
  case N_RETURN:
    if (n->nkid) expr(r, n->kid[0]);
    break;
  case N_EMIT: emit(r, n); break;
  case N_EXPR: expr(r, n->kid[0]); break;
  case N_ERROR: break;
  default: expr(r, n);
  }
}

static void block(rs *r, const node *n) {
  if (!n || n->kind == N_ERROR) return;
  size_t mark = r->scope.n;
  for (uint32_t i = 0; i < n->nkid; i++) stmt(r, n->kid[i]);
  leave(r, mark);
}

/* ---- a function ---- */

void ids_of(const node *n, uint32_t *lo, uint32_t *hi) {
  while (n) {
    if (n->id < *lo) *lo = n->id;
    if (n->id + 1 > *hi) *hi = n->id + 1;
    if (n->kind == N_BINARY) {
      ids_of(n->kid[1], lo, hi);
      n = n->kid[0];
      continue;
    }
    for (uint32_t i = 0; i < n->nkid; i++) ids_of(n->kid[i], lo, hi);
    return;
  }
}

/* Is every `return` the last statement of the function's block? */
static bool returns_inside(const node *n, bool last) {
  if (!n) return false;
  while (n->kind == N_BINARY) {
    if (returns_inside(n->kid[1], false)) return true;
    n = n->kid[0];
  }
  if (n->kind == N_RETURN) return !last;
  for (uint32_t i = 0; i < n->nkid; i++)
    if (returns_inside(n->kid[i], last && n->kind == N_BLOCK &&
                                      i + 1 == n->nkid &&
                                      n->kid[i]->kind == N_RETURN))
      return true;
  return false;
}

static void init(rs *r, fe_unit *u, module *m, fninfo *f) {
  *r = (rs){.u = u, .m = m, .f = f};
  for (int i = 0; i < 512; i++) r->bucket[i] = -1;
}

static void warn_unused(rs *r) {
  for (size_t i = 0; i < r->local.n; i++) {
    const local *l = &r->local.p[i];
    if (l->used || l->name[0] == '_' || l->loopvar || l->hidden) continue;
    if (l->param)
      diag_report(r->u->dg, DIAG_UNUSED_PARAMETER, l->sp, l->name);
    else if (l->assigned)
      diag_report(r->u->dg, DIAG_NEVER_READ, l->sp, l->name);
    else
      diag_report(r->u->dg, DIAG_UNUSED_VARIABLE, l->sp, l->name);
    diag_hint(r->u->dg, "Remove it, or call it \"_%s\" if it is meant.",
              l->name);
  }
}

/* State and context as locals that nothing declares in the source. */
static void hide(rs *r, const node *d, bool reads_only) {
  const contract_info *c = r->m->contract;
  fninfo *f = r->f;
  f->hide = ARENA_ARR(r->u->a, hidden, c->nstate + NCONTEXT);
  for (uint32_t i = 0; i < c->nstate + NCONTEXT; i++) {
    sym *s = i < c->nstate ? c->state[i] : NULL;
    if (s && s->kind == R_MAP) continue;
    if (s && s->constant && d->kind == N_CONTRACT) continue; /* a parameter */
    const char *name = s ? s->name : context_name[i - c->nstate];
    if (s && lookup(r, name) >= 0) {
      const local *l = &r->local.p[lookup(r, name)];
      diag_report(r->u->dg, DIAG_TWICE, l->sp, name);
      diag_note(r->u->dg, s->decl->name_sp, "the state variable");
      diag_hint(r->u->dg, "Give the parameter another name.");
      continue;
    }
    if (!s && lookup(r, name) >= 0) continue;
    uint32_t slot = (uint32_t)r->local.n;
    local l = {.name = name, .hidden = true,
               .mutable = s && !s->constant && !reads_only,
               .decl = s ? s->decl : d, .sp = s ? s->decl->name_sp : d->sp};
    vec_push(r->u->a, &r->local, l);
    vec_push(r->u->a, &r->last, 0);
    uint32_t h = name_hash(name);
    entry e = {name, slot, h, r->bucket[h & 511]};
    vec_push(r->u->a, &r->scope, e);
    r->bucket[h & 511] = (int32_t)r->scope.n - 1;
    f->hide[f->nhide++] = (hidden){s, s ? 0 : i - c->nstate, slot};
  }
}

void resolve_init(fe_unit *u, contract_info *c) {
  rs r;
  fninfo *f = c->init;
  const node *d = c->s->decl, *params = d->kid[1];
  init(&r, u, c->mod, f);
  uint32_t before = diag_errors(u->dg);
  f->resolved = true;
  f->id0 = UINT32_MAX;
  ids_of(d, &f->id0, &f->id1);
  for (uint32_t i = 0; i < params->nkid; i++)
    declare(&r, params->kid[i], params->kid[i]->text, false, true);
  f->nparam = params->nkid;
  hide(&r, d, false);
  for (uint32_t i = 0; i < c->nstate; i++) {
    const node *s = c->state[i]->decl;
    if (s->kind == N_STATE && s->kid[1]) expr(&r, s->kid[1]);
  }
  f->local = r.local.p;
  f->nlocal = (uint32_t)r.local.n;
  f->bad = diag_errors(u->dg) != before;
}

void resolve_fn(fe_unit *u, module *m, fninfo *f) {
  if (f->resolved) return;
  f->resolved = true;
  rs r;
  init(&r, u, m, f);
  const node *d = f->decl;
  uint32_t before = diag_errors(u->dg);
  f->id0 = UINT32_MAX;
  ids_of(d, &f->id0, &f->id1);
  const node *body = d->kid[0];
  if (d->kind == N_FN) {
    const node *params = d->kid[1];
    r.sig = true;
    for (uint32_t i = 0; i < params->nkid; i++)
      type(&r, params->kid[i]->kid[0]);
    r.sig = false;
    for (uint32_t i = 0; i < params->nkid; i++) {
      const node *p = params->kid[i];
      if (lookup(&r, p->text) >= 0) {
        diag_report(u->dg, DIAG_TWICE, p->sp, p->text);
        diag_hint(u->dg, "Give each parameter its own name.");
      }
      declare(&r, p, p->text, false, true);
    }
    f->nparam = params->nkid;
    r.sig = true;
    type(&r, d->kid[2]);
    r.sig = false;
    body = d->kid[3];
    if (d->op != FN_PLAIN && m->contract) hide(&r, d, d->op == FN_VIEW);
  }
  if (is_circuit(d)) {
    for (uint32_t i = 0; i < f->nparam; i++) r.local.p[i].used = true;
  } else {
    block(&r, body);
    f->early_return = returns_inside(body, true);
  }
  f->local = r.local.p;
  f->nlocal = (uint32_t)r.local.n;
  f->bad = diag_errors(u->dg) != before;
  if (!f->bad) warn_unused(&r);
}

void resolve_const(fe_unit *u, module *m, sym *s) {
  rs r;
  const node *d = s->decl;
  fninfo f = {0};
  if (d->kind == N_STRUCT) {
    const node *g = d->kid[0];
    f.generic = ARENA_ARR(u->a, const char *, (g ? g->nkid : 0) + 1);
    for (uint32_t i = 0; g && i < g->nkid; i++)
      f.generic[f.ngeneric++] = g->kid[i]->text;
  }
  init(&r, u, m, &f);
  if (d->kind == N_STATE || d->kind == N_PARAM) {
    r.sig = true;
    type(&r, d->kid[0]);
    return;
  }
  if (d->kind == N_TEMPLATE) {
    expr(&r, d->kid[0]);
    return;
  }
  if (d->kind == N_EVENT) {
    r.sig = true;
    for (uint32_t i = 0; i < d->nkid; i++) {
      type(&r, d->kid[i]->kid[0]);
      for (uint32_t k = 0; k < i; k++)
        if (!strcmp(d->kid[k]->text, d->kid[i]->text)) {
          diag_report(u->dg, DIAG_TWICE, d->kid[i]->sp, d->kid[i]->text);
          diag_hint(u->dg, "Give each field its own name.");
        }
    }
    return;
  }
  if (d->kind == N_STRUCT) {
    r.sig = true;
    for (uint32_t i = 1; i < d->nkid; i++) type(&r, d->kid[i]->kid[0]);
    r.sig = false;
    for (uint32_t i = 1; i < d->nkid; i++) {
      const node *p = d->kid[i];
      if (lookup(&r, p->text) >= 0) {
        diag_report(u->dg, DIAG_TWICE, p->sp, p->text);
        diag_hint(u->dg, "Give each field its own name.");
      }
      declare(&r, p, p->text, false, true);
    }
    return;
  }
  type(&r, d->kid[0]);
  expr(&r, d->kid[1]);
  s->nlocal = (uint32_t)r.local.n;
}
