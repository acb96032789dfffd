/* Numbers for the sessions of a service that run at the same time: each gets the lowest one
 * that none has. A service is known by its id, so that a reload changes nothing. Loop thread
 * only. */
#ifndef USHERD_MONITOR_SESSION_SLOTS_H
#define USHERD_MONITOR_SESSION_SLOTS_H

struct slot_table;

/* One number, from 0; all zero: none. */
struct session_slot {
	struct slot_table *table; /* NULL: none */
	unsigned number;
};

/* The lowest free number of that service. 0, or -1 with errno ENOMEM and none. */
int session_slot_take(struct session_slot *slot, const char *service)
	__attribute__((warn_unused_result));

/* Frees it. Harmless on none. */
void session_slot_give_back(struct session_slot *slot);

#endif
