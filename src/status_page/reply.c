#include "status_page/reply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

enum { HEAD_SIZE = 2048 };

static const struct meaning {
	int status;
	const char *phrase; /* RFC 9110 (15) */
	const char *text;
} meanings[] = {
	{ 200, "OK", "" },
	{ 400, "Bad Request", "The request is not understood.\n" },
	{ 404, "Not Found", "There are /, /status.json and /metrics.\n" },
	{ 405, "Method Not Allowed", "Only GET and HEAD are possible here.\n" },
	{ 408, "Request Timeout", "The request did not come in time.\n" },
	{ 414, "URI Too Long", "The path is too long.\n" },
	{ 421, "Misdirected Request",
	  "This page is served under an address, localhost, and the names that its -host "
	  "options say.\n" },
	{ 431, "Request Header Fields Too Large", "The request is too long.\n" },
	{ 503, "Service Unavailable", "" },
	{ 505, "HTTP Version Not Supported", "Only HTTP/1 is spoken here.\n" },
};

static const struct meaning *meaning_of(int status)
{
	const struct meaning *meaning = meanings;

	while (meaning->status != status)
		meaning++;
	return meaning;
}

struct reply reply_refusal(int status)
{
	const char *text = meaning_of(status)->text;

	return (struct reply){ .status = status,
			       .type = "text/plain; charset=utf-8",
			       .body = text,
			       .length = strlen(text) };
}

static size_t write_head(char head[static HEAD_SIZE], const struct reply *reply)
{
	int length = snprintf(head, HEAD_SIZE,
			      "HTTP/1.1 %d %s\r\n"
			      "Connection: close\r\n"
			      "Content-Type: %s\r\n"
			      "Content-Length: %zu\r\n"
			      "%s"
			      "Cache-Control: no-store\r\n"
			      "Content-Security-Policy: %s\r\n"
			      "Cross-Origin-Resource-Policy: same-origin\r\n"
			      "Referrer-Policy: no-referrer\r\n"
			      "X-Content-Type-Options: nosniff\r\n"
			      "\r\n",
			      reply->status, meaning_of(reply->status)->phrase, reply->type,
			      reply->length, reply->status == 405 ? "Allow: GET, HEAD\r\n" : "",
			      reply->policy ? reply->policy
					    : "default-src 'none'; frame-ancestors 'none'");

	return length < HEAD_SIZE ? (size_t)length : 0;
}

/* Passes what was written. */
static void move_on(struct iovec parts[static 2], size_t written)
{
	for (int i = 0; i < 2; i++) {
		size_t passed = written < parts[i].iov_len ? written : parts[i].iov_len;

		parts[i].iov_base = (char *)parts[i].iov_base + passed;
		parts[i].iov_len -= passed;
		written -= passed;
	}
}

int reply_write(int fd, const struct reply *reply, bool is_head)
{
	char head[HEAD_SIZE];
	struct iovec parts[2] = {
		{ .iov_base = head, .iov_len = write_head(head, reply) },
		{ .iov_base = (void *)(size_t)reply->body, .iov_len = is_head ? 0 : reply->length },
	};

	while (parts[0].iov_len + parts[1].iov_len > 0) {
		ssize_t written = writev(fd, parts, 2);

		if (written < 0 && errno != EINTR)
			return -1;
		move_on(parts, written > 0 ? (size_t)written : 0);
	}
	return 0;
}
