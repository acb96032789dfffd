/* What sessions left behind in their process groups that had ended already, as far as it is
 * known. Loop thread only. */
#ifndef USHERD_MONITOR_ORPHANS_H
#define USHERD_MONITOR_ORPHANS_H

#include "base/address.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* So many process groups are remembered; then the oldest are forgotten. */
enum { ORPHAN_GROUPS_MAX = 4096 };

/* The leader of a group, the program of that service, is about to be reaped. After that:
 * orphans_note. */
void orphans_expect(pid_t leader, uint32_t service, const struct address *peer,
		    const struct address *local);

/* Remembers the group of a leader that was just reaped, if it was expected and still has
 * processes. */
void orphans_note(pid_t leader);

/* Another generation is in force: service number i of count has the number numbers[i]. ends says
 * whether what a removed service left is to be ended; orphans_end_removed does it. */
void orphans_renumber(const uint32_t *numbers, uint32_t count, bool (*ends)(uint32_t service));

/* Sends SIGTERM to what the services left that the last reload removed, and SIGKILL after the
 * grace time. */
void orphans_end_removed(unsigned grace_ms);

#endif
