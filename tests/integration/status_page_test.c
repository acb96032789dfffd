/* The program status_page, as a service of the daemon that it asks. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { SOME_GROUP = 54322 };

#define HOST "Host: 127.0.0.1\r\n"

/* LeakSanitizer can't do its work in a program that has no right to look at itself. */
static int add_page(const char *options, const char *lines)
{
	return add_service("page",
			   "server = %s\nserver_args = -socket %s %s\nstderr = log\n"
			   "env = ASAN_OPTIONS=detect_leaks=0\nlingering_close = yes\n%s",
			   place_status_page("status_page"), place_path("control"), options, lines);
}

static int start_with_page(const char *options)
{
	int port = add_page(options, "");

	configure("daemon\n{\ncontrol_socket = control\n}\n");
	daemon_start();
	return port;
}

static const char *get(int port, const char *path)
{
	return ask(port, textf("GET %s HTTP/1.1\r\n" HOST "\r\n", path));
}

static bool has_status(const char *answer, int status)
{
	return text_matches(answer, textf("\\`HTTP/1\\.1 %d [A-Z][A-Za-z ]+\r$", status));
}

static const char *body_of(const char *answer)
{
	const char *end = strstr(answer, "\r\n\r\n");

	ck_assert_msg(end != NULL, "no end of the head: %s", answer);
	return end + 4;
}

/* The value of a field that is there once. */
static const char *field_of(const char *answer, const char *name)
{
	const char *head = textf("%.*s", (int)(body_of(answer) - answer), answer);
	const char *start = strstr(head, textf("\r\n%s: ", name));

	ck_assert_msg(text_count(head, textf("^%s: ", name)) == 1, "%s in %s", name, head);
	start += strlen(name) + 4;
	return textf("%.*s", (int)strcspn(start, "\r"), start);
}

static void check_common_fields(const char *answer)
{
	ck_assert_str_eq(field_of(answer, "Connection"), "close");
	ck_assert_str_eq(field_of(answer, "Cache-Control"), "no-store");
	ck_assert_str_eq(field_of(answer, "X-Content-Type-Options"), "nosniff");
	ck_assert_str_eq(field_of(answer, "Referrer-Policy"), "no-referrer");
	ck_assert_str_eq(field_of(answer, "Cross-Origin-Resource-Policy"), "same-origin");
	ck_assert(strstr(field_of(answer, "Content-Security-Policy"), "default-src 'none'; "));
	ck_assert(strstr(field_of(answer, "Content-Security-Policy"), "frame-ancestors 'none'"));
}

/* --- what is there -------------------------------------------------------------------------- */

static const struct {
	const char *path, *type, *body;
} paths[] = {
	{ "/", "text/html; charset=utf-8", "\\`<!DOCTYPE html>\n(.*\n)*</html>\n\\'" },
	{ "/status.json", "application/json",
	  "\\`[{]\"version\": .*\n.*\"id\": \"page\", .*\n(.*\n)*\\'" },
	{ "/metrics", "text/plain; version=0.0.4; charset=utf-8",
	  "\\`# HELP (.*\n)*usherd_service_up[{]service=\"page\"[}] 1\n" },
};

START_TEST(each_path_has_its_answer)
{
	int port = start_with_page("");
	const char *answer = get(port, paths[_i].path);

	ck_assert_msg(has_status(answer, 200), "%s", answer);
	check_common_fields(answer);
	ck_assert_str_eq(field_of(answer, "Content-Type"), paths[_i].type);
	ck_assert_str_eq(field_of(answer, "Content-Length"), textf("%zu", strlen(body_of(answer))));
	ck_assert_msg(text_matches(body_of(answer), paths[_i].body), "%s", answer);
}
END_TEST

START_TEST(the_head_alone_has_no_body)
{
	int port = start_with_page("");
	const char *request = textf("HEAD %s HTTP/1.1\r\n" HOST "\r\n", paths[_i].path);
	const char *answer = ask(port, request);

	ck_assert_msg(has_status(answer, 200), "%s", answer);
	ck_assert_str_eq(field_of(answer, "Content-Type"), paths[_i].type);
	ck_assert_str_ne(field_of(answer, "Content-Length"), "0");
	ck_assert_str_eq(body_of(answer), "");
}
END_TEST

START_TEST(the_page_may_do_what_it_needs_alone)
{
	const char *answer = get(start_with_page(""), "/");
	const char *policy = field_of(answer, "Content-Security-Policy");

	ck_assert_msg(text_matches(policy, "; script-src 'sha256-[A-Za-z0-9+/]{43}='; style-src "
					   "'sha256-[A-Za-z0-9+/]{43}='; connect-src 'self'; "),
		      "%s", policy);
	ck_assert(!strstr(policy, "unsafe"));
	ck_assert_uint_eq(text_count(body_of(answer), "(src|href)=\"?(https?:|//)"), 0);
}
END_TEST

/* --- what is refused ------------------------------------------------------------------------ */

static const struct {
	const char *request;
	int status;
} refusals[] = {
	{ "GET /other HTTP/1.1\r\n" HOST "\r\n", 404 },
	{ "GET /../../etc/passwd HTTP/1.1\r\n" HOST "\r\n", 404 },
	{ "GET /metrics/ HTTP/1.1\r\n" HOST "\r\n", 404 },
	{ "GET //status.json HTTP/1.1\r\n" HOST "\r\n", 404 },
	{ "GET /status.json?x HTTP/1.1\r\n" HOST "\r\n", 404 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nx=y", 405 },
	{ "nonsense\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n\r\n", 400 },
	{ "GET / HTTP/2.0\r\n" HOST "\r\n", 505 },
	{ "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421 },
	{ "GET /status.json HTTP/1.1\r\nHost: rebound.example:7107\r\n\r\n", 421 },
};

START_TEST(other_requests_are_refused)
{
	int port = start_with_page("");

	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		const char *answer = ask(port, refusals[i].request);

		ck_assert_msg(has_status(answer, refusals[i].status), "%s: %s", refusals[i].request,
			      answer);
		check_common_fields(answer);
		ck_assert_str_eq(field_of(answer, "Content-Type"), "text/plain; charset=utf-8");
		ck_assert_str_ne(body_of(answer), "");
		ck_assert_msg(!strstr(answer, "example") && !strstr(answer, "passwd"),
			      "the client's words come back: %s", answer);
	}
	ck_assert_str_eq(field_of(ask(port, refusals[5].request), "Allow"), "GET, HEAD");
	ck_assert_str_eq(body_of(ask(port, "HEAD /x HTTP/1.1\r\n" HOST "\r\n")), "");
}
END_TEST

/* The answer is not lost to what nobody read. */
START_TEST(long_requests_are_refused)
{
	int port = start_with_page("");

	ck_assert(has_status(get(port, textf("/%0300d", 0)), 414));
	ck_assert(has_status(get(port, textf("/%050000d", 0)), 414));
	ck_assert(has_status(ask(port, textf("GET / HTTP/1.1\r\n" HOST "X: %050000d\r\n\r\n", 0)),
			     431));
}
END_TEST

START_TEST(other_names_can_be_allowed)
{
	int port = start_with_page("-host status.example.org -host usherd");

	ck_assert(has_status(ask(port, "GET / HTTP/1.1\r\nHost: Status.Example.org:80\r\n\r\n"),
			     200));
	ck_assert(has_status(ask(port, "GET / HTTP/1.1\r\nHost: usherd\r\n\r\n"), 200));
	ck_assert(has_status(ask(port, "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"), 421));
}
END_TEST

START_TEST(who_is_slow_is_told_so)
{
	int port = start_with_page("-timeout 1"), fd = client_connect(NULL, port);

	client_send(fd, "GET / HTTP/1.1\r\nHost: ");
	ck_assert(has_status(client_read_all(fd).data, 408));
	close(fd);
	fd = client_connect(NULL, port);
	client_send(fd, "GET / HTT");
	client_send(fd, "P/1.1\r\nHost: [::1]\r\n");
	client_send(fd, "\r\n");
	ck_assert(has_status(client_read_all(fd).data, 200));
}
END_TEST

START_TEST(who_asks_nothing_gets_nothing)
{
	int port = start_with_page("");

	ck_assert_str_eq(ask(port, ""), "");
	ck_assert_str_eq(ask(port, "GET / HTTP/1.1\r\n"), "");
}
END_TEST

START_TEST(what_its_arguments_mean_must_be_clear)
{
	static const char *const wrong[] = { "-host",       "-socket relative", "-timeout 0",
					     "-timeout 31", "-timeout 1s",      "-port 80",
					     "-host a:80",  "-host a.",         "-host a/b" };
	int ports[sizeof wrong / sizeof wrong[0]];
	size_t count = sizeof wrong / sizeof wrong[0];

	for (size_t i = 0; i < count; i++)
		ports[i] = add_page(wrong[i], textf("id = page%zu\n", i));
	daemon_start();
	for (size_t i = 0; i < count; i++) {
		ck_assert_str_eq(get(ports[i], "/"), "");
		daemon_wait_log("page%zu.*status_page: %.*s .*is not understood", i,
				(int)strcspn(wrong[i], " "), wrong[i]);
	}
}
END_TEST

/* --- the daemon ----------------------------------------------------------------------------- */

static void check_unavailable(const char *answer, const char *why)
{
	ck_assert_msg(has_status(answer, 503), "%s", answer);
	check_common_fields(answer);
	ck_assert_msg(text_matches(body_of(answer),
				   textf("\\`control socket [^ ]*/control: %s\n\\'", why)),
		      "%s", answer);
}

START_TEST(no_daemon_answers_there)
{
	int port = add_page("", "");

	configure("daemon\n{\ncontrol_socket = elsewhere\n}\n");
	daemon_start();
	check_unavailable(get(port, "/status.json"), "no daemon answers there");
	check_unavailable(get(port, "/metrics"), "no daemon answers there");
	ck_assert_msg(has_status(get(port, "/"), 200), "the page itself says so");
}
END_TEST

static struct sockaddr_un control_address(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof address.sun_path, "%s", place_path("control"));
	return address;
}

/* What is there says something else than a daemon does. */
START_TEST(what_is_no_answer_is_not_passed_on)
{
	static const char *const answers[] = { "", "usherd 0 4\n<b>", "HTTP/1.0 200 OK\n",
					       "usherd 0 99\n{}\n" };
	struct sockaddr_un address = control_address();
	int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd, asking;
	int port = add_page("", "");

	configure("daemon\n{\ncontrol_socket = none\n}\n");
	daemon_start();
	ck_assert_int_eq(bind(other, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(other, 1), 0);
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		fd = client_connect(NULL, port);
		client_send(fd, "GET /status.json HTTP/1.1\r\n" HOST "\r\n");
		asking = accept4(other, NULL, NULL, SOCK_CLOEXEC);
		ck_assert_str_eq(client_read_line(asking), "status json");
		client_send(asking, answers[i]);
		close(asking);
		check_unavailable(client_read_all(fd).data, "(the daemon has not answered|<b>)");
		close(fd);
	}
	close(other);
}
END_TEST

/* --- the right to ask ----------------------------------------------------------------------- */

/* Starts the daemon with a page that runs as a user of no account and as the group. */
static int start_with_rights(const char *rights)
{
	int port = add_page("", textf("user = nobody\ngroup = %d\n", SOME_GROUP));

	configure("daemon\n{\ncontrol_socket = control\n%s}\n", rights);
	daemon_start();
	return port;
}

START_TEST(the_page_needs_a_right)
{
	if (!is_superuser())
		return;
	check_unavailable(get(start_with_rights(""), "/status.json"), "Permission denied");
}
END_TEST

START_TEST(another_group_does_not_have_it)
{
	if (!is_superuser())
		return;
	check_unavailable(get(start_with_rights("status_group = 54329\n"), "/status.json"),
			  "you may not ask this daemon");
}
END_TEST

START_TEST(the_status_group_has_it)
{
	if (!is_superuser())
		return;
	ck_assert(
		has_status(get(start_with_rights("status_group = 54322\n"), "/status.json"), 200));
}
END_TEST

Suite *status_page_suite(void)
{
	Suite *suite = suite_create("status_page");
	TCase *there = daemon_tcase(suite, "what is there");
	TCase *refused = daemon_tcase(suite, "what is refused");
	TCase *asking = daemon_tcase(suite, "the daemon");

	tcase_add_loop_test(there, each_path_has_its_answer, 0, 3);
	tcase_add_loop_test(there, the_head_alone_has_no_body, 0, 3);
	tcase_add_test(there, the_page_may_do_what_it_needs_alone);
	tcase_add_test(refused, other_requests_are_refused);
	tcase_add_test(refused, long_requests_are_refused);
	tcase_add_test(refused, other_names_can_be_allowed);
	tcase_add_test(refused, who_is_slow_is_told_so);
	tcase_add_test(refused, who_asks_nothing_gets_nothing);
	tcase_add_test(refused, what_its_arguments_mean_must_be_clear);
	tcase_add_test(asking, no_daemon_answers_there);
	tcase_add_test(asking, what_is_no_answer_is_not_passed_on);
	tcase_add_test(asking, the_page_needs_a_right);
	tcase_add_test(asking, another_group_does_not_have_it);
	tcase_add_test(asking, the_status_group_has_it);
	return suite;
}
