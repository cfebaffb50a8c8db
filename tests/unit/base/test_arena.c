#include <CUnit/Basic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/vec.h"
#include "tests/unit/base/suites.h"

static void test_alloc_zeroed_aligned_disjoint(void) {
  enum { N = 3000 };
  arena *a = arena_new();
  unsigned char *p[N];
  size_t size[N];
  srand(1);
  for (int i = 0; i < N; i++) {
    size[i] = (size_t)rand() % 300;
    if (i % 500 == 0) size[i] = 200000; /* gets a chunk of its own */
    p[i] = arena_alloc(a, size[i]);
    CU_ASSERT_EQUAL((uintptr_t)p[i] % 16, 0);
    for (size_t k = 0; k < size[i]; k++)
      if (p[i][k] != 0) CU_FAIL("not zeroed");
    memset(p[i], i & 0xff, size[i]);
  }
  for (int i = 0; i < N; i++)
    for (size_t k = 0; k < size[i]; k++)
      if (p[i][k] != (i & 0xff)) CU_FAIL_FATAL("blocks overlap");
  arena_free(a);
}

static void test_strings(void) {
  arena *a = arena_new();
  CU_ASSERT_STRING_EQUAL(arena_strdup(a, "abc"), "abc");
  CU_ASSERT_STRING_EQUAL(arena_strndup(a, "abcdef", 2), "ab");
  CU_ASSERT_STRING_EQUAL(arena_printf(a, "%d-%s", 7, "x"), "7-x");
  CU_ASSERT_STRING_EQUAL(arena_printf(a, "%s", ""), "");
  arena_free(a);
}

static void test_grow_keeps_content(void) {
  arena *a = arena_new();
  VEC(int) v = {0};
  for (int i = 0; i < 10000; i++) vec_push(a, &v, i * 3);
  CU_ASSERT_EQUAL(v.n, 10000);
  for (int i = 0; i < 10000; i++)
    if (v.p[i] != i * 3) CU_FAIL_FATAL("lost an element");
  int *same = arena_grow(a, v.p, 10, 5, sizeof *v.p);
  CU_ASSERT_PTR_EQUAL(same, v.p);
  arena_free(a);
}

static int order[3], calls;
static void note_call(void *p) { order[calls++] = *(int *)p; }

static void test_defer_runs_last_first(void) {
  static int one = 1, two = 2, three = 3;
  calls = 0;
  arena *a = arena_new();
  arena_defer(a, note_call, &one);
  arena_defer(a, note_call, &two);
  arena_defer(a, note_call, &three);
  CU_ASSERT_EQUAL(calls, 0);
  arena_free(a);
  CU_ASSERT_EQUAL(calls, 3);
  CU_ASSERT_EQUAL(order[0], 3);
  CU_ASSERT_EQUAL(order[1], 2);
  CU_ASSERT_EQUAL(order[2], 1);
  arena_free(NULL);
}

static void leave_42(void) { _exit(42); }

/* A size that overflows ends in the hook; that ends the process. */
static void test_overflow_goes_to_hook(void) {
  pid_t pid = fork();
  if (pid == 0) {
    arena_oom_hook = leave_42;
    arena *a = arena_new();
    arena_array(a, SIZE_MAX / 4, 8);
    _exit(0);
  }
  int status = 0;
  CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
  CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

static void test_used_grows(void) {
  arena *a = arena_new();
  size_t before = arena_used(a);
  arena_alloc(a, 1000);
  CU_ASSERT_TRUE(arena_used(a) >= before + 1000);
  CU_ASSERT_TRUE(arena_used(a) <= before + 1016);
  arena_free(a);
}

void suite_arena(void) {
  CU_pSuite s = CU_add_suite("arena", NULL, NULL);
  CU_ADD_TEST(s, test_alloc_zeroed_aligned_disjoint);
  CU_ADD_TEST(s, test_strings);
  CU_ADD_TEST(s, test_grow_keeps_content);
  CU_ADD_TEST(s, test_defer_runs_last_first);
  CU_ADD_TEST(s, test_overflow_goes_to_hook);
  CU_ADD_TEST(s, test_used_grows);
}
