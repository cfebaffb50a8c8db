/* Random programs of loops, branches and arrays: every value that a run gives
 * lies in the interval that the analysis found.  The oracle executes its own
 * tree; the front end reads the text printed from it. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/frontend/checked.h"

enum { VARS = 3, CELLS = 4, LOOPS = 3, PARAMS = 2, PROGRAMS = 400 };
static const long LIMIT = 1L << 40;

typedef struct rnd {
  uint64_t s;
} rnd;

static unsigned pick(rnd *r, unsigned n) {
  r->s = r->s * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(r->s >> 33) % n;
}

typedef enum { CONST, VAR, PARAM, INDEX, CELL, ADD, SUB, MUL, DIV, MOD } ek;
typedef struct ex {
  ek k;
  long v; /* constant, which variable, cell's index form */
  struct ex *a, *b;
} ex;

typedef enum { SET, INC, DEC, CELL_SET, CELL_INC, IF, FOR, SEQ } sk;
typedef struct st {
  sk k;
  long v, lo, hi;
  ex *e, *c, *at;
  struct st *a, *b;
} st;

typedef struct gen {
  rnd r;
  arena *a;
  int depth; /* loops around */
} gen;

static ex *leaf(gen *g) {
  ex *e = ARENA_NEW(g->a, ex);
  switch (pick(&g->r, g->depth ? 6 : 5)) {
  case 0: e->k = CONST, e->v = (long)pick(&g->r, 9) - 4; break;
  case 1:
  case 2: e->k = VAR, e->v = pick(&g->r, VARS); break;
  case 3: e->k = PARAM, e->v = pick(&g->r, PARAMS); break;
  case 4: e->k = CELL, e->v = pick(&g->r, CELLS); break;
  default: e->k = INDEX, e->v = pick(&g->r, (unsigned)g->depth);
  }
  return e;
}

static ex *expr(gen *g, int d) {
  if (d == 0 || pick(&g->r, 3) == 0) return leaf(g);
  static const ek ops[] = {ADD, ADD, SUB, MUL, DIV, MOD};
  ex *e = ARENA_NEW(g->a, ex);
  e->k = ops[pick(&g->r, 6)];
  e->a = expr(g, d - 1);
  e->b = e->k >= DIV ? ARENA_NEW(g->a, ex) : expr(g, d - 1);
  if (e->k >= DIV) e->b->k = CONST, e->b->v = pick(&g->r, 2) ? 3 : -5;
  return e;
}

/* Index of a cell: a constant, or (loop index + k) % CELLS. */
static ex *cell_index(gen *g) {
  ex *e = ARENA_NEW(g->a, ex);
  e->k = CONST;
  e->v = pick(&g->r, CELLS);
  if (!g->depth || pick(&g->r, 3) == 0) return e;
  ex *i = ARENA_NEW(g->a, ex), *m = ARENA_NEW(g->a, ex),
     *s = ARENA_NEW(g->a, ex), *n = ARENA_NEW(g->a, ex);
  i->k = INDEX, i->v = pick(&g->r, (unsigned)g->depth);
  if (pick(&g->r, 2)) return i; /* loops over cells go from 0 to CELLS */
  s->k = ADD, s->a = i, s->b = e;
  n->k = CONST, n->v = CELLS;
  m->k = MOD, m->a = s, m->b = n;
  return m;
}

static st *stmt(gen *g, int d);

static st *seq(gen *g, int d) {
  st *s = ARENA_NEW(g->a, st);
  s->k = SEQ;
  s->a = stmt(g, d);
  if (pick(&g->r, 2)) s->b = seq(g, d);
  return s;
}

static st *stmt(gen *g, int d) {
  st *s = ARENA_NEW(g->a, st);
  unsigned k = pick(&g->r, d > 0 ? 10 : 6);
  s->v = pick(&g->r, VARS);
  if (k < 3) {
    s->k = k == 0 ? SET : k == 1 ? INC : DEC;
    s->e = expr(g, 2);
  } else if (k < 6) {
    s->k = k == 3 ? CELL_SET : CELL_INC;
    s->at = cell_index(g);
    s->e = expr(g, 1);
  } else if (k < 8 || g->depth == LOOPS) {
    s->k = IF;
    s->e = leaf(g);
    s->c = leaf(g);
    s->a = seq(g, d - 1);
    if (pick(&g->r, 2)) s->b = seq(g, d - 1);
  } else {
    s->k = FOR;
    s->lo = 0;
    s->hi = CELLS;
    s->v = g->depth++;
    s->a = seq(g, d - 1);
    g->depth--;
  }
  return s;
}

/* ---- text ---- */

static void put_ex(buf *b, const ex *e) {
  static const char *const op[] = {"+", "-", "*", "/", "%"};
  switch (e->k) {
  case CONST: buf_printf(b, e->v < 0 ? "(0 - %ld)" : "%ld", labs(e->v)); break;
  case VAR: buf_printf(b, "x%ld", e->v); break;
  case PARAM: buf_printf(b, "p%ld", e->v); break;
  case INDEX: buf_printf(b, "i%ld", e->v); break;
  case CELL: buf_printf(b, "m[%ld]", e->v); break;
  default:
    buf_puts(b, "(");
    put_ex(b, e->a);
    buf_printf(b, " %s ", op[e->k - ADD]);
    put_ex(b, e->b);
    buf_puts(b, ")");
  }
}

static void put_st(buf *b, const st *s) {
  if (!s) return;
  switch (s->k) {
  case SEQ:
    put_st(b, s->a);
    put_st(b, s->b);
    return;
  case SET:
  case INC:
  case DEC:
    buf_printf(b, "x%ld %s ", s->v, s->k == SET ? "=" : s->k == INC ? "+="
                                                                    : "-=");
    put_ex(b, s->e);
    buf_puts(b, ";\n");
    return;
  case CELL_SET:
  case CELL_INC:
    buf_puts(b, "m[");
    put_ex(b, s->at);
    buf_puts(b, s->k == CELL_SET ? "] = " : "] += ");
    put_ex(b, s->e);
    buf_puts(b, ";\n");
    return;
  case IF:
    buf_puts(b, "if ");
    put_ex(b, s->e);
    buf_puts(b, " > ");
    put_ex(b, s->c);
    buf_puts(b, " {\n");
    put_st(b, s->a);
    buf_puts(b, "}");
    if (s->b) {
      buf_puts(b, " else {\n");
      put_st(b, s->b);
      buf_puts(b, "}");
    }
    buf_puts(b, "\n");
    return;
  default:
    buf_printf(b, "for i%ld in %ld..%ld {\n", s->v, s->lo, s->hi);
    put_st(b, s->a);
    buf_puts(b, "}\n");
  }
}

/* ---- the oracle ---- */

typedef struct state {
  long x[VARS], m[CELLS], i[LOOPS], p[PARAMS];
  bool over;
} state;

static long eval(state *s, const ex *e) {
  long a, b, r = 0;
  switch (e->k) {
  case CONST: return e->v;
  case VAR: return s->x[e->v];
  case PARAM: return s->p[e->v];
  case INDEX: return s->i[e->v];
  case CELL: return s->m[e->v];
  default: break;
  }
  a = eval(s, e->a);
  b = eval(s, e->b);
  if (e->k == ADD) r = a + b;
  if (e->k == SUB) r = a - b;
  if (e->k == MUL && __builtin_mul_overflow(a, b, &r)) r = LIMIT + 1;
  if (e->k == DIV) r = a / b;
  if (e->k == MOD) r = a % b;
  if (labs(r) > LIMIT) s->over = true;
  return s->over ? 0 : r;
}

static void run(state *s, const st *t) {
  if (!t || s->over) return;
  switch (t->k) {
  case SEQ:
    run(s, t->a);
    run(s, t->b);
    break;
  case SET: s->x[t->v] = eval(s, t->e); break;
  case INC: s->x[t->v] += eval(s, t->e); break;
  case DEC: s->x[t->v] -= eval(s, t->e); break;
  case CELL_SET: {
    long at = eval(s, t->at);
    s->m[at] = eval(s, t->e);
    break;
  }
  case CELL_INC: {
    long at = eval(s, t->at);
    s->m[at] += eval(s, t->e);
    break;
  }
  case IF: run(s, eval(s, t->e) > eval(s, t->c) ? t->a : t->b); break;
  default:
    for (long i = t->lo; i < t->hi; i++) {
      s->i[t->v] = i;
      run(s, t->a);
    }
  }
  for (int i = 0; i < VARS; i++)
    if (labs(s->x[i]) > LIMIT) s->over = true;
}

/* ---- one program ---- */

static bool sound(const checked *c, const st *body) {
  char name[16];
  for (long p = 0; p < 4; p++)
    for (long q = -2; q < 2; q++) {
      state s = {.p = {p, q}, .m = {1, 1, 1, 1}};
      run(&s, body);
      if (s.over) continue;
      for (int k = 0; k <= VARS; k++) {
        snprintf(name, sizeof name, "f%d", k);
        const ival *iv = returned(c, name);
        if (!iv) return false;
        for (int j = 0; j < (k < VARS ? 1 : CELLS); j++) {
          long v = k < VARS ? s.x[k] : s.m[j];
          if (mpz_cmp_si(iv->lo, v) > 0 || mpz_cmp_si(iv->hi, v) < 0)
            return false;
        }
      }
    }
  return true;
}

static void random_programs(void) {
  unsigned checked_ok = 0;
  for (unsigned n = 0; n < PROGRAMS; n++) {
    gen g = {.r = {n * 7919u + 1}, .a = arena_new()};
    st *body = seq(&g, 4);
    buf b = {0};
    for (int k = 0; k <= VARS; k++) {
      buf_printf(&b, "fn f%d(p0: u2, p1: i2) -> %s {\n", k,
                 k < VARS ? "i256" : "[i256; 4]");
      for (int i = 0; i < VARS; i++) buf_printf(&b, "var x%d = 0;\n", i);
      buf_puts(&b, "var m = [1; 4];\n");
      put_st(&b, body);
      if (k < VARS) buf_printf(&b, "return x%d;\n}\n", k);
      else buf_puts(&b, "return m;\n}\n");
    }
    checked c = check_text(b.p);
    if (c.ok) {
      checked_ok++;
      if (!sound(&c, body)) {
        CU_FAIL("a value outside of its interval");
        fprintf(stderr, "program %u:\n%s\n", n, b.p);
      }
    }
    checked_free(&c);
    buf_free(&b);
    arena_free(g.a);
  }
  CU_ASSERT(checked_ok > PROGRAMS / 2);
}

/* What the documents promise, exactly. */
static void promised(void) {
  static const struct {
    const char *text;
    long lo, hi;
  } t[] = {
      {"fn f(x: [u8; 64]) -> i99 { var t = 0; for v in x { t += v; } "
       "return t; }", 0, 255 * 64},
      {"fn f(x: [u8; 64]) -> i99 { var t = 0; for v in x { t = t - v; } "
       "return t; }", -255 * 64, 0},
      {"fn f() -> i99 { var n = 0; for _i in 0..64 { n += 1; } return n; }",
       64, 64},
      {"fn f(n: u4) -> i99 { var t = 5; for i in 0..n { t += i; } return t; }",
       5, 5 + 15 * 14},
      {"fn f(c: bool) -> i99 { var t = 0; for _i in 0..10 { if c { t += 3; } "
       "else { t -= 1; } } return t; }", -10, 30},
      {"fn f() -> i99 { var t = 0; var u = 0; for _i in 0..10 { t += 1; "
       "u += t; } return u; }", 10, 100},
      {"fn f(a: [u4; 3, 3]) -> [i99; 3, 3] { var c = [0; 3, 3]; "
       "for i in 0..3 { for j in 0..3 { for k in 0..3 { "
       "c[i, j] += a[i, k] * a[k, j]; } } } return c; }", 0, 3 * 225},
      {"fn f(s: u16) -> i99 { var x: u31 = s; for _i in 0..1000000 { "
       "x = (x * 1103515245 + 12345) % 2147483648; } return x; }",
       0, 2147483647},
      {"fn f() -> i99 { var a = 1; var b = 1; for _i in 0..10 { "
       "let c = a + b; a = b; b = c; } return b; }", 144, 144},
  };
  for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
    checked c = check_text(t[i].text);
    CU_ASSERT_FATAL(c.ok);
    const ival *iv = returned(&c, "f");
    CU_ASSERT_PTR_NOT_NULL_FATAL(iv);
    if (mpz_cmp_si(iv->lo, t[i].lo) || mpz_cmp_si(iv->hi, t[i].hi)) {
      CU_FAIL("interval of a loop");
      gmp_fprintf(stderr, "%s\n  %Zd..%Zd\n", t[i].text, iv->lo, iv->hi);
    }
    checked_free(&c);
  }
}

void suite_loops(void) {
  CU_pSuite s = CU_add_suite("loops", NULL, NULL);
  CU_add_test(s, "random programs stay in their intervals", random_programs);
  CU_add_test(s, "exact where it is promised", promised);
}
