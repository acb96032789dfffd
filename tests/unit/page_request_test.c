/* Requests to the page, and the names under which it may be asked for. */
#include "status_page/request.h"

#include <check.h>
#include <string.h>

static char long_request[REQUEST_MAX + 1];

/* So long that nothing more would be read. */
static const char *filled(const char *start)
{
	memset(long_request, 'a', REQUEST_MAX);
	memcpy(long_request, start, strlen(start));
	return long_request;
}

static int read_text(const char *text, struct request *request)
{
	return request_read(text, strlen(text), request);
}

static bool is(struct span span, const char *text)
{
	return span_length(span) == strlen(text) && memcmp(span.start, text, strlen(text)) == 0;
}

#define HOST "Host: localhost\r\n"
#define HEAD_OF_GET "GET / HTTP/1.1\r\n" HOST

static const struct {
	const char *text;
	int status;
} requests[] = {
	{ HEAD_OF_GET "\r\n", REQUEST_FINE },
	{ "HEAD / HTTP/1.1\r\n" HOST "\r\n", REQUEST_FINE },
	{ "GET / HTTP/1.0\r\n" HOST "\r\n", REQUEST_FINE },
	{ "GET /any/../thing%2f?x=y HTTP/1.1\r\n" HOST "\r\n", REQUEST_FINE },
	{ HEAD_OF_GET "Accept:*/*\r\nX-Other:\r\nY: \t \xc3\xa9 \r\n\r\n", REQUEST_FINE },
	{ HEAD_OF_GET "Content-Length: 0\r\n\r\n", REQUEST_FINE },
	{ HEAD_OF_GET "\r\nwhat follows\x01", REQUEST_FINE },
	/* not all of it */
	{ "", REQUEST_INCOMPLETE },
	{ "GET", REQUEST_INCOMPLETE },
	{ "GET / HTTP/1.1\r", REQUEST_INCOMPLETE },
	{ "GET / HTTP/1.1\r\n", REQUEST_INCOMPLETE },
	{ HEAD_OF_GET, REQUEST_INCOMPLETE },
	{ HEAD_OF_GET "\r", REQUEST_INCOMPLETE },
	/* the request line */
	{ "\r\n" HEAD_OF_GET "\r\n", 400 },
	{ "\x16\x03\x01", 400 },
	{ "GET / HTTP/1.1\n" HOST "\r\n", 400 },
	{ "GET / HTTP/1.1\rX\r\n", 400 },
	{ "GET /\r\n", 400 },
	{ "GET /  HTTP/1.1\r\n", 400 },
	{ "GET  / HTTP/1.1\r\n", 400 },
	{ " GET / HTTP/1.1\r\n", 400 },
	{ "GET / HTTP/1.1 \r\n", 400 },
	{ "GET /\t HTTP/1.1\r\n", 400 },
	{ "GET /\xc3\xa9 HTTP/1.1\r\n", 400 },
	{ "G@T / HTTP/1.1\r\n", 400 },
	{ "GET * HTTP/1.1\r\n", 400 },
	{ "GET localhost:80 HTTP/1.1\r\n", 400 },
	{ "GET http://localhost/ HTTP/1.1\r\n", 400 },
	{ "GET / http/1.1\r\n", 400 },
	{ "GET / HTTP/11\r\n", 400 },
	{ "GET / HTTP/1.x\r\n", 400 },
	{ "GET / HTTP/2.0\r\n", 505 },
	{ "PRI * HTTP/2.0\r\n", 505 },
	{ "POST / HTTP/1.1\r\n", 405 },
	{ "get / HTTP/1.1\r\n", 405 },
	/* fields */
	{ "GET / HTTP/1.1\r\n\r\n", 400 },
	{ "GET / HTTP/1.0\r\n\r\n", 400 },
	{ HEAD_OF_GET HOST "\r\n", 400 },
	{ HEAD_OF_GET "hOST: other\r\n\r\n", 400 },
	{ HEAD_OF_GET "no colon\r\n\r\n", 400 },
	{ HEAD_OF_GET ": no name\r\n\r\n", 400 },
	{ HEAD_OF_GET "Name : value\r\n\r\n", 400 },
	{ HEAD_OF_GET " continued: value\r\n\r\n", 400 },
	{ HEAD_OF_GET "Name: a\x7f\r\n\r\n", 400 },
	{ HEAD_OF_GET "Name: value\n\r\n", 400 },
	{ HEAD_OF_GET "Content-Length: 5\r\n\r\nhello", 400 },
	{ HEAD_OF_GET "Content-Length: -0\r\n\r\n", 400 },
	{ HEAD_OF_GET "Content-Length:\r\n\r\n", 400 },
	{ HEAD_OF_GET "Content-Length: 0, 0\r\n\r\n", 400 },
	{ HEAD_OF_GET "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
};

START_TEST(requests_are_read_strictly)
{
	struct request request;
	int status = read_text(requests[_i].text, &request);

	ck_assert_msg(status == requests[_i].status, "%s: %d", requests[_i].text, status);
}
END_TEST

START_TEST(what_is_asked_for_is_known)
{
	struct request request;

	ck_assert_int_eq(read_text("HEAD /status.json HTTP/1.1\r\nhost: \t[::1]:80 \r\n\r\n",
				   &request),
			 REQUEST_FINE);
	ck_assert(request.is_head);
	ck_assert(is(request.target, "/status.json"));
	ck_assert(is(request.host, "[::1]:80"));
	read_text(HEAD_OF_GET "\r\n", &request);
	ck_assert(!request.is_head);
	ck_assert_int_eq(read_text("HEAD / HTTP/1.1\r\nbad\r\n", &request), 400);
	ck_assert_msg(request.is_head, "such a refusal has no body either");
}
END_TEST

START_TEST(requests_are_bounded)
{
	struct request request;

	ck_assert_int_eq(request_read(filled("GET /"), REQUEST_MAX - 1, &request),
			 REQUEST_INCOMPLETE);
	ck_assert_int_eq(request_read(filled("GET /"), REQUEST_MAX, &request), 414);
	ck_assert_int_eq(request_read(filled(HEAD_OF_GET "X: "), REQUEST_MAX - 1, &request),
			 REQUEST_INCOMPLETE);
	ck_assert_int_eq(request_read(filled(HEAD_OF_GET "X: "), REQUEST_MAX, &request), 431);
	filled("GET /");
	strcpy(long_request + 4 + REQUEST_TARGET_MAX, " HTTP/1.1\r\n" HOST "\r\n");
	ck_assert_int_eq(read_text(long_request, &request), REQUEST_FINE);
	filled("GET /");
	strcpy(long_request + 4 + REQUEST_TARGET_MAX + 1, " HTTP/1.1\r\n" HOST "\r\n");
	ck_assert_int_eq(read_text(long_request, &request), 414);
}
END_TEST

static const struct {
	const char *host;
	bool is_allowed;
} hosts[] = {
	{ "127.0.0.1", true },
	{ "192.0.2.7:8080", true },
	{ "[::1]", true },
	{ "[2001:db8::7]:80", true },
	{ "[::ffff:192.0.2.7]:", true },
	{ "localhost", true },
	{ "LocalHost.:7107", true },
	{ "status.example.org", true },
	{ "STATUS.example.org.:65535", true },
	{ "short", true },
	{ "", false },
	{ ".", false },
	{ ":80", false },
	{ "evil.example", false },
	{ "127.0.0.1.evil.example", false },
	{ "localhost.evil.example", false },
	{ "evil.status.example.org", false },
	{ "status.example.org..", false },
	{ "status.example.or", false },
	{ "127.1", false },
	{ "0x7f000001", false },
	{ "2130706433", false },
	{ "127.0.0.1:65536", false },
	{ "127.0.0.1:http", false },
	{ "127.0.0.1:80:80", false },
	{ "::1", false },
	{ "[::1", false },
	{ "[::1]x", false },
	{ "[::1%lo]", false },
	{ "[127.0.0.1]", false },
	{ "[]", false },
	{ "user@127.0.0.1", false },
	{ "127.0.0.1, evil.example", false },
	{ "127.0.0.1/", false },
};

START_TEST(only_some_names_are_served)
{
	const char *const names[] = { "status.example.org", "short", NULL };
	const char *host = hosts[_i].host;
	struct span span = { host, host + strlen(host) };

	ck_assert_msg(request_host_is_allowed(span, names) == hosts[_i].is_allowed, "%s", host);
}
END_TEST

START_TEST(what_a_nul_byte_hides_counts)
{
	static const char host[] = "127.0.0.1\0.evil.example";
	const char *const names[] = { NULL };

	ck_assert(!request_host_is_allowed((struct span){ host, host + sizeof host - 1 }, names));
}
END_TEST

Suite *page_request_suite(void)
{
	Suite *suite = suite_create("page_request");
	TCase *tests = tcase_create("requests");

	tcase_add_loop_test(tests, requests_are_read_strictly, 0,
			    sizeof requests / sizeof requests[0]);
	tcase_add_test(tests, what_is_asked_for_is_known);
	tcase_add_test(tests, requests_are_bounded);
	tcase_add_loop_test(tests, only_some_names_are_served, 0, sizeof hosts / sizeof hosts[0]);
	tcase_add_test(tests, what_a_nul_byte_hides_counts);
	suite_add_tcase(suite, tests);
	return suite;
}
