/* The suites of this executable; each adds itself to the CUnit registry. */
#ifndef TESTS_UNIT_BASE_SUITES_H
#define TESTS_UNIT_BASE_SUITES_H

void suite_arena(void);
void suite_buf(void);
void suite_source(void);
void suite_diag(void);

#endif
