/* Circuit text to a module.  Recursive descent over the grammar of docs/ir.md,
 * stopping at the first fault.
 *
 * The text may be hostile: nesting, digits and leaves are bounded, and memory
 * stays proportional to the text (lanes are numbers, not allocations).
 * Arity and the number of regions are checked here, because every reader of a
 * module indexes by them; everything else is verify's.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"
#include "ir/ir_lex.h"

enum { DIGITS_MAX = 20000, LEAVES_MAX = 16384 };

typedef struct binding {
  const char *name;
  size_t n;
  ir_value *v;
} binding;

typedef struct parser {
  arena *a;
  ir_module *m;
  diag *dg;
  ir_lexer lx;
  uint32_t base;
  binding *tab;
  size_t cap, n;
  bool failed;
} parser;

/* ---- reporting ---- */
static span span_of(const parser *p, const char *from, const char *to) {
  return (span){p->base + (uint32_t)(from - p->lx.text),
                p->base + (uint32_t)(to - p->lx.text)};
}

static span tok_span(const parser *p) {
  const char *to = p->lx.tok.at + p->lx.tok.n;
  return span_of(p, p->lx.tok.at, to > p->lx.end ? p->lx.end : to);
}

/* At most 40 printable characters of a token. */
static const char *shown(parser *p, const char *s, size_t n) {
  char t[44];
  size_t k = 0;
  for (; k < n && k < 40; k++)
    t[k] = isprint((unsigned char)s[k]) && (unsigned char)s[k] < 128 ? s[k]
                                                                     : '?';
  t[k] = 0;
  return arena_strdup(p->a, t);
}

static bool expected(parser *p, const char *what) {
  if (!p->failed) {
    const char *found = p->lx.tok.kind == TK_END
                            ? "the end of the text"
                            : arena_printf(p->a, "'%s'",
                                           shown(p, p->lx.tok.at, p->lx.tok.n));
    diag_report(p->dg, DIAG_IR_SYNTAX, tok_span(p), what, found);
  }
  p->failed = true;
  return false;
}

static bool wrong_name(parser *p, span sp, const char *kind, const char *s,
                       size_t n, const char *what) {
  if (!p->failed)
    diag_report(p->dg, DIAG_IR_NAME, sp, kind, shown(p, s, n), what);
  p->failed = true;
  return false;
}

static bool beyond(parser *p, const char *what, const char *holder,
                   const char *limit) {
  if (!p->failed)
    diag_report(p->dg, DIAG_IR_LIMIT, tok_span(p), what, holder, limit);
  p->failed = true;
  return false;
}

static bool tok_is(const parser *p, token_kind k, const char *s) {
  return p->lx.tok.kind == k && p->lx.tok.n == strlen(s) &&
         !memcmp(p->lx.tok.at, s, p->lx.tok.n);
}

static bool punct(const parser *p, char c) {
  return p->lx.tok.kind == TK_PUNCT && *p->lx.tok.at == c;
}

static bool take_punct(parser *p, char c) {
  if (!punct(p, c)) return false;
  ir_lex(&p->lx);
  return true;
}

static bool need_punct(parser *p, char c) {
  char what[4] = {'\'', c, '\'', 0};
  return take_punct(p, c) || expected(p, arena_strdup(p->a, what));
}

static bool take_word(parser *p, const char *s) {
  if (!tok_is(p, TK_WORD, s)) return false;
  ir_lex(&p->lx);
  return true;
}

static bool need_word(parser *p, const char *s) {
  return take_word(p, s) || expected(p, arena_printf(p->a, "'%s'", s));
}

static bool need_string(parser *p, const char **out) {
  if (p->lx.tok.kind != TK_STRING) return expected(p, "a string");
  *out = p->lx.tok.str;
  ir_lex(&p->lx);
  return true;
}

/* ---- numbers ---- */
static bool need_mpz(parser *p, mpz_ptr out) {
  if (p->lx.tok.kind != TK_INT) return expected(p, "an integer");
  if (p->lx.tok.n > DIGITS_MAX)
    return beyond(p, "the length of the number", "circuit text",
                  "20000 digits");
  mpz_set_str(out, arena_strndup(p->a, p->lx.tok.at, p->lx.tok.n), 10);
  ir_lex(&p->lx);
  return true;
}

static bool need_uint(parser *p, uint64_t max, uint64_t *out) {
  if (p->lx.tok.kind != TK_INT || *p->lx.tok.at == '-')
    return expected(p, "an integer >= 0");
  uint64_t v = 0;
  for (size_t k = 0; k < p->lx.tok.n; k++) {
    uint64_t d = (uint64_t)(p->lx.tok.at[k] - '0');
    if (v > (max - d) / 10 || d > max)
      return beyond(p, "the number", "this place",
                    arena_printf(p->a, "%llu", (unsigned long long)max));
    v = v * 10 + d;
  }
  *out = v;
  ir_lex(&p->lx);
  return true;
}

static bool need_u32(parser *p, uint32_t max, uint32_t *out) {
  uint64_t v;
  if (!need_uint(p, max, &v)) return false;
  *out = (uint32_t)v;
  return true;
}

static bool need_int(parser *p, int64_t *out) {
  mpz_t z;
  mpz_init(z);
  bool ok = need_mpz(p, z);
  if (ok && !mpz_fits_slong_p(z))
    ok = beyond(p, "the number", "this place", "63 bits and a sign");
  if (ok) *out = mpz_get_si(z);
  mpz_clear(z);
  return ok;
}

/* ---- names ---- */
static size_t slot_of(const parser *p, const char *s, size_t n) {
  size_t h = 1469598103934665603u;
  for (size_t k = 0; k < n; k++) h = (h ^ (unsigned char)s[k]) * 1099511628211u;
  for (size_t i = (h ^ (h >> 32)) & (p->cap - 1);; i = (i + 1) & (p->cap - 1))
    if (!p->tab[i].v ||
        (p->tab[i].n == n && !memcmp(p->tab[i].name, s, n)))
      return i;
}

static bool bind(parser *p, const token *name, ir_value *v) {
  if (2 * p->n >= p->cap) {
    parser old = *p;
    p->cap = old.cap ? old.cap * 2 : 256;
    p->tab = ARENA_ARR(p->a, binding, p->cap);
    for (size_t i = 0; i < old.cap; i++)
      if (old.tab[i].v)
        p->tab[slot_of(p, old.tab[i].name, old.tab[i].n)] = old.tab[i];
  }
  binding *b = &p->tab[slot_of(p, name->at, name->n)];
  if (b->v)
    return wrong_name(p, span_of(p, name->at, name->at + name->n), "value",
                      name->at, name->n, "is defined twice");
  *b = (binding){name->at, name->n, v};
  p->n++;
  return true;
}

static bool need_value(parser *p, ir_value **out) {
  if (p->lx.tok.kind != TK_VALUE) return expected(p, "a value");
  binding *b = p->cap ? &p->tab[slot_of(p, p->lx.tok.at, p->lx.tok.n)] : NULL;
  if (!b || !b->v)
    return wrong_name(p, tok_span(p), "value", p->lx.tok.at, p->lx.tok.n,
                      "is used before its definition");
  *out = b->v;
  ir_lex(&p->lx);
  return true;
}

/* The source name in "%name", "%name.3"; NULL in "%12". */
static const char *hint_of(parser *p, const token *t) {
  const char *s = t->at + 1;
  size_t n = t->n - 1, d = n;
  while (d && isdigit((unsigned char)s[d - 1])) d--;
  if (!d) return NULL;
  if (d < n && s[d - 1] == '.') n = d - 1;
  return n ? arena_strndup(p->a, s, n) : NULL;
}

/* ---- types ---- */
static bool need_range(parser *p, const ir_range **out) {
  mpz_t lo, hi;
  mpz_init(lo);
  mpz_init(hi);
  bool ok = need_mpz(p, lo);
  if (ok && p->lx.tok.kind != TK_DOTS) ok = expected(p, "'..'");
  if (ok) ir_lex(&p->lx);
  ok = ok && need_mpz(p, hi);
  if (ok && mpz_cmp(lo, hi) > 0) ok = expected(p, "a range lo..hi, lo <= hi,");
  if (ok) {
    *out = ir_range_get(p->m, lo, hi);
    if (!*out) ok = beyond(p, "the range", "a type", "65536 bits");
  }
  mpz_clears(lo, hi, (mpz_ptr)NULL);
  return ok;
}

static bool need_type(parser *p, ir_type *ty) {
  *ty = ir_ty(DOM_P, KIND_PUB, 1, NULL);
  if (take_word(p, "z"))
    ty->dom = DOM_Z;
  else if (take_word(p, "b"))
    ty->dom = DOM_B;
  else if (!take_word(p, "p"))
    return expected(p, "a type (z, p or b)");
  if (take_punct(p, '.')) {
    if (take_word(p, "sh"))
      ty->kind = KIND_SH;
    else if (take_word(p, "prod"))
      ty->kind = KIND_PROD;
    else
      return expected(p, "a kind (sh or prod)");
  }
  if (take_punct(p, '<') &&
      (!need_range(p, &ty->range) || !need_punct(p, '>')))
    return false;
  if (take_punct(p, '[')) {
    if (!need_uint(p, IR_LANES_MAX, &ty->lanes)) return false;
    if (!ty->lanes) return expected(p, "at least one lane");
    return need_punct(p, ']');
  }
  return true;
}

/* ---- attributes ---- */
static bool need_dims(parser *p, ir_attr *at) {
  uint32_t cap = 1;
  ir_dim *d = ARENA_NEW(p->a, ir_dim);
  if (!need_punct(p, '[')) return false;
  while (!punct(p, ']')) {
    if (at->ndim && !need_punct(p, ',')) return false;
    if (at->ndim == cap) {
      d = arena_grow(p->a, d, cap, cap * 2, sizeof *d);
      cap *= 2;
    }
    if (!need_uint(p, IR_LANES_MAX, &d[at->ndim].n) || !need_punct(p, ':') ||
        !need_int(p, &d[at->ndim].stride))
      return false;
    at->ndim++;
  }
  at->dim = d;
  return need_punct(p, ']');
}

static bool need_table(parser *p, ir_inst *i) {
  uint64_t n = 0, cap = 0;
  mpz_srcptr *t = NULL;
  mpz_t z;
  mpz_init(z);
  bool ok = need_punct(p, '[');
  while (ok && !punct(p, ']')) {
    if (n == cap) {
      t = arena_grow(p->a, t, cap, cap ? cap * 2 : 4, sizeof *t);
      cap = cap ? cap * 2 : 4;
    }
    ok = (!n || need_punct(p, ',')) && need_mpz(p, z);
    if (ok) t[n++] = ir_mpz(p->m, z);
  }
  mpz_clear(z);
  if (ok && n != i->res[0]->ty.lanes)
    return expected(p, "as many entries as the type has lanes");
  i->at.table = t;
  return ok && need_punct(p, ']');
}

static bool need_attributes(parser *p, ir_inst *i) {
  ir_attr *at = &i->at;
  unsigned has = ir_op_attrs(i->op);
  if (has & AT_IMM) {
    mpz_t z;
    mpz_init(z);
    bool ok = need_mpz(p, z);
    if (ok) at->imm = ir_mpz(p->m, z);
    mpz_clear(z);
    if (!ok) return false;
  }
  if (has & AT_TABLE && !need_table(p, i)) return false;
  if (has & AT_INNER) {
    bool said = i->op != OP_GATHER || take_word(p, "inner");
    at->inner = 1;
    if (i->op != OP_GATHER && !need_word(p, "inner")) return false;
    if (said && !need_uint(p, IR_LANES_MAX, &at->inner)) return false;
  }
  if (has & AT_BITS &&
      (!need_word(p, "bits") || !need_u32(p, IR_RANGE_BITS, &at->bits)))
    return false;
  if (has & AT_MAX &&
      (!need_word(p, "max") || !need_uint(p, UINT64_MAX, &at->max)))
    return false;
  if (has & AT_OFF && take_word(p, "off") && !need_int(p, &at->off))
    return false;
  if (has & AT_DIMS && !need_dims(p, at)) return false;
  if (has & AT_NAME && !need_string(p, &at->name)) return false;
  if (has & AT_MESSAGE && !need_string(p, &at->message)) return false;
  if (has & AT_ROUND && take_word(p, "round") &&
      !need_u32(p, UINT32_MAX, &at->round))
    return false;
  return true;
}

/* ---- instructions ---- */
static bool need_op(parser *p, ir_op *op) {
  if (p->lx.tok.kind != TK_WORD) return expected(p, "an operation");
  for (int k = 0; k < OP_COUNT; k++)
    if (tok_is(p, TK_WORD, ir_ops[k].spelling)) {
      *op = (ir_op)k;
      ir_lex(&p->lx);
      return true;
    }
  return wrong_name(p, tok_span(p), "operation", p->lx.tok.at, p->lx.tok.n,
                    "does not exist");
}

static bool right_arity(parser *p, const ir_inst *i) {
  const ir_opinfo *o = &ir_ops[i->op];
  if (!i->narg &&
      (i->op == OP_FOR || i->op == OP_CONCAT || i->op == OP_ASSUME))
    return expected(p, "an operand");
  if (o->nres >= 0 && i->nres != (uint32_t)o->nres)
    return expected(p, arena_printf(p->a, "%d results of '%s'", o->nres,
                                    o->spelling));
  return true;
}

/* Results already defined, the operation is next. */
typedef struct head {
  token *name;
  ir_type *ty;
  uint32_t n, cap;
} head;

static bool need_typed(parser *p, head *h) {
  if (p->lx.tok.kind != TK_VALUE) return expected(p, "a value");
  if (h->n == h->cap) {
    uint32_t cap = h->cap ? h->cap * 2 : 4;
    h->name = arena_grow(p->a, h->name, h->cap, cap, sizeof *h->name);
    h->ty = arena_grow(p->a, h->ty, h->cap, cap, sizeof *h->ty);
    h->cap = cap;
  }
  h->name[h->n] = p->lx.tok;
  ir_lex(&p->lx);
  return need_punct(p, ':') && need_type(p, &h->ty[h->n++]);
}

static bool need_block(parser *p, ir_block *b, unsigned depth);

static bool need_region(parser *p, ir_inst *i, uint32_t k, unsigned depth) {
  static const char *const label[][2] = {
      {"turn", ""}, {"test", "turn"}, {"then", "else"}};
  const char *want =
      label[i->op == OP_FOR ? 0 : i->op == OP_WHILE ? 1 : 2][k];
  if (p->lx.tok.kind != TK_LABEL || p->lx.tok.n != strlen(want) + 1 ||
      memcmp(p->lx.tok.at + 1, want, p->lx.tok.n - 1))
    return expected(p, arena_printf(p->a, "'@%s'", want));
  ir_lex(&p->lx);
  ir_block *r = i->region[k] = ir_block_new(p->m);
  r->owner = i;
  if (!need_punct(p, '(')) return false;
  head h = {0};
  while (!punct(p, ')')) {
    if ((h.n && !need_punct(p, ',')) || !need_typed(p, &h)) return false;
    ir_value *v = ir_param(p->m, r, h.ty[h.n - 1],
                           hint_of(p, &h.name[h.n - 1]));
    if (!bind(p, &h.name[h.n - 1], v)) return false;
  }
  ir_lex(&p->lx);
  return need_punct(p, '{') && need_block(p, r, depth + 1) &&
         need_punct(p, '}');
}

/* Exactly as many as the op has: an op without operands may be followed by a
 * value, the first of the next line. */
static bool need_args(parser *p, int want, ir_value ***arg, uint32_t *n) {
  uint32_t cap = 0;
  while (want >= 0 ? *n < (uint32_t)want : p->lx.tok.kind == TK_VALUE) {
    if (*n == cap) {
      *arg = arena_grow(p->a, *arg, cap, cap ? cap * 2 : 4, sizeof **arg);
      cap = cap ? cap * 2 : 4;
    }
    if (!need_value(p, &(*arg)[(*n)++])) return false;
    if (want >= 0 && *n < (uint32_t)want && !need_punct(p, ',')) return false;
    if (want < 0 && !take_punct(p, ',')) break;
    if (want < 0 && p->lx.tok.kind != TK_VALUE) return expected(p, "a value");
  }
  return true;
}

static bool need_span(parser *p, ir_inst *i, const char *from) {
  i->sp = span_of(p, from, p->lx.last_end);
  if (!take_word(p, "at")) return true;
  if (!need_u32(p, UINT32_MAX, &i->sp.start)) return false;
  if (p->lx.tok.kind != TK_DOTS) return expected(p, "'..'");
  ir_lex(&p->lx);
  return need_u32(p, UINT32_MAX, &i->sp.end);
}

static bool need_inst(parser *p, ir_block *b, unsigned depth) {
  head h = {0};
  ir_op op = OP_COUNT;
  ir_value **arg = NULL;
  uint32_t narg = 0;
  const char *from = p->lx.tok.at;
  while (p->lx.tok.kind == TK_VALUE) {
    if (!need_typed(p, &h)) return false;
    if (!take_punct(p, ',')) break;
    if (p->lx.tok.kind != TK_VALUE) return expected(p, "a value");
  }
  if (h.n && !need_punct(p, '=')) return false;
  if (!need_op(p, &op) || !need_args(p, ir_ops[op].nargs, &arg, &narg))
    return false;
  ir_builder bd = {.m = p->m, .b = b};
  ir_inst *i = ir_emit(&bd, op, arg, narg, h.ty, h.n);
  if (!right_arity(p, i) || !need_attributes(p, i) || !need_span(p, i, from))
    return false;
  for (uint32_t k = 0; k < h.n; k++) {
    i->res[k]->name = hint_of(p, &h.name[k]);
    if (!bind(p, &h.name[k], i->res[k])) return false;
  }
  if (op != OP_FOR && op != OP_WHILE && op != OP_IF) return true;
  if (depth >= IR_NEST_MAX)
    return beyond(p, "the nesting of regions", "circuit text", "1024");
  uint32_t nregion = op == OP_FOR ? 1 : 2;
  i->region = ARENA_ARR(p->a, ir_block *, nregion);
  for (; i->nregion < nregion; i->nregion++)
    if (!need_region(p, i, i->nregion, depth)) return false;
  return true;
}

static bool need_block(parser *p, ir_block *b, unsigned depth) {
  while (!punct(p, '}') && p->lx.tok.kind != TK_END)
    if (!need_inst(p, b, depth)) return false;
  return true;
}

/* ---- header ---- */
static bool need_leaf(parser *p, bool out) {
  ir_leaf l = {0};
  token name = p->lx.tok;
  if (!need_string(p, &l.name) || !need_string(p, &l.type) ||
      !need_string(p, &l.shape) || !need_word(p, "of") ||
      !need_string(p, &l.top))
    return false;
  l.secret = take_word(p, "secret");
  if (take_word(p, "scale") && !need_u32(p, IR_RANGE_BITS, &l.scale))
    return false;
  ir_module *m = p->m;
  uint32_t n = out ? m->nout : m->nin;
  if (n >= LEAVES_MAX) return beyond(p, "the leaf table", "a circuit", "16384");
  ir_leaf_add(m, out, &l);
  if ((out ? m->nout : m->nin) == n)
    return wrong_name(p, span_of(p, name.at, name.at + name.n), "leaf", l.name,
                      strlen(l.name), "is listed twice");
  return true;
}

static bool need_target(parser *p, ir_target *t) {
  if (take_word(p, "rep3"))
    t->protocol = IR_REP3;
  else if (need_word(p, "shamir"))
    t->protocol = IR_SHAMIR;
  else
    return false;
  uint32_t n = 0;
  if (!need_u32(p, IR_NODES_MAX, &n)) return false;
  t->n = n;
  return true;
}

/* That it is a prime, the verifier checks. */
static bool need_prime(parser *p, const char *name) {
  mpz_t z;
  mpz_init(z);
  bool ok = need_mpz(p, z);
  if (ok && (mpz_cmp_ui(z, 3) < 0 || mpz_sizeinbase(z, 2) > IR_FIELD_BITS))
    ok = beyond(p, "the prime", "circuit text", "576 bits");
  if (ok) p->m = ir_module_over(p->a, name, z);
  mpz_clear(z);
  return ok;
}

static bool need_module(parser *p) {
  static const char *const stages[] = {"high", "core", "sched"};
  const char *name = NULL;
  uint32_t k = 0;
  int stage = -1;
  if (!need_word(p, "circuit") || !need_string(p, &name) ||
      !need_word(p, "stage"))
    return false;
  for (int s = 0; s < 3; s++)
    if (tok_is(p, TK_WORD, stages[s])) stage = s;
  if (stage < 0) return expected(p, "'high', 'core' or 'sched'");
  ir_lex(&p->lx);
  if (!need_word(p, "field")) return false;
  if (take_word(p, "prime")) {
    if (!need_prime(p, name)) return false;
  } else {
    if (!need_u32(p, 1279, &k)) return false;
    if (k < 2) return expected(p, "a Mersenne exponent of at least 2");
    p->m = ir_module_new(p->a, name, k);
  }
  p->m->stage = (ir_stage)stage;
  if (take_word(p, "target") && !need_target(p, &p->m->target)) return false;
  while (take_word(p, "input"))
    if (!need_leaf(p, false)) return false;
  while (take_word(p, "output"))
    if (!need_leaf(p, true)) return false;
  if (!tok_is(p, TK_LABEL, "@body")) return expected(p, "'@body'");
  ir_lex(&p->lx);
  if (!need_punct(p, '{') || !need_block(p, p->m->body, 0) ||
      !need_punct(p, '}'))
    return false;
  return p->lx.tok.kind == TK_END || expected(p, "the end of the text");
}

ir_module *ir_parse(arena *a, source_set *ss, source_id src, diag *dg) {
  const source_file *f = source_get(ss, src);
  parser p = {.a = a, .dg = dg, .base = f->base};
  p.lx = (ir_lexer){.a = a, .text = f->text, .end = f->text + f->n,
                    .pos = f->text};
  ir_lex(&p.lx);
  if (!need_module(&p)) return NULL;
  p.m->src = ss;
  p.m->parsed = true;
  return p.m;
}
