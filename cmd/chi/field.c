/* --field: the prime that secrets are elements of. */
#include <string.h>

#include "cmd/chi/cli.h"
#include "ir/ir.h"

static bool no_field(cli *c, const char *why) {
  const char *s = c->opt.field;
  usage_error(c,
              "Take p61, p127, or prime:N with an odd prime N of 3 to 576 "
              "bits.", "option '--field' takes a field, not '%s': %s",
              text_shown(c->a, s, strlen(s)), why);
  return false;
}

static void clear(void *p) { mpz_clear(p); }

bool option_field(cli *c) {
  const char *s = c->opt.field;
  if (s == NULL)
    return true;
  bool p127 = strcmp(s, "p127") == 0;
  __mpz_struct *p = ARENA_NEW(c->a, __mpz_struct); /* as long as the command */
  mpz_init(p);
  arena_defer(c->a, clear, p);
  if (p127 || strcmp(s, "p61") == 0) {
    mpz_setbit(p, p127 ? 127 : 61);
    mpz_sub_ui(p, p, 1);
  } else if (strncmp(s, "prime:", 6) != 0) {
    return no_field(c, "there is none of that name");
  } else if (s[6] < '0' || s[6] > '9' || strlen(s) > 200 ||
             mpz_set_str(p, s + 6, 0) != 0) {
    return no_field(c, "this is no number");
  } else if (mpz_cmp_ui(p, 3) < 0 || mpz_even_p(p) ||
             mpz_probab_prime_p(p, 30) == 0) {
    return no_field(c, "this is no odd prime");
  } else if (mpz_sizeinbase(p, 2) < 3) {
    return no_field(c, "this has fewer than 3 bits");
  } else if (mpz_sizeinbase(p, 2) > IR_FIELD_BITS) {
    return no_field(c, "this has more bits");
  }
  c->prime = p;
  return true;
}
