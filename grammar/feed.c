/* Between lexer and parser: tokens that need lookahead or context to be told
 * apart, nesting, and where to go on after a syntax error. */
#include <string.h>

#include "grammar/parse_impl.h"
#include "grammar/parser.h"

static token raw(parser *ps) {
  token t = lexer_next(ps);
  if (ps->doc.n == 0) return t;
  token_class c = token_class_of(t.kind);
  if (c == TC_ITEM || c == TC_MEMBER) {
    t.doc = arena_strndup(ps->a, ps->doc.p, ps->doc.n);
    buf_reset(&ps->doc);
  } else if (t.kind == TOK_SEMI || t.kind == TOK_LBRACE ||
             t.kind == TOK_RBRACE) {
    buf_reset(&ps->doc); /* it stood before something without documentation */
  }
  return t;
}

token feed_peek(parser *ps, unsigned i) {
  while (ps->nahead <= i) ps->ahead[ps->nahead++] = raw(ps);
  return ps->ahead[i];
}

static token shift(parser *ps) {
  token t = feed_peek(ps, 0);
  ps->nahead--;
  memmove(ps->ahead, ps->ahead + 1, ps->nahead * sizeof *ps->ahead);
  return t;
}

/* At most 3 tokens are ever ahead when one comes back. */
static void unshift(parser *ps, token t) {
  memmove(ps->ahead + 1, ps->ahead, ps->nahead * sizeof *ps->ahead);
  ps->ahead[0] = t;
  ps->nahead++;
}

static token give(parser *ps, token t) {
  memmove(ps->past + 1, ps->past, (HISTORY - 1) * sizeof *ps->past);
  ps->past[0] = t;
  return t;
}

static int opener_of(int kind) {
  switch (kind) {
    case TOK_RPAREN: return TOK_LPAREN;
    case TOK_RBRACKET: return TOK_LBRACKET;
    case TOK_RBRACE: return TOK_LBRACE;
    default: return 0;
  }
}

static bool is_brace(int kind) {
  return kind == TOK_LBRACE || kind == TOK_LIT_LBRACE;
}

/* What the last token given out does to the open brackets.  It is done one
 * token late so that a syntax error at a bracket still sees it undone.  A
 * closer that fits nothing is left to the parser. */
static void settle(parser *ps) {
  token t = ps->past[0];
  if (t.kind == TOK_LPAREN || t.kind == TOK_LBRACKET || is_brace(t.kind)) {
    bracket b = {t.kind, t.sp};
    vec_push(ps->a, &ps->open, b);
    if (ps->open.n > PARSE_MAX_NESTING) nesting_report(ps, t.sp);
    return;
  }
  int want = opener_of(t.kind);
  if (!want) return;
  for (size_t i = ps->open.n; i > 0; i--) {
    int k = ps->open.p[i - 1].kind;
    if (k == want || (want == TOK_LBRACE && is_brace(k))) {
      ps->open.n = i - 1;
      return;
    }
    if (is_brace(k)) return;
  }
}

static bool ends_operand(int kind) {
  switch (kind) {
    case TOK_IDENT: case TOK_INT: case TOK_DECIMAL: case TOK_STRING:
    case TOK_TRUE: case TOK_FALSE: case TOK_FIXED: case TOK_RPAREN:
    case TOK_RBRACKET:
      return true;
    default:
      return false;
  }
}

/* `t.0.1` is scanned as `t` `.` `0.1`: the number is two fields. */
static void split_fields(parser *ps, token *t) {
  const char *dot = strchr(t->text, '.');
  if (!dot || strpbrk(t->text, "eE")) return;
  uint32_t at = t->sp.start + (uint32_t)(dot - t->text);
  token second = {.kind = TOK_INT,
                  .sp = {at + 1, t->sp.end},
                  .text = source_intern(ps->ss, dot + 1, strlen(dot + 1))};
  token point = {.kind = TOK_DOT, .sp = {at, at + 1}};
  unshift(ps, second);
  unshift(ps, point);
  t->kind = TOK_INT;
  t->sp.end = at;
  t->text = source_intern(ps->ss, t->text, (size_t)(dot - t->text));
}

static token made_up(parser *ps, int kind) {
  uint32_t at = ps->past[0].sp.end;
  return give(ps, (token){.kind = kind, .sp = {at, at}});
}

token feed_next(parser *ps) {
  settle(ps);
  if (ps->stop) return made_up(ps, TOK_END);
  if (ps->give_opener) {
    ps->give_opener = false;
    return made_up(ps, TOK_LBRACE);
  }
  if (ps->closers) {
    ps->closers--;
    return made_up(ps, TOK_RBRACE);
  }
  token t = shift(ps);
  int before = ps->past[0].kind, before2 = ps->past[1].kind;
  switch (t.kind) {
    case TOK_IDENT:
      if (ends_operand(before) && strcmp(t.text, "max") == 0) t.kind = TOK_MAX;
      break;
    case TOK_DECIMAL:
      if (before == TOK_DOT) split_fields(ps, &t);
      break;
    case TOK_FIXED:
      if (feed_peek(ps, 0).kind == TOK_LT) t.kind = TOK_FIXED_OF;
      break;
    case TOK_GT: {
      token next = feed_peek(ps, 0);
      if (next.kind == TOK_GT && next.sp.start == t.sp.end)
        t.kind = TOK_GT_ADJ;
      break;
    }
    case TOK_LBRACE:
      if (before != TOK_IDENT) break;
      if (before2 != TOK_STRUCT && before2 != TOK_CONTRACT && feed_peek(ps, 0).kind == TOK_IDENT &&
               feed_peek(ps, 1).kind == TOK_COLON)
        t.kind = TOK_LIT_LBRACE;
      break;
    default:
      break;
  }
  return give(ps, t);
}

/* ---- recovery ---- */

/* Only blanks between the line's beginning and the token; *indent gets their
 * number.  Looks back no further than the token before. */
bool feed_begins_line(const parser *ps, token t, uint32_t *indent) {
  const char *at = ps->text + (t.sp.start - ps->file->base), *p = at;
  while (p > ps->text && (p[-1] == ' ' || p[-1] == '\t')) p--;
  *indent = (uint32_t)(at - p);
  return p == ps->text || p[-1] == '\n';
}

/* A declaration at the left margin: whatever is open was meant to be closed. */
bool feed_is_anchor(const parser *ps, token t) {
  uint32_t indent;
  return token_class_of(t.kind) == TC_ITEM &&
         feed_begins_line(ps, t, &indent) && indent == 0;
}

/* A broken `import` or `const` ends at its `;`; what is no declaration at all
 * is skipped to the next one. */
static void skip_to_item(parser *ps, token t) {
  int before = ps->past[1].kind;
  bool semi_ends = ps->open.n == 0 && before != TOK_END &&
                   before != TOK_SEMI && before != TOK_RBRACE;
  ps->open.n = 0;
  while (t.kind != TOK_END && t.kind != TOK_HASH &&
         token_class_of(t.kind) != TC_ITEM) {
    if (t.kind == TOK_LBRACE) semi_ends = false;
    if (t.kind == TOK_SEMI && semi_ends) return;
    t = shift(ps);
  }
  unshift(ps, t);
}

static void skip_to_body(parser *ps, token t) {
  while (ps->open.n && ps->open.p[ps->open.n - 1].kind != TOK_LBRACE)
    ps->open.n--;
  while (t.kind != TOK_END && t.kind != TOK_HASH && t.kind != TOK_LBRACE &&
         token_class_of(t.kind) != TC_ITEM &&
         token_class_of(t.kind) != TC_MEMBER &&
         (t.kind != TOK_RBRACE || ps->open.n == 0))
    t = shift(ps);
  unshift(ps, t);
  if (t.kind == TOK_LBRACE) return;
  ps->give_opener = true;
  ps->closers = 1;
}

static bool begins_statement(const parser *ps, token t) {
  uint32_t indent;
  switch (t.kind) {
    case TOK_LET: case TOK_VAR: case TOK_WHILE: case TOK_RETURN:
      return true;
    case TOK_FOR: case TOK_IF: /* may stand inside expressions, too */
      return feed_begins_line(ps, t, &indent);
    default:
      return false;
  }
}

/* Skips to behind the `;` or the `{ }` that ends the broken statement, or to
 * what begins another one or closes the block.  `literals` struct literals are
 * open inside of the block. */
static void skip_statement(parser *ps, token t, uint32_t literals) {
  uint32_t braces = 0, squares = 0;
  bool semi_ends = !ps->skip_block;
  ps->skip_block = false;
  for (;; t = shift(ps)) {
    if (t.kind == TOK_END || feed_is_anchor(ps, t)) break;
    if (braces == 0 && begins_statement(ps, t)) break;
    if (t.kind == TOK_LBRACE) braces++;
    if (t.kind == TOK_LBRACKET) squares++;
    if (t.kind == TOK_RBRACKET && squares) squares--;
    if (t.kind == TOK_SEMI && braces == 0 && squares == 0 && semi_ends) return;
    if (t.kind == TOK_RBRACE) {
      if (braces == 0 && literals) {
        literals--;
        continue;
      }
      if (braces == 0) break;
      if (--braces == 0) {
        int k = feed_peek(ps, 0).kind;
        squares = 0;
        if (k != TOK_ELSE && k != TOK_SEMI && k != TOK_COMMA &&
            k != TOK_RPAREN && k != TOK_DOT)
          return;
      }
    }
  }
  unshift(ps, t);
}

/* A broken member of a contract ends at its `;` or `}`, or before the next
 * member; the contract's own `}` stays. */
static void skip_member(parser *ps, token t) {
  uint32_t braces = 0;
  for (;; t = shift(ps)) {
    token_class c = token_class_of(t.kind);
    if (t.kind == TOK_END || feed_is_anchor(ps, t)) break;
    if (braces == 0 && (c == TC_MEMBER || c == TC_ITEM)) break;
    if (t.kind == TOK_LBRACE) braces++;
    if (t.kind == TOK_SEMI && braces == 0) return;
    if (t.kind == TOK_RBRACE) {
      if (braces == 0) break;
      if (--braces == 0) return;
    }
  }
  unshift(ps, t);
}

bool feed_resync(parser *ps, sync_level level) {
  if (ps->stop) return false;
  token t = ps->past[0];
  if (t.kind == TOK_END) {
    if (ps->at_end) return false;
    ps->at_end = true;
  }
  ps->past[0] = (token){.kind = TOK_SEMI, .sp = {t.sp.start, t.sp.start}};
  if (level == SYNC_ITEM) {
    skip_to_item(ps, t);
  } else if (level == SYNC_HEADER) {
    skip_to_body(ps, t);
  } else {
    uint32_t literals = 0;
    while (ps->open.n && ps->open.p[ps->open.n - 1].kind != TOK_LBRACE)
      literals += ps->open.p[--ps->open.n].kind == TOK_LIT_LBRACE;
    if (t.kind == TOK_END || feed_is_anchor(ps, t)) {
      unshift(ps, t);
      for (size_t i = 0; i < ps->open.n; i++)
        if (is_brace(ps->open.p[i].kind)) ps->closers++;
    } else if (level == SYNC_MEMBER) {
      skip_member(ps, t);
    } else {
      skip_statement(ps, t, literals);
    }
  }
  return true;
}
