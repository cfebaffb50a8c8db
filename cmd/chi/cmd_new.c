/* chi new identity: a key pair of this user. */
#include <string.h>

#include "cmd/chi/identity.h"

int cmd_new(cli *c) {
  const char *what = c->opt.arg[0], *path;
  uint8_t pub[32];
  char hex[65];
  if (strcmp(what, "identity") != 0)
    return usage_error(c, "There is 'chi new identity NAME'.",
                       "'%s' is nothing that can be made",
                       text_shown(c->a, what, strlen(what)));
  if (c->opt.passphrase_file != NULL && c->opt.key_file != NULL)
    return usage_error(c, NULL, "options '--passphrase-file' and "
                       "'--key-file' exclude each other");
  if (!identity_create(c, c->opt.arg[1], pub, &path))
    return report_failure(c);
  buf b = {0};
  chi_hex(hex, pub, sizeof pub);
  if (c->opt.json) {
    buf_printf(&b, "{\"identity\":\"%s\",\"public\":\"%s\",\"file\":",
               c->opt.arg[1], hex);
    text_jsonz(&b, path);
    buf_puts(&b, "}\n");
  } else {
    buf_printf(&b, "%s  %s\nkept in %s\n", c->opt.arg[1], hex, path);
  }
  bool ok = print_out(&b);
  buf_free(&b);
  return ok ? EXIT_FINE : EXIT_NETWORK;
}
