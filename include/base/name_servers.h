/* Which of the name servers that resolv.conf names answer. A lookup that fails does
 * not tell: whoever has a slow or broken zone of its own has lookups fail whenever
 * it likes. So the name servers themselves are asked for what each of them knows. */
#ifndef USHERD_BASE_NAME_SERVERS_H
#define USHERD_BASE_NAME_SERVERS_H

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>

enum { NAME_SERVERS_MOST = 3 };

struct name_servers {
	size_t count; /* 0: nobody was asked */
	struct address list[NAME_SERVERS_MOST];
	bool answers[NAME_SERVERS_MOST];
};

/* Asks each, when it is time to: every five seconds at the most, after a question
 * that was_in_vain, or while some are known not to answer. Waits a second and a half
 * at the most. On any thread. */
void name_servers_ask(struct name_servers *servers, bool was_in_vain);

/* Logs which of them have ceased to answer, and which answer again. Loop thread. */
void name_servers_report(const struct name_servers *servers);

/* Those that did not answer when they were last asked, a blank between them; NULL
 * when there are none. Loop thread. */
const char *name_servers_silent(void);

/* Has nothing logged from now on, for who says it in another place. */
void name_servers_log_nothing(void);

#endif
