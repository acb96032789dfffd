/* The steps of admission, in the order in which a connection takes them, the cheapest
 * first. Two modules use the table: frontend/connection takes the steps, inspect/explain
 * prints what each would decide. */
#ifndef USHERD_ADMISSION_STEPS_H
#define USHERD_ADMISSION_STEPS_H

#include "admission/access.h"
#include "admission/quota.h"

enum admission_step {
	STEP_PROXIED,     /* the balancer's PROXY header is read; others: proxy_others */
	STEP_BANNER,      /* banner is sent */
	STEP_ADDRESS,     /* bans, only_from and no_access; may need the peer's names */
	STEP_SOURCE_RATE, /* source_cps */
	STEP_RATE,        /* cps */
	STEP_LOAD,        /* max_load */
	STEP_TIME,        /* access_times */
	STEP_PROOF,       /* proof_of_work: the peer solves a puzzle */
	STEP_INSTANCES,   /* instances */
	STEP_PER_SOURCE,  /* per_source */
	STEP_PROCESSES,   /* -limit */
	STEP_COUNTED,     /* the session counts as running from here on */
	STEP_LIBWRAP,     /* hosts.allow and hosts.deny */
	STEP_IDENTITY,    /* the peer's ident server names the user */
	STEP_WELCOME,     /* +Go of TCPMUXPLUS, or banner_success */
	ADMISSION_STEPS
};

/* A table of all steps is written as a list LIST(ROW) of rows ROW(step, ...), in any order.
 * A row that is forgotten would be all zero, and its step never be taken: with STEPS_CHECK
 * such a list does not compile. */
#define STEPS_CHECK(LIST) \
	_Static_assert((0U LIST(STEPS_BIT)) == (1U << ADMISSION_STEPS) - 1, \
		       "each step of admission needs a row in " #LIST)
#define STEPS_BIT(step, ...) | (1U << step)

/* How a peer comes to a service. */
enum way {
	WAY_CONNECTION = 1 << 0,  /* by a connection that the daemon has accepted */
	WAY_MULTIPLEXED = 1 << 1, /* by a connection to tcpmux */
	WAY_SERVER = 1 << 2,      /* by the socket of a wait server, which must be started */
	WAY_DATAGRAM = 1 << 3,    /* by a datagram that the daemon answers */
};

/* A peer that wants a service. */
struct candidate {
	const struct service_settings *settings;
	struct quota *quota;
	const struct address *peer; /* unknown where a server accepts its clients itself */
	enum way way;
	const char *const *names; /* of the peer, as in access_decide; NULL: not known yet */
	struct sensor_list *bans; /* NULL: none */
	uint64_t now;             /* clock_now() */
	int minute;               /* of the day; not looked at without access_times */
	unsigned processes, processes_max; /* programs that run, of all services; 0: no limit */
};

/* True when the candidate has to take the step. libwrap's asks the files for rules, at
 * most once a second (admission/libwrap.h). */
bool admission_applies(enum admission_step step, const struct candidate *candidate);

/* True for a step that is decided at once, by admission_judge. The users of the table take
 * the other steps in their own ways. */
bool admission_judges(enum admission_step step);

/* The judgement of the step, which takes tokens if the step has a rate. To be called only
 * if admission_judges and admission_applies are true. */
struct judgement admission_judge(enum admission_step step, const struct candidate *candidate);

#endif
