/* Loop nests: groups of loops, chunks, loads and stores. */
#include <inttypes.h>
#include <stdio.h>

#include "backend/c/emit.h"

bool kernel_split(c_kernel *k, uint32_t d, uint64_t inner) {
  if (k->restart) return true; /* the sizes have changed already */
  for (uint32_t j = 0; j < k->nopen; j++) {
    struct c_group *g = &k->group[k->open[j]];
    if (d < g->first || d >= g->first + g->n) continue;
    if (g->n == EMIT_GROUP_DIMS || k->ndim + 1 >= EMIT_DIMS ||
        k->open[j] >= EMIT_GROUPS - 1)
      return false;
    uint32_t at = d - g->first;
    for (uint32_t q = g->n; q > at + 1; q--) g->size[q] = g->size[q - 1];
    g->size[at + 1] = inner;
    g->size[at] /= inner;
    g->n++;
    k->restart = true;
    return true;
  }
  return false;
}

/* Enters group k->ngroup with its sizes; the caller writes the loops. */
static struct c_group *push_group(c_kernel *k, uint64_t n) {
  uint32_t id = k->ngroup < EMIT_GROUPS - 1 ? k->ngroup++ : EMIT_GROUPS - 1;
  struct c_group *g = &k->group[id];
  if (g->n == 0 || id == EMIT_GROUPS - 1) {
    g->n = 1;
    g->size[0] = n;
  }
  g->first = k->ndim;
  g->strip = 0;
  k->open[k->nopen++] = id;
  for (uint32_t j = 0; j < g->n; j++) {
    k->dim[k->ndim].n = g->size[j];
    k->dim[k->ndim].name =
        g->size[j] > 1 ? emit_name(k->e, "i") : NULL;
    k->ndim++;
  }
  return g;
}

/* Row-major strides of the group's dimensions behind outer * n. */
static c_idx group_index(const struct c_group *g, const c_idx *outer,
                         uint64_t n) {
  c_idx x = outer ? *outer : idx_const(0);
  x.c *= (int64_t)n;
  for (uint32_t d = 0; d < g->first; d++) x.s[d] *= (int64_t)n;
  for (uint32_t j = 0; j < x.nsym; j++) x.sym[j].k *= (int64_t)n;
  int64_t s = 1;
  for (uint32_t j = g->n; j-- > 0;) {
    x.s[g->first + j] = s;
    s *= (int64_t)g->size[j];
  }
  return x;
}

static void open_loop(c_kernel *k, uint32_t d) {
  const char *i = k->dim[d].name;
  if (!i) return;
  kernel_line(k, "for (int64_t %s = 0; %s < %" PRIu64 "; %s++) {", i, i,
              k->dim[d].n, i);
  k->indent++;
}

static uint32_t innermost(const c_kernel *k, const struct c_group *g) {
  for (uint32_t j = g->n; j-- > 0;)
    if (k->dim[g->first + j].name) return g->first + j;
  return UINT32_MAX;
}

c_idx kernel_open(c_kernel *k, uint64_t n, const c_idx *outer,
                  uint64_t strip) {
  struct c_group *g = push_group(k, n);
  uint32_t in = innermost(k, g);
  if (strip && n > strip && in != UINT32_MAX)
    g->strip = k->dim[in].n > strip ? 2 : 1;
  for (uint32_t j = 0; j < g->n; j++) {
    uint32_t d = g->first + j;
    if (d != in || g->strip != 2) {
      open_loop(k, d);
      continue;
    }
    const char *i = k->dim[d].name, *end = emit_name(k->e, "e");
    kernel_line(k, "for (int64_t %s = 0; %s < %" PRIu64 ";) {", i, i,
                k->dim[d].n);
    k->indent++;
    kernel_line(k,
                "const int64_t %s = %" PRIu64 " - %s < %" PRIu64
                " ? %" PRIu64 " : %s + %" PRIu64 ";",
                end, k->dim[d].n, i, strip, k->dim[d].n, i, strip);
    kernel_line(k, "for (; %s < %s; %s++) {", i, end, i);
    k->indent++;
  }
  return group_index(g, outer, n);
}

static void close_brace(c_kernel *k) {
  k->indent--;
  kernel_line(k, "}");
}

void kernel_close(c_kernel *k, const char *pause) {
  struct c_group *g = &k->group[k->open[--k->nopen]];
  bool first = true;
  for (uint32_t j = g->n; j-- > 0;) {
    if (!k->dim[g->first + j].name) continue;
    close_brace(k);
    if (first && g->strip) kernel_line(k, "%s", pause);
    if (first && g->strip == 2) close_brace(k);
    first = false;
  }
  k->ndim = g->first;
}

/* Lanes [from, to) of a group of several dimensions: runs of the innermost. */
static c_idx open_runs(c_kernel *k, uint64_t n, const char *from,
                       const char *to) {
  struct c_group *g = push_group(k, n);
  uint32_t in = innermost(k, g);
  if (in == UINT32_MAX) return idx_const(0);
  const char *i = k->dim[in].name;
  if (g->n == 1) {
    kernel_line(k, "for (int64_t %s = %s; %s < %s; %s++) {", i, from, i, to,
                i);
    k->indent++;
    return group_index(g, NULL, n);
  }
  const char *l = emit_name(k->e, "l"), *end = emit_name(k->e, "e");
  kernel_line(k, "for (int64_t %s = %s; %s < %s;) {", l, from, l, to);
  k->indent++;
  uint64_t unit = n;
  for (uint32_t j = 0; j < g->n; j++) {
    uint32_t d = g->first + j;
    unit /= g->size[j];
    if (!k->dim[d].name) continue;
    if (unit > 1)
      kernel_line(k, "%sint64_t %s = %s / %" PRIu64 " %% %" PRIu64 ";",
                  d == in ? "" : "const ", k->dim[d].name, l, unit,
                  g->size[j]);
    else
      kernel_line(k, "%sint64_t %s = %s %% %" PRIu64 ";",
                  d == in ? "" : "const ", k->dim[d].name, l, g->size[j]);
  }
  kernel_line(k,
              "const int64_t %s = %s - %s < %" PRIu64
              " - %s ? %s + (%s - %s) : %" PRIu64 ";",
              end, to, l, k->dim[in].n, i, i, to, l, k->dim[in].n);
  kernel_line(k, "%s += %s - %s;", l, end, i);
  kernel_line(k, "for (; %s < %s; %s++) {", i, end, i);
  k->indent++;
  return group_index(g, NULL, n);
}

static void close_runs(c_kernel *k) {
  struct c_group *g = &k->group[k->open[--k->nopen]];
  if (innermost(k, g) != UINT32_MAX) close_brace(k);
  if (g->n > 1 && innermost(k, g) != UINT32_MAX) close_brace(k);
  k->ndim = g->first;
}

void kernel_run(c_emit *e, uint64_t lanes, const char *from, const char *to,
                c_body body, void *user) {
  c_kernel k = {.e = e};
  uint32_t names = e->nname;
  do {
    buf_reset(&k.pre);
    buf_reset(&k.body);
    k.restart = false;
    k.stmts = k.ndim = k.ngroup = k.nopen = 0;
    k.scalar.n = 0;
    k.indent = from ? 3 : 2;
    e->nname = names;
    c_idx l = from ? open_runs(&k, lanes, from, to)
                   : kernel_open(&k, lanes, NULL, 0);
    body(&k, &l, user);
    if (from)
      close_runs(&k);
    else
      kernel_close(&k, NULL);
  } while (k.restart);
  const char *pad = from ? "    " : "  ";
  buf_printf(&e->code, "%s{\n", pad);
  buf_write(&e->code, k.pre.p ? k.pre.p : "", k.pre.n);
  buf_write(&e->code, k.body.p ? k.body.p : "", k.body.n);
  buf_printf(&e->code, "%s}\n", pad);
  e->stmts += k.stmts;
  buf_free(&k.pre);
  buf_free(&k.body);
}

/* ---- memory ---- */

static const char *place(c_kernel *k, const c_slot *s, const c_idx *lane) {
  c_idx x = *lane;
  x.c += (int64_t)s->off;
  k->e->uses_w = true;
  return idx_text(k, &x);
}

/* A plane of elements and the lane in it. */
static const char *element(c_kernel *k, const c_slot *s, const c_idx *lane) {
  k->e->uses_w = true;
  return arena_printf(k->e->a, "w + %" PRIu64 ", (uint64_t)(%s)", s->off,
                      idx_text(k, lane));
}

static const char *wide_place(c_kernel *k, const c_slot *s,
                              const c_idx *lane) {
  k->e->uses_w = true;
  c_idx x = *lane;
  x.c = x.c * 17 + (int64_t)s->off;
  for (uint32_t d = 0; d < k->ndim; d++) x.s[d] *= 17;
  for (uint32_t j = 0; j < x.nsym; j++) x.sym[j].k *= 17;
  return idx_text(k, &x);
}

static void load_text(c_kernel *k, buf *out, const char *v, const c_slot *s,
                      c_rep r, uint64_t lanes, const c_idx *lane) {
  switch (r) {
  case REP_Z:
    buf_printf(out, "const int64_t %s = (int64_t)w[%s];\n", v,
               place(k, s, lane));
    break;
  case REP_WIDE:
    buf_printf(out, "const uint64_t *const %s = w + (%s);\n", v,
               wide_place(k, s, lane));
    break;
  case REP_P:
  case REP_PROD:
    buf_printf(out, "const chi_fe %s = chi_fe_ld(%s);\n", v,
               element(k, s, lane));
    break;
  case REP_SH:
    k->e->shares = k->e->uses_w = true;
    buf_printf(out,
               "const chi_sh %s = chi_sh_ld(P, w + %" PRIu64 ", %" PRIu64
               ", (uint64_t)(%s));\n",
               v, s->off, lanes, idx_text(k, lane));
    break;
  default: /* bits have no lanes of their own */
    break;
  }
  k->stmts++;
}

c_name kernel_load(c_kernel *k, const c_slot *s, c_rep r, uint64_t lanes,
                   const c_idx *lane) {
  c_name v;
  if (lanes > 1) {
    snprintf(v.s, sizeof v.s, "%s", emit_name(k->e, "v"));
    for (int j = 0; j < k->indent; j++) buf_puts(&k->body, "  ");
    load_text(k, &k->body, v.s, s, r, lanes, lane);
    return v;
  }
  /* a scalar: once, before the loops */
  idx_unused(k, lane);
  for (size_t j = 0; j < k->scalar.n; j++)
    if (k->scalar.p[j].slot == s) return k->scalar.p[j].name;
  snprintf(v.s, sizeof v.s, "%s", emit_name(k->e, "v"));
  c_idx zero = idx_const(0);
  buf_puts(&k->pre, "    ");
  load_text(k, &k->pre, v.s, s, r, 1, &zero);
  vec_push(k->e->a, &k->scalar, ((c_scalar){s, v}));
  return v;
}

void kernel_store(c_kernel *k, const c_slot *s, c_rep r, uint64_t lanes,
                  const c_idx *lane, c_name v) {
  switch (r) {
  case REP_Z:
    kernel_line(k, "w[%s] = (uint64_t)%s;", place(k, s, lane), v.s);
    break;
  case REP_WIDE:
    kernel_line(k, "chi_wide_copy(w + (%s), %s);", wide_place(k, s, lane),
                v.s);
    break;
  case REP_P:
  case REP_PROD:
    kernel_line(k, "chi_fe_st(%s, %s);", element(k, s, lane), v.s);
    break;
  case REP_SH:
    k->e->shares = k->e->uses_w = true;
    kernel_line(k,
                "chi_sh_st(P, w + %" PRIu64 ", %" PRIu64
                ", (uint64_t)(%s), %s);",
                s->off, lanes, idx_text(k, lane), v.s);
    break;
  default:
    break;
  }
}
