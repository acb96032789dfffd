/* A request of HTTP/1.1 (RFC 9112), as far as a page of three paths needs one: a GET or a HEAD
 * without a body. Pure; every byte comes from a stranger. */
#ifndef USHERD_STATUS_PAGE_REQUEST_H
#define USHERD_STATUS_PAGE_REQUEST_H

#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	REQUEST_MAX = 8192,       /* bytes of the request line and the fields */
	REQUEST_TARGET_MAX = 256, /* of the path */
};

/* What a request is taken for, besides a status of HTTP that refuses it. */
enum { REQUEST_INCOMPLETE = 0, REQUEST_FINE = 200 };

struct request {
	bool is_head;       /* HEAD, not GET; known even if a later line is refused */
	struct span target; /* of the request's bytes, as the client wrote it */
	struct span host;   /* the same; the value of Host */
};

/* Reads the head of a request. Returns REQUEST_FINE, REQUEST_INCOMPLETE if it goes on after these
 * bytes, which are at most REQUEST_MAX, or the status that says what is wrong: 400, 405, 414, 431
 * or 505. What follows the head is not looked at. */
int request_read(const char *bytes, size_t length, struct request *request);

/* True when a browser that was led here by a name of somebody else's (DNS rebinding) can't have
 * sent this value of Host: it is an address, localhost, or one of names, which ends with NULL;
 * each with a port or without. */
bool request_host_is_allowed(struct span host, const char *const names[]);

#endif
