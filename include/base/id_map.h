/* Which users and groups there are in this user namespace, see user_namespaces(7). */
#ifndef USHERD_BASE_ID_MAP_H
#define USHERD_BASE_ID_MAP_H

#include <stdbool.h>
#include <sys/types.h>

/* True when a line of the text, which has the form of /proc/PID/uid_map, has that number. */
bool id_map_has(const char *text, id_t id);

/* True when this process, if it has the rights, can have that user and group, and drop its other
 * groups. Also where /proc does not say. */
bool id_map_allows(uid_t uid, gid_t gid);

#endif
