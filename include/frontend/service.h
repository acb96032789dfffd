/* A service that runs: its settings, its listeners, its sessions, its counts. */
#ifndef USHERD_FRONTEND_SERVICE_H
#define USHERD_FRONTEND_SERVICE_H

#include "admission/quota.h"
#include "admission/verdict.h"
#include "base/descriptors.h"
#include "base/turns.h"
#include "handlers/handler.h"
#include "session/refusal.h"
#include "frontend/listener.h"
#include "session/session.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

enum service_state {
	SERVICE_LISTENING,
	SERVICE_FULL,      /* at_limit = queue: instances run, the kernel queues */
	SERVICE_THROTTLED, /* cps_action = queue: polled again when there is a token */
	SERVICE_SUSPENDED, /* cps_action = suspend: closed for a while */
	SERVICE_PAUSED,    /* -pause: the kernel queues for a while */
	SERVICE_WAITING,   /* each of its sockets is in use by a server */
	SERVICE_RETRYING,  /* some address could not be bound yet */
	SERVICE_DRAINING,  /* removed by a reload; its sessions run on */
};

enum { FAILURE_TEXT_SIZE = 160 };

/* What was refused; most services never refuse anybody. */
struct failures {
	uint64_t refused[VERDICT_COUNT];
	int64_t last_time; /* seconds since the epoch; 0: never */
	char last[FAILURE_TEXT_SIZE];
};

struct service {
	TAILQ_ENTRY(service) link;
	struct service_settings *settings; /* a reference */
	uint32_t number;                   /* in the generation; SERVICE_IS_NEW: not in it */
	bool is_suspended : 1, is_throttled : 1, is_draining : 1;
	bool is_paused : 1;
	bool is_resuming : 1;  /* suspended no longer, but not bound yet */
	bool is_settling : 1;  /* the addresses are known; sockets of others are closed first */
	bool is_continued : 1; /* by the next generation, while that is adopted */
	const struct handler *handler;
	struct sink *log; /* a reference; NULL: the daemon's log */
	LIST_HEAD(, listener) listeners;
	LIST_HEAD(, session) sessions;
	struct quota quota;
	struct share descriptors;         /* of its connections */
	struct share launches;            /* of its programs that are being started */
	struct share pipes;               /* of its sessions, once it has stderr = log */
	struct timer resume;              /* ends suspension or throttling */
	struct timer pause;               /* ends a pause */
	LIST_HEAD(, bind_lookup) lookups; /* of the names in bind */

	uint64_t started;
	uint64_t received, sent;   /* bytes, of sessions that are over, where they were counted */
	struct failures *failures; /* made when first needed */
	struct filter_hosts *filter_hosts; /* INTERCEPT: of names in the lists; NULL: none */
	struct proofs *proofs;             /* proof_of_work; made when first needed */
	struct folds *folds;               /* of FAIL lines; made when first needed */
};

TAILQ_HEAD(service_list, service);

/* Every service there is. */
extern struct service_list services;

/* A service without settings and sockets, for frontend/lifecycle. NULL with errno. */
struct service *service_new(void);

enum service_state service_state(const struct service *service);

/* "listening", "full" ... */
const char *service_state_text(enum service_state state);

/* Polls the service's sockets, or not, depending on its state. */
void service_refresh(struct service *service);

/* One more of its sockets is bound. */
void service_bound(struct service *service);

/* Closes the sockets for a while (cps_action = suspend). */
void service_suspend(struct service *service, uint64_t milliseconds);

/* Leaves the sockets unpolled until there is a token (cps_action = queue). */
void service_throttle(struct service *service, uint64_t milliseconds);

/* Leaves the sockets unpolled for so long, or until service_resume. Sessions go on. */
void service_pause(struct service *service, uint64_t milliseconds);

/* False: it is not paused. */
bool service_resume(struct service *service);

/* True when its clients are served, or wait in the kernel because of its limits. */
bool service_is_up(const struct service *service);

/* True when at_limit = queue and no more may run. */
bool service_is_full(const struct service *service);

/* Counts a refusal, keeps it as the last failure, and writes the FAIL line unless
 * it is folded with others of its source. detail may be NULL; with one there is a
 * line in the daemon's log too. Returns true when it was not folded. */
bool service_refused(struct service *service, const struct refusal *refusal, const char *detail);

/* Only counts a refusal. It is not counted if memory runs out. */
void service_count_refusal(struct service *service, enum verdict verdict);

/* How many descriptors a connection of the service may come to have. */
unsigned service_descriptors_per_session(const struct service *service);

/* The owner of lookups and checks for clients of the service. */
struct turn_owner service_turn_owner(const struct service *service);

/* True while some name in bind has no addresses yet. */
bool service_awaits_names(const struct service *service);

/* True once no listener is waiting to be bound. */
bool service_is_bound(const struct service *service);

#endif
