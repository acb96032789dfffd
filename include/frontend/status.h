/* The state of the daemon, in three forms. It is written in pieces, a few in each turn of the
 * loop, because there may be thousands of services. Loop thread only. */
#ifndef USHERD_FRONTEND_STATUS_H
#define USHERD_FRONTEND_STATUS_H

#include <stddef.h>

enum status_form {
	STATUS_TABLE,   /* for people */
	STATUS_JSON,    /* one object (RFC 8259) */
	STATUS_METRICS, /* prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4 */
};

enum { STATUS_SERVICES_PER_TURN = 64 };

struct status;

/* It is written; text is valid during the call, and NULL when memory ran out. The status is freed
 * afterwards. */
typedef void status_done(void *context, const char *text, size_t length);

/* Begins to write. done is called later, never before this returns. A reload begins it anew.
 * NULL with errno ENOMEM. */
struct status *status_begin(enum status_form form, status_done *done, void *context);

/* done will not be called. */
void status_cancel(struct status *status);

#endif
