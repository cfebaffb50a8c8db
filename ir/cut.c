/* The rules of the cut.
 *
 * The cut stands before the first instruction of the body that opens something,
 * in itself or in a region; without an opening it stands at the end.
 *
 *  where an effect happens (cut_root)
 *   public, before the cut        before
 *   public, from the cut on       after: in order, none overtakes another
 *   open, tell, secret output     circuit
 *   check, dec from the cut on    in the circuit too if something that it must
 *                                 come before follows there: a later opening, a
 *                                 lane that exists only if it holds
 *   check before it, in a region  again in the circuit if such a lane follows
 *   public state                  before if it is last written before the cut,
 *                                 else after
 *   result                        after if there is a circuit
 *
 *  where a value comes from (cut_takes)
 *   before    makes every value it needs
 *   circuit   makes what is secret, what depends on an opening, and whatever
 *             stands in its regions; takes the rest from before
 *   after     takes what was opened from the circuit, and from before what
 *             stands before the cut or is made there anyhow; makes the rest
 *   all       make constants and the like
 *
 *  what a side cannot make (cut_source)
 *   before    what depends on an opening; what can fail behind a check that is
 *             not in before; a map's entry from the cut on, if its key is such
 *             a value or something was stored to the map since
 *   circuit   state written with a value that depends on an opening: that would
 *             be a second circuit; a map's entry that before cannot read
 *   A map's entry from the cut on is read where it stands, in after, unless the
 *   circuit needs it: then before reads it.  Nobody sees the difference.
 *
 * First cut_rotate.c takes openings out of the conditions of loops.  Then
 * cut_facts.c finds what depends on what, cut_mark.c what each side needs, by
 * these rules; cut_clone.c makes three copies of what was marked.  A value that
 * one side makes and another takes is a wire (cut_wire.c).
 */
#include "ir/cut.h"

#include "ir/cut_impl.h"
#include "ir/pass/util.h"

/* Facts of the result of an instruction from the cut on, beyond `in`, those of
 * its operands and of the control around it. */
uint8_t cut_source(const ir_inst *i, uint8_t in) {
  switch (i->op) {
  case OP_OPEN: return REVEALED | LATE;
  case OP_DEC: return LATE;
  case OP_MLOAD:
    return in & LATE || cut_at(i)->overwritten ? LATE | ONLY_AFTER : LAZY;
  case OP_WROTE: return in & REVEALED ? ONLY_AFTER : 0;
  default: return pass_guarded(i) ? LATE : 0;
  }
}

/* The side in which an effect happens; 0: not an effect, or one that happens
 * only if something needs it. */
uint8_t cut_root(const cut *c, const ir_inst *i) {
  bool from_cut = cut_at(i)->from_cut;
  switch (i->op) {
  case OP_OPEN:
  case OP_PERM:
  case OP_TELL: return CIRCUIT;
  case OP_CHECK:
  case OP_DEC:
  case OP_EMIT:
  case OP_MSTORE: return from_cut ? AFTER : BEFORE;
  case OP_OUTPUT: {
    if (i->arg[0]->ty.kind != KIND_PUB) return CIRCUIT;
    bool early = !cut_at(i->arg[0]->def)->from_cut;
    return early && (*i->at.name == '$' || !c->has_circuit) ? BEFORE : AFTER;
  }
  default: return 0;
  }
}

/* Nothing to compute, or less to hand on before it than behind it; or the nodes'
 * own. */
static bool is_cheap(const ir_inst *i) {
  switch (i->op) {
  case OP_CONST:
  case OP_TABLE:
  case OP_IOTA:
  case OP_PERM:
  case OP_ENC: return true;
  case OP_VIEW: return i->res[0]->ty.lanes > i->arg[0]->ty.lanes;
  default: return false;
  }
}

/* Does the side take the value from a wire?  Else it makes it. */
bool cut_takes(const cut *c, uint8_t side, const ir_value *v) {
  const cut_val *cv = cut_of(c, v);
  if (side == BEFORE || v->ty.kind != KIND_PUB) return false;
  if (side == AFTER && cv->wire && cv->wire->from == CIRCUIT) return true;
  if (!cut_is_top(c, v)) /* only a map's entry is not made once more */
    return side == CIRCUIT && v->def && v->def->op == OP_MLOAD &&
           !(cv->facts & LATE);
  if (cv->facts & LATE || is_cheap(v->def)) return false;
  return side == CIRCUIT || !cut_at(v->def)->from_cut || cv->made & BEFORE;
}

bool ir_cut_action(arena *a, ir_module *m, diag *dg, ir_cut *out) {
  *out = (ir_cut){0};
  if (m->stage != IR_HIGH) {
    diag_report_nowhere(dg, DIAG_PASS_STAGE, "cut",
                        m->stage == IR_CORE ? "core" : "sched");
    return false;
  }
  cut c = {.a = arena_new(), .m = m, .dg = dg};
  cut_rotate(&c);
  cut_facts(&c);
  cut_mark(&c);
  bool ok = cut_allowed(&c) && cut_wires_settle(&c);
  if (ok) out->before = cut_clone(&c, a, BEFORE);
  if (ok && c.has_circuit) {
    out->circuit = cut_clone(&c, a, CIRCUIT);
    out->after = cut_clone(&c, a, AFTER);
  }
  pass_clear(m);
  arena_free(c.a);
  ir_module *part[3] = {out->before, out->circuit, out->after};
  for (int k = 0; ok && k < 3; k++) ok = !part[k] || ir_verify(part[k], dg);
  return ok;
}
