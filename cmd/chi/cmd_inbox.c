/* chi inbox: the values that contracts told to an identity. */
#include <string.h>

#include "cmd/chi/contact.h"
#include "cmd/chi/identity.h"
#include "cmd/chi/show.h"
#include "cmd/chi/told.h"

static void print_text(cli *c, const contact *x, const told_box *box, buf *b) {
  if (box->n == 0)
    buf_puts(b, "nothing\n");
  for (size_t i = 0; i < box->n; i++) {
    const told_letter *t = &box->p[i];
    buf_printf(b, "call %llu", (unsigned long long)t->call);
    if (t->contract[0] != '\0') {
      buf_printf(b, ", %s.%s by ", t->contract, t->action);
      show_key(b, t->caller, &x->who, false);
    }
    buf_printf(b, ": %s = ", text_shown(c->a, t->name, strlen(t->name)));
    told_print(b, t, &x->who, false);
    buf_putc(b, '\n');
  }
}

static void print_json(const told_box *box, buf *b) {
  buf_puts(b, "{\"letters\":[");
  for (size_t i = 0; i < box->n; i++) {
    buf_puts(b, i > 0 ? ",\n" : "\n");
    told_print(b, &box->p[i], NULL, true);
  }
  buf_puts(b, "]}\n");
}

int cmd_inbox(cli *c) {
  contact x;
  uint8_t pub[32];
  told_box box = {0};
  buf b = {0};
  if (c->opt.as == NULL)
    return usage_error(c, NULL, "option '--as' is missing: whose inbox?");
  chi_identity *id = NULL;
  bool ok = contact_open(c, &x) &&
            (id = identity_open(c, c->opt.as, pub)) != NULL &&
            told_fetch(&x, id, 0, &box);
  int code = EXIT_NETWORK;
  if (!ok) {
    code = report_failure(c);
  } else {
    if (c->opt.json)
      print_json(&box, &b);
    else
      print_text(c, &x, &box, &b);
    if (print_out(&b))
      code = EXIT_FINE;
  }
  buf_free(&b);
  told_free(&box);
  chi_identity_free(id);
  contact_close(&x);
  return code;
}
