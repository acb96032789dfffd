/* Answers of HTTP/1.1, after each of which the connection ends. */
#ifndef USHERD_STATUS_PAGE_REPLY_H
#define USHERD_STATUS_PAGE_REPLY_H

#include <stdbool.h>
#include <stddef.h>

struct reply {
	int status;
	const char *type;   /* of the body */
	const char *policy; /* for Content-Security-Policy; NULL: the body may do nothing */
	const char *body;
	size_t length;
};

/* The reply that refuses a request with that status: a few words as plain text. */
struct reply reply_refusal(int status);

/* Writes it to a blocking descriptor, for HEAD without the body. 0, or -1 with errno. */
int reply_write(int fd, const struct reply *reply, bool is_head)
	__attribute__((warn_unused_result));

#endif
