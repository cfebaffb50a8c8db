/* What enters and leaves the interpreter, and the ranges it must have. */
#include <stdlib.h>
#include <string.h>

#include "ir/interp_impl.h"

/* ---- ranges ---- */
static bool leaves_range(const ir_range *r, mpz_srcptr v) {
  return r && (mpz_cmp(v, r->lo) < 0 || mpz_cmp(v, r->hi) > 0);
}

void interp_centre(const ir_module *m, mpz_ptr v) {
  mpz_t twice;
  mpz_init(twice);
  mpz_mul_2exp(twice, v, 1);
  if (mpz_cmp(twice, m->p) > 0) mpz_sub(v, v, m->p);
  mpz_clear(twice);
}

/* Do all lanes lie in r?  If not, the lane is in t[3]. */
static bool in_range(ir_interp *x, val *v, const ir_type *ty,
                     const ir_range *r, span sp) {
  if (!r || (ty->dom == DOM_P && !ir_range_in_field(x->m, r))) return true;
  bool wide = ir_lanes_wide(x->m, ty);
  if (!val_settle(x, v, ty->lanes, false, sp)) return false;
  uint64_t n = v->st && v->st->n > 1 ? ty->lanes : 1;
  if (!wide && ir_range_is_int64(r)) {
    int64_t lo = mpz_get_si(r->lo), hi = mpz_get_si(r->hi);
    for (uint64_t l = 0; l < n; l++) {
      uint64_t w = val_word(x, v, l);
      int64_t s = (int64_t)w;
      if (ty->dom == DOM_P && w > x->p / 2) s = -(int64_t)(x->p - w);
      if (s < lo || s > hi) {
        mpz_set_si(x->t[3], s);
        return false;
      }
    }
    return true;
  }
  for (uint64_t l = 0; l < n; l++) {
    val_mpz(v, ty->dom, wide, l, x->t[3]);
    if (ty->dom == DOM_P) interp_centre(x->m, x->t[3]);
    if (leaves_range(r, x->t[3])) return false;
  }
  return true;
}

bool interp_must_lie(ir_interp *x, val *v, const ir_type *ty,
                     const ir_range *r, ir_status s, const char *what,
                     span sp) {
  if (in_range(x, v, ty, r, sp)) return true;
  if (x->status != IR_RUN_OK) return false;
  char *got = mpz_get_str(NULL, 10, x->t[3]);
  char *lo = mpz_get_str(NULL, 10, r->lo), *hi = mpz_get_str(NULL, 10, r->hi);
  interp_fail(x, s, sp, "%s: %.80s is not in %.80s .. %.80s", what, got, lo,
              hi);
  free(got);
  free(lo);
  free(hi);
  return false;
}

/* ---- edges ---- */

/* Lanes of a host become the result of i, a value in its range. */
static bool import(ir_interp *x, const node *nd, const ir_lanes *in) {
  const ir_inst *i = nd->i;
  const ir_type *ty = &i->res[0]->ty;
  bool wide = ir_lanes_wide(x->m, ty);
  store *s = wide ? store_gmp(x, in->n, i->sp) : store_words(x, in->n, i->sp);
  if (!s) return false;
  val v = {.st = s};
  for (uint64_t k = 0; k < in->n; k++) {
    if (wide && ty->dom == DOM_P)
      mpz_mod(&s->g[k], &in->mpz[k], x->m->p);
    else if (wide)
      mpz_set(&s->g[k], &in->mpz[k]);
    else if (ty->dom == DOM_Z)
      s->w[k] = (uint64_t)in->i64[k];
    else
      s->w[k] = in->i64[k] < 0
                    ? (x->p - -(uint64_t)in->i64[k] % x->p) % x->p
                    : (uint64_t)in->i64[k] % x->p;
  }
  if (!wide && in->n == 1) {
    uint64_t word = s->w[0];
    val_drop(x, &v);
    v.word = word;
  }
  *res_of(x, nd) = v;
  return interp_must_lie(x, res_of(x, nd), ty, ty->range, IR_RUN_INPUT,
                         i->at.name, i->sp);
}

static bool run_input(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  const ir_type *ty = &i->res[0]->ty;
  int leaf = ir_leaf_find(x->m->in, x->m->nin, i->at.name);
  const ir_lanes *in = leaf < 0 ? NULL : &x->in[leaf];
  if (!in || in->n != ty->lanes)
    return interp_fail(x, IR_RUN_INPUT, i->sp, "input '%.100s' is missing",
                       i->at.name);
  if (ir_lanes_wide(x->m, ty) != (in->mpz != NULL))
    return interp_fail(x, IR_RUN_INPUT, i->sp,
                       "input '%.100s' came in the wrong form", i->at.name);
  return import(x, nd, in);
}

/* The lanes of v for a host: see ir_lanes. */
static bool export(ir_interp *x, val *v, const ir_type *ty, bool centred,
                   ir_lanes *out, span sp) {
  bool wide = ir_lanes_wide(x->m, ty);
  if (!val_settle(x, v, ty->lanes, false, sp)) return false;
  ir_lanes_fini(out);
  if (!ir_lanes_init(out, ty->lanes, wide))
    return interp_fail(x, IR_RUN_BUDGET, sp, "could not hold an output");
  for (uint64_t k = 0; k < ty->lanes; k++) {
    if (wide) {
      val_mpz(v, ty->dom, true, k, &out->mpz[k]);
      if (centred) interp_centre(x->m, &out->mpz[k]);
      continue;
    }
    uint64_t w = val_word(x, v, k);
    out->i64[k] = (int64_t)w;
    if (centred && w > x->p / 2) out->i64[k] = -(int64_t)(x->p - w);
  }
  return true;
}

/* A residue that stands for an integer. */
static bool is_centred(const ir_value *v, const ir_leaf *leaf) {
  return v->ty.dom == DOM_P && strcmp(leaf->type, "field");
}

static bool run_output(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  int leaf = ir_leaf_find(x->m->out, x->m->nout, i->at.name);
  if (leaf < 0) return interp_fail(x, IR_RUN_WRONG, i->sp, "no such output");
  x->has_out[leaf] = true;
  return export(x, arg_of(x, nd, 0), &i->arg[0]->ty,
                is_centred(i->arg[0], &x->m->out[leaf]), &x->out[leaf],
                i->sp);
}

static bool run_tell(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  int leaf = ir_leaf_find(x->m->out, x->m->nout, i->at.name);
  if (leaf < 0) return interp_fail(x, IR_RUN_WRONG, i->sp, "no such output");
  if (x->ntold == x->captold) {
    uint32_t cap = x->captold ? x->captold * 2 : 8;
    ir_told *t = realloc(x->told, cap * sizeof *t);
    if (!t) arena_oom_hook();
    x->told = t;
    x->captold = cap;
  }
  ir_told *t = &x->told[x->ntold++];
  *t = (ir_told){.name = i->at.name, .sp = i->sp};
  mpz_init(t->identity);
  val_mpz(arg_of(x, nd, 1), DOM_Z, ir_lanes_wide(x->m, &i->arg[1]->ty), 0,
          t->identity);
  x->n.told_lanes += i->arg[0]->ty.lanes;
  return export(x, arg_of(x, nd, 0), &i->arg[0]->ty,
                is_centred(i->arg[0], &x->m->out[leaf]), &t->value, i->sp);
}

static bool run_check(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  val *v = arg_of(x, nd, 0);
  bool wide = ir_lanes_wide(x->m, &i->arg[0]->ty); /* never: 0/1 */
  uint64_t n = v->st ? i->arg[0]->ty.lanes : 1;
  if (wide || !val_settle(x, v, i->arg[0]->ty.lanes, false, i->sp))
    return false;
  for (uint64_t k = 0; k < n; k++)
    if (!val_word(x, v, k))
      return interp_fail(x, IR_RUN_CHECK, i->sp, "%.500s", i->at.message);
  return true;
}

/* ---- the host of a contract's public part ---- */
/* Lanes of operands from .. to - 1; free with host_free. */
static ir_lanes *host_args(ir_interp *x, const node *nd, uint32_t from,
                           uint32_t to) {
  ir_lanes *l = calloc((size_t)(to - from) + 1, sizeof *l);
  if (!l) arena_oom_hook();
  for (uint32_t k = from; k < to; k++) {
    const ir_value *v = nd->i->arg[k];
    if (!export(x, arg_of(x, nd, k), &v->ty, false, &l[k - from], nd->i->sp))
      break;
  }
  return l;
}

static void host_free(ir_lanes *l, uint32_t n) {
  for (uint32_t k = 0; k < n; k++) ir_lanes_fini(&l[k]);
  free(l);
}

static bool run_emit(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  ir_lanes *l = host_args(x, nd, 0, i->narg);
  bool ok = x->status == IR_RUN_OK &&
            (x->o.host->emit(x->o.host->user, i->at.name, l, i->narg) ||
             interp_fail(x, IR_RUN_HOST, i->sp, "event '%.100s' was refused",
                         i->at.name));
  host_free(l, i->narg);
  return ok;
}

static bool run_map(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  const ir_host *h = x->o.host;
  uint32_t from = nd->op == OP_MSTORE, nkey = i->narg - from;
  mpz_t *key = calloc(nkey, sizeof *key);
  if (!key) arena_oom_hook();
  for (uint32_t k = 0; k < nkey; k++) {
    const ir_value *v = i->arg[from + k];
    mpz_init(key[k]);
    val_mpz(arg_of(x, nd, from + k), DOM_Z, ir_lanes_wide(x->m, &v->ty), 0,
            key[k]);
  }
  bool ok;
  if (from) {
    ir_lanes *l = host_args(x, nd, 0, 1);
    ok = x->status == IR_RUN_OK &&
         h->store(h->user, i->at.name, (const mpz_t *)key, nkey, l);
    host_free(l, 1);
  } else {
    const ir_type *ty = &i->res[0]->ty;
    ir_lanes l = {0};
    ok = ir_lanes_init(&l, ty->lanes, ir_lanes_wide(x->m, ty)) &&
         h->load(h->user, i->at.name, (const mpz_t *)key, nkey, &l);
    ok = ok && import(x, nd, &l);
    ir_lanes_fini(&l);
  }
  for (uint32_t k = 0; k < nkey; k++) mpz_clear(key[k]);
  free(key);
  return ok || interp_fail(x, IR_RUN_HOST, i->sp, "map '%.100s' was refused",
                           i->at.name);
}

static bool run_host(ir_interp *x, const node *nd) {
  if (!x->o.host)
    return interp_fail(x, IR_RUN_HOST, nd->i->sp,
                       "the circuit needs a host for '%.100s'",
                       nd->i->at.name);
  return nd->op == OP_EMIT ? run_emit(x, nd) : run_map(x, nd);
}

bool interp_edge(ir_interp *x, const node *nd) {
  switch (nd->op) {
  case OP_MLOAD:
  case OP_MSTORE:
  case OP_EMIT: return run_host(x, nd);
  case OP_INPUT: return run_input(x, nd);
  case OP_OUTPUT: return run_output(x, nd);
  case OP_TELL: return run_tell(x, nd);
  default: return run_check(x, nd);
  }
}
