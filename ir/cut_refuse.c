/* What cannot be cut, and why. */
#include "ir/cut_impl.h"
#include "ir/pass/util.h"

static bool is_culprit(const cut *c, const ir_inst *i) {
  if (!i || !cut_at(i)->from_cut) return false;
  if (i->op == OP_MLOAD) return cut_of(c, i->res[0])->facts & ONLY_AFTER;
  return i->op == OP_WROTE &&
         (cut_control(i->block) | cut_of(c, i->arg[0])->facts) & REVEALED;
}

typedef struct search {
  cut *c;
  VEC(const ir_value *) work;
} search;

static void look_at(search *s, const ir_value *v) {
  cut_val *cv = cut_of(s->c, v);
  if (!(cv->facts & ONLY_AFTER) || cv->copy) return;
  cv->copy = (ir_value *)v; /* seen */
  vec_push(s->c->a, &s->work, v);
}

static const ir_value *steers(const ir_inst *o) {
  return o->op == OP_WHILE ? pass_yield(o->region[0])->arg[0] : o->arg[0];
}

/* The write or read because of which the circuit may not have v. */
static const ir_inst *culprit(cut *c, const ir_value *v) {
  search s = {.c = c};
  look_at(&s, v);
  for (size_t n = 0; n < s.work.n; n++) {
    v = s.work.p[n];
    const ir_inst *i = v->def ? v->def : v->block->owner;
    if (is_culprit(c, v->def)) return v->def;
    for (uint32_t k = 0; k < i->narg; k++) look_at(&s, i->arg[k]);
    for (uint32_t r = 0; r < i->nregion; r++)
      for (uint32_t k = 0; k < pass_yield(i->region[r])->narg; k++)
        look_at(&s, pass_yield(i->region[r])->arg[k]);
    for (const ir_inst *o = i; o; o = o->block->owner)
      if (o->nregion) look_at(&s, steers(o));
  }
  return NULL;
}

/* The first operand of i that the circuit may not have; NULL if there is none
 * or if i only passes it on. */
static const ir_value *wants(const cut *c, const ir_inst *i) {
  bool own = i->op == OP_TELL || i->op == OP_CHECK || i->op == OP_DEC ||
             i->op == OP_OUTPUT || (i->nres && i->res[0]->ty.kind == KIND_SH);
  if (i->nregion) {
    const ir_value *v = steers(i);
    return cut_of(c, v)->facts & ONLY_AFTER ? v : NULL;
  }
  for (uint32_t k = 0; own && k < i->narg; k++)
    if (i->arg[k]->ty.kind == KIND_PUB &&
        cut_of(c, i->arg[k])->facts & ONLY_AFTER)
      return i->arg[k];
  return NULL;
}

static const ir_inst *first_want(const cut *c, const ir_block *b,
                                 const ir_value **v) {
  for (const ir_inst *i = b->first; i; i = i->next) {
    if (!(cut_at(i)->made & CIRCUIT)) continue;
    if ((*v = wants(c, i))) return i;
    for (uint32_t r = 0; r < i->nregion; r++) {
      const ir_inst *in = first_want(c, i->region[r], v);
      if (in) return in;
    }
  }
  return NULL;
}

static bool report(cut *c, const ir_inst *at, const ir_inst *why) {
  const char *name = why->at.name + (*why->at.name == '$'); /* as written */
  if (why->op == OP_WROTE) {
    diag_report(c->dg, DIAG_CUT_SECOND, at->sp, name);
    diag_note(c->dg, why->sp, "\"%s\" is written here, with a revealed value",
              name);
  } else {
    diag_report(c->dg, DIAG_CUT_SECOND_READ, at->sp, name);
    diag_note(c->dg, why->sp, "\"%s\" is read here%s", name,
              cut_at(why)->overwritten
                  ? ", and an entry may have been written since the reveal"
                  : ", at a place that depends on a revealed value");
  }
  diag_hint(c->dg, "Make two actions of it: one that ends here, and one that "
                   "goes on with what the first has written.");
  return false;
}

bool cut_allowed(cut *c) {
  const ir_value *v = NULL;
  const ir_inst *at = first_want(c, c->m->body, &v);
  const ir_inst *why = at ? culprit(c, v) : NULL;
  return !why || report(c, at, why);
}
