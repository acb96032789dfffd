/* One reader for each format. Internal to import. Each reads one file, writes its entries and
 * notes, and complains when it makes none. */
#ifndef USHERD_IMPORT_READERS_H
#define USHERD_IMPORT_READERS_H

#include "import/draft.h"

struct import_kind {
	const char *name; /* for messages */
	bool (*is_it)(const struct import_file *file);
	void (*read)(struct import *import, const struct import_file *file);
	int turn; /* 1: after all files whose kind has 0 */
};

/* The kind that the content tells, or NULL. */
const struct import_kind *import_kind_of(const struct import_file *file);

/* A systemd.socket(5) with the systemd.service(5) that it starts, which is in the same file or
 * in another one of the import. */
bool systemd_has_socket(const struct import_file *file);
bool systemd_is_unit(const struct import_file *file);
void systemd_read(struct import *import, const struct import_file *file);

/* Command lines of socat(1) that listen, in a script, a unit, a Dockerfile ... */
bool socat_is_used(const struct import_file *file);
void socat_read(struct import *import, const struct import_file *file);

/* JAIL_ variables of the image redpwn/jail, in ENV lines of a Dockerfile or lines NAME=VALUE. */
bool jail_is_used(const struct import_file *file);
void jail_read(struct import *import, const struct import_file *file);

/* The configuration of nsjail, in the text format of protocol buffers. */
bool nsjail_is_config(const struct import_file *file);
void nsjail_read(struct import *import, const struct import_file *file);

/* Lines of inetd.conf(5), see config/inetd_conf.h. */
bool inetd_is_conf(const struct import_file *file);
void inetd_read(struct import *import, const struct import_file *file);

/* A name for a service of the file: its own without what follows the dot, or, where that is
 * the same everywhere (Dockerfile), that of its directory. Part of file->name. */
struct span import_service_name(const struct import_file *file);

#endif
