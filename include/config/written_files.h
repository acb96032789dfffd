/* The files that the daemon itself writes or makes, each for one purpose: those of -pidfile and
 * -filelog, status_file, ban_file, metrics_file and control_socket. Two of them, or one and the log
 * of a service, can't be one file; the log of a service and that of -filelog may be. Internal to
 * config. */
#ifndef USHERD_CONFIG_WRITTEN_FILES_H
#define USHERD_CONFIG_WRITTEN_FILES_H

#include "config/settings.h"
#include "config/word_list.h"

#include <stdbool.h>

/* Reports each attribute of the daemon that names the file of an earlier one, or of an option.
 * lines has, by attribute, where it is set. False: there is such an attribute. */
bool written_files_differ(const struct daemon_settings *daemon, const struct word_list *lines,
			  struct problems *problems);

/* The attribute of the daemon, or the option, that names the file with that path, itself or by its
 * default. NULL: there is none, or only -filelog. Links on the way to the directory are followed.
 * A file in /dev belongs to none of them. */
const char *written_files_find(const struct daemon_settings *daemon, const char *path);

#endif
