/* The suites of test_ir, and what they share. */
#ifndef TESTS_UNIT_IR_SUITE_H
#define TESTS_UNIT_IR_SUITE_H

#include "base/diag.h"
#include "ir/ir.h"

void add_range_tests(void);
void add_build_tests(void);
void add_text_tests(void);
void add_verify_tests(void);
void add_interp_tests(void);
void add_cost_tests(void);

/* Parses text; the reports go to *dg.  NULL as ir_parse. */
ir_module *parse_text(arena *a, const char *text, diag **dg);
/* A body between a header (stage, field 61, the given leaf lines) and "}". */
ir_module *parse_body(arena *a, const char *stage, const char *leaves,
                      const char *body, diag **dg);

#endif
