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
	const char *config;          /* the main file; NULL: none */
	const char *serve;           /* text in its place, as serve_text makes it; NULL: none */
	uid_t trusted;               /* besides root: config_owner when the program began */
	const char *inetd_conf;      /* read after it; NULL: none */
	const char *start_directory; /* absolute: base of relative paths in log_type and
				      * server */
	/* Whether there is a built-in with that name and socket type. */
	bool (*internal_exists)(const char *name, int socket_type);
	uid_t frontend; /* the user of the running frontend; 0: none runs, or it is the
			 * daemon's own user */
	bool advise;    /* also give advice (-check) */
	const char *pid_file, *log_file; /* of the command line; absolute; NULL: none */
};

/* The owner of config, or of the file it links to; root, if it is NULL or does not
 * exist. To be called once at the start: a later owner is not the administrator's
 * choice. */
uid_t config_owner(const char *config);

/* Loads. All errors, warnings and advice go to problems. Returns the settings, without
 * the services that have an error, or NULL when the whole load fails: the main file
 * can't be read, defaults or daemon has an error, or memory runs out. */
struct settings *settings_load(const struct load_options *options, struct problems *problems);

/* The same, but also when the whole load fails, with what could be read: for who looks up only
 * where the daemon is. NULL when memory runs out. */
struct settings *settings_load_in_part(const struct load_options *options,
				       struct problems *problems);

#endif
