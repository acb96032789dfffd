/* The clients of the soak: many at a time, each of which does what its role says and checks what
 * it gets. */
#ifndef USHERD_TESTS_SOAK_CROWD_H
#define USHERD_TESTS_SOAK_CROWD_H

#include "support/deadline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SAYS_MAX = 32768, HEARS_MAX = SAYS_MAX + 64 };

/* How a connection has ended, seen from the client. */
enum ending { ENDING_NONE, ENDING_ORDERLY, ENDING_RESET };

struct client {
	const struct role *role;
	int fd;          /* -1: nobody */
	unsigned number; /* each client of the run has its own */
	bool is_watched; /* by epoll */
	uint32_t events;
	enum ending ending;
	size_t length, sent; /* of what it says */
	size_t received;
	struct deadline due;
	char says[SAYS_MAX], hears[HEARS_MAX];
};

/* What may become of a client. */
enum fate {
	SERVED,
	REFUSED, /* it hears nothing, and the end */
	EITHER,
	UNHEARD, /* it does not stay to see */
};

/* What a client does when it has said everything. */
enum manner {
	LISTENS,
	FINISHES, /* sending */
	LEAVES,   /* at once; with a reset if it has a connection */
};

struct role {
	const char *name;
	const char *service; /* whose port it uses, and whose counters count it */
	const char *behind;  /* the service that serves it in the end; NULL: the same */
	const char *reason;  /* of refusals, as the measures have it */
	unsigned share;      /* of the clients, relative to the other roles */
	unsigned most;       /* at a time; 0: any number */
	const char *from;    /* its address; NULL: any */
	const char *host;    /* NULL: 127.0.0.1 */
	bool is_datagram;
	enum fate fate;
	enum manner manner;
	size_t enough; /* so many bytes are the whole answer, after which it resets; 0: all
			* until the end */
	void (*say)(struct client *client); /* fills says and length; NULL: it says nothing */
	bool (*is_right)(const struct client *client);
};

struct role_count {
	unsigned wanted, begun, present, done;
	unsigned served, refused;
	uint64_t bytes_said, bytes_heard; /* by those who were served */
};

/* Lets total clients come, in all roles whose services there are, and adds to the counts. goes_on
 * is called from time to time with the number of clients that have gone; false ends the crowd.
 * Fails the test when any client gets a wrong answer or none. */
void crowd_run(unsigned total, bool (*goes_on)(unsigned gone));

/* Of all crowds. */
const struct role_count *crowd_count(size_t role);

/* --- roles.c --- */

extern const struct role roles[];
extern const size_t role_count;

#endif
