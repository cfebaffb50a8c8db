#include "cmd/chi/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

static void *must(void *p) {
  if (p == NULL)
    arena_oom_hook();
  return p;
}

static chi_status share_big(uint8_t *const *box, const chi_client_run *run,
                            uint32_t input, const lanes *v) {
  const chi_field *f = &run->field;
  size_t bytes = v->n * f->words * sizeof(uint64_t);
  uint64_t *e = must(calloc(v->n, f->words * sizeof *e));
  chi_status st = CHI_OK;
  for (uint64_t i = 0; i < v->n && st == CHI_OK; i++) {
    char *text = mpz_get_str(NULL, 10, v->big[i]);
    if (chi_element_parse(e + i * f->words, f, text, NULL, NULL) != CHI_OK)
      st = CHI_E_RANGE;
    chi_wipe(text, strlen(text));
    free(text);
  }
  if (st == CHI_OK)
    st = chi_client_share_elements(box, run, input, e, v->n);
  chi_wipe(e, bytes);
  free(e);
  return st;
}

chi_status client_seal(const chi_client_run *run, uint32_t input,
                       const lanes *v, uint8_t **box, size_t *bytes) {
  for (unsigned i = 0; i < run->n; i++) {
    bytes[i] = chi_client_blob_bytes(run, i, v->n);
    box[i] = must(malloc(bytes[i] + 1));
  }
  return v->small != NULL ? chi_client_share(box, run, input, v->small, v->n)
                          : share_big(box, run, input, v);
}

void client_integers(lanes *out, const ir_module *m, const ir_leaf *l,
                     const uint64_t *element, uint64_t n) {
  uint32_t words = ir_field_words(m);
  bool centred = strcmp(l->type, "field") != 0;
  *out = (lanes){.n = n, .big = must(calloc(n, sizeof *out->big))};
  for (uint64_t i = 0; i < n; i++) {
    mpz_ptr v = out->big[i];
    mpz_init(v);
    mpz_import(v, words, -1, sizeof *element, 0, 0, element + i * words);
    if (centred && !ir_in_field(m, v))
      mpz_sub(v, v, m->p);
  }
}
