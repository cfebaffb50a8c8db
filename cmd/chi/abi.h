/* TYPE of a contract package: what a value looks like to people who read and
 * write it, between the compiler's words and JSON.
 *
 * {"kind": "bool|int|fixed|field|identity|struct|tuple|unit|told",
 *  "secret": bool, "text": "[secret u32; 3]", "elem": "u32", "dims": [3],
 *  "lo": "0", "hi": "4294967295", "scale": 16,
 *  "fields": [{"name": "x", "type": TYPE}]}
 *
 * lo and hi are absent where there is no interval; dims, scale and fields where
 * they are empty or 0.
 */
#ifndef CMD_CHI_ABI_H
#define CMD_CHI_ABI_H

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "frontend/frontend.h"

void abi_write(buf *b, const fe_type *t);
/* NULL if j is no TYPE; everything lives in `a`. */
const fe_type *abi_read(arena *a, const json_t *j);
/* A parameter of that type with its leaves: names, order and shapes as the
 * frontend gives them. */
fe_param abi_param(arena *a, const char *name, const fe_type *t);

#endif
