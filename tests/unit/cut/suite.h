#ifndef TESTS_CUT_SUITE_H
#define TESTS_CUT_SUITE_H

void random_suite(void); /* random actions, whole and cut */

#endif
