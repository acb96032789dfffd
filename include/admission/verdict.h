/* Whether a connection is served, and if not, why not. */
#ifndef USHERD_ADMISSION_VERDICT_H
#define USHERD_ADMISSION_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

enum verdict {
	ADMITTED,
	REFUSED_ADDRESS,       /* only_from, no_access, or touches a sensor */
	REFUSED_TIME,          /* access_times */
	REFUSED_FORK,          /* no process could be made */
	REFUSED_SERVICE_LIMIT, /* instances */
	REFUSED_SOURCE_LIMIT,  /* per_source */
	REFUSED_PROCESS_LIMIT, /* -limit */
	REFUSED_LIBWRAP,       /* hosts.allow, hosts.deny */
	REFUSED_LOAD,          /* max_load */
	REFUSED_SOURCE_RATE,   /* source_cps */
	REFUSED_RATE,          /* cps */
	REFUSED_EXEC,          /* the program could not be started */
	REFUSED_DESCRIPTORS,   /* no descriptor for the connection */
	REFUSED_MEMORY,        /* no memory for the session */
	REFUSED_PENDING,       /* too many of the service, or of the source, are pending */
	REFUSED_IDENT,         /* IDONLY and no identity */
	REFUSED_TARGET,        /* INTERCEPT: the socket of its server is not open */
	REFUSED_BANNED,        /* touched a sensor before */
	REFUSED_BANNER,        /* has closed, or did not read the banner in time */
	REFUSED_START_TIMEOUT, /* the steps before took longer than start_timeout */
	REFUSED_PROOF,         /* no proof_of_work, a wrong one, or a used one */
	REFUSED_PROXY,         /* a balancer's connection without a valid PROXY header */
	VERDICT_COUNT
};

struct access_rule;

/* The result of one step of admission. The caller acts on it. */
struct judgement {
	enum verdict verdict;
	bool needs_names; /* the verdict holds only if the peer's names change nothing */
	const struct access_rule *rule; /* of only_from or no_access, that decided; NULL: none */
	bool is_tie;                    /* only_from and no_access match equally: refused */
	uint64_t pause_ms;              /* cps: with ADMITTED, admit no other one for so long; with
			    * REFUSED_RATE, close the service for so long; 0: neither */
};

/* The reason in a FAIL line: "address", "service_limit", "connections per
 * second" ... as xinetd writes them. */
const char *verdict_text(enum verdict verdict);

/* The same for the status report, where a ban, an "address" above, is "ban". */
const char *verdict_name(enum verdict verdict);

#endif
