/* Loads configuration files into settings: follows include and includedir,
 * merges defaults once everything is read, gives every attribute its value,
 * and checks each service and all of them together. */
#ifndef USHERD_CONFIG_LOADER_H
#define USHERD_CONFIG_LOADER_H

#include "config/problem.h"
#include "config/settings.h"

#include <stdbool.h>
#include <sys/types.h>

struct load_options {
	const char *config;          /* the top file; NULL: none, inetd.conf only */
	uid_t trusted;               /* besides root: config_owner when the program began */
	const char *inetd_conf;      /* read after it; NULL: not */
	const char *start_directory; /* absolute: what relative paths in log_type and
				      * server begin with */
	/* Whether there is a built-in of that name and socket type. */
	bool (*internal_exists)(const char *name, int socket_type);
	uid_t frontend; /* whom the frontend runs as that there is; 0: none, or the daemon's
			 * own user */
	bool advise; /* also look for what works but deserves a remark (-check) */
};

/* Who owns config, or where it links to; root, if it is NULL or not there. To be asked
 * once: whoever owns it later was not chosen by the administrator. */
uid_t config_owner(const char *config);

/* Loads. Every complaint goes to problems. Returns the settings, without the
 * services that have an error, or NULL when the load as a whole is refused: the
 * top file can't be read, defaults or daemon has an error, or there is no
 * memory. */
struct settings *settings_load(const struct load_options *options, struct problems *problems);

#endif
