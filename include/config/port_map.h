/* The port of a service name: files in the format of services(5).
 *
 * A line is NAME PORT/PROTOCOL [ALIAS ...], anything from `#` on is a comment.
 * A name or alias may have a port, from 1 to 65535, for each protocol. Names
 * compare without regard to case, as xinetd's do. */
#ifndef USHERD_CONFIG_PORT_MAP_H
#define USHERD_CONFIG_PORT_MAP_H

#include "config/problem.h"

struct port_map;

/* An empty map, or NULL with errno. */
struct port_map *port_map_new(void);
void port_map_free(struct port_map *map);

/* Adds the names of file. A malformed line is skipped with a WARNING. A name that is
 * already mapped to another port for that protocol keeps the first one, with ADVICE; the
 * same port again is not reported. Returns 0, or -1 with errno when file can't be read
 * (EISDIR or EINVAL: no regular file, EFBIG: more than 16 MiB) or memory runs out. */
int port_map_read(struct port_map *map, const char *file, struct problems *problems)
	__attribute__((warn_unused_result));

/* Notes that this file could not be used; returns the noted file, NULL: none. */
void port_map_lose(struct port_map *map, const char *file);
const char *port_map_lost(const struct port_map *map);

/* The port of name, or -1 when it has none for protocol ("tcp", "udp" ...). */
int port_map_find(const struct port_map *map, const char *name, const char *protocol);

/* How many names and aliases it knows, each protocol counted. For tests. */
unsigned port_map_size(const struct port_map *map);

#endif
