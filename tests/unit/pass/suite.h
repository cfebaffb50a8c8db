#ifndef TESTS_PASS_SUITE_H
#define TESTS_PASS_SUITE_H

void random_suite(void); /* random circuits, before and after each pass */
void shape_suite(void);  /* counted expectations, the order table */

#endif
