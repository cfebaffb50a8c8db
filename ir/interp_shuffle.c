/* Permutations that follow from their number and how many rows there are: not
 * those of a run on nodes, but moved alike wherever one number is used. */
#include <stdlib.h>

#include "ir/interp_impl.h"

static uint64_t next(uint64_t *state) { /* splitmix64 */
  uint64_t h = *state += 0x9E3779B97F4A7C15u;
  h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9u;
  h = (h ^ (h >> 27)) * 0x94D049BB133111EBu;
  return h ^ (h >> 31);
}

/* from[r]: the row that comes to place r. */
static uint64_t *permutation(uint64_t number, uint64_t rows) {
  uint64_t *from = malloc((size_t)rows * sizeof *from);
  uint64_t state = number * 0xD1342543DE82EF95u ^ rows;
  for (uint64_t r = 0; from && r < rows; r++) {
    uint64_t at = next(&state) % (r + 1);
    from[r] = from[at];
    from[at] = r;
  }
  return from;
}

static bool run_perm(ir_interp *x, const node *nd) {
  if (x->perms == (uint64_t)IR_PERMS_MAX)
    return interp_fail(x, IR_RUN_BUDGET, nd->i->sp, "too many permutations");
  uint64_t turn = (uint64_t)nd->i->at.off * (uint64_t)IR_PERMS_MAX;
  res_of(x, nd)->word = turn + x->perms++;
  return true;
}

bool interp_shuffle(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  if (nd->op == OP_PERM) return run_perm(x, nd);
  const ir_type *ty = &i->res[0]->ty;
  val *v = arg_of(x, nd, 0);
  uint64_t row = i->at.inner, rows = ty->lanes / row;
  uint64_t number = val_word(x, arg_of(x, nd, 1), 0);
  bool back = nd->op == OP_UNSHUFFLE, wide = ir_lanes_wide(x->m, ty);
  if (number % (uint64_t)IR_PERMS_MAX >= x->perms)
    return interp_fail(x, IR_RUN_UNDEFINED, i->sp,
                       "there is no permutation of that number");
  if (!val_settle(x, v, ty->lanes, false, i->sp)) return false;
  store *s = wide ? store_gmp(x, ty->lanes, i->sp)
                  : store_words(x, ty->lanes, i->sp);
  uint64_t *from = permutation(number, rows);
  if (!s || !from) {
    free(from);
    return s ? interp_fail(x, IR_RUN_BUDGET, i->sp, "out of memory") : false;
  }
  for (uint64_t l = 0; l < ty->lanes; l++) {
    uint64_t a = l / row * row, b = from[l / row] * row, c = l % row;
    val_mpz(v, DOM_P, wide, (back ? a : b) + c, x->t[0]);
    store_set(s, (back ? b : a) + c, x->t[0]);
  }
  free(from);
  val *r = res_of(x, nd);
  *r = (val){.st = s};
  if (ty->lanes > 1 || wide) return true;
  uint64_t word = s->w[0];
  val_drop(x, r);
  r->word = word;
  return true;
}
