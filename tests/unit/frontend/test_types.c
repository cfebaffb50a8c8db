#include <string.h>

#include "tests/unit/frontend/checked.h"

static void same_is_same(void) {
  arena *a = arena_new();
  ty_set *s = ty_set_new(a);
  const ty *u8 = ty_int(s, ival_unsigned(s->iv, 8), LAB_PUB);
  uint64_t d[2] = {3, 4}, three = 3, four = 4;
  const ty *flat = ty_array(s, u8, d, 2);
  const ty *nested = ty_array(s, ty_array(s, u8, &four, 1), &three, 1);
  CU_ASSERT_PTR_EQUAL(flat, nested);
  CU_ASSERT_EQUAL(flat->lanes, 12);
  CU_ASSERT_PTR_NOT_EQUAL(u8, ty_relabel(s, u8, LAB_SEC));
  CU_ASSERT_PTR_EQUAL(u8, ty_relabel(s, ty_relabel(s, u8, LAB_SEC), LAB_PUB));
  arena_free(a);
}

static void texts(void) {
  arena *a = arena_new();
  ty_set *s = ty_set_new(a);
  const ty *u8 = ty_int(s, ival_unsigned(s->iv, 8), LAB_PUB);
  const ty *odd = ty_int(s, ival_si(s->iv, 0, 510), LAB_SEC);
  const ty *fx = ty_fixed(s, 30, 32, ty_fixed_range(s, 30, 32), LAB_PUB);
  const ty *pair[2] = {u8, odd};
  uint64_t d[2] = {3, 4};
  CU_ASSERT_STRING_EQUAL(ty_text(a, u8), "u8");
  CU_ASSERT_STRING_EQUAL(ty_text(a, odd), "secret int 0..510");
  CU_ASSERT_STRING_EQUAL(ty_text_plain(a, odd), "int 0..510");
  CU_ASSERT_STRING_EQUAL(ty_text(a, fx), "fixed<30, 32>");
  CU_ASSERT_STRING_EQUAL(ty_text(a, ty_tuple(s, pair, 2)),
                         "(u8, secret int 0..510)");
  CU_ASSERT_STRING_EQUAL(ty_text(a, ty_array(s, u8, d, 2)), "[u8; 3, 4]");
  CU_ASSERT_STRING_EQUAL(
      ty_text(a, ty_relabel(s, ty_array(s, u8, d, 2), LAB_SEC)),
      "secret [u8; 3, 4]");
  arena_free(a);
}

static void joins(void) {
  arena *a = arena_new();
  ty_set *s = ty_set_new(a);
  const ty *x = ty_int(s, ival_si(s->iv, 0, 5), LAB_PUB);
  const ty *y = ty_int(s, ival_si(s->iv, -3, 2), LAB_SEC);
  const ty *j = ty_join(s, x, y);
  CU_ASSERT_PTR_EQUAL(j, ty_int(s, ival_si(s->iv, -3, 5), LAB_SEC));
  CU_ASSERT_PTR_NULL(ty_join(s, x, ty_bool(s, LAB_PUB)));
  CU_ASSERT_PTR_EQUAL(ty_join(s, x, s->error), s->error);
  const ty *p[2] = {x, y}, *q[2] = {y, x};
  const ty *t = ty_join(s, ty_tuple(s, p, 2), ty_tuple(s, q, 2));
  CU_ASSERT_PTR_EQUAL(t->elem[0], j);
  CU_ASSERT_EQUAL(t->nleaf, 2);
  CU_ASSERT_PTR_EQUAL(ty_leaf(t, 1), j);
  arena_free(a);
}

void suite_types(void) {
  CU_pSuite s = CU_add_suite("types", NULL, NULL);
  CU_add_test(s, "equal types are one", same_is_same);
  CU_add_test(s, "texts", texts);
  CU_add_test(s, "joins", joins);
}
