/* One client that is not served, or several. */
#ifndef USHERD_SESSION_REFUSAL_H
#define USHERD_SESSION_REFUSAL_H

#include "admission/verdict.h"
#include "base/address.h"

#include <stdint.h>

struct access_rule;
struct session;

struct refusal {
	enum verdict verdict;
	const struct address *peer;     /* NULL: several */
	const struct session *session;  /* NULL: it has none */
	const struct access_rule *rule; /* of only_from or no_access; NULL: none, or not known */
	uint64_t count;                 /* so many, without a line of their own; 0: a single one */
};

#endif
