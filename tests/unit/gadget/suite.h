#ifndef TESTS_GADGET_SUITE_H
#define TESTS_GADGET_SUITE_H

void exhaustive_suite(void); /* every pair of operands of small fields */
void wide_suite(void);       /* random and extreme values at k = 61, 127 */
void cost_suite(void);       /* rounds and bytes as upper bounds */

#endif
