/* Identities of a local run. */
#include <stdlib.h>
#include <string.h>

#include "chi.h"
#include "cmd/chi/values.h"

static int hex_digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

static bool read_hex(const char *s, size_t n, uint8_t out[32]) {
  if (n != 64)
    return false;
  for (size_t i = 0; i < 32; i++) {
    int hi = hex_digit(s[2 * i]), lo = hex_digit(s[2 * i + 1]);
    if (hi < 0 || lo < 0)
      return false;
    out[i] = (uint8_t)(hi * 16 + lo);
  }
  return true;
}

bool identity_valid(const char *s, size_t n) {
  uint8_t pub[32];
  if (n == 0 || n > 256)
    return false;
  if (read_hex(s, n, pub))
    return true;
  bool all_digits = true;
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)s[i];
    if (c <= ' ' || c == 0x7f || strchr("\"\\[]{}(),", c) != NULL)
      return false;
    all_digits = all_digits && c >= '0' && c <= '9';
  }
  return !all_digits;
}

const person *people_find(const people *w, const uint8_t pub[32]) {
  for (uint32_t i = 0; i < w->n; i++)
    if (memcmp(w->p[i].pub, pub, 32) == 0)
      return &w->p[i];
  return NULL;
}

/* Room for one more, not counted yet. */
static person *people_room(people *w) {
  if (w->n == w->cap) {
    uint32_t cap = w->cap == 0 ? 8 : w->cap * 2;
    person *p = realloc(w->p, cap * sizeof *p);
    if (p == NULL)
      return NULL;
    w->p = p;
    w->cap = cap;
  }
  w->p[w->n] = (person){0};
  return &w->p[w->n];
}

bool people_add(people *w, const char *name, const uint8_t pub[32]) {
  person *p = people_room(w);
  if (p == NULL || (p->name = strdup(name)) == NULL)
    return false;
  memcpy(p->pub, pub, 32);
  w->n++;
  return true;
}

const person *people_get(people *w, const char *s, size_t n) {
  uint8_t pub[32];
  bool hex = read_hex(s, n, pub);
  if (hex && people_find(w, pub) != NULL)
    return people_find(w, pub);
  for (uint32_t i = 0; !hex && i < w->n; i++)
    if (w->p[i].name != NULL && strlen(w->p[i].name) == n &&
        memcmp(w->p[i].name, s, n) == 0)
      return &w->p[i];
  person *p = !hex && w->closed ? NULL : people_room(w);
  if (p == NULL)
    return NULL;
  if (hex) {
    memcpy(p->pub, pub, 32);
  } else {
    if (chi_identity_new(&p->key) != CHI_OK)
      return NULL;
    chi_identity_public(p->key, p->pub);
    p->name = strndup(s, n);
    if (p->name == NULL)
      return NULL;
  }
  w->n++;
  return p;
}

void people_free(people *w) {
  for (uint32_t i = 0; i < w->n; i++) {
    chi_identity_free(w->p[i].key);
    free((char *)w->p[i].name);
  }
  free(w->p);
  *w = (people){0};
}

void identity_to_mpz(mpz_t out, const uint8_t pub[32]) {
  mpz_import(out, 32, 1, 1, 1, 0, pub);
}

bool identity_from_mpz(uint8_t pub[32], mpz_srcptr v) {
  size_t n = (mpz_sizeinbase(v, 2) + 7) / 8;
  if (mpz_sgn(v) < 0 || n > 32)
    return false;
  memset(pub, 0, 32);
  if (mpz_sgn(v) != 0)
    mpz_export(pub + (32 - n), NULL, 1, 1, 1, 0, v);
  return true;
}
