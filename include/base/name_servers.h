/* Which of the name servers in resolv.conf answer. A failed lookup does not show that:
 * anybody who has a slow or broken zone can make lookups fail. So each name server is
 * asked a question that it can answer by itself. */
#ifndef USHERD_BASE_NAME_SERVERS_H
#define USHERD_BASE_NAME_SERVERS_H

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>

enum { NAME_SERVERS_MAX = 3 };

struct name_servers {
	size_t count; /* 0: none was asked */
	struct address list[NAME_SERVERS_MAX];
	bool answers[NAME_SERVERS_MAX];
};

/* Asks each of them after a failed lookup, or while one is known not to answer, but at
 * most every five seconds. Waits at most a second and a half. Any thread. */
void name_servers_ask(struct name_servers *servers, bool was_in_vain);

/* Logs which of them no longer answer, and which answer again; if none does, that host name
 * rules can't be checked, and later that they can. Each is said once. Loop thread. */
void name_servers_report(const struct name_servers *servers);

/* Those that did not answer when they were last asked, separated by blanks; NULL
 * when there are none. Loop thread. */
const char *name_servers_silent(void);

/* True when there are some, and none of them answered. Loop thread. */
bool name_servers_all_silent(void);

/* Logs nothing from now on, for callers that report it themselves. */
void name_servers_log_nothing(void);

#endif
