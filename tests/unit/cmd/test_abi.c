/* Types of parameters and results: through JSON and back, and with leaves. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/chi/abi.h"

static const char program[] =
    "struct point { x: i16, y: fixed }\n"
    "struct mark { a: u4, b: [bool; 2] }\n"
    "struct row { at: point, tag: [u8; 3], who: identity, m: secret mark }\n"
    "fn scalars(_a: bool, _b: secret u32, _c: i5, _d: fixed<4, 12>,\n"
    "  _e: field, _f: secret field, _g: identity, _h: u256) -> u32 { 1 }\n"
    "fn arrays(_a: [secret u32; 3], _b: [[u8; 2]; 4],\n"
    "  _c: [bool; 2, 3]) -> bool { true }\n"
    "fn shapes(p: point, _q: [row; 2], t: (u8, secret u16),\n"
    "  _ts: [(u8, [u8; 2]); 3], _s: secret mark, _t: [secret mark; 5])\n"
    "  -> (u8, point) { (t.0, p) }\n"
    "fn nothing(a: u8) { require(a < 9, \"small\"); }\n"
    "fn tells(x: secret u32, to: identity) { reveal(x, to: to) }\n";

static void same_text(const char *a, const char *b) {
  CU_ASSERT_STRING_EQUAL(a, b);
  if (strcmp(a, b) != 0)
    printf("\n  %s\n  %s\n", a, b);
}

static void same_bound(mpz_srcptr a, mpz_srcptr b) {
  CU_ASSERT_EQUAL(a == NULL, b == NULL);
  if (a != NULL && b != NULL)
    CU_ASSERT_EQUAL(mpz_cmp(a, b), 0);
}

static void same_type(const fe_type *a, const fe_type *b) {
  CU_ASSERT_EQUAL(a->kind, b->kind);
  CU_ASSERT_EQUAL(a->secret, b->secret);
  CU_ASSERT_EQUAL(a->lanes, b->lanes);
  CU_ASSERT_EQUAL(a->scale, b->scale);
  same_text(a->text, b->text);
  same_text(a->elem_text, b->elem_text);
  same_bound(a->lo, b->lo);
  same_bound(a->hi, b->hi);
  CU_ASSERT_EQUAL_FATAL(a->ndim, b->ndim);
  for (uint32_t i = 0; i < a->ndim; i++)
    CU_ASSERT_EQUAL(a->dim[i], b->dim[i]);
  CU_ASSERT_EQUAL_FATAL(a->nfield, b->nfield);
  for (uint32_t i = 0; i < a->nfield; i++) {
    same_text(a->field_name[i], b->field_name[i]);
    same_type(a->field[i], b->field[i]);
  }
}

static const fe_type *through_json(arena *a, const fe_type *t) {
  buf one = {0}, two = {0};
  abi_write(&one, t);
  json_t *j = json_loads(one.p, JSON_REJECT_DUPLICATES, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(j);
  const fe_type *back = abi_read(a, j);
  json_decref(j);
  CU_ASSERT_PTR_NOT_NULL_FATAL(back);
  abi_write(&two, back);
  same_text(one.p, two.p);
  buf_free(&one);
  buf_free(&two);
  return back;
}

static void check_param(arena *a, const fe_param *p) {
  const fe_type *t = through_json(a, p->type);
  same_type(p->type, t);
  fe_param q = abi_param(a, p->name, t);
  if (t->kind == FE_TOLD)
    return; /* what is told is not part of the type */
  CU_ASSERT_EQUAL_FATAL(p->nleaf, q.nleaf);
  for (uint32_t i = 0; i < p->nleaf; i++) {
    same_text(p->leaf[i].name, q.leaf[i].name);
    same_type(p->leaf[i].type, q.leaf[i].type);
  }
}

static void test_round_trip(void) {
  arena *a = arena_new();
  source_set *ss = source_set_new(a);
  diag *dg = diag_new(a, ss);
  char path[] = "/tmp/chi-abi-XXXXXX";
  int fd = mkstemp(path);
  CU_ASSERT_FATAL(fd >= 0);
  CU_ASSERT_EQUAL(write(fd, program, sizeof program - 1),
                  (ssize_t)sizeof program - 1);
  close(fd);
  fe_unit *u = fe_load(a, ss, dg, path, &(fe_options){0});
  unlink(path);
  CU_ASSERT_PTR_NOT_NULL_FATAL(u);
  bool ok = fe_check(u);
  if (!ok) {
    buf b = {0};
    diag_render_all(dg, &b, false);
    puts(b.p);
    buf_free(&b);
  }
  CU_ASSERT_FATAL(ok);
  CU_ASSERT_EQUAL(fe_fn_count(u), 5);
  for (uint32_t i = 0; i < fe_fn_count(u); i++) {
    const fe_fn *f = fe_fn_at(u, i);
    CU_ASSERT_TRUE(f->runnable);
    for (uint32_t k = 0; k < f->nparam; k++)
      check_param(a, &f->param[k]);
    check_param(a, &f->result);
  }
  arena_free(a);
}

static bool reads(const char *text) {
  arena *a = arena_new();
  json_t *j = json_loads(text, JSON_DECODE_ANY, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(j);
  bool ok = abi_read(a, j) != NULL;
  json_decref(j);
  arena_free(a);
  return ok;
}

#define HEAD "\"secret\":false,\"text\":\"t\",\"elem\":\"t\""
#define U8 "{\"kind\":\"int\"," HEAD ",\"lo\":\"0\",\"hi\":\"255\""

static void test_refused(void) {
  static const char *const bad[] = {
      "7",
      "[]",
      "{}",
      "{\"kind\":\"word\"," HEAD "}",
      "{\"kind\":\"field\",\"secret\":0,\"text\":\"t\",\"elem\":\"t\"}",
      "{\"kind\":\"field\",\"secret\":true,\"elem\":\"t\"}",
      "{\"kind\":\"int\"," HEAD "}",
      "{\"kind\":\"int\"," HEAD ",\"lo\":\"0\"}",
      "{\"kind\":\"int\"," HEAD ",\"lo\":\"9\",\"hi\":\"1\"}",
      "{\"kind\":\"int\"," HEAD ",\"lo\":\"0x1\",\"hi\":\"9\"}",
      "{\"kind\":\"int\"," HEAD ",\"lo\":\"-\",\"hi\":\"9\"}",
      "{\"kind\":\"int\"," HEAD ",\"lo\":0,\"hi\":9}",
      "{\"kind\":\"field\"," HEAD ",\"lo\":\"0\",\"hi\":\"9\"}",
      U8 ",\"dims\":[]}",
      U8 ",\"dims\":[-1]}",
      U8 ",\"dims\":[1.5]}",
      U8 ",\"dims\":[65536,65537]}",
      U8 ",\"scale\":3}",
      U8 ",\"fields\":[{\"name\":\"x\",\"type\":" U8 "}}]}",
      "{\"kind\":\"struct\"," HEAD ",\"fields\":[{\"type\":" U8 "}}]}",
      "{\"kind\":\"struct\"," HEAD ",\"fields\":[{\"name\":\"x\"}]}",
      "{\"kind\":\"struct\"," HEAD ",\"dims\":[65537],\"fields\":[{\"name\":"
      "\"x\",\"type\":" U8 ",\"dims\":[65536]}}]}",
  };
  CU_ASSERT_TRUE(reads(U8 "}"));
  CU_ASSERT_TRUE(reads(U8 ",\"dims\":[2,3]}"));
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    CU_ASSERT_FALSE(reads(bad[i]));
    if (reads(bad[i]))
      printf("\n  read: %s\n", bad[i]);
  }
}

int main(void) {
  if (CU_initialize_registry() != CUE_SUCCESS)
    return 2;
  CU_pSuite s = CU_add_suite("abi", NULL, NULL);
  CU_ADD_TEST(s, test_round_trip);
  CU_ADD_TEST(s, test_refused);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed ? 1 : 0;
}
