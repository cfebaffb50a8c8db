/* Secret conditions: both branches are computed and what they assign is
 * selected, so nothing in them may be seen from outside, and what they assign
 * becomes secret. */
#include <string.h>

#include "frontend/sema.h"

/* ---- what everybody would see ---- */

static const char *builtin_effect(uint32_t b) {
  switch (b) {
  case B_REVEAL: return "a `reveal`";
  case B_REQUIRE: return "a `require`";
  case B_ASSERT: return "an `assert`";
  default: return NULL;
  }
}

static const char *assign_effect(const an *a, const node *n) {
  const node *root = n->kid[0];
  while (root->kind == N_INDEX || root->kind == N_FIELD) root = root->kid[0];
  const res *r = root->kind == N_NAME ? &a->u->res[root->id] : NULL;
  if (r && r->kind == R_MAP) return "a write to public state";
  const hidden *h = r && r->kind == R_LOCAL && a->in->f
                        ? hidden_find(a->in->f, r->idx) : NULL;
  return h && h->state && !state_type(a->u, h->state)->sec
             ? "a write to public state" : NULL;
}

static const node *first_effect(const an *a, const node *n, const char **what);

/* What a call of s does: found once, in its text. */
static const char *call_effect(const an *a, const sym *s) {
  fninfo *f = s->fn;
  resolve_fn(a->u, s->mod, f);
  if (f->effect_known || f->decl->kind != N_FN) return f->effect;
  f->effect_known = true; /* also ends a recursion, which is refused */
  const char *what;
  if (first_effect(a, f->decl->kid[3], &what))
    f->effect = arena_printf(a->u->a, "%s in the called \"%s\"", what, s->name);
  return f->effect;
}

/* What n does that everybody sees, NULL: nothing. */
static const char *effect_of(const an *a, const node *n) {
  const res *r;
  switch (n->kind) {
  case N_EMIT: return "an event";
  case N_CALL:
    r = &a->u->res[n->kid[0]->id];
    if (r->kind == R_BUILTIN) return builtin_effect(r->idx);
    return r->kind == R_FN ? call_effect(a, r->p) : NULL;
  case N_ASSIGN: return assign_effect(a, n);
  default: return NULL;
  }
}

static const node *first_effect(const an *a, const node *n,
                                const char **what) {
  while (n) {
    if ((*what = effect_of(a, n))) return n;
    for (uint32_t i = 1; i < n->nkid; i++) {
      const node *e = n->kid[i] ? first_effect(a, n->kid[i], what) : NULL;
      if (e) return e;
    }
    n = n->nkid ? n->kid[0] : NULL;
  }
  return NULL;
}

bool effect_under_secret(an *a, const node *n, span cond) {
  for (uint32_t i = n->kind == N_IF; i < n->nkid; i++) {
    const char *what;
    const node *e = n->kid[i] ? first_effect(a, n->kid[i], &what) : NULL;
    if (!e) continue;
    REPORT(a, EFFECT_UNDER_SECRET, e->sp, what);
    diag_note(a->u->dg, cond, "the condition is secret");
    diag_hint(a->u->dg, "Reveal the condition if everybody may know it, or "
                        "keep the result in secret and open it behind.");
    poison(a);
    return true;
  }
  return false;
}

bool assigns_within(const node *n) {
  while (n) {
    if (n->kind == N_ASSIGN) return true;
    for (uint32_t i = 1; i < n->nkid; i++)
      if (n->kid[i] && assigns_within(n->kid[i])) return true;
    n = n->nkid ? n->kid[0] : NULL;
  }
  return false;
}

void return_under_secret(an *a, const node *n) {
  REPORT(a, RETURN_UNDER_SECRET, n->sp);
  diag_note(a->u->dg, a->under->cond, "the condition is secret");
  diag_hint(a->u->dg, "Keep the result in a variable and return it at the end, "
                      "or write `return if c { x } else { y };`.");
  poison(a);
}

/* ---- what a secret decides is secret ---- */

typedef struct deciding {
  an *a;
  span sp;
  const char *what;
  bool bad;
} deciding;

static const ty *decide_leaf(ty_set *s, const ty *t, void *user) {
  deciding *d = user;
  an *a = d->a;
  if (t->label == LAB_SEC || t->kind == T_ERROR) return t;
  if (t->kind == T_INT && !secret_fits(a, t->iv)) {
    REPORT(a, SECRET_TOO_WIDE, d->sp, d->what, ivtx(a, t->iv),
           suggest(a, t->iv, LAB_PUB), field_text(a));
    diag_hint(a->u->dg, "It becomes secret here, and secrets hold up to u%u.",
              secret_bits(a, false));
    d->bad = true;
  } else if (t->kind == T_FIXED || t->kind == T_IDENTITY) {
    unsupported(a, d->sp,
                t->kind == T_FIXED ? "choosing a `fixed` value by a secret"
                                   : "choosing an identity by a secret",
                "Choose among integers, or reveal what decides.");
    d->bad = true;
  } else if (t->kind == T_BOOL) {
    return ty_bool(s, LAB_SEC);
  } else if (t->kind == T_INT) {
    secret_seen(a, t->iv, d->sp);
  }
  return ty_relabel(s, t, LAB_SEC);
}

const ty *decided(an *a, span sp, const ty *t, const char *what) {
  deciding d = {a, sp, what, false};
  const ty *r = ty_map(a->u->ts, t, decide_leaf, &d);
  return d.bad ? poison(a) : r;
}

bool decided_fits(an *a, const node *n, const local *v, const ty *want,
                  const char *why, span at) {
  for (uint32_t i = 0; i < want->nleaf; i++) {
    const ty *d = ty_leaf(want, i);
    if (d->label == LAB_SEC || d->kind == T_ERROR) continue;
    if (d->label == LAB_OPEN && a->in->poly) continue;
    REPORT(a, ASSIGN_UNDER_SECRET, n->sp, v ? v->name : "it", why);
    if (v) diag_note(a->u->dg, v->sp, "declared here, with a public type");
    diag_note(a->u->dg, at, "this is secret");
    if (v) diag_hint(a->u->dg, "Declare it secret: `var %s: secret ...`.",
                     v->name);
    else diag_hint(a->u->dg, "Keep it in a secret variable.");
    poison(a);
    return false;
  }
  return true;
}
