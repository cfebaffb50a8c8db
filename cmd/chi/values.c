#include "cmd/chi/values.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "cmd/chi/cli.h"

static void *must(void *p) {
  if (p == NULL)
    arena_oom_hook();
  return p;
}

static void field_prime(mpz_t p, mpz_srcptr prime) {
  if (prime != NULL)
    mpz_init_set(p, prime);
  else
    mpz_init_set_ui(p, (UINT64_C(1) << 61) - 1);
}

void value_greatest(buf *b, mpz_srcptr prime) {
  mpz_t p;
  field_prime(p, prime);
  mpz_sub_ui(p, p, 1);
  buf_mpz(b, p);
  mpz_clear(p);
}

static bool fits_small(const fe_type *t, mpz_srcptr prime) {
  if (t->kind == FE_FIELD)
    return prime == NULL || mpz_sizeinbase(prime, 2) <= 61;
  if (t->lo == NULL) /* as the circuit names it */
    return t->kind == FE_BOOL;
  return mpz_sizeinbase(t->lo, 2) <= 62 && mpz_sizeinbase(t->hi, 2) <= 62;
}

void lanes_new(lanes *l, const fe_leaf *leaf, mpz_srcptr prime) {
  *l = (lanes){.n = leaf->type->lanes};
  if (fits_small(leaf->type, prime)) {
    l->small = must(calloc(l->n, sizeof *l->small));
    return;
  }
  l->big = must(calloc(l->n, sizeof *l->big));
  for (uint64_t i = 0; i < l->n; i++)
    mpz_init(l->big[i]);
}

void lanes_free(lanes *l) {
  if (l->small != NULL)
    explicit_bzero(l->small, l->n * sizeof *l->small);
  free(l->small);
  for (uint64_t i = 0; l->big != NULL && i < l->n; i++) {
    mp_limb_t *limb = mpz_limbs_modify(l->big[i], 1);
    explicit_bzero(limb, (size_t)l->big[i]->_mp_alloc * sizeof *limb);
    mpz_clear(l->big[i]);
  }
  free(l->big);
  *l = (lanes){0};
}

void lanes_get(const lanes *l, uint64_t i, mpz_t out) {
  if (l->small != NULL)
    mpz_set_si(out, l->small[i]);
  else
    mpz_set(out, l->big[i]);
}

void lanes_set(lanes *l, uint64_t i, mpz_srcptr v) {
  if (l->small != NULL)
    l->small[i] = mpz_get_si(v);
  else
    mpz_set(l->big[i], v);
}

/* ---- text to number ---- */

const char *value_wants(fe_kind k) {
  switch (k) {
  case FE_BOOL:
    return "true or false";
  case FE_INT:
    return "an integer";
  case FE_FIXED:
    return "a decimal number";
  case FE_FIELD:
    return "a field element (an integer)";
  case FE_IDENTITY:
    return "an identity (a name or 64 hex digits)";
  case FE_STRUCT:
    return "a struct {name: value}";
  case FE_TUPLE:
    return "a tuple (a list)";
  case FE_UNIT:
  case FE_TOLD:
    break;
  }
  return "a value";
}

bool value_read_small(const fe_leaf *leaf, mpz_srcptr prime, const char *s,
                      size_t n, int64_t *out) {
  const fe_type *t = leaf->type;
  bool minus = n > 0 && s[0] == '-';
  size_t i = minus;
  int64_t v = 0;
  if ((t->kind != FE_INT && t->kind != FE_BOOL && t->kind != FE_FIELD) ||
      i == n || n - i > 18)
    return false;
  for (; i < n; i++) {
    if (s[i] < '0' || s[i] > '9')
      return false;
    v = v * 10 + (s[i] - '0');
  }
  v = minus ? -v : v;
  if (t->kind == FE_FIELD) {
    if (v < 0 || (prime != NULL && mpz_cmp_si(prime, v) <= 0))
      return false;
  } else if (mpz_cmp_si(t->lo, v) > 0 || mpz_cmp_si(t->hi, v) < 0) {
    return false;
  }
  *out = v;
  return true;
}

/* Digits with separators between them, into a NUL-terminated string. */
static size_t copy_digits(const char *s, size_t n, size_t i, bool hex,
                          char *out, size_t *k) {
  size_t from = i;
  for (; i < n; i++) {
    char c = s[i];
    bool digit = (c >= '0' && c <= '9') ||
                 (hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
    if (c == '_' && i > from && i + 1 < n && s[i - 1] != '_')
      continue;
    if (!digit)
      break;
    out[(*k)++] = c;
  }
  out[*k] = '\0';
  return i;
}

static bool read_integer(const char *s, size_t n, mpz_t out) {
  size_t i = n > 0 && (s[0] == '-' || s[0] == '+'), k = 0;
  bool hex = n - i > 2 && s[i] == '0' && (s[i + 1] == 'x' || s[i + 1] == 'X');
  if (hex)
    i += 2;
  char *d = must(malloc(n + 1));
  i = copy_digits(s, n, i, hex, d, &k);
  bool ok = k > 0 && i == n && s[n - 1] != '_' &&
            mpz_set_str(out, d, hex ? 16 : 10) == 0;
  free(d);
  if (ok && s[0] == '-')
    mpz_neg(out, out);
  return ok;
}

/* num / den to nearest, ties to even; den > 0. */
static void round_even(mpz_t out, mpz_srcptr num, mpz_srcptr den) {
  mpz_t q, r;
  mpz_inits(q, r, NULL);
  mpz_fdiv_qr(q, r, num, den);
  mpz_mul_2exp(r, r, 1);
  int c = mpz_cmp(r, den);
  if (c > 0 || (c == 0 && mpz_odd_p(q)))
    mpz_add_ui(q, q, 1);
  mpz_set(out, q);
  mpz_clears(q, r, NULL);
}

/* [sign] digits [. digits] [e [sign] digits], exact, then rounded once. */
static bool read_decimal(const char *s, size_t n, uint32_t scale, mpz_t out) {
  size_t i = n > 0 && (s[0] == '-' || s[0] == '+'), k = 0;
  char *d = must(malloc(n + 2));
  long exponent = 0;
  i = copy_digits(s, n, i, false, d, &k);
  size_t whole = k;
  if (i < n && s[i] == '.')
    i = copy_digits(s, n, i + 1, false, d, &k);
  exponent -= (long)(k - whole);
  bool ok = k > 0 && (i == n || s[i] == 'e' || s[i] == 'E');
  if (ok && i < n) {
    bool minus = ++i < n && s[i] == '-';
    long e = 0;
    i += i < n && (s[i] == '-' || s[i] == '+');
    ok = i < n;
    for (; ok && i < n; i++) {
      ok = s[i] >= '0' && s[i] <= '9' && e < 10000;
      e = e * 10 + (s[i] - '0');
    }
    exponent += minus ? -e : e;
  }
  if (ok) {
    mpz_t den, ten;
    mpz_inits(den, ten, NULL);
    mpz_set_ui(den, 1);
    mpz_set_str(out, d, 10);
    mpz_ui_pow_ui(ten, 10,
                  (unsigned long)(exponent < 0 ? -exponent : exponent));
    if (exponent < 0)
      mpz_set(den, ten);
    else
      mpz_mul(out, out, ten);
    if (s[0] == '-')
      mpz_neg(out, out);
    mpz_mul_2exp(out, out, scale);
    round_even(out, out, den);
    mpz_clears(den, ten, NULL);
  }
  free(d);
  return ok;
}

static bool same_word(const char *s, size_t n, const char *word) {
  return n == strlen(word) && strncasecmp(s, word, n) == 0;
}

value_status value_read(const fe_leaf *leaf, mpz_srcptr prime, const char *s,
                        size_t n, mpz_t out) {
  const fe_type *t = leaf->type;
  if (n == 0)
    return VALUE_FORM;
  switch (t->kind) {
  case FE_BOOL:
    if (same_word(s, n, "true") || (n == 1 && s[0] == '1'))
      mpz_set_ui(out, 1);
    else if (same_word(s, n, "false") || (n == 1 && s[0] == '0'))
      mpz_set_ui(out, 0);
    else
      return VALUE_FORM;
    return VALUE_OK;
  case FE_FIXED:
    if (!read_decimal(s, n, t->scale, out))
      return VALUE_FORM;
    break;
  case FE_FIELD: {
    mpz_t p;
    if (!read_integer(s, n, out))
      return VALUE_FORM;
    field_prime(p, prime);
    bool in = mpz_cmpabs(out, p) < 0;
    mpz_mod(out, out, p);
    mpz_clear(p);
    return in ? VALUE_OK : VALUE_RANGE;
  }
  default:
    if (!read_integer(s, n, out))
      return VALUE_FORM;
    break;
  }
  return mpz_cmp(out, t->lo) < 0 || mpz_cmp(out, t->hi) > 0 ? VALUE_RANGE
                                                            : VALUE_OK;
}

/* ---- number to text ---- */

void value_fixed(buf *b, mpz_srcptr raw, uint32_t scale) {
  mpz_t v, den, dec, ten, back;
  mpz_inits(v, den, dec, ten, back, NULL);
  mpz_abs(v, raw);
  mpz_set_ui(den, 1);
  mpz_mul_2exp(den, den, scale);
  mpz_set_ui(ten, 1);
  unsigned digits = 0;
  for (;; digits++) {
    mpz_mul(dec, v, ten);
    round_even(dec, dec, den);
    mpz_mul_2exp(back, dec, scale);
    round_even(back, back, ten);
    if (mpz_cmp(back, v) == 0)
      break;
    mpz_mul_ui(ten, ten, 10);
  }
  char *s = must(malloc(mpz_sizeinbase(dec, 10) + 2));
  mpz_get_str(s, 10, dec);
  size_t n = strlen(s), zeros = n <= digits ? digits + 1 - n : 0;
  if (mpz_sgn(raw) < 0)
    buf_putc(b, '-');
  for (size_t i = 0; i < n + zeros; i++) {
    if (i == n + zeros - digits)
      buf_putc(b, '.');
    buf_putc(b, i < zeros ? '0' : s[i - zeros]);
  }
  if (digits == 0)
    buf_puts(b, ".0");
  free(s);
  mpz_clears(v, den, dec, ten, back, NULL);
}

void value_show(buf *b, const fe_type *t, mpz_srcptr v, const people *w,
                bool json) {
  uint8_t pub[32];
  switch (t->kind) {
  case FE_BOOL:
    buf_puts(b, mpz_sgn(v) != 0 ? "true" : "false");
    return;
  case FE_FIXED:
    value_fixed(b, v, t->scale);
    return;
  case FE_IDENTITY: {
    const person *p =
        w != NULL && identity_from_mpz(pub, v) ? people_find(w, pub) : NULL;
    if (json)
      buf_putc(b, '"');
    if (p != NULL && p->name != NULL && !json) {
      buf_puts(b, p->name);
    } else {
      char *hex = mpz_get_str(NULL, 16, v);
      for (size_t i = strlen(hex); i < 64; i++)
        buf_putc(b, '0');
      buf_puts(b, hex);
      free(hex);
    }
    if (json)
      buf_putc(b, '"');
    return;
  }
  default:
    buf_mpz(b, v);
    return;
  }
}

void value_shape(buf *b, const uint64_t *dim, uint32_t n) {
  if (n == 0)
    buf_puts(b, "of a single value");
  for (uint32_t i = 0; i < n; i++)
    buf_printf(b, "%s%llu", i == 0 ? "" : " x ", (unsigned long long)dim[i]);
}
