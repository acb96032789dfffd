/* What the status of the daemon is made of, whatever its form. Loop thread only. */
#ifndef USHERD_FRONTEND_FACTS_H
#define USHERD_FRONTEND_FACTS_H

#include "base/address.h"
#include "frontend/service.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	FACTS_WHY_SIZE = 256,
	FACTS_SESSIONS_MAX = 1000, /* that a status lists: the loop waits for it */
	FACTS_BANS_MAX = 1000,     /* the same */
	FACTS_SOURCES_MAX = 10,
};

/* For the start: when the daemon was started, as clock_read has it. */
void facts_set_start(uint64_t since);

/* How long the daemon has been running, in milliseconds. */
uint64_t facts_uptime(void);

/* Why the service is in its state, "" when that says it all. Returns text. */
const char *facts_why(const struct service *service, char text[static FACTS_WHY_SIZE]);

/* The address with its real port: for port 0 in the settings the kernel chose one. */
struct address facts_bound_address(const struct listener *listener);

/* "pending", "serving" ... */
const char *facts_session_state(const struct session *session);

/* What is known of a session's connection. */
struct session_facts {
	uint64_t age_ms;
	bool has_traffic; /* the daemon has a descriptor of a TCP connection: */
	uint64_t idle_ms, received, sent;
};

struct session_facts facts_of_session(const struct session *session);

/* Sources with the most sessions. */
struct source_facts {
	struct prefix source;
	unsigned sessions;
};

/* Fills in at most FACTS_SOURCES_MAX, the most first. Returns how many. */
unsigned facts_top_sources(struct source_facts sources[static FACTS_SOURCES_MAX]);

/* The services that are configured and could not be started: the log says why. Calls visit for
 * each, unless it is NULL. Returns how many. */
unsigned facts_missing(void (*visit)(const struct service_settings *service, void *context),
		       void *context);

/* True when every service is up, and none was left out because of an error. */
bool facts_all_up(void);

#endif
