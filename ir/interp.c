/* Control flow and life of the interpreter. */
#include "ir/interp.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/interp_impl.h"

bool interp_fail(ir_interp *x, ir_status s, span sp, const char *fmt, ...) {
  if (x->status != IR_RUN_OK) return false;
  char text[512];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  x->status = s;
  x->sp = sp;
  x->message = arena_strdup(x->a, text);
  return false;
}

static void kill_range(ir_interp *x, const node *nd, uint32_t from,
                       uint32_t to) {
  for (uint32_t k = from; k < to; k++) val_drop(x, &x->slot[nd->kill[k]]);
}

static bool check_result(ir_interp *x, const ir_value *v, span sp) {
  return !x->o.check_ranges ||
         interp_must_lie(x, slot(x, v), &v->ty, v->ty.range, IR_RUN_WRONG,
                         "a value left its range", sp);
}

/* ---- control ---- */
static bool run_block(ir_interp *x, const code_block *c, val *out);

/* The values between two turns, nd->turn, are as the operands gave them at
 * first and as the last yield did later: this is their type. */
static const ir_type *turn_type(const node *nd, uint32_t k, const ir_block *b,
                                bool first) {
  const ir_inst *i = nd->i;
  return first ? &i->arg[i->narg - i->nres + k]->ty : &b->last->arg[k]->ty;
}

static bool take_initial(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  for (uint32_t k = 0; k < i->nres; k++) {
    uint32_t at = i->narg - i->nres + k;
    val *v = arg_of(x, nd, at);
    if (!val_settle(x, v, i->arg[at]->ty.lanes, false, i->sp)) return false;
    nd->turn[k] = val_ref(*v);
  }
  kill_range(x, nd, 0, nd->nearly);
  return true;
}

/* v, of type from, becomes the value of `to`. */
static bool assign(ir_interp *x, const ir_value *to, val v,
                   const ir_type *from, span sp) {
  *slot(x, to) = v;
  return val_convert(x, slot(x, to), from, &to->ty, sp) &&
         check_result(x, to, sp);
}

static bool run_turn(ir_interp *x, const node *nd, uint32_t region,
                     uint32_t param, bool first) {
  const ir_inst *i = nd->i;
  const ir_block *b = i->region[region];
  for (uint32_t k = 0; k < i->nres; k++) {
    val v = nd->turn[k];
    nd->turn[k].st = NULL;
    if (!assign(x, b->param[param + k], v, turn_type(nd, k, b, first), i->sp))
      return false;
  }
  if (!run_block(x, &nd->region[region], nd->next)) return false;
  for (uint32_t k = 0; k < i->nres; k++) {
    nd->turn[k] = nd->next[k];
    nd->next[k].st = NULL;
  }
  return true;
}

static bool finish_loop(ir_interp *x, const node *nd, const ir_block *b,
                        bool first) {
  const ir_inst *i = nd->i;
  for (uint32_t k = 0; k < i->nres; k++) {
    val v = nd->turn[k];
    nd->turn[k].st = NULL;
    if (!assign(x, i->res[k], v, turn_type(nd, k, b, first), i->sp))
      return false;
  }
  return true;
}

static bool run_for(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  const ir_block *b = i->region[0];
  bool wide = ir_lanes_wide(x->m, &b->param[0]->ty);
  val_mpz(arg_of(x, nd, 0), DOM_Z, ir_lanes_wide(x->m, &i->arg[0]->ty), 0,
          x->t[0]);
  if (!mpz_fits_slong_p(x->t[0]) && mpz_sgn(x->t[0]) > 0)
    return interp_fail(x, IR_RUN_BUDGET, i->sp, "too many turns of a loop");
  int64_t turns = mpz_sgn(x->t[0]) > 0 ? mpz_get_si(x->t[0]) : 0;
  if (!take_initial(x, nd)) return false;
  for (int64_t t = 0; t < turns; t++) {
    val *index = slot(x, b->param[0]);
    index->word = (uint64_t)t;
    if (wide) {
      if (!(index->st = store_gmp(x, 1, i->sp))) return false;
      mpz_set_si(&index->st->g[0], t);
    }
    if (!run_turn(x, nd, 0, 1, !t)) return false;
  }
  return finish_loop(x, nd, b, turns == 0);
}

static bool run_while(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  const ir_block *test = i->region[0], *turn = i->region[1];
  uint64_t t = 0;
  if (!take_initial(x, nd)) return false;
  for (; t < i->at.max; t++) {
    val go = {0};
    for (uint32_t k = 0; k < i->nres; k++)
      if (!assign(x, test->param[k], val_ref(nd->turn[k]),
                  turn_type(nd, k, turn, !t), i->sp))
        return false;
    if (!run_block(x, &nd->region[0], &go)) return false;
    if (!go.word) break; /* a 0/1 scalar is never stored */
    if (!run_turn(x, nd, 1, 0, !t)) return false;
  }
  return finish_loop(x, nd, turn, t == 0);
}

static bool run_if(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  uint32_t r = !arg_of(x, nd, 0)->word;
  kill_range(x, nd, 0, nd->nearly);
  if (!run_block(x, &nd->region[r], nd->next)) return false;
  for (uint32_t k = 0; k < i->nres; k++) {
    val v = nd->next[k];
    nd->next[k].st = NULL;
    if (!assign(x, i->res[k], v, &i->region[r]->last->arg[k]->ty, i->sp))
      return false;
  }
  return true;
}

static bool run_yield(ir_interp *x, const node *nd, val *out) {
  const ir_inst *i = nd->i;
  for (uint32_t k = 0; k < i->narg; k++) {
    val *v = arg_of(x, nd, k);
    if (!val_settle(x, v, i->arg[k]->ty.lanes, false, i->sp)) return false;
    out[k] = val_ref(*v);
  }
  return true;
}

/* ---- dispatch ---- */
static bool run_node(ir_interp *x, const node *nd, val *out) {
  switch (nd->op) {
  case OP_CONST:
  case OP_TABLE: *res_of(x, nd) = val_ref(nd->fixed); return true;
  case OP_FOR: return run_for(x, nd);
  case OP_WHILE: return run_while(x, nd);
  case OP_IF: return run_if(x, nd);
  case OP_YIELD: return run_yield(x, nd, out);
  case OP_INPUT:
  case OP_OUTPUT:
  case OP_TELL:
  case OP_MLOAD:
  case OP_MSTORE:
  case OP_EMIT:
  case OP_CHECK: return interp_edge(x, nd);
  case OP_IOTA:
  case OP_DEC:
  case OP_HIDE:
  case OP_LIFT:
  case OP_REDUCE:
  case OP_OPEN:
  case OP_SETTLE:
  case OP_WROTE:
  case OP_ASSUME: return interp_move(x, nd);
  default:
    if (ir_ops[nd->op].rule == RULE_BITS) return interp_bits(x, nd);
    if (nd->op == OP_PERM || ir_ops[nd->op].rule == RULE_SHUFFLE)
      return interp_shuffle(x, nd);
    return ir_ops[nd->op].rule == RULE_MOVE ? interp_move(x, nd)
                                            : interp_arith(x, nd);
  }
}

/* Arithmetic on one lane in words, the bulk of a sequential loop. */
static bool run_scalar(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  uint64_t a = arg_of(x, nd, 0)->word;
  val *r = res_of(x, nd);
  if (nd->op == OP_SELECT) {
    r->word = arg_of(x, nd, a ? 1 : 2)->word;
    return true;
  }
  uint64_t b = i->narg > 1 ? arg_of(x, nd, 1)->word : 0;
  int bad = word_op(nd->op, i->arg[0]->ty.dom, x->p, x->k, a, b, &r->word);
  if (!bad) return true;
  return interp_fail(x, bad == 1 ? IR_RUN_WRONG : IR_RUN_UNDEFINED, i->sp,
                     bad == 1 ? "a value left its range"
                              : "undefined arithmetic (division by 0?)");
}

static bool count(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  uint64_t lanes = i->nres ? i->res[0]->ty.lanes : 0;
  if (ir_ops[nd->op].rule == RULE_FOLD) lanes = i->arg[0]->ty.lanes;
  x->n.steps += nd->weight * (1 + (lanes > 1 ? lanes : 0));
  if (x->o.max_steps && x->n.steps > x->o.max_steps)
    return interp_fail(x, IR_RUN_BUDGET, i->sp,
                       "the run takes more than %llu steps",
                       (unsigned long long)x->o.max_steps);
  if (!nd->head) return true;
  x->n.exchanges++;
  x->n.reduce_lanes += nd->ex.reduce_lanes;
  x->n.open_lanes += nd->ex.open_lanes;
  if (x->o.exchange && x->m->stage == IR_SCHED)
    x->o.exchange(x->o.user, &nd->ex);
  return true;
}

static bool run_block(ir_interp *x, const code_block *c, val *out) {
  for (const node *nd = c->first, *end = nd + c->nnode; nd < end; nd++) {
    if (!count(x, nd)) return false;
    bool ok = nd->scalar && is_word_op(nd->op) ? run_scalar(x, nd)
                                               : run_node(x, nd, out);
    if (!ok || x->status != IR_RUN_OK) return false;
    if (x->o.check_ranges && nd->i->nres && !nd->i->nregion &&
        !check_result(x, nd->i->res[0], nd->i->sp))
      return false;
    kill_range(x, nd, nd->nearly, nd->nkill);
  }
  return true;
}

/* ---- life ---- */
ir_interp *ir_interp_new(const ir_module *m, const ir_interp_opts *o) {
  arena *a = arena_new();
  ir_interp *x = ARENA_NEW(a, ir_interp);
  x->a = a;
  x->m = m;
  if (o) x->o = *o;
  for (int k = 0; k < 4; k++) mpz_init(x->t[k]);
  x->k = m->k;
  if (ir_field_is_word(m)) x->p = ((uint64_t)1 << m->k) - 1;
  x->slot = ARENA_ARR(a, val, (size_t)m->nvalue + 1);
  x->in = ARENA_ARR(a, ir_lanes, (size_t)m->nin + 1);
  x->out = ARENA_ARR(a, ir_lanes, (size_t)m->nout + 1);
  x->has_out = ARENA_ARR(a, bool, (size_t)m->nout + 1);
  interp_compile(x);
  return x;
}

static void drop_code(ir_interp *x, code_block *c) {
  for (uint32_t j = 0; j < c->nnode; j++) {
    node *nd = &c->first[j];
    val_drop(x, &nd->fixed);
    for (uint32_t k = 0; k < nd->i->nregion; k++) drop_code(x, &nd->region[k]);
  }
}

static void drop_state(ir_interp *x, code_block *c) {
  for (uint32_t j = 0; j < c->nnode; j++) {
    node *nd = &c->first[j];
    if (!nd->i->nregion) continue;
    for (uint32_t k = 0; k < nd->i->nres; k++) {
      val_drop(x, &nd->turn[k]);
      val_drop(x, &nd->next[k]);
    }
    for (uint32_t k = 0; k < nd->i->nregion; k++)
      drop_state(x, &nd->region[k]);
  }
}

static void drop_results(ir_interp *x) {
  for (uint32_t k = 0; k < x->m->nout; k++) {
    ir_lanes_fini(&x->out[k]);
    x->has_out[k] = false;
  }
  for (uint32_t k = 0; k < x->ntold; k++) {
    mpz_clear(x->told[k].identity);
    ir_lanes_fini(&x->told[k].value);
  }
  x->ntold = 0;
}

void ir_interp_free(ir_interp *x) {
  if (!x) return;
  drop_results(x);
  free(x->told);
  drop_code(x, &x->body);
  for (int k = 0; k < 4; k++) mpz_clear(x->t[k]);
  arena_free(x->a);
}

bool ir_interp_input(ir_interp *x, uint32_t leaf, const ir_lanes *v) {
  if (leaf >= x->m->nin || !v->n || !v->mpz == !v->i64) return false;
  x->in[leaf] = *v;
  return true;
}

ir_status ir_interp_run(ir_interp *x) {
  drop_results(x);
  x->n = (ir_counts){.peak_bytes = x->bytes};
  x->perms = 0;
  if (!x->broken) {
    x->status = IR_RUN_OK;
    run_block(x, &x->body, NULL);
  }
  for (uint32_t k = 0; k < x->m->nvalue; k++) val_drop(x, &x->slot[k]);
  drop_state(x, &x->body);
  return x->status;
}

const char *ir_interp_message(const ir_interp *x) {
  return x->message ? x->message : "";
}

span ir_interp_span(const ir_interp *x) { return x->sp; }

const ir_lanes *ir_interp_output(const ir_interp *x, uint32_t leaf) {
  return leaf < x->m->nout && x->has_out[leaf] ? &x->out[leaf] : NULL;
}

uint32_t ir_interp_ntold(const ir_interp *x) { return x->ntold; }

const ir_told *ir_interp_told(const ir_interp *x, uint32_t k) {
  return k < x->ntold ? &x->told[k] : NULL;
}

ir_counts ir_interp_counts(const ir_interp *x) { return x->n; }
