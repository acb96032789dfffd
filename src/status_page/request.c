#include "status_page/request.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

enum {
	BAD_REQUEST = 400,
	BAD_METHOD = 405,
	TARGET_TOO_LONG = 414,
	TOO_LARGE = 431,
	BAD_VERSION = 505
};

/* --- lines ---------------------------------------------------------------------------------- */

/* What a field may not have, RFC 9110 (5.5). */
static bool is_control(char c)
{
	return (unsigned char)c < ' ' ? c != '\t' : c == 0x7f;
}

/* Cuts a line, which ends with CR LF, off the front of *rest. */
static int take_line(struct span *rest, struct span *line)
{
	const char *c = rest->start;

	while (c < rest->end && !is_control(*c))
		c++;
	if (c == rest->end || (*c == '\r' && c + 1 == rest->end))
		return REQUEST_INCOMPLETE;
	if (*c != '\r' || c[1] != '\n')
		return BAD_REQUEST;
	*line = (struct span){ rest->start, c };
	rest->start = c + 2;
	return REQUEST_FINE;
}

/* In the same case, unlike span_is. */
static bool is_exactly(struct span span, const char *text)
{
	return span_length(span) == strlen(text) && memcmp(span.start, text, strlen(text)) == 0;
}

/* RFC 9110 (5.6.2). */
static bool is_token(struct span span)
{
	for (const char *c = span.start; c < span.end; c++)
		if (!*c || (!isalnum((unsigned char)*c) && !strchr("!#$%&'*+-.^_`|~", *c)))
			return false;
	return !span_is_empty(span);
}

/* --- the request line ----------------------------------------------------------------------- */

static bool is_visible(struct span span)
{
	for (const char *c = span.start; c < span.end; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return true;
}

static int check_version(struct span version)
{
	const char *c = version.start;

	if (span_length(version) != strlen("HTTP/1.1") || memcmp(c, "HTTP/", 5) != 0 ||
	    !isdigit((unsigned char)c[5]) || c[6] != '.' || !isdigit((unsigned char)c[7]))
		return BAD_REQUEST;
	return c[5] == '1' ? REQUEST_FINE : BAD_VERSION;
}

static int read_request_line(struct span line, struct request *request)
{
	struct span method = span_take_until(&line, " ");
	int status;

	request->is_head = is_exactly(method, "HEAD");
	request->target = span_take_until(&line, " ");
	status = is_token(method) ? check_version(line) : BAD_REQUEST;
	if (status != REQUEST_FINE)
		return status;
	if (span_is_empty(request->target) || *request->target.start != '/' ||
	    !is_visible(request->target))
		return BAD_REQUEST;
	if (span_length(request->target) > REQUEST_TARGET_MAX)
		return TARGET_TOO_LONG;
	return request->is_head || is_exactly(method, "GET") ? REQUEST_FINE : BAD_METHOD;
}

/* --- fields --------------------------------------------------------------------------------- */

/* A second one may be meant for somebody else's eyes. */
static int take_host(struct span value, struct request *request)
{
	if (request->host.start)
		return BAD_REQUEST;
	request->host = value;
	return REQUEST_FINE;
}

static int take_content_length(struct span value, struct request *request)
{
	uint64_t length;

	(void)request;
	return span_number(value, 0, &length) ? REQUEST_FINE : BAD_REQUEST;
}

static int take_transfer_encoding(struct span value, struct request *request)
{
	(void)value, (void)request;
	return BAD_REQUEST;
}

static const struct field {
	const char *name;
	int (*take)(struct span value, struct request *request);
} fields[] = {
	{ "Host", take_host },
	{ "Content-Length", take_content_length },
	{ "Transfer-Encoding", take_transfer_encoding },
};

/* A line that begins with a blank, which once continued the one before, has no name. */
static int read_field(struct span line, struct request *request)
{
	const char *colon = memchr(line.start, ':', span_length(line));
	struct span name = { line.start, colon ? colon : line.start };

	if (!is_token(name))
		return BAD_REQUEST;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (span_is(name, fields[i].name))
			return fields[i].take(span_trim((struct span){ colon + 1, line.end }),
					      request);
	return REQUEST_FINE;
}

/* Up to the empty line. */
static int read_fields(struct span *rest, struct request *request)
{
	struct span line;
	int status;

	while ((status = take_line(rest, &line)) == REQUEST_FINE && !span_is_empty(line)) {
		status = read_field(line, request);
		if (status != REQUEST_FINE)
			break;
	}
	return status;
}

int request_read(const char *bytes, size_t length, struct request *request)
{
	struct span rest = { bytes, bytes + length }, line;
	int status = take_line(&rest, &line), too_large = TARGET_TOO_LONG;

	*request = (struct request){ 0 };
	if (status == REQUEST_FINE) {
		status = read_request_line(line, request);
		too_large = TOO_LARGE;
	}
	if (status == REQUEST_FINE)
		status = read_fields(&rest, request);
	if (status == REQUEST_INCOMPLETE && length >= REQUEST_MAX)
		return too_large;
	return status == REQUEST_FINE && !request->host.start ? BAD_REQUEST : status;
}

/* --- the host ------------------------------------------------------------------------------- */

/* Of that family. */
static bool is_address(struct span host, int family)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	size_t length = span_length(host);

	if (length >= sizeof text || memchr(host.start, '\0', length))
		return false;
	memcpy(text, host.start, length);
	text[length] = '\0';
	return inet_pton(family, text, &address) == 1;
}

/* Nothing, or a colon and perhaps a number. */
static bool is_port(struct span port)
{
	uint64_t number;

	if (span_is_empty(port))
		return true;
	if (*port.start++ != ':')
		return false;
	return span_is_empty(port) || span_number(port, UINT16_MAX, &number);
}

/* A name may end with the dot of the root. */
static bool is_name(struct span host, const char *const names[])
{
	if (!span_is_empty(host) && host.end[-1] == '.')
		host.end--;
	if (span_is(host, "localhost"))
		return true;
	for (; *names; names++)
		if (span_is(host, *names))
			return true;
	return false;
}

bool request_host_is_allowed(struct span host, const char *const names[])
{
	struct span rest = host, part;

	if (!span_is_empty(host) && *host.start == '[') {
		rest.start++;
		part = span_take_until(&rest, "]");
		return part.end < host.end && is_port(rest) && is_address(part, AF_INET6);
	}
	part = span_take_until(&rest, ":");
	if (part.end < host.end)
		rest.start--; /* the colon */
	return is_port(rest) && (is_address(part, AF_INET) || is_name(part, names));
}
