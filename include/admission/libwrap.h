/* hosts.allow and hosts.deny, hosts_access(5), through libwrap. The library
 * reads files, asks the resolver and may run commands, so it is asked on a
 * worker. Without libwrap at build time everybody is allowed. Loop thread only. */
#ifndef USHERD_ADMISSION_LIBWRAP_H
#define USHERD_ADMISSION_LIBWRAP_H

#include "base/address.h"

#include <stdbool.h>

struct libwrap_query;

enum { LIBWRAP_DEADLINE_MS = 10000 }; /* then the answer is no */

/* True when hosts.allow or hosts.deny has any rule at all: otherwise there is
 * nothing to ask. Looks at the files again when they have changed, at most once
 * a second. */
bool libwrap_has_rules(void);

/* Asks whether `daemon` may serve peer on its own address local. done is called
 * later, never before this returns. NULL with errno when the question could not
 * be put; there is then no callback. */
typedef void libwrap_answer(void *context, bool allowed);
struct libwrap_query *libwrap_ask(const char *daemon, const struct address *peer,
				  const struct address *local, libwrap_answer *done,
				  void *context);

/* done will not be called. */
void libwrap_cancel(struct libwrap_query *query);

#endif
