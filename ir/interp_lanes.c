/* The interpreter's memory: lanes stored, viewed or computed when read. */
#include <stdlib.h>
#include <string.h>

#include "ir/interp_impl.h"

/* ---- life ---- */
static uint64_t store_bytes(const store *s) {
  if (s->form == ST_WORDS) return s->n * sizeof *s->w;
  return s->form == ST_GMP ? s->n * 2 * sizeof *s->g : 0;
}

static void store_drop(ir_interp *x, store *s) {
  if (!s || --s->ref) return;
  x->bytes -= store_bytes(s);
  if (s->form == ST_GMP)
    for (uint64_t k = 0; k < s->n; k++) mpz_clear(&s->g[k]);
  store_drop(x, s->base);
  for (uint32_t k = 0; k < s->narg; k++) store_drop(x, s->arg[k].st);
  free(s->w);
  free(s->g);
  free(s->dim);
  free(s);
}

void val_drop(ir_interp *x, val *v) {
  store_drop(x, v->st);
  v->st = NULL;
}

val val_ref(val v) {
  if (v.st) v.st->ref++;
  return v;
}

static store *store_new(ir_interp *x, uint64_t n, bool gmp, span sp) {
  uint64_t size = gmp ? sizeof(__mpz_struct) : sizeof(uint64_t);
  store *s = calloc(1, sizeof *s);
  if (s) {
    s->ref = 1;
    s->n = n;
    s->form = gmp ? ST_GMP : ST_WORDS;
  }
  bool fits = s && n <= SIZE_MAX / 2 / size &&
              !(x->o.max_bytes && (store_bytes(s) > x->o.max_bytes ||
                                   x->bytes > x->o.max_bytes - store_bytes(s)));
  void *mem = fits ? calloc(n, size) : NULL;
  if (!mem) {
    free(s);
    interp_fail(x, IR_RUN_BUDGET, sp,
                "could not hold %llu more lanes in memory",
                (unsigned long long)n);
    return NULL;
  }
  if (gmp) {
    s->g = mem;
    for (uint64_t k = 0; k < n; k++) mpz_init(&s->g[k]);
  } else {
    s->w = mem;
  }
  x->bytes += store_bytes(s);
  if (x->bytes > x->n.peak_bytes) x->n.peak_bytes = x->bytes;
  return s;
}

store *store_words(ir_interp *x, uint64_t n, span sp) {
  return store_new(x, n, false, sp);
}

store *store_gmp(ir_interp *x, uint64_t n, span sp) {
  return store_new(x, n, true, sp);
}

bool store_set(store *s, uint64_t lane, mpz_srcptr v) {
  if (s->form == ST_GMP) {
    mpz_set(&s->g[lane], v);
    return true;
  }
  if (!mpz_fits_slong_p(v)) return false; /* residues have at most 61 bits */
  s->w[lane] = (uint64_t)mpz_get_si(v);
  return true;
}

/* ---- views ---- */
static int64_t view_lane(const store *s, uint64_t lane) {
  int64_t at = s->off;
  for (uint32_t k = s->ndim; k--;) {
    at += (int64_t)(lane % s->dim[k].n) * s->dim[k].stride;
    lane /= s->dim[k].n;
  }
  return at;
}

static void view_load(const store *s, uint64_t at, uint32_t n, uint64_t *out) {
  const uint64_t *w = s->base->w;
  uint64_t inner = s->ndim ? s->dim[s->ndim - 1].n : 1;
  int64_t step = s->ndim ? s->dim[s->ndim - 1].stride : 0;
  while (n) {
    uint64_t run = inner - at % inner;
    if (run > n) run = n;
    const uint64_t *from = w + view_lane(s, at);
    if (step == 1)
      memcpy(out, from, run * sizeof *out);
    else
      for (uint64_t k = 0; k < run; k++) out[k] = from[(int64_t)k * step];
    out += run;
    at += run;
    n -= (uint32_t)run;
  }
}

bool val_view(ir_interp *x, val *v, const ir_type *from, int64_t off,
              const ir_dim *d, uint32_t nd, uint64_t lanes, span sp) {
  store *base = v->st;
  if (!base || base->n == 1) return true; /* equal lanes */
  int64_t step = 1;
  if (base->form == ST_VIEW && base->ndim == 1) { /* compose */
    step = base->dim[0].stride;
    off = base->off + off * step;
    base = base->base;
  } else if (!val_settle(x, v, from->lanes, true, sp)) {
    return false;
  } else {
    base = v->st;
  }
  if (lanes == 1 && base->form == ST_WORDS) {
    uint64_t word = base->w[off];
    val_drop(x, v);
    v->word = word;
    return true;
  }
  store *s = calloc(1, sizeof *s);
  ir_dim *dim = calloc(nd ? nd : 1, sizeof *dim);
  if (!s || !dim) arena_oom_hook();
  for (uint32_t k = 0; k < nd; k++)
    dim[k] = (ir_dim){d[k].n, d[k].stride * step};
  *s = (store){.ref = 1, .form = ST_VIEW, .n = lanes, .base = base,
               .off = off, .ndim = nd, .dim = dim};
  base->ref++;
  val_drop(x, v);
  v->st = s;
  return lanes >= LAZY_MIN || val_settle(x, v, lanes, true, sp);
}

/* ---- reading ---- */
/* The lanes of a lazy op.  Its fault codes surface in x->status. */
static void lazy_load(ir_interp *x, const store *s, uint64_t at, uint32_t n,
                      uint64_t *out) {
  uint64_t tmp[2][CHUNK];
  const uint64_t *a[3] = {NULL, NULL, NULL};
  for (uint32_t k = 0; k < s->narg; k++)
    a[k] = val_load(x, &s->arg[k], at, n, k < s->narg - 1 ? tmp[k] : out);
  int bad = words_op(s->op, s->dom, x->p, x->k, a[0], a[1], a[2], out, n);
  if (bad)
    interp_fail(x, bad == 1 ? IR_RUN_WRONG : IR_RUN_UNDEFINED, s->sp,
                bad == 1 ? "a value left its range" : "undefined arithmetic");
}

const uint64_t *val_load(ir_interp *x, const val *v, uint64_t at, uint32_t n,
                         uint64_t *tmp) {
  const store *s = v->st;
  if (!s || s->n == 1) {
    uint64_t word = s ? val_word(x, v, 0) : v->word;
    for (uint32_t k = 0; k < n; k++) tmp[k] = word;
    return tmp;
  }
  if (s->form == ST_WORDS) return s->w + at;
  if (s->form == ST_VIEW)
    view_load(s, at, n, tmp);
  else
    lazy_load(x, s, at, n, tmp);
  return tmp;
}

uint64_t val_word(ir_interp *x, const val *v, uint64_t lane) {
  const store *s = v->st;
  uint64_t word;
  if (!s) return v->word;
  if (s->n == 1) lane = 0;
  if (s->form == ST_WORDS) return s->w[lane];
  if (s->form == ST_VIEW) return s->base->w[view_lane(s, lane)];
  lazy_load(x, s, lane, 1, &word);
  return word;
}

void val_mpz(const val *v, ir_dom dom, bool wide, uint64_t lane, mpz_ptr out) {
  const store *s = v->st;
  uint64_t word = v->word;
  if (s) {
    if (s->n == 1) lane = 0;
    if (s->form == ST_VIEW) {
      lane = (uint64_t)view_lane(s, lane);
      s = s->base;
    }
    if (wide) {
      mpz_set(out, &s->g[lane]);
      return;
    }
    word = s->w[lane];
  }
  if (dom == DOM_P)
    mpz_set_ui(out, word);
  else
    mpz_set_si(out, (int64_t)word);
}

/* ---- storing ---- */
bool val_settle(ir_interp *x, val *v, uint64_t lanes, bool views, span sp) {
  store *s = v->st;
  if (!s || s->form == ST_WORDS || s->form == ST_GMP) return true;
  if (s->form == ST_VIEW && !views) return true;
  bool gmp = s->form == ST_VIEW && s->base->form == ST_GMP;
  store *t = store_new(x, lanes, gmp, sp);
  if (!t) return false;
  if (gmp) {
    for (uint64_t k = 0; k < lanes; k++)
      mpz_set(&t->g[k], &s->base->g[view_lane(s, k)]);
  } else {
    for (uint64_t k = 0; k < lanes; k += CHUNK) {
      uint32_t n = lanes - k < CHUNK ? (uint32_t)(lanes - k) : CHUNK;
      val_load(x, v, k, n, t->w + k); /* never in place: writes to t */
    }
  }
  store_drop(x, s);
  v->st = t;
  return x->status == IR_RUN_OK;
}

bool val_convert(ir_interp *x, val *v, const ir_type *from, const ir_type *to,
                 span sp) {
  bool was = ir_lanes_wide(x->m, from), is = ir_lanes_wide(x->m, to);
  if (was == is) return true;
  uint64_t n = v->st ? v->st->n : 1;
  store *t = store_new(x, n, is, sp);
  if (!t) return false;
  bool ok = true;
  for (uint64_t k = 0; k < n && ok; k++) {
    val_mpz(v, from->dom, was, k, x->t[0]);
    ok = store_set(t, k, x->t[0]);
  }
  val_drop(x, v);
  v->st = t;
  if (!ok)
    return interp_fail(x, IR_RUN_WRONG, sp, "a value left its range");
  if (n == 1 && !is) {
    uint64_t word = t->w[0];
    val_drop(x, v);
    v->word = word;
  }
  return true;
}

/* ---- leaves ---- */
bool ir_lanes_wide(const ir_module *m, const ir_type *ty) {
  if (ty->dom == DOM_B) return false;
  return ty->dom == DOM_P ? !ir_field_is_word(m)
                          : !ir_range_is_int64(ty->range);
}

bool ir_lanes_init(ir_lanes *l, uint64_t n, bool wide) {
  *l = (ir_lanes){.n = n};
  if (n > SIZE_MAX / sizeof(__mpz_struct)) return false;
  if (!wide) {
    l->i64 = calloc(n ? n : 1, sizeof *l->i64);
    return l->i64;
  }
  l->mpz = calloc(n ? n : 1, sizeof *l->mpz);
  for (uint64_t k = 0; l->mpz && k < n; k++) mpz_init(&l->mpz[k]);
  return l->mpz;
}

void ir_lanes_fini(ir_lanes *l) {
  for (uint64_t k = 0; l->mpz && k < l->n; k++) mpz_clear(&l->mpz[k]);
  free(l->mpz);
  free(l->i64);
  *l = (ir_lanes){0};
}

void ir_lanes_get(const ir_lanes *l, uint64_t k, mpz_ptr out) {
  if (l->mpz)
    mpz_set(out, &l->mpz[k]);
  else
    mpz_set_si(out, l->i64[k]);
}

bool ir_lanes_set(ir_lanes *l, uint64_t k, mpz_srcptr v) {
  if (l->mpz) {
    mpz_set(&l->mpz[k], v);
    return true;
  }
  if (!mpz_fits_slong_p(v)) return false;
  l->i64[k] = mpz_get_si(v);
  return true;
}
