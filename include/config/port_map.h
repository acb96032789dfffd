/* Which port a service name stands for: files in the form of services(5).
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

/* Adds what file says. A line that is malformed is skipped and reported, with
 * its line, as a WARNING; a name already mapped for that protocol to another
 * port keeps its first port and the line gets ADVICE; the same port again is
 * no problem. Returns 0, or -1 with errno when file can't be read (EISDIR or
 * EINVAL: no regular file, EFBIG: more than 16 MiB) or memory runs out. */
int port_map_read(struct port_map *map, const char *file, struct problems *problems)
	__attribute__((warn_unused_result));

/* Notes that what this file says is not known, and which file it was, NULL when
 * there is none. */
void port_map_lose(struct port_map *map, const char *file);
const char *port_map_lost(const struct port_map *map);

/* The port of name, or -1 when it has none for protocol ("tcp", "udp" ...). */
int port_map_find(const struct port_map *map, const char *name, const char *protocol);

/* How many names and aliases it knows, each protocol counted. For tests. */
unsigned port_map_size(const struct port_map *map);

#endif
