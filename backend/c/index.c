/* Lane indices: affine in the loop variables as long as views allow. */
#include <inttypes.h>

#include "backend/c/emit.h"

c_idx idx_const(int64_t c) { return (c_idx){.c = c}; }

void idx_add_sym(c_kernel *k, c_idx *x, const char *name, int64_t coef) {
  if (coef == 0) return;
  if (x->nsym == EMIT_SYMS) {
    const char *v = emit_name(k->e, "x");
    const char *t = idx_text(k, x);
    kernel_line(k, "const int64_t %s = %s;", v, t);
    *x = (c_idx){.nsym = 1, .sym[0] = {v, 1}};
  }
  x->sym[x->nsym].name = name;
  x->sym[x->nsym++].k = coef;
}

static void add_term(buf *b, const char *name, int64_t coef) {
  if (b->n) {
    buf_puts(b, coef < 0 ? " - " : " + ");
  } else if (coef < 0) {
    buf_puts(b, "-");
  }
  uint64_t mag = coef < 0 ? 0 - (uint64_t)coef : (uint64_t)coef;
  if (mag != 1) buf_printf(b, "%" PRIu64 " * ", mag);
  buf_puts(b, name);
}

const char *idx_text(c_kernel *k, const c_idx *x) {
  buf b = {0};
  for (uint32_t d = 0; d < k->ndim; d++)
    if (x->s[d] && k->dim[d].name) add_term(&b, k->dim[d].name, x->s[d]);
  for (uint32_t j = 0; j < x->nsym; j++)
    if (x->sym[j].k) add_term(&b, x->sym[j].name, x->sym[j].k);
  if (x->c > 0 && b.n) {
    buf_printf(&b, " + %" PRId64, x->c);
  } else if (x->c < 0 && b.n) {
    buf_printf(&b, " - %" PRIu64, 0 - (uint64_t)x->c);
  } else if (!b.n) {
    buf_printf(&b, "%" PRId64, x->c);
  }
  const char *s = arena_strndup(k->e->a, b.p, b.n);
  buf_free(&b);
  return s;
}

/* Axes of one lane vanish; neighbours that run on into each other merge. */
static uint32_t canonical(ir_dim *out, const ir_dim *dim, uint32_t nd) {
  uint32_t n = 0;
  for (uint32_t j = 0; j < nd; j++) {
    if (dim[j].n == 1) continue;
    if (n && out[n - 1].stride == (int64_t)dim[j].n * dim[j].stride) {
      out[n - 1].n *= dim[j].n;
      out[n - 1].stride = dim[j].stride;
    } else {
      out[n++] = dim[j];
    }
  }
  return n;
}

static c_idx scaled(const c_kernel *k, const c_idx *in, int64_t off,
                    int64_t stride) {
  c_idx r = *in;
  r.c = off + in->c * stride;
  for (uint32_t d = 0; d < k->ndim; d++) r.s[d] = in->s[d] * stride;
  for (uint32_t j = 0; j < r.nsym; j++) r.sym[j].k *= stride;
  return r;
}

typedef enum { CUT_DONE, CUT_AGAIN, CUT_CANNOT } cut_result;

/* Writes `in` in the mixed radix of the axes, each loop variable staying
 * within one digit: digit j counts units of m = product of the later sizes. */
static cut_result cut(c_kernel *k, c_idx *out, const c_idx *in, int64_t off,
                      const ir_dim *dim, uint32_t nd) {
  if (in->nsym || in->c < 0) return CUT_CANNOT;
  *out = idx_const(off);
  uint64_t m = 1, left = (uint64_t)in->c;
  uint64_t total = ir_dims_lanes(dim, nd);
  uint64_t top = total; /* units per step of the axis before */
  for (uint32_t j = 0; j < nd; j++) {
    m = top / dim[j].n;
    uint64_t digit = left / m, span_max = digit;
    left %= m;
    out->c += (int64_t)digit * dim[j].stride;
    for (uint32_t d = 0; d < k->ndim; d++) {
      if (in->s[d] == 0 || k->dim[d].n == 1) continue;
      if (in->s[d] < 0) return CUT_CANNOT;
      uint64_t s = (uint64_t)in->s[d], n = k->dim[d].n;
      if (s < m || s >= top) continue;
      if (s % m) return CUT_CANNOT;
      uint64_t t = s / m; /* steps of this axis per turn */
      if ((n - 1) * t >= dim[j].n) {
        /* runs into the axis before: cut the loop there */
        if (dim[j].n % t || n % (dim[j].n / t)) return CUT_CANNOT;
        return kernel_split(k, d, dim[j].n / t) ? CUT_AGAIN : CUT_CANNOT;
      }
      span_max += (n - 1) * t;
      out->s[d] = (int64_t)t * dim[j].stride;
    }
    if (span_max >= dim[j].n) return CUT_CANNOT;
    top = m;
  }
  /* strides of a whole period or more would have to be constant */
  for (uint32_t d = 0; d < k->ndim; d++)
    if (k->dim[d].n > 1 && in->s[d] > 0 && (uint64_t)in->s[d] >= total)
      return CUT_CANNOT;
  return CUT_DONE;
}

/* By division, lane for lane. */
static c_idx divided(c_kernel *k, const c_idx *in, int64_t off,
                     const ir_dim *dim, uint32_t nd) {
  const char *x = emit_name(k->e, "x");
  kernel_line(k, "const int64_t %s = %s;", x, idx_text(k, in));
  const char *y = emit_name(k->e, "x");
  buf b = {0};
  uint64_t top = ir_dims_lanes(dim, nd);
  for (uint32_t j = 0; j < nd; j++) {
    uint64_t m = top / dim[j].n;
    if (dim[j].stride != 0) {
      if (b.n) buf_puts(&b, " + ");
      buf_puts(&b, x);
      if (m > 1) buf_printf(&b, " / %" PRIu64, m);
      if (j > 0) buf_printf(&b, " %% %" PRIu64, dim[j].n);
      if (dim[j].stride != 1)
        buf_printf(&b, " * %s", emit_i64(k->e, dim[j].stride));
    }
    top = m;
  }
  kernel_line(k, "const int64_t %s = %s;", y, b.n ? b.p : "0");
  buf_free(&b);
  c_idx r = idx_const(off);
  idx_add_sym(k, &r, y, 1);
  return r;
}

void idx_unused(c_kernel *k, const c_idx *x) {
  for (uint32_t j = 0; j < x->nsym; j++)
    kernel_line(k, "(void)%s;", x->sym[j].name);
}

static c_idx ignored(c_kernel *k, const c_idx *in, int64_t off) {
  idx_unused(k, in);
  return idx_const(off);
}

c_idx idx_view(c_kernel *k, const c_idx *in, int64_t off, const ir_dim *dim,
               uint32_t ndim) {
  ir_dim *d = ARENA_ARR(k->e->a, ir_dim, ndim + 1);
  uint32_t nd = canonical(d, dim, ndim);
  if (nd == 0) return ignored(k, in, off);
  if (nd == 1 && d[0].stride != 0) return scaled(k, in, off, d[0].stride);
  bool zero = true;
  for (uint32_t j = 0; j < nd; j++) zero &= d[j].stride == 0;
  if (zero) return ignored(k, in, off);
  c_idx out;
  switch (cut(k, &out, in, off, d, nd)) {
  case CUT_DONE:
  case CUT_AGAIN:
    return out;
  default:
    return divided(k, in, off, d, nd);
  }
}
