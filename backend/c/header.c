/* The header for whoever embeds the circuit: clean C99 and C++. */
#include <inttypes.h>
#include <string.h>

#include "backend/c/emit.h"
#include "backend/mangle.h"
#include "ir/cost.h"

/* Text inside a C comment: no end of comment, no control characters. */
static void comment_text(buf *b, const char *s, const char *newline) {
  for (const char *p = s; *p; p++) {
    unsigned char c = (unsigned char)*p;
    if (c == '\n')
      buf_puts(b, newline);
    else if (c == '/' && p > s && p[-1] == '*')
      buf_puts(b, " /");
    else if (c == '*' && p > s && p[-1] == '/')
      buf_puts(b, " *");
    else if (c >= 0x20 && c != 0x7f)
      buf_putc(b, (char)c);
  }
}

static void leaf_line(const c_emit *e, buf *b, const char *prefix,
                      const ir_leaf *l, uint32_t k, const char *owner,
                      bool told) {
  buf_puts(b, "  /* ");
  comment_text(b, l->name, " ");
  buf_printf(b, ": %s", told ? "told, " : l->secret ? "secret " : "public ");
  comment_text(b, l->type, " ");
  comment_text(b, l->shape, " ");
  if (owner) {
    buf_puts(b, ", from ");
    comment_text(b, owner, " ");
  }
  buf_printf(b, " */\n  %s%s = %u,\n", prefix,
             mangle_path(e->a, l->name), k);
}

static const char *protocol_name(const ir_target *t) {
  return t->protocol == IR_SHAMIR ? "shamir" : "rep3";
}

static void cost_line(const c_emit *e, buf *b, const ir_target *t) {
  const ir_cost *c = backend_cost(e->a, e->m, t);
  uint64_t most = 0;
  for (unsigned k = 0; k < t->n; k++)
    if (c->bytes[k] > most) most = c->bytes[k];
  buf_printf(b,
             " *   %s, %u nodes: %s%" PRIu64 " rounds, %" PRIu64
             " bytes sent by a node\n",
             protocol_name(t), t->n,
             c->exact ? "" : "at most ", c->rounds, most);
}

static void leaf_enum(const c_emit *e, buf *b, const char *prefix,
                      const ir_leaf *l, uint32_t n, bool out) {
  if (!n) return;
  const backend_leaf *at = backend_leaves(e->a, e->m, out);
  buf_puts(b, "enum {\n");
  for (uint32_t k = 0; k < n; k++)
    leaf_line(e, b, prefix, &l[k], k,
              !out && e->info->owner ? e->info->owner[k] : NULL,
              at[k].told);
  buf_printf(b, "  %s0COUNT = %u\n};\n\n", prefix, n);
}

void emit_header(c_emit *e, buf *b, const char *symbol) {
  const char *up = mangle_constant(e->a, symbol);
  buf_printf(b, "/* Emitted by Chirograph %s; changes here are lost.\n *\n",
             e->info->version ? e->info->version : "");
  buf_puts(b, " * Function ");
  comment_text(b, e->m->name, " ");
  if (e->info->module) {
    buf_puts(b, " of module ");
    comment_text(b, e->info->module, " ");
  }
  buf_puts(b, ".");
  if (e->info->doc && *e->info->doc) {
    buf_puts(b, "\n *\n * ");
    comment_text(b, e->info->doc, "\n * ");
  }
  buf_puts(b, "\n *\n * Cost of one run:\n");
  uint32_t ntarget;
  const ir_target *t = backend_targets(e->m, &ntarget);
  for (uint32_t k = 0; k < ntarget; k++) cost_line(e, b, &t[k]);
  if (e->m->target.protocol)
    buf_printf(b,
               " *\n * It is for %u nodes of %s and no others: "
               "chi_session_new refuses.\n",
               t->n, protocol_name(t));
  buf_printf(b,
             " *\n * Every input is given with chi_session_input_*, every "
             "output read with\n * chi_session_output*, by the numbers below. "
             "chi_session_new takes\n * &%s.\n */\n",
             symbol);
  buf_printf(b, "#ifndef %s_H\n#define %s_H\n\n#include \"chi.h\"\n\n", up,
             up);
  buf_puts(b, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
  leaf_enum(e, b, arena_printf(e->a, "%s_IN_", up), e->m->in, e->m->nin,
            false);
  leaf_enum(e, b, arena_printf(e->a, "%s_OUT_", up), e->m->out,
            e->m->nout, true);
  buf_printf(b, "extern CHI_API const chi_program %s;\n\n", symbol);
  buf_puts(b, "#ifdef __cplusplus\n}\n#endif\n#endif\n");
}
