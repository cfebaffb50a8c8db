/* The tree as an s-expression, for goldens: canonical, no ids, no spans.
 * Declarations and blocks put each child on a line of its own. */
#include "base/vec.h"
#include "grammar/ast.h"

typedef struct printer {
  arena *a;
  buf *out;
  VEC(const node *) spine; /* a stack shared by all levels */
} printer;

static void print(printer *p, const node *n, int indent);

static void put_quoted(buf *out, const char *s) {
  buf_putc(out, '"');
  for (; *s; s++) {
    unsigned char c = (unsigned char)*s;
    if (c == '"' || c == '\\')
      buf_printf(out, "\\%c", c);
    else if (c == '\n')
      buf_puts(out, "\\n");
    else if (c < 0x20 || c == 0x7f)
      buf_printf(out, "\\x%02x", c);
    else
      buf_putc(out, (char)c);
  }
  buf_putc(out, '"');
}

static bool breaks_lines(node_kind k) {
  return k == N_FILE || k == N_FN || k == N_STRUCT || k == N_TEST ||
         k == N_BLOCK || k == N_CONTRACT;
}

static void print_head(const node *n, buf *out) {
  buf_printf(out, "(%s", ast_kind_name(n->kind));
  switch (n->kind) {
    case N_UNARY:
    case N_BINARY:
    case N_ASSIGN: {
      const char *eq = n->kind == N_ASSIGN && n->op != O_NONE ? "=" : "";
      buf_printf(out, " %s%s", ast_op_text((node_op)n->op), eq);
      break;
    }
    case N_BOOL:
      buf_puts(out, n->op ? " true" : " false");
      break;
    case N_FN:
      if (n->op) buf_puts(out, n->op == FN_VIEW ? " view" : " action");
      break;
    case N_STATE:
      if (n->op) buf_puts(out, " secret");
      break;
    case N_BLOCK:
      if (n->has_value) buf_puts(out, " value");
      break;
    default:
      break;
  }
  if (n->text) {
    buf_putc(out, ' ');
    put_quoted(out, n->text);
  }
  if (n->doc) {
    buf_puts(out, " doc=");
    put_quoted(out, n->doc);
  }
}

static void print_kid(printer *p, const node *kid, int indent, bool own_line) {
  if (own_line) {
    buf_putc(p->out, '\n');
    for (int i = 0; i < indent; i++) buf_puts(p->out, "  ");
  } else {
    buf_putc(p->out, ' ');
  }
  if (kid)
    print(p, kid, indent);
  else
    buf_putc(p->out, '_');
}

static void print(printer *p, const node *n, int indent) {
  /* The left spine of binaries is arbitrarily long: heads on the way down,
   * right children and closing parentheses on the way back up. */
  size_t base = p->spine.n;
  for (; n->kind == N_BINARY; n = n->kid[0]) {
    print_head(n, p->out);
    buf_putc(p->out, ' ');
    vec_push(p->a, &p->spine, n);
  }
  print_head(n, p->out);
  bool lines = breaks_lines(n->kind);
  for (uint32_t i = 0; i < n->nkid; i++)
    print_kid(p, n->kid[i], indent + (lines ? 1 : 0), lines);
  buf_putc(p->out, ')');
  while (p->spine.n > base) {
    n = p->spine.p[--p->spine.n];
    print_kid(p, n->kid[1], indent, false);
    buf_putc(p->out, ')');
  }
}

void ast_print(const node *n, buf *out) {
  printer p = {.a = arena_new(), .out = out};
  print(&p, n, 0);
  buf_putc(out, '\n');
  arena_free(p.a);
}
