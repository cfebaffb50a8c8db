/* Turns bison's list of expected tokens into words, and recognises the usual
 * slips of people who come from other languages. */
#include <stdio.h>
#include <string.h>

#include "grammar/parse_impl.h"
#include "grammar/parser.h"

enum { NTOKEN = 512 };

typedef struct expectation {
  bool tok[NTOKEN]; /* by token kind */
} expectation;

static bool has(const expectation *e, int kind) { return e->tok[kind]; }

static void drop_class(expectation *e, token_class c) {
  for (int k = 0; k < NTOKEN; k++)
    if (e->tok[k] && token_class_of(k) == c) e->tok[k] = false;
}

static void drop_operands(expectation *e) {
  static const int kinds[] = {TOK_IDENT, TOK_INT, TOK_DECIMAL, TOK_STRING,
                              TOK_FIXED_OF, TOK_MINUS};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    e->tok[kinds[i]] = false;
  drop_class(e, TC_EXPR);
  drop_class(e, TC_TYPE);
}

/* Replaces groups of tokens by what they begin; adds the words to `out`. */
static unsigned group(expectation *e, const char **out) {
  unsigned n = 0;
  if (has(e, TOK_LET) && has(e, TOK_RETURN)) {
    out[n++] = "a statement";
    drop_class(e, TC_STMT);
    drop_operands(e);
    e->tok[TOK_SEMI] = false;
  } else if (has(e, TOK_DECIMAL)) {
    out[n++] = "an expression";
    drop_operands(e);
  } else if (has(e, TOK_SECRET) && !has(e, TOK_STATE)) {
    out[n++] = "a type";
    drop_operands(e);
  } else if (has(e, TOK_PLUS) && has(e, TOK_STAR)) {
    out[n++] = "an operator";
    drop_class(e, TC_OP);
    e->tok[TOK_LPAREN] = e->tok[TOK_LBRACKET] = e->tok[TOK_DOT] = false;
    e->tok[TOK_LIT_LBRACE] = false;
    if (has(e, TOK_RPAREN)) e->tok[TOK_COLON] = false; /* of NAMED */
    if (has(e, TOK_PLUS_EQ)) drop_class(e, TC_ASSIGN);
  } else if (has(e, TOK_PLUS_EQ)) {
    out[n++] = "an assignment";
    drop_class(e, TC_ASSIGN);
  }
  if (has(e, TOK_ACTION) && has(e, TOK_EVENT)) {
    out[n++] = "a member of the contract";
    drop_class(e, TC_ITEM);
    drop_class(e, TC_MEMBER);
    e->tok[TOK_HASH] = e->tok[TOK_SEMI] = e->tok[TOK_SECRET] = false;
  } else if (has(e, TOK_FN) && has(e, TOK_STRUCT)) {
    out[n++] = "a declaration";
    drop_class(e, TC_ITEM);
    e->tok[TOK_HASH] = e->tok[TOK_SEMI] = false;
  }
  return n;
}

static bool has_spelling(int kind) {
  switch (kind) {
    case TOK_END: case TOK_IDENT: case TOK_INT: case TOK_DECIMAL:
    case TOK_STRING:
      return false;
    default:
      return true;
  }
}

static const char *expected_words(parser *ps, expectation e) {
  const char *word[NTOKEN + 4], *grouped[4];
  unsigned n = 0, ngroup = group(&e, grouped);
  for (int k = 0; k < NTOKEN; k++) {
    if (!e.tok[k]) continue;
    const char *s = token_spelling(k);
    word[n++] = has_spelling(k) ? arena_printf(ps->a, "`%s`", s) : s;
  }
  for (unsigned i = 0; i < ngroup; i++) word[n++] = grouped[i];
  if (n == 0) return "something else";
  buf b = {0};
  for (unsigned i = 0; i < n; i++) {
    if (i) buf_puts(&b, i + 1 < n ? ", " : " or ");
    buf_puts(&b, word[i]);
  }
  const char *s = arena_strndup(ps->a, b.p, b.n);
  buf_free(&b);
  return s;
}

static const char *found_words(parser *ps, const token *t) {
  enum { SHOW = 40 };
  if (t->kind == TOK_END) return "the end of the file";
  if (t->kind == TOK_STRING) return "a string";
  if (!t->text) return arena_printf(ps->a, "`%s`", token_spelling(t->kind));
  const char *kind = t->kind == TOK_IDENT ? "name " : "";
  if (t->kind == TOK_INT || t->kind == TOK_DECIMAL) kind = "number ";
  return arena_printf(ps->a, "%s`%.*s%s`", kind, SHOW, t->text,
                      strlen(t->text) > SHOW ? "..." : "");
}

static bool is_word(const token *t, const char *w) {
  return t->kind == TOK_IDENT && strcmp(t->text, w) == 0;
}

static bool is_any(const token *t, const char *const *w) {
  for (; *w; w++)
    if (is_word(t, *w)) return true;
  return false;
}

static bool touches(const token *l, const token *r) {
  return l->sp.end == r->sp.start;
}

static bool same_line(const parser *ps, const token *l, const token *r) {
  if (r->sp.start <= l->sp.end) return true;
  const char *p = ps->text + (l->sp.end - ps->file->base);
  return !memchr(p, '\n', r->sp.start - l->sp.end);
}

/* A `;` would end something here; it is not just the empty statement. */
static bool lacks_semi(const expectation *e) {
  return has(e, TOK_SEMI) && !has(e, TOK_LET) && !has(e, TOK_FN);
}

static bool names_type(const token *t) { /* u32, int, ... */
  static const char *const words[] = {
      "int", "uint", "float", "double", "bool", "long", "short", "char",
      "unsigned", "auto", "string", "field", "identity", "def", "mut", NULL};
  if (t->kind != TOK_IDENT) return false;
  if (is_any(t, words)) return true;
  const char *s = t->text;
  return strchr("uif", *s) && s[1] && strspn(s + 1, "0123456789") ==
                                          strlen(s + 1);
}

/* Slips told by the tokens around: operators and words of other languages. */
static const char *mend_words(parser *ps, const expectation *e) {
  static const char *const fn_words[] = {"def", "func", "function", "pub",
                                         "proc", NULL};
  static const char *const else_words[] = {"elif", "elsif", "elseif", NULL};
  const token *t = &ps->past[0], *l = &ps->past[1], *ll = &ps->past[2];
  token next = t->kind == TOK_END ? *t : feed_peek(ps, 0);
  if (ll->kind == TOK_LET && is_word(l, "mut"))
    return "A variable that changes is declared with `var`.";
  if (is_any(l, else_words) || is_any(t, else_words)) return "Write `else if`.";
  if (is_word(l, "mapping") && t->kind == TOK_LPAREN)
    return "A map is written `map<identity, u32>`.";
  if (is_word(t, "function") && has(e, TOK_ACTION))
    return "What identities call is an `action` or a `view`; a `fn` computes.";
  if (is_word(t, "constructor"))
    return "State begins with its initial value, `state owner: identity = "
           "caller;`; what is given at deployment are parameters of the "
           "contract: `contract Name(end: u64) { .. }`.";
  if (is_word(t, "and")) return "Write `&&`.";
  if (is_word(t, "or")) return "Write `||`.";
  if (is_word(l, "not")) return "Write `!` before what is negated.";
  if (is_word(t, "as"))
    return "Convert with `wrap(x, T)`, `clamp(x, T)` or `assume(x, T)`, or "
           "with `int(x)`, `fixed(x)`, `field(x)`.";
  if (t->kind == TOK_PLUS &&
      (l->kind == TOK_PLUS || next.kind == TOK_PLUS))
    return "Write `x += 1`.";
  if (l->kind == TOK_MINUS && ll->kind == TOK_MINUS && touches(ll, l))
    return "Write `x -= 1`.";
  if (t->kind == TOK_STAR && l->kind == TOK_STAR) return "Write `pow(x, n)`.";
  if ((t->kind == TOK_COLON && next.kind == TOK_ASSIGN) ||
      (t->kind == TOK_ASSIGN && l->kind == TOK_COLON && touches(l, t)))
    return "Declare with `let x = ..;` or `var x = ..;`, assign with "
           "`x = ..;`.";
  if (t->kind == TOK_COLON && next.kind == TOK_COLON)
    return "A module's name and its member are joined by `.`.";
  if (t->kind == TOK_ASSIGN && (l->kind == TOK_EQ || l->kind == TOK_NE))
    return "Equality is `==`, inequality `!=`.";
  if (t->kind == TOK_STRING && l->kind == TOK_IMPORT)
    return "Modules are named without quotes: `import util;`.";
  if (t->kind == TOK_DOTDOT_EQ)
    return "A range leaves its end out: write `a..b + 1`.";
  if (t->kind == TOK_FOR && l->kind == TOK_LBRACKET)
    return "The element comes first: `[x * x for x in xs]`.";
  if (l->kind == TOK_IDENT && (ll->kind == TOK_COLON || ll->kind == TOK_ARROW)) {
    if (t->kind == TOK_LBRACKET && names_type(l))
      return "The type of an array is written `[u32; 3]`.";
    if (t->kind == TOK_IDENT || t->kind == TOK_LBRACKET)
      return "Before a type stands `secret`, `public` or nothing.";
  }
  if (t->kind == TOK_ELSE) return "`else` follows the `}` of an `if`.";
  if (has(e, TOK_FN) && is_any(t, fn_words))
    return "A function begins with `fn`; every function may be imported.";
  return NULL;
}

/* Slips told by what could have stood here. */
static const char *mend_place(parser *ps, const expectation *e) {
  const token *past = ps->past, *t = &past[0], *l = &past[1];
  token_class c = token_class_of(t->kind);
  for (int i = 1; i + 1 < HISTORY; i++)
    if (past[i].kind == TOK_LPAREN && past[i + 1].kind == TOK_FOR) {
      ps->skip_block = true;
      return "Loops are written `for i in 0..n { .. }`, without parentheses.";
    }
  if (t->kind == TOK_ASSIGN && past[2].kind == TOK_FOR) {
    ps->skip_block = true;
    return "Loops are written `for i in 0..n { .. }`.";
  }
  if (has(e, TOK_MAX) && t->kind == TOK_LBRACE)
    return "Say how many turns it takes at most: `while c max 100 { .. }`.";
  if (has(e, TOK_ARROW) && t->kind != TOK_END && t->kind != TOK_SEMI)
    return "Write `->` before the type of the result.";
  if (t->kind == TOK_ASSIGN && has(e, TOK_EQ))
    return "To compare, write `==`.";
  if (t->kind == TOK_EQ && has(e, TOK_ASSIGN))
    return "To give a value, write `=`.";
  if (t->kind == TOK_SEMI && has(e, TOK_ASSIGN) && !has(e, TOK_PLUS))
    return "A variable is declared with its value: `let x = ..;`.";
  if (t->kind == TOK_SEMI && has(e, TOK_COMMA) && has(e, TOK_RBRACE))
    return "Separate them by `,`.";
  if (c == TC_TYPE && has(e, TOK_IDENT) && !has(e, TOK_SECRET))
    return "The label belongs to the type: `x: secret u32`.";
  if (t->kind == TOK_IDENT && names_type(l))
    return "A declaration is written `let x: u32 = ..;` or `var x = ..;`.";
  if (c == TC_MEMBER && ps->open.n < 2)
    return "State, events, actions and views stand in a contract: "
           "`contract Name { .. }`.";
  if (has(e, TOK_ACTION) && has(e, TOK_EVENT)) {
    if (t->kind == TOK_LET || t->kind == TOK_VAR)
      return "What a contract remembers is `state x: T = ..;`.";
    if (c == TC_STMT || c == TC_EXPR || t->kind == TOK_IDENT)
      return "Statements stand in actions, views and functions.";
  }
  if (c == TC_ITEM && ps->open.n)
    return "Declarations stand at the top level, outside functions.";
  if (has(e, TOK_FN) && has(e, TOK_STRUCT)) {
    if (t->kind == TOK_LET || t->kind == TOK_VAR)
      return "At the top level stand constants: `const N = ..;`.";
    if (t->kind == TOK_RBRACE) return "This `}` closes nothing.";
    if (c == TC_STMT || c == TC_EXPR || t->kind == TOK_IDENT)
      return "Statements stand in functions.";
  }
  if (lacks_semi(e) &&
      (c == TC_STMT || t->kind == TOK_RBRACE || !same_line(ps, l, t)))
    return "Put `;` behind the statement.";
  if (has(e, TOK_LBRACE) && has(e, TOK_PLUS) && t->kind != TOK_END)
    return "The body stands in braces, also if it is one statement.";
  return NULL;
}

static bool report_special(parser *ps, const token *t, const expectation *e) {
  token_class c = token_class_of(t->kind);
  bool anchor = feed_is_anchor(ps, *t);
  if (ps->open.n && (t->kind == TOK_END || anchor)) {
    bracket b = ps->open.p[ps->open.n - 1];
    const char *closer = b.kind == TOK_LPAREN     ? ")"
                         : b.kind == TOK_LBRACKET ? "]"
                                                  : "}";
    diag_report(ps->dg, DIAG_UNCLOSED, b.sp, token_spelling(b.kind));
    diag_note(ps->dg, t->sp, "`%s` is missing before %s", closer,
              found_words(ps, t));
    return true;
  }
  bool name_only = has(e, TOK_IDENT) && !has(e, TOK_DECIMAL);
  if (name_only && (c == TC_MEMBER || t->kind == TOK_TEST ||
                    t->kind == TOK_IN || t->kind == TOK_CALLER ||
                    t->kind == TOK_EMIT)) {
    diag_report(ps->dg, DIAG_RESERVED_WORD, t->sp, token_spelling(t->kind));
    diag_hint(ps->dg, "Choose another name.");
    return true;
  }
  return false;
}

void syntax_report(parser *ps, const token *found, const int *expected,
                   int nexpected) {
  expectation e = {{false}};
  for (int i = 0; i < nexpected; i++) e.tok[expected[i]] = true;
  if (report_special(ps, found, &e)) return;
  const char *want = expected_words(ps, e);
  const char *got = found_words(ps, found);
  span sp = found->sp;
  const token *l = &ps->past[1];
  if (lacks_semi(&e) && !same_line(ps, l, found))
    sp = (span){l->sp.end, l->sp.end}; /* where the `;` should have stood */
  /* First: looking ahead may report something by itself. */
  const char *mend = mend_words(ps, &e);
  if (!mend) mend = mend_place(ps, &e);
  diag_report(ps->dg, DIAG_SYNTAX, sp, want, got);
  bool inside = has(&e, TOK_RPAREN) || has(&e, TOK_RBRACKET);
  if (ps->open.n && inside && !mend) {
    bracket b = ps->open.p[ps->open.n - 1];
    diag_note(ps->dg, b.sp, "`%s` was opened here", token_spelling(b.kind));
  }
  if (mend) diag_hint(ps->dg, "%s", mend);
}
