#include "handlers/label.h"

#include <errno.h>
#include <stddef.h>

#ifdef HAVE_LIBSELINUX

#include <selinux/context.h>
#include <selinux/selinux.h>
#include <stdlib.h>
#include <string.h>

/* context with the range of peer, to be freed. */
static char *at_level_of(const char *context, const char *peer)
{
	context_t own = context_new(context), other = context_new(peer);
	const char *range = other ? context_range_get(other) : NULL;
	char *label = NULL;

	if (own && range && context_range_set(own, range) == 0 && context_str(own))
		label = strdup(context_str(own));
	context_free(own);
	context_free(other);
	return label;
}

char *label_for(const char *server, int connection)
{
	char *own = NULL, *peer = NULL, *file = NULL, *level = NULL, *label = NULL;

	errno = ENOTSUP;
	if (is_selinux_enabled() > 0 && getcon(&own) == 0 && getpeercon(connection, &peer) == 0 &&
	    getfilecon(server, &file) >= 0 && (level = at_level_of(own, peer)) &&
	    security_compute_create(level, file, string_to_security_class("process"), &label) < 0)
		label = NULL;
	freecon(own);
	freecon(peer);
	freecon(file);
	free(level);
	return label;
}

#else

char *label_for(const char *server, int connection)
{
	(void)server;
	(void)connection;
	errno = ENOTSUP;
	return NULL;
}

#endif
