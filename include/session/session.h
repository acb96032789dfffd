/* One accepted connection on its way through the house, one wait server, or one
 * exchange on behalf of another service (tcpmux). Loop thread only.
 *
 * A session owns its descriptor, its reference to the settings it started
 * under and its place in its service; session_close gives all of it back,
 * whatever state it is in. */
#ifndef USHERD_SESSION_SESSION_H
#define USHERD_SESSION_SESSION_H

#include "admission/verdict.h"
#include "base/address.h"
#include "base/loop.h"
#include "base/outbox.h"
#include "base/timer.h"
#include "config/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

enum session_state {
	SESSION_PENDING,  /* on its way through admission: its handler has not started */
	SESSION_STARTING, /* admitted; its handler is getting ready */
	SESSION_SERVING,  /* the START line is written */
	SESSION_ENDING,   /* its processes were told to end and will be killed */
};

struct service;
struct session;
struct sink;
struct source;

/* What becomes of a session is told to whoever opened it. */
struct session_owner {
	void (*started)(struct session *session);
	/* Refused, or its handler could not begin; session_close follows. */
	void (*failed)(struct session *session, enum verdict verdict, const char *detail);
	/* The last word: the session is freed after it. */
	void (*closed)(struct session *session);
};

struct session {
	struct service_settings *settings; /* a reference */
	struct sink *log;                  /* a reference; NULL: the daemon's log */
	const struct session_owner *owner;
	struct service *service;           /* the owner's */
	LIST_ENTRY(session) link;          /* the owner's */
	struct source *source;             /* the owner's: what runs is counted there */
	struct source *pending_source;     /* the owner's: what is pending is counted there */
	unsigned way, step;                /* the owner's: how it came, and its next step of admission */
	void *origin;                      /* the owner's: the listener it has the socket of */
	bool is_counted;                   /* the owner's */
	unsigned descriptors;              /* the owner's: its part of its service's share */
	bool is_refused;                   /* the owner's: counted and logged as that */
	bool is_being_named;               /* the owner's: refused, and identd is asked */

	enum session_state state; /* session_enter writes it */
	int fd;                   /* -1 once it is handed on */
	struct address peer;
	struct address local; /* session_local finds it out */
	int64_t started; /* seconds since the epoch */
	uint64_t opened; /* the same as loop_now() has it: no clock that is set changes it */
	pid_t pid;       /* the program's, 0 for what the loop serves itself */
	struct watch watch;
	struct timer deadline;

	struct outbox unsent; /* what the peer was too slow for */

	void (*stop)(struct session *session); /* the handler's, called once by session_close */
	/* The handler's, of a session that is served by a program: has that end, and the
	 * session with it, in its own time or at once. */
	void (*end)(struct session *session, bool at_once);
	void *handler_data;
	char *user; /* what identd said, escaped; NULL: not asked, or nothing */
};

/* A session on fd, which it owns from here on. Takes its own references to
 * settings and log. NULL with errno ENOMEM; fd is then still the caller's. */
struct session *session_open(struct service_settings *settings, struct sink *log, int fd,
			     const struct address *peer, const struct session_owner *owner);

void session_enter(struct session *session, enum session_state state);

/* The address of the connection's own end; unknown where there is none, as of a wait
 * server. The socket is asked once. */
const struct address *session_local(struct session *session);

/* Hands the descriptor on to the caller. */
int session_take_fd(struct session *session);

/* Ends the session here and now and frees it. A program that runs for it is
 * not told: session_end does that. */
void session_close(struct session *session);

/* Reports a failure to the owner, then closes. detail may be NULL. */
void session_fail(struct session *session, enum verdict verdict, const char *detail);

/* Has the session end: one that the loop serves gets its EXIT line and closes at
 * once. A program is told to end, and killed when it does not; the session is closed
 * when its program is gone. */
void session_end(struct session *session);

/* The same without waiting for the program to end by itself. */
void session_kill(struct session *session);

/* Sends length bytes, keeping what the peer has no room for (then the caller
 * waits for LOOP_WRITE and calls session_flush). Returns 0 when everything is
 * sent, 1 when something is kept, -1 with errno when the connection is broken
 * or memory ran out. */
int session_write(struct session *session, const void *bytes, size_t length)
	__attribute__((warn_unused_result));
int session_flush(struct session *session) __attribute__((warn_unused_result));

/* How many sessions there are. */
size_t session_count(void);

#endif
