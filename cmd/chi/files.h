/* Files that a backend made, into a directory. */
#ifndef CMD_CHI_FILES_H
#define CMD_CHI_FILES_H

#include "backend/backend.h"
#include "cmd/chi/cli.h"

/* Makes the directory (with its parents) if it is not there. */
bool files_directory(cli *c, const char *dir);
/* Each part as DIR/STEM.SUFFIX, whole or not at all; false after a report. */
bool files_save(cli *c, const char *dir, const char *stem,
                const backend_output *o);

#endif
