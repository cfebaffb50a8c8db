/* Elements as text. */
#include <string.h>

#include "chi_gen.h"
#include "field.h"
#include "session.h"

chi_status chi_element_parse(uint64_t *out, const chi_field *field,
                             const char *text, const char *lo,
                             const char *hi) {
  chii_field f;
  uint64_t v[CHI_WIDE_WORDS], b[CHI_WIDE_WORDS];
  CHII_REQUIRE(out && field && text, "an argument is NULL");
  if (chii_field_of(&f, field, false))
    return CHI_E_ARG;
  memset(out, 0, f.bytes);
  if (!chii_wide_parse(v, text))
    return CHI_E_ARG;
  if ((lo && !chii_wide_parse(b, lo)))
    return CHI_E_ARG;
  if (lo && chi_wide_cmp(v, b) < 0)
    return CHI_E_RANGE;
  if (hi && !chii_wide_parse(b, hi))
    return CHI_E_ARG;
  if (hi && chi_wide_cmp(v, b) > 0)
    return CHI_E_RANGE;
  return chii_of_wide(&f, out, v) ? CHI_OK : CHI_E_RANGE;
}

chi_status chi_element_print(char *text, size_t bytes, const chi_field *field,
                             const uint64_t *element, int centred) {
  chii_field f;
  uint64_t v[CHI_WIDE_WORDS];
  CHII_REQUIRE(text && field && element, "an argument is NULL");
  if (chii_field_of(&f, field, false) || f.op->above(&f, element, 1))
    return CHI_E_ARG;
  chii_to_wide(&f, v, element, centred != 0);
  return chii_wide_print(text, bytes, v) ? CHI_OK : CHI_E_RANGE;
}
