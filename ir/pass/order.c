/* Which pass must follow which; a test runs every pipeline through it. */
#include <string.h>

#include "ir/pass/pass.h"
#include "ir/pass/util.h"

const pass_rule pass_rules[] = {
    {PASS_fold, PASS_vector,
     "trip counts are constants and loops of 0 or 1 turns are gone"},
    {PASS_cse, PASS_vector,
     "two accesses of one place have the same index value"},
    {PASS_dce, PASS_vector,
     "a dead use of a carried value would keep its loop sequential"},
    {PASS_cse, PASS_balance, "equal factors are one value, with more uses"},
    {PASS_dce, PASS_balance, "only single uses are reassociated"},
    {PASS_bits, PASS_balance, "what bits multiplies is rebuilt as well"},
    {PASS_bits, PASS_lazy, "stage core has no integers on shares"},
    {PASS_lazy, PASS_sched, "sched takes stage core"},
};
const uint32_t pass_nrules = sizeof pass_rules / sizeof *pass_rules;

const pass_rule *pass_order_broken(const char *pipeline) {
  bool seen[PASS_COUNT] = {false};
  const char *name;
  size_t n;
  while (pass_next(&pipeline, &name, &n)) {
    const pass_info *p = pass_find(name, n);
    if (!p) return NULL;
    for (uint32_t k = 0; k < pass_nrules; k++)
      if (pass_rules[k].after == (pass_id)(p - pass_table) &&
          !seen[pass_rules[k].before])
        return &pass_rules[k];
    seen[p - pass_table] = true;
  }
  return NULL;
}
