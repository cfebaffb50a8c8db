/* Running an action whole and cut, on the same clear values and maps. */
#ifndef TESTS_CUT_RUN_H
#define TESTS_CUT_RUN_H

#include "ir/cut.h"
#include "ir/interp.h"

/* Values by name: what one part leaves for another, or for the world. */
typedef struct named {
  char *name, *text;
} named;

typedef struct world {
  uint64_t seed; /* of inputs and of map entries that nobody wrote */
  named *value, *map;
  size_t nvalue, nmap;
  buf events, told;
  ir_status status; /* of the first run that was not OK */
  char *message;
  const char *failed; /* the part: "before", .. */
  uint64_t opened, told_lanes;
} world;

void world_init(world *w, uint64_t seed);
void world_free(world *w);
/* Runs m, unless a part before it failed.  Inputs come from the outputs of the
 * parts before it, where these have the name, or are pseudo-random. */
void world_run(world *w, const ir_module *m, const char *part);
/* Outputs with names that do not begin with % or !, maps, events, told values;
 * free() it. */
char *world_text(const world *w);

#endif
