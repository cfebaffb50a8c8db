/* From text to tree.  A parse never fails as a whole: what could not be read
 * was reported and stands as ERROR in the tree. */
#ifndef GRAMMAR_PARSE_H
#define GRAMMAR_PARSE_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/source.h"
#include "grammar/ast.h"

/* Parses one file of the set into a FILE node.
 *
 * Returns  FILE, never NULL; it is complete if diag_errors did not grow.
 * Args     a        owns the tree.
 *          ss       names are interned in it.
 *          dg       gets at most PARSE_MAX_ERRORS errors; parsing stops there.
 *          next_id  the first node id to use; in-out, so that the ids of all
 *                   files of a set are dense.
 * Cost     linear in the text, in time and memory.
 */
node *parse_file(arena *a, source_set *ss, source_id id, diag *dg,
                 uint32_t *next_id);

enum {
  PARSE_MAX_ERRORS = 20,
  PARSE_MAX_NESTING = 500, /* open brackets; see also AST_MAX_DEPTH */
  PARSE_MAX_NAME = 255,    /* bytes of a name */
  PARSE_MAX_NUMBER = 1000  /* characters of a number literal */
};

#endif
