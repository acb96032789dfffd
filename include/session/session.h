/* One accepted connection, one wait server, or one connection of a service behind
 * tcpmux. Loop thread only.
 *
 * A session owns its descriptor, its reference to the settings it started with, and its
 * place in its service; session_close releases all of it in any state. */
#ifndef USHERD_SESSION_SESSION_H
#define USHERD_SESSION_SESSION_H

#include "admission/proxy_header.h"
#include "admission/verdict.h"
#include "base/address.h"
#include "base/loop.h"
#include "base/outbox.h"
#include "base/session_id.h"
#include "base/timer.h"
#include "config/settings.h"
#include "session/end_reason.h"

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
	SESSION_CLOSING,  /* nothing serves it any more; its connection is closed in order */
};

struct service;
struct session;
struct sink;
struct source;

/* Callbacks of the module that opened the session. */
struct session_owner {
	void (*started)(struct session *session);
	/* Refused, or its handler could not begin; session_close follows. */
	void (*failed)(struct session *session, enum verdict verdict, const char *detail);
	/* Nothing serves it any more, but it is not closed yet. */
	void (*served)(struct session *session);
	/* Its descriptor was closed, and it goes on without. */
	void (*let_go)(struct session *session);
	/* The last call: the session is freed after it. */
	void (*closed)(struct session *session);
};

struct session {
	struct service_settings *settings; /* a reference */
	struct sink *log;                  /* a reference; NULL: the daemon's log */
	const struct session_owner *owner;
	struct service *service;       /* the owner's */
	LIST_ENTRY(session) link;      /* the owner's */
	struct source *source;         /* the owner's: counts its running sessions */
	struct source *pending_source; /* the owner's: counts its pending sessions */
	unsigned way, step;   /* the owner's: how it came, and its next step of admission */
	void *origin;         /* the owner's: the listener whose socket it has */
	bool is_counted;      /* the owner's */
	unsigned descriptors; /* the owner's: its part of its service's share */
	bool is_launching;    /* the owner's: its program is one of its service's share */
	bool has_pipe;        /* the owner's: it is one of the sessions with stderr = log */
	bool was_puzzled;     /* the owner's: it was sent a puzzle */
	bool is_refused;      /* the owner's: counted and logged as refused */
	bool is_being_named;  /* the owner's: refused, and identd is asked */
	bool has_begun;       /* the owner's: it was served, or is */
	uint64_t launched;    /* the owner's: when its program was asked for, as of clock_now() */
	uint64_t received;    /* bytes from and ... */
	uint64_t sent;        /* ... to the client, once they are known: record_traffic */

	enum session_state state; /* session_enter writes it */
	enum end_reason reason;   /* why it ends; the first one counts */
	int fd;                   /* -1 after session_take_fd */
	struct address peer;
	struct address local; /* session_local finds it out */
	int64_t started;      /* seconds since the epoch */
	uint64_t ended;       /* when its program ended, as clock_now() has it; 0: it serves */
	uint64_t opened;      /* the same in clock_now(): not changed when the clock is set */
	uint64_t serial;      /* of this frontend's sessions, from 1 */
	struct session_id id; /* the program's; none for what the loop serves itself */
	pid_t pid;            /* the program's, 0 for what the loop serves itself */
	struct watch watch;
	struct timer deadline;
	struct timer start;   /* the owner's: start_timeout */
	struct timer runtime; /* max_runtime, of what no program serves */

	struct outbox unsent; /* data that the peer has not read yet */

	void (*stop)(struct session *session); /* the handler's, called once by session_close */
	/* The handler's: ends the session, or the program that serves it, with a grace time or
	 * at once; the session ends with it. NULL: nothing serves it yet. */
	void (*end)(struct session *session, bool at_once);
	void *handler_data;
	char *user; /* what identd said, escaped; NULL: not asked, or nothing */

	/* For its end's record. */
	bool has_traffic, has_usage; /* bytes, and these, are known: */
	uint64_t cpu_us, max_rss;    /* as in struct program_usage (channel/message.h) */

	/* The balancer through which the peer came; unknown: none. While its PROXY header has
	 * not come, the peer is unknown. */
	struct address proxy;
	struct proxy_facts *facts; /* what it said besides; NULL: nothing, or nobody needs it */
};

/* A session on fd, which it owns from here on. Takes its own references to
 * settings and log. NULL with errno ENOMEM; fd is then still the caller's. */
struct session *session_open(struct service_settings *settings, struct sink *log, int fd,
			     const struct address *peer, const struct session_owner *owner);

void session_enter(struct session *session, enum session_state state);

/* The local address of the connection; unknown if there is none, as for a wait server.
 * The socket is asked only once. */
const struct address *session_local(struct session *session);

/* Returns the descriptor, which is the caller's from here on. */
int session_take_fd(struct session *session);

/* Nothing serves the session from here on: its handler frees what it has, and its place in the
 * service is given back. What remains is its connection. */
void session_served(struct session *session);

/* Closes the descriptor of a session that goes on without. Waits for nobody, whatever its program
 * has set on the socket. */
void session_let_go(struct session *session);

/* Ends the session at once and frees it. Its program is not ended: session_end does
 * that. */
void session_close(struct session *session);

/* Reports a failure to the owner, then closes. detail may be NULL. */
void session_fail(struct session *session, enum verdict verdict, const char *detail);

/* Ends the session. One that the loop serves gets its EXIT line and is closed at once. A
 * program gets SIGTERM, and SIGKILL after a grace time; the session is closed when it has
 * ended. */
void session_end(struct session *session, enum end_reason reason);

/* The same, but a program gets SIGKILL at once. */
void session_kill(struct session *session, enum end_reason reason);

/* Sends length bytes, and keeps those for which the socket has no room (then the caller
 * waits for LOOP_WRITE and calls session_flush). Returns 0 when everything is
 * sent, 1 when something is kept, -1 with errno when the connection is broken
 * or memory ran out. */
int session_write(struct session *session, const void *bytes, size_t length)
	__attribute__((warn_unused_result));
int session_flush(struct session *session) __attribute__((warn_unused_result));

enum { SESSION_LABEL_SIZE = SESSION_ID_SIZE };

/* What an operator calls the session: its id, or "local-N" for what has none because the loop
 * serves it. Returns text. */
const char *session_label(const struct session *session, char text[static SESSION_LABEL_SIZE]);

/* How many sessions there are. */
size_t session_count(void);

#endif
