/* Locks that tell who holds them, and end with their process however it ends.
 * A process must not open a locked file a second time: closing any descriptor
 * of it would end the lock. */
#ifndef CMD_CHI_LOCK_H
#define CMD_CHI_LOCK_H

#include <stdbool.h>
#include <sys/types.h>

/* Takes the lock of the file, made if it is not there; waits for it at most
 * wait_ms.  False: held by another (errno EAGAIN), or errno. */
bool lock_take(const char *path, int wait_ms);
/* The process that holds it; 0: nobody. */
pid_t lock_holder(const char *path);

#endif
