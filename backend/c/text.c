/* Literals, names, lines, static arrays. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/c/emit.h"

const char *emit_i64(c_emit *e, int64_t v) {
  if (v == INT64_MIN) return "(-INT64_C(9223372036854775807) - 1)";
  if (v > INT32_MIN && v <= INT32_MAX)
    return arena_printf(e->a, v < 0 ? "(%" PRId64 ")" : "%" PRId64, v);
  if (v < 0) return arena_printf(e->a, "(-INT64_C(%" PRId64 "))", -v);
  return arena_printf(e->a, "INT64_C(%" PRId64 ")", v);
}

static int64_t get_i64(mpz_srcptr v) { return (int64_t)mpz_get_si(v); }

const char *emit_mpz_i64(c_emit *e, mpz_srcptr v) {
  return emit_i64(e, get_i64(v));
}

/* The limbs of v modulo p, least significant first. */
static void residue(const c_emit *e, buf *b, mpz_srcptr v) {
  mpz_t r;
  mpz_init(r);
  mpz_fdiv_r(r, v, e->m->p);
  for (uint32_t k = 0; k < ir_field_words(e->m); k++)
    buf_printf(b, "%sUINT64_C(%" PRIu64 ")", k ? ", " : "",
               (uint64_t)mpz_getlimbn(r, (mp_size_t)k));
  mpz_clear(r);
}

const char *emit_field(c_emit *e, mpz_srcptr v) {
  buf b = {0};
  residue(e, &b, v);
  const char *s = arena_strndup(e->a, b.p, b.n);
  buf_free(&b);
  return arena_printf(e->a, "CHI_FE(%s)", s);
}

const char *emit_name(c_emit *e, const char *prefix) {
  return arena_printf(e->a, "%s%u", prefix, e->nname++);
}

static void add_line(buf *b, int indent, const char *fmt, va_list ap) {
  char small[256];
  va_list again;
  va_copy(again, ap);
  int n = vsnprintf(small, sizeof small, fmt, ap);
  for (int k = 0; k < indent; k++) buf_puts(b, "  ");
  if (n < (int)sizeof small) {
    buf_write(b, small, n < 0 ? 0 : (size_t)n);
  } else {
    char *big = malloc((size_t)n + 1);
    if (!big) {
      if (arena_oom_hook) arena_oom_hook();
      va_end(again);
      return;
    }
    vsnprintf(big, (size_t)n + 1, fmt, again);
    buf_write(b, big, (size_t)n);
    free(big);
  }
  buf_putc(b, '\n');
  va_end(again);
}

void emit_line(c_emit *e, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  add_line(&e->code, 1, fmt, ap);
  va_end(ap);
  e->stmts++;
}

void emit_ctl(c_emit *e, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  add_line(&e->ctl->body, e->ctl->indent, fmt, ap);
  va_end(ap);
  e->ctl->calls++;
}

void kernel_line(c_kernel *k, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  add_line(&k->body, k->indent, fmt, ap);
  va_end(ap);
  k->stmts++;
}

void emit_quoted(buf *b, const char *s) {
  buf_putc(b, '"');
  for (; *s; s++) {
    unsigned char c = (unsigned char)*s;
    if (c == '"' || c == '\\') {
      buf_printf(b, "\\%c", c);
    } else if (c == '?') {
      buf_puts(b, "\\?"); /* no trigraphs */
    } else if (c < 0x20 || c >= 0x7f) {
      buf_printf(b, "\\%03o", c);
    } else {
      buf_putc(b, (char)c);
    }
  }
  buf_putc(b, '"');
}

uint32_t emit_site(c_emit *e, bool range, const char *message, span sp) {
  vec_push(e->a, &e->site, ((c_site){range, message, sp}));
  return (uint32_t)e->site.n - 1;
}

/* ---- static arrays ---- */

static void wide_words(buf *b, mpz_srcptr v) {
  uint64_t limb[16] = {0};
  size_t n = 0;
  if (mpz_sizeinbase(v, 2) <= 1024)
    mpz_export(limb, &n, -1, sizeof *limb, 0, 0, v);
  int sign = mpz_sgn(v);
  buf_puts(b, sign < 0 ? "UINT64_MAX" : sign > 0 ? "1" : "0");
  for (int k = 0; k < 16; k++) {
    buf_puts(b, k % 4 == 3 ? ",\n    " : ", ");
    if (limb[k] > INT32_MAX)
      buf_printf(b, "UINT64_C(%" PRIu64 ")", limb[k]);
    else
      buf_printf(b, "%" PRIu64, limb[k]);
  }
}

uint32_t emit_wide_const(c_emit *e, mpz_srcptr v) {
  buf_printf(&e->data, "static const uint64_t c%u[17] = {\n    ", ++e->ndata);
  wide_words(&e->data, v);
  buf_puts(&e->data, "};\n");
  return e->ndata;
}

static void bit_table(c_emit *e, uint32_t id, const ir_value *v) {
  uint64_t n = v->ty.lanes, words = n / 64 + (n % 64 != 0);
  buf *b = &e->data;
  buf_printf(b, "static const uint64_t t%u[%" PRIu64 "] = {\n    ", id, words);
  for (uint64_t k = 0; k < words; k++) {
    uint64_t w = 0;
    for (uint64_t l = 64 * k; l < n && l < 64 * (k + 1); l++)
      w |= (uint64_t)mpz_tstbit(v->def->at.table[l], 0) << (l % 64);
    buf_printf(b, "UINT64_C(0x%" PRIx64 ")", w);
    if (k + 1 < words) buf_puts(b, k % 3 == 2 ? ",\n    " : ", ");
  }
  buf_puts(b, "};\n");
}

uint32_t emit_table(c_emit *e, const ir_value *v) {
  c_val *c = plan_val(e->p, v);
  if (c->table) return c->table;
  c->table = ++e->ndata;
  buf *b = &e->data;
  uint64_t n = v->ty.lanes;
  mpz_srcptr *t = v->def->at.table;
  if (c->rep == REP_B) {
    bit_table(e, c->table, v);
    return c->table;
  }
  if (c->rep == REP_WIDE) {
    buf_printf(b, "static const uint64_t t%u[%" PRIu64 "] = {\n    ",
               c->table, n * 17);
    for (uint64_t k = 0; k < n; k++) {
      wide_words(b, t[k]);
      buf_puts(b, k + 1 < n ? ",\n    " : "");
    }
  } else {
    bool ints = c->rep == REP_Z;
    buf_printf(b, "static const %s t%u[%" PRIu64 "] = {\n    ",
               ints ? "int64_t" : "uint64_t", c->table,
               ints ? n : n * ir_field_words(e->m));
    for (uint64_t k = 0; k < n; k++) {
      if (!ints)
        residue(e, b, t[k]);
      else if (get_i64(t[k]) == INT64_MIN)
        buf_puts(b, "-INT64_C(9223372036854775807) - 1");
      else
        buf_printf(b, "INT64_C(%" PRId64 ")", get_i64(t[k]));
      if (k + 1 < n) buf_puts(b, k % 4 == 3 ? ",\n    " : ", ");
    }
  }
  buf_puts(b, "};\n");
  return c->table;
}
