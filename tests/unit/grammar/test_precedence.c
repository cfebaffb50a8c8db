/* Random expressions are written twice: with every parenthesis, and with only
 * those that the table below calls for.  Both must give the same tree. */
#include <CUnit/Basic.h>
#include <string.h>

#include "tests/unit/grammar/parsed.h"

typedef struct op {
  const char *text;
  int level; /* higher binds tighter */
} op;

static const op ops[] = {
    {"||", 1}, {"&&", 2}, {"==", 3}, {"!=", 3}, {"<", 3},  {"<=", 3},
    {">", 3},  {">=", 3}, {"|", 4},  {"^", 5},  {"&", 6},  {"<<", 7},
    {">>", 7}, {"+", 8},  {"-", 8},  {"*", 9},  {"/", 9},  {"%", 9},
    {"@", 9}};
enum { NOP = sizeof ops / sizeof *ops, COMPARE = 3, PREFIX = 10, POSTFIX = 11 };

static uint32_t seed;
static uint32_t roll(uint32_t n) { /* xorshift32 */
  seed ^= seed << 13;
  seed ^= seed >> 17;
  seed ^= seed << 5;
  return seed % n;
}

/* Writes the same random expression to both; `least` is the level that needs
 * no parentheses in `few`. */
static void write_expr(buf *few, buf *all, int least, int depth) {
  uint32_t kind = depth == 0 ? 9 : roll(10);
  if (kind < 6) {
    const op *o = &ops[roll(NOP)];
    bool wrap = o->level < least;
    int left = o->level == COMPARE ? o->level + 1 : o->level;
    if (wrap) buf_putc(few, '(');
    buf_putc(all, '(');
    write_expr(few, all, left, depth - 1);
    buf_printf(few, " %s ", o->text);
    buf_printf(all, " %s ", o->text);
    write_expr(few, all, o->level + 1, depth - 1);
    if (wrap) buf_putc(few, ')');
    buf_putc(all, ')');
  } else if (kind == 6) {
    char c = "-!~"[roll(3)];
    bool wrap = PREFIX < least;
    if (wrap) buf_putc(few, '(');
    buf_printf(few, "%c", c);
    buf_printf(all, "(%c", c);
    write_expr(few, all, PREFIX, depth - 1);
    if (wrap) buf_putc(few, ')');
    buf_putc(all, ')');
  } else if (kind == 7) {
    static const char *const suffix[] = {".f", ".0", "[1]", "(x)", "[..2]"};
    const char *s = suffix[roll(5)];
    buf_putc(all, '(');
    write_expr(few, all, POSTFIX, depth - 1);
    buf_puts(few, s);
    buf_printf(all, "%s)", s);
  } else {
    const char *s = roll(2) ? "a" : "7";
    buf_puts(few, s);
    buf_puts(all, s);
  }
}

static void test_random_expressions(void) {
  seed = 2463534242u;
  for (int i = 0; i < 3000; i++) {
    buf few = {0}, all = {0};
    buf_puts(&few, "const E = ");
    buf_puts(&all, "const E = ");
    write_expr(&few, &all, 0, 1 + i % 6);
    buf_putc(&few, ';');
    buf_putc(&all, ';');
    parsed p = parse_text(few.p), q = parse_text(all.p);
    CU_ASSERT_EQUAL(diag_errors(p.dg), 0);
    CU_ASSERT_EQUAL(diag_errors(q.dg), 0);
    CU_ASSERT_STRING_EQUAL(tree_text(&p), tree_text(&q));
    /* The same as the beginning of a statement. */
    buf st = {0};
    buf_printf(&st, "fn f() { %s }", few.p + strlen("const E = "));
    parsed r = parse_text(st.p);
    CU_ASSERT_EQUAL(diag_errors(r.dg), 0);
    parsed_free(&p);
    parsed_free(&q);
    parsed_free(&r);
    buf_free(&few);
    buf_free(&all);
    buf_free(&st);
  }
}

/* As expression: one sum.  As statement: `if`, then a negation. */
static void test_if_at_the_beginning(void) {
  parsed p = parse_text("fn f() { let x = if a { 1 } else { 2 } - 1; "
                        "if a { 1 } else { 2 } - 1 }");
  CU_ASSERT_EQUAL_FATAL(diag_errors(p.dg), 0);
  const node *block = p.root->kid[0]->kid[3];
  CU_ASSERT_EQUAL_FATAL(block->nkid, 3);
  CU_ASSERT_EQUAL(block->kid[0]->kid[2]->kind, N_BINARY);
  CU_ASSERT_EQUAL(block->kid[1]->kid[0]->kind, N_IF);
  CU_ASSERT_EQUAL(block->kid[2]->kid[0]->kind, N_UNARY);
  parsed_free(&p);
}

void suite_precedence(void) {
  CU_pSuite s = CU_add_suite("precedence", NULL, NULL);
  CU_ADD_TEST(s, test_random_expressions);
  CU_ADD_TEST(s, test_if_at_the_beginning);
}
