#include "monitor/label.h"

#include <errno.h>
#include <stddef.h>

#ifdef HAVE_LIBSELINUX

#include "base/library.h"

#include <selinux/context.h>
#include <selinux/selinux.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define IMPORT(function) LIBRARY_IMPORT(function, selinux.function)

static struct {
	__typeof__(context_new) *context_new;
	__typeof__(context_free) *context_free;
	__typeof__(context_range_get) *context_range_get;
	__typeof__(context_range_set) *context_range_set;
	__typeof__(context_str) *context_str;
	__typeof__(is_selinux_enabled) *is_selinux_enabled;
	__typeof__(getcon) *getcon;
	__typeof__(getpeercon) *getpeercon;
	__typeof__(getfilecon) *getfilecon;
	__typeof__(freecon) *freecon;
	__typeof__(security_compute_create) *security_compute_create;
	__typeof__(string_to_security_class) *string_to_security_class;
} selinux;

/* Several workers may load it at once: all write the same values. */
static bool load_selinux(void)
{
	static const struct library_import imports[] = {
		IMPORT(context_new),
		IMPORT(context_free),
		IMPORT(context_range_get),
		IMPORT(context_range_set),
		IMPORT(context_str),
		IMPORT(is_selinux_enabled),
		IMPORT(getcon),
		IMPORT(getpeercon),
		IMPORT(getfilecon),
		IMPORT(freecon),
		IMPORT(security_compute_create),
		IMPORT(string_to_security_class),
	};

	return library_load("libselinux.so.1", imports, sizeof imports / sizeof imports[0]);
}

/* context with the range of peer, to be freed. */
static char *at_level_of(const char *context, const char *peer)
{
	context_t own = selinux.context_new(context), other = selinux.context_new(peer);
	const char *range = other ? selinux.context_range_get(other) : NULL;
	char *label = NULL;

	if (own && range && selinux.context_range_set(own, range) == 0 && selinux.context_str(own))
		label = strdup(selinux.context_str(own));
	selinux.context_free(own);
	selinux.context_free(other);
	return label;
}

static char *compute_label(const char *server, int connection)
{
	char *own = NULL, *peer = NULL, *file = NULL, *level = NULL, *label = NULL;

	if (selinux.getcon(&own) == 0 && selinux.getpeercon(connection, &peer) == 0 &&
	    selinux.getfilecon(server, &file) >= 0 && (level = at_level_of(own, peer)) &&
	    selinux.security_compute_create(level, file,
					    selinux.string_to_security_class("process"),
					    &label) < 0)
		label = NULL;
	selinux.freecon(own);
	selinux.freecon(peer);
	selinux.freecon(file);
	free(level);
	return label;
}

char *label_for(const char *server, int connection)
{
	errno = ENOTSUP;
	if (!load_selinux() || selinux.is_selinux_enabled() <= 0)
		return NULL;
	return compute_label(server, connection);
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
