/* C11 against chi_gen.h: the whole of one circuit.
 *
 * Plan (plan.h), then functions from the inside out, then the tables that
 * describe them.  The .c holds one external symbol, the chi_program.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backend/c/emit.h"
#include "backend/manifest.h"
#include "backend/mangle.h"
#include "ir/cost.h"

static const char *kind_of(const c_plan *p, const backend_leaf *l) {
  if (l->told) return "CHI_KIND_TOLD";
  switch (plan_val(p, l->v)->rep) {
  case REP_Z:
    return "CHI_KIND_INT";
  case REP_WIDE:
    return "CHI_KIND_WIDE";
  case REP_P:
    return "CHI_KIND_FIELD";
  default:
    return "CHI_KIND_SHARE";
  }
}

static void write_bound(buf *b, const ir_range *r, bool high) {
  if (!r) {
    buf_puts(b, "NULL");
    return;
  }
  buf_putc(b, '"');
  buf_mpz(b, high ? r->hi : r->lo);
  buf_putc(b, '"');
}

static void write_leaves(const c_emit *e, buf *b, const char *array,
                         const ir_leaf *leaf, const backend_leaf *at, uint32_t n) {
  if (!n) return;
  buf_printf(b, "static const chi_leaf %s[] = {\n", array);
  for (uint32_t k = 0; k < n; k++) {
    const c_slot *s = plan_val(e->p, at[k].v)->slot;
    buf_puts(b, "    {");
    emit_quoted(b, leaf[k].name);
    buf_puts(b, ", ");
    emit_quoted(b, leaf[k].type);
    buf_puts(b, ", ");
    emit_quoted(b, leaf[k].shape);
    buf_printf(b, ", %s, %" PRIu64 ", ", kind_of(e->p, &at[k]),
               at[k].v->ty.lanes);
    write_bound(b, at[k].v->ty.range, false);
    buf_puts(b, ", ");
    write_bound(b, at[k].v->ty.range, true);
    buf_printf(b, ", %" PRIu64 "},\n", at[k].told ? 0 : s->off);
  }
  buf_puts(b, "};\n");
}

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static void write_sites(const c_emit *e, buf *b) {
  if (!e->site.n) return;
  buf_puts(b, "static const chi_site site[] = {\n");
  for (size_t k = 0; k < e->site.n; k++) {
    const c_site *s = &e->site.p[k];
    source_pos at = {0};
    if (e->m->src && s->sp.start) at = source_at(e->m->src, s->sp.start);
    buf_printf(b, "    {%s, ",
               s->range ? "CHI_SITE_RANGE" : "CHI_SITE_REQUIRE");
    emit_quoted(b, s->range ? "a revealed value lies outside its type"
                   : s->message ? s->message
                                : "a condition is false");
    buf_puts(b, ", ");
    emit_quoted(b, at.file ? base_name(at.file->path) : "");
    buf_printf(b, ", %" PRIu32 ", %" PRIu32 "},\n", at.line, at.col);
  }
  buf_puts(b, "};\n");
}

static void write_hash(buf *b, const char *hex) {
  buf_puts(b, "    {");
  for (int k = 0; k < 32; k++) {
    if (k) buf_puts(b, k % 12 ? ", " : ",\n     ");
    buf_printf(b, "0x%.2s", hex + 2 * k);
  }
  buf_puts(b, "},\n");
}

/* Under a protocol; of a circuit that is bound, under its own alone. */
static void write_rounds(buf *b, arena *a, const ir_module *m,
                         ir_target nodes, bool shuffles) {
  const ir_target *t = &m->target;
  /* each number of nodes has its own rounds of a shuffle */
  bool varies = shuffles && !t->protocol && nodes.protocol == IR_SHAMIR;
  bool ours = !varies && (!t->protocol || (t->protocol == nodes.protocol &&
                                         (t->n >= 6) == (nodes.n >= 6)));
  const ir_cost *c =
      ours ? backend_cost(a, m, t->protocol ? t : &nodes) : NULL;
  if (c && c->exact)
    buf_printf(b, "    UINT64_C(%" PRIu64 "),\n", c->rounds);
  else
    buf_puts(b, "    UINT64_MAX,\n");
}

static void write_program(c_emit *e, buf *b, const char *symbol) {
  const ir_module *m = e->m;
  char hash[65];
  ir_hash(m, hash);
  static const char zero[] =
      "0000000000000000000000000000000000000000000000000000000000000000";
  const char *source = e->info->source_hash;
  if (!source || strlen(source) != 64) source = zero;
  buf_printf(b, "\nconst chi_program %s = {\n    CHI_ABI, CHI_FIELD_INIT,\n",
             symbol);
  buf_puts(b, "    ");
  emit_quoted(b, m->name);
  buf_puts(b, ",\n");
  write_hash(b, hash);
  write_hash(b, source);
  buf_printf(b, "    UINT64_C(%" PRIu64 "),\n", e->p->words);
  buf_printf(b, "    %s, %u,\n", m->nin ? "input" : "NULL", m->nin);
  buf_printf(b, "    %s, %u,\n", m->nout ? "output" : "NULL", m->nout);
  buf_printf(b, "    %s, %u,\n", e->site.n ? "site" : "NULL",
             (unsigned)e->site.n);
  buf_printf(b, "    UINT64_C(%" PRIu64 "), UINT64_C(%" PRIu64 "),\n",
             e->max_reduce, e->max_open);
  buf_printf(b, "    %u, %u,\n", e->max_reduce_values, e->max_open_values);
  bool moves = e->max_shuffle_values > 0;
  write_rounds(b, e->a, m, (ir_target){IR_REP3, 3}, moves);
  write_rounds(b, e->a, m, (ir_target){IR_SHAMIR, 3}, moves);
  write_rounds(b, e->a, m, (ir_target){IR_SHAMIR, 7}, moves);
  static const char *const protocol[] = {"0", "CHI_REP3", "CHI_SHAMIR"};
  buf_printf(b, "    run, {%s, %u}, %u, %u,\n", protocol[m->target.protocol],
             m->target.n, e->max_bit_values, e->max_shuffle_values);
  buf_printf(b, "    UINT64_C(%" PRIu64 "), UINT64_C(%" PRIu64 ")};\n",
             e->max_shuffle_lanes, e->max_shuffle_rows);
}

/* What chi_gen.h makes its types of. */
static void write_field(const c_emit *e, buf *b) {
  const ir_module *m = e->m;
  if (emit_own_field(e) || (m->is_mersenne && m->k == 127)) {
    if (m->k != 61) buf_printf(b, "#define CHI_MERSENNE %u\n", m->k);
    return;
  }
  uint32_t n = ir_field_words(m);
  buf_printf(b, "#define CHI_PRIME_WORDS %u\n#define CHI_PRIME {", n);
  for (uint32_t k = 0; k < n; k++)
    buf_printf(b, "%sUINT64_C(0x%" PRIx64 ")", k ? ", " : "",
               (uint64_t)mpz_getlimbn(m->p, (mp_size_t)k));
  buf_puts(b, "}\n");
}

static void write_source(c_emit *e, buf *b, const char *symbol,
                         const char *stem, const char *body) {
  const backend_leaf *in = backend_leaves(e->a, e->m, false);
  const backend_leaf *out = backend_leaves(e->a, e->m, true);
  buf_printf(b,
             "/* Emitted by Chirograph %s; changes here are lost. */\n",
             e->info->version ? e->info->version : "");
  write_field(e, b);
  buf_puts(b, "#include \"chi_gen.h\"\n\n");
  buf_printf(b, "#include \"%s.h\"\n\n", stem);
  if (e->data.n) {
    buf_write(b, e->data.p, e->data.n);
    buf_putc(b, '\n');
  }
  if (e->fns.n) buf_write(b, e->fns.p, e->fns.n);
  buf_puts(b, "static int run(chi_gen *g) {\n");
  if (body)
    buf_printf(b, "  return %s(g, chi_gen_words(g));\n}\n\n", body);
  else
    buf_puts(b, "  (void)g;\n  return 0;\n}\n\n");
  write_leaves(e, b, "input", e->m->in, in, e->m->nin);
  write_leaves(e, b, "output", e->m->out, out, e->m->nout);
  write_sites(e, b);
  write_program(e, b, symbol);
}

/* Every leaf of the tables must stand somewhere in the circuit. */
static bool leaves_stand(ir_module *m, arena *a, diag *dg) {
  const backend_leaf *in = backend_leaves(a, m, false);
  const backend_leaf *out = backend_leaves(a, m, true);
  for (uint32_t k = 0; k < m->nin; k++)
    if (!in[k].v) {
      diag_report_nowhere(dg, DIAG_C_LEAF, m->in[k].name);
      return false;
    }
  for (uint32_t k = 0; k < m->nout; k++)
    if (!out[k].v) {
      diag_report_nowhere(dg, DIAG_C_LEAF, m->out[k].name);
      return false;
    }
  return true;
}

static bool emit_c(ir_module *m, const backend_info *info, arena *a, diag *dg,
                   backend_output *o) {
  static const backend_info none;
  if (!info) info = &none;
  if (m->stage != IR_SCHED) {
    diag_report_nowhere(dg, DIAG_C_STAGE, m->name);
    return false;
  }
  if (!leaves_stand(m, a, dg)) return false;
  c_plan *p = plan_new(m, a, dg);
  if (!p) return false;
  c_emit e = {.p = p, .m = m, .a = a, .info = info};
  const char *symbol =
      mangle_symbol(a, info->module ? info->module : "main", m->name);
  const char *stem = info->stem ? info->stem : m->name;
  c_ctl top = {.indent = 1};
  e.ctl = &top;
  const char *body = control_block(&e, m->body);
  backend_output r = {.npart = 3,
                      .part = {{.suffix = ".c"}, {.suffix = ".h"},
                               {.suffix = ".json"}}};
  write_source(&e, &r.part[0].text, symbol, stem, body);
  emit_header(&e, &r.part[1].text, symbol);
  manifest_print(&r.part[2].text, m, info, symbol, a);
  buf_free(&top.body);
  buf_free(&e.data);
  buf_free(&e.fns);
  buf_free(&e.code);
  r.words = p->words;
  *o = r;
  return true;
}

static const char *const suffixes[] = {".c", ".h", ".json", NULL};

const backend backend_c = {
    "c", suffixes, BACKEND_RUNS | BACKEND_SHARES | BACKEND_MANIFEST, emit_c};
