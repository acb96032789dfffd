/* Feeds requests to the reader of the page: at once, and byte by byte as they may come. */
#include "status_page/request.h"

#include "fuzz.h"

#include <ctype.h>

enum { PIECES_MAX = 512 }; /* it takes the square of it */

static bool is_within(struct span span, const char *bytes, size_t length)
{
	return span.start >= bytes && span.start <= span.end && span.end <= bytes + length;
}

static void check_host(struct span host)
{
	static const char *const names[] = { "status.example.org", NULL }, *const none[] = { NULL };
	bool is_allowed = request_host_is_allowed(host, names);

	if (request_host_is_allowed(host, none))
		require(is_allowed);
	for (const char *c = host.start; is_allowed && c < host.end; c++)
		require(isalnum((unsigned char)*c) || strchr(".:[]", *c));
}

static bool is_refusal(int status)
{
	return status == 400 || status == 405 || status == 414 || status == 431 || status == 505;
}

static int check_request(const char *bytes, size_t length)
{
	struct request request;
	int status = request_read(bytes, length, &request);

	require(status != REQUEST_INCOMPLETE || length < REQUEST_MAX);
	if (status != REQUEST_FINE) {
		require(status == REQUEST_INCOMPLETE || is_refusal(status));
		return status;
	}
	require(is_within(request.target, bytes, length) && *request.target.start == '/');
	require(span_length(request.target) <= REQUEST_TARGET_MAX);
	require(is_printable(request.target.start, span_length(request.target)));
	require(is_within(request.host, bytes, length));
	check_host(request.host);
	return status;
}

/* The first status that is reached while the request comes is final, and not reached before the
 * bytes that it is about. */
static void check_pieces(const char *bytes, size_t length, int whole)
{
	struct request request;
	int status = REQUEST_INCOMPLETE;

	for (size_t read = 1; status == REQUEST_INCOMPLETE && read < length; read++)
		status = request_read(bytes, read, &request);
	require(status == REQUEST_INCOMPLETE || status == whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const char *text = (const char *)bytes;
	int status;

	if (length > REQUEST_MAX)
		length = REQUEST_MAX;
	if (length == 0)
		return 0;
	status = check_request(text, length);
	if (length <= PIECES_MAX)
		check_pieces(text, length, status);
	check_host((struct span){ text, text + length });
	return 0;
}
