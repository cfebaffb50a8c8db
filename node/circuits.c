#include "node/circuits.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "backend/mangle.h"
#include "ir/pass/pass.h"
#include "node/code.h"

enum { STACK_BYTES = 16 << 20 };

typedef struct entry {
  const chi_program *program;
  void *library;
  const char *why;
  bool done; /* compiled, failed, or there is no circuit */
} entry;

typedef struct package {
  uint8_t hash[32];
  char *text; /* until it is read */
  size_t n;
  arena *a;   /* the thread's, but for what is done */
  contract *c;
  entry *e;   /* by action */
  const char *why;
  bool read, done;
  struct package *next;
} package;

struct circuits {
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t wake, news; /* work for the thread; something is done */
  package *first, **tail;
  package *urgent; /* somebody waits for it */
  const char *urgent_action;
  ir_target target;
  atomic_bool stop;
  code_cache code;
  arena *a;
  void (*said)(void *user, const char *line);
  void *user;
};

static package *find(circuits *x, const uint8_t hash[32]) {
  for (package *p = x->first; p; p = p->next)
    if (memcmp(p->hash, hash, 32) == 0)
      return p;
  return NULL;
}

/* ---- the thread ---- */

static const char *first_report(const diag *dg) {
  return diag_count(dg) ? diag_get(dg, 0)->text : "it could not be read";
}

static void read_package(circuits *x, package *p) {
  arena *a = arena_new();
  diag *dg = diag_new(a, source_set_new(a));
  contract *c = contract_parse(a, "the package", p->text, p->n, dg);
  const char *why = NULL;
  if (!c)
    why = first_report(dg);
  else if (memcmp(c->hash, p->hash, 32) != 0)
    why = "the package has another hash";
  pthread_mutex_lock(&x->lock);
  p->a = a;
  p->c = why ? NULL : c;
  p->why = why;
  p->read = true;
  p->done = why != NULL;
  if (!why)
    p->e = ARENA_ARR(a, entry, c->naction + 1);
  free(p->text);
  p->text = NULL;
  pthread_cond_broadcast(&x->news);
  pthread_mutex_unlock(&x->lock);
}

static bool same_leaf(const chi_leaf *c, const ir_leaf *l, bool out) {
  return strcmp(c->name, l->name) == 0 &&
         (c->kind == CHI_KIND_SHARE || (out && c->kind == CHI_KIND_TOLD)) ==
             l->secret;
}

/* Is that program the circuit m, at stage sched? */
static bool same_circuit(const chi_program *p, const ir_module *m) {
  char want[65], got[65];
  ir_hash(m, want);
  chi_hex(got, p->hash, sizeof p->hash);
  if (strcmp(want, got) != 0 || p->n_input != m->nin || p->n_output != m->nout)
    return false;
  for (uint32_t k = 0; k < m->nin; k++)
    if (!same_leaf(&p->input[k], &m->in[k], false))
      return false;
  for (uint32_t k = 0; k < m->nout; k++)
    if (!same_leaf(&p->output[k], &m->out[k], true))
      return false;
  return true;
}

/* From the text in the package to code in this process. */
static void make(circuits *x, const contract *c, const ct_action *act,
                 entry *e, arena *keep, bool *compiled) {
  arena *a = arena_new();
  source_set *ss = source_set_new(a);
  diag *dg = diag_new(a, ss);
  backend_output o = {0};
  const char *why = NULL;
  ir_module *m = contract_part(a, act->name, act->circuit, dg);
  if (m)
    m->src = NULL; /* lines of the text would tell the caller nothing */
  pass_opts opts = {.target = x->target};
  if (!m || !pass_run(m, pass_pipeline(2, IR_SCHED), &opts, dg)) {
    why = first_report(dg);
  } else {
    backend_info info = {.module = c->name, .stem = "circuit"};
    const char *symbol = mangle_symbol(a, c->name, m->name);
    if (!backend_c.emit(m, &info, a, dg, &o))
      why = first_report(dg);
    else
      e->program = code_get(&x->code, a, &o, symbol, &e->library, compiled,
                            &why);
    if (e->program && !same_circuit(e->program, m)) {
      why = "the compiled code is of another circuit";
      e->program = NULL;
    }
  }
  if (why)
    e->why = arena_printf(keep, "the circuit of \"%s\" is not available: %s",
                          act->name, why);
  backend_output_free(&o);
  arena_free(a);
}

static void compile(circuits *x, package *p, uint32_t k) {
  const ct_action *act = &p->c->action[k];
  entry e = {.done = true};
  bool compiled = false;
  arena *keep = arena_new(), *line = arena_new();
  make(x, p->c, act, &e, keep, &compiled);
  if (!atomic_load(&x->stop) && e.why)
    x->said(x->user, e.why);
  else if (compiled)
    x->said(x->user, arena_printf(line, "compiled \"%s\" of %s", act->name,
                                  p->c->name));
  pthread_mutex_lock(&x->lock);
  if (e.why)
    e.why = arena_strdup(p->a, e.why);
  p->e[k] = e;
  pthread_cond_broadcast(&x->news);
  pthread_mutex_unlock(&x->lock);
  arena_free(keep);
  arena_free(line);
}

/* The next action of p to be compiled: `wanted`, or any.  False: p is done. */
static bool next_action(package *p, const char *wanted, uint32_t *k) {
  bool any = false;
  for (uint32_t i = 0; i < p->c->naction; i++) {
    if (!p->c->action[i].circuit)
      p->e[i].done = true;
    if (p->e[i].done)
      continue;
    if (!any || (wanted && strcmp(p->c->action[i].name, wanted) == 0))
      *k = i;
    any = true;
  }
  return any;
}

static void *work(void *arg) {
  circuits *x = arg;
  pthread_mutex_lock(&x->lock);
  while (!atomic_load(&x->stop)) {
    package *p = x->urgent && !x->urgent->done ? x->urgent : x->first;
    const char *wanted = x->urgent_action;
    uint32_t k = 0;
    while (p && p->done)
      p = p->next;
    if (!p) {
      pthread_cond_wait(&x->wake, &x->lock);
      continue;
    }
    bool more = p->read && next_action(p, p == x->urgent ? wanted : NULL, &k);
    p->done = p->read && !more;
    pthread_mutex_unlock(&x->lock);
    if (!p->read)
      read_package(x, p);
    else if (more)
      compile(x, p, k);
    pthread_mutex_lock(&x->lock);
  }
  pthread_cond_broadcast(&x->news);
  pthread_mutex_unlock(&x->lock);
  return NULL;
}

/* ---- everybody else ---- */

circuits *circuits_new(ir_target target, const char *include,
                       const char *cache_dir,
                       void (*said)(void *user, const char *line), void *user,
                       arena *a, const char **why) {
  circuits *x = ARENA_NEW(a, circuits);
  *x = (circuits){.a = a, .target = target, .said = said, .user = user};
  x->tail = &x->first;
  *why = code_open(&x->code, a, cache_dir, include, &x->stop);
  if (*why)
    return NULL;
  pthread_mutex_init(&x->lock, NULL);
  pthread_cond_init(&x->wake, NULL);
  pthread_cond_init(&x->news, NULL);
  pthread_attr_t attr;
  sigset_t all, old;
  sigfillset(&all);
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, STACK_BYTES);
  pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are the host's */
  int rc = pthread_create(&x->thread, &attr, work, x);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  pthread_attr_destroy(&attr);
  if (rc == 0)
    return x;
  *why = arena_printf(a, "no thread could be started: %s", strerror(rc));
  return NULL;
}

void circuits_stop(circuits *x) {
  if (!x)
    return;
  atomic_store(&x->stop, true);
  pthread_mutex_lock(&x->lock);
  pthread_cond_broadcast(&x->wake);
  pthread_cond_broadcast(&x->news);
  pthread_mutex_unlock(&x->lock);
}

void circuits_free(circuits *x) {
  if (!x)
    return;
  circuits_stop(x);
  pthread_join(x->thread, NULL);
  for (package *p = x->first, *next; p; p = next) {
    next = p->next;
    for (uint32_t k = 0; p->e && k < p->c->naction; k++)
      if (p->e[k].library)
        dlclose(p->e[k].library);
    arena_free(p->a);
    free(p->text);
    free(p);
  }
  pthread_mutex_destroy(&x->lock);
  pthread_cond_destroy(&x->wake);
  pthread_cond_destroy(&x->news);
}

void circuits_want(circuits *x, const uint8_t hash[32], const char *text,
                   size_t n) {
  pthread_mutex_lock(&x->lock);
  if (!find(x, hash)) {
    package *p = calloc(1, sizeof *p);
    char *copy = malloc(n + 1);
    if (!p || !copy)
      arena_oom_hook();
    memcpy(copy, text, n);
    copy[n] = 0;
    memcpy(p->hash, hash, 32);
    p->text = copy;
    p->n = n;
    *x->tail = p;
    x->tail = &p->next;
    pthread_cond_signal(&x->wake);
  }
  pthread_mutex_unlock(&x->lock);
}

/* The lock is held.  The action's place, or -1 with *why. */
static int wait_for(circuits *x, package *p, const char *action,
                    const char **why) {
  x->urgent = p;
  x->urgent_action = action;
  for (;;) {
    int k = -1;
    if (p->why) {
      *why = p->why;
      return -1;
    }
    for (uint32_t i = 0; p->c && i < p->c->naction; i++)
      if (strcmp(p->c->action[i].name, action) == 0)
        k = (int)i;
    if (p->c && (k < 0 || !p->c->action[k].circuit)) {
      *why = k < 0 ? "the contract has no such action"
                   : "the action has no circuit";
      return -1;
    }
    if (p->c && p->e[k].done)
      return k;
    if (atomic_load(&x->stop)) {
      *why = "the node stops";
      return -1;
    }
    pthread_cond_wait(&x->news, &x->lock);
  }
}

bool circuits_get(circuits *x, const uint8_t hash[32], const char *action,
                  circuit *out, const char **why) {
  pthread_mutex_lock(&x->lock);
  package *p = find(x, hash);
  int k = -1;
  if (p)
    k = wait_for(x, p, action, why);
  else
    *why = "the package is not known";
  x->urgent = NULL;
  x->urgent_action = NULL;
  if (k >= 0)
    *out = (circuit){.c = p->c,
                     .action = &p->c->action[k],
                     .program = p->e[k].program,
                     .why = p->e[k].why};
  pthread_mutex_unlock(&x->lock);
  return k >= 0;
}
