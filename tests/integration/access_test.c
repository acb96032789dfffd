/* only_from and no_access: the most specific match wins. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

enum { CLIENTS_MAX = 5 };

/* Lines of a service, and the clients that they admit and refuse. */
static const struct {
	const char *lines, *let_in[CLIENTS_MAX], *kept_out[CLIENTS_MAX];
} lists[] = {
	{ "only_from = 127.0.0.5 127.0.0.7", { "127.0.0.5", "127.0.0.7" }, { "127.0.0.6" } },
	{ "only_from = 127.0.0.5\nonly_from += 127.0.0.7",
	  { "127.0.0.5", "127.0.0.7" },
	  { "127.0.0.6" } },
	{ "only_from = 127.0.0.5 127.0.0.7\nonly_from -= 127.0.0.7",
	  { "127.0.0.5" },
	  { "127.0.0.7", "127.0.0.1" } },
	{ "only_from = 127.9.0.0", { "127.9.1.1", "127.9.77.200" }, { "127.8.0.1" } },
	{ "only_from = 127.9.1.0", { "127.9.1.1" }, { "127.9.2.1" } },
	{ "only_from = 0.0.0.0", { "127.0.0.1", "127.200.3.4" }, { NULL } },
	{ "only_from = 127.0.0.{5,16}",
	  { "127.0.0.5", "127.0.0.16" },
	  { "127.0.0.6", "127.0.0.1" } },
	{ "only_from = 127.0.{5,6}", { "127.0.5.1", "127.0.6.9" }, { "127.0.7.1" } },
	{ "only_from = 127.0.0.8/30",
	  { "127.0.0.8", "127.0.0.11" },
	  { "127.0.0.7", "127.0.0.12" } },
	{ "only_from = 127.0.5.77/23", { "127.0.4.1", "127.0.5.200" }, { "127.0.6.1" } },
	{ "only_from = 127.0.0.5/32", { "127.0.0.5" }, { "127.0.0.4" } },
	{ "only_from = 0.0.0.0/0", { "127.0.0.5" }, { NULL } },
	{ "only_from = 127.0.0.5\nflags = IPv4", { "127.0.0.5" }, { "127.0.0.6" } },
	{ "only_from = ::ffff:127.0.0.5", { "127.0.0.5" }, { "127.0.0.6" } },
	{ "only_from =", { NULL }, { "127.0.0.1" } },
	{ "no_access = 127.0.0.5", { "127.0.0.1", "127.0.0.6" }, { "127.0.0.5" } },
	{ "no_access = 127.0.0.0/24", { "127.0.1.1" }, { "127.0.0.5" } },
	/* The longer prefix wins; no_access wins between equal ones. */
	{ "no_access = 127.0.0.0/8\nonly_from = 127.0.0.1", { "127.0.0.1" }, { "127.0.0.2" } },
	{ "only_from = 127.0.0.0/8\nno_access = 127.0.0.5", { "127.0.0.4" }, { "127.0.0.5" } },
	{ "only_from = 127.0.0.0/8\nno_access = 127.0.0.0/24\nonly_from += 127.0.0.6",
	  { "127.0.0.6", "127.0.1.1" },
	  { "127.0.0.5" } },
	{ "only_from = 127.0.0.5\nno_access = 127.0.0.5", { NULL }, { "127.0.0.5" } },
};

START_TEST(lists_let_in_whom_they_should)
{
	int port = add_service("zzlist", HELLO "%s\n%s", lists[_i].lines, log_everything());
	unsigned refused = 0;

	daemon_start();
	for (int i = 0; i < CLIENTS_MAX && lists[_i].let_in[i]; i++)
		ck_assert_msg(strcmp(ask_from(lists[_i].let_in[i], port, ""), "hello\n") == 0,
			      "\"%s\" keeps %s out", lists[_i].lines, lists[_i].let_in[i]);
	for (int i = 0; i < CLIENTS_MAX && lists[_i].kept_out[i]; i++, refused++) {
		ck_assert_msg(strcmp(ask_from(lists[_i].kept_out[i], port, ""), "") == 0,
			      "\"%s\" lets %s in", lists[_i].lines, lists[_i].kept_out[i]);
		service_wait_log(LOG_TIME "FAIL: zzlist address from=%s$", lists[_i].kept_out[i]);
	}
	ck_assert_uint_eq(text_count(service_log(), "FAIL"), refused);
}
END_TEST

/* Whether these lines admit ::1. */
static const struct {
	const char *lines;
	bool lets_in;
} lists6[] = {
	{ "only_from = ::1", true },        { "only_from = ::1/128", true },
	{ "only_from = ::/64", true },      { "only_from = ::/0", true },
	{ "only_from = fe80::/10", false }, { "only_from = ::2/127", false },
	{ "only_from = 0.0.0.0", false },   { "only_from = 127.0.0.1", false },
	{ "no_access = ::1/128", false },   { "no_access = ::1", false },
	{ "no_access = 127.0.0.1", true },  { "no_access = ::/0\nonly_from = ::1", true },
};

START_TEST(lists_know_ipv6)
{
	int port = add_service("zzlist", HELLO "%s\n%s", lists6[_i].lines, log_everything());
	const char *answer;

	daemon_start();
	answer = ask_at("::1", port, "");
	ck_assert_msg(strcmp(answer, lists6[_i].lets_in ? "hello\n" : "") == 0,
		      "\"%s\" lets ::1 %s", lists6[_i].lines, lists6[_i].lets_in ? "not in" : "in");
	if (!lists6[_i].lets_in)
		service_wait_log(LOG_TIME "FAIL: zzlist address from=::1$");
}
END_TEST

START_TEST(a_refused_client_leaves_one_line)
{
	int port = add_service("zzlist", CAT "no_access = 127.0.0.5\n%s", log_everything());

	daemon_start();
	for (int i = 0; i < 10; i++)
		ck_assert_str_eq(ask_from("127.0.0.5", port, "let me in"), "");
	ck_assert_uint_eq(process_children(daemon_pid()), 0);
	daemon_stop();
	ck_assert_uint_eq(text_count(service_log(), "\n"), 10);
	ck_assert_uint_eq(text_count(service_log(),
				     LOG_TIME "FAIL: zzlist address from=127\\.0\\.0\\.5$"),
			  10);
}
END_TEST

START_TEST(builtins_obey_lists)
{
	int port = add_service("echo", "type = INTERNAL UNLISTED\nonly_from = 127.0.0.5\n");

	daemon_start();
	ck_assert_str_eq(ask_from("127.0.0.5", port, "echo"), "echo");
	ck_assert_str_eq(ask_from("127.0.0.6", port, "echo"), "");
}
END_TEST

START_TEST(datagrams_obey_lists)
{
	int port = add_service("echo",
			       "type = INTERNAL UNLISTED\nsocket_type = dgram\n"
			       "only_from = 127.0.0.5\n%s",
			       log_everything());
	int stranger, friend;

	daemon_start();
	stranger = datagram_connect("127.0.0.6", NULL, port);
	friend = datagram_connect("127.0.0.5", NULL, port);
	datagram_send(stranger, "stranger", 8);
	datagram_send(friend, "friend", 6);
	ck_assert_str_eq(datagram_receive(friend).data, "friend");
	ck_assert(!datagram_is_waiting(stranger));
	service_wait_log(LOG_TIME "FAIL: echo address from=127\\.0\\.0\\.6$");
	close(stranger);
	close(friend);
}
END_TEST

START_TEST(each_refused_sender_is_logged_once_and_counted)
{
	int port = add_service("echo",
			       "type = INTERNAL UNLISTED\nsocket_type = dgram\n"
			       "no_access = 127.0.0.6 127.0.0.7\n%s",
			       log_everything());
	int strangers[2], friend;

	daemon_start();
	strangers[0] = datagram_connect("127.0.0.6", NULL, port);
	strangers[1] = datagram_connect("127.0.0.7", NULL, port);
	friend = datagram_connect("127.0.0.5", NULL, port);
	for (int i = 0; i < 60; i++)
		datagram_send(strangers[i % 2], "again", 5);
	datagram_send(friend, "friend", 6);
	ck_assert_str_eq(datagram_receive(friend).data, "friend");
	daemon_stop();
	for (int i = 6; i <= 7; i++) {
		const char *line = textf(LOG_TIME "FAIL: echo address from=127\\.0\\.0\\.%d", i);

		ck_assert_uint_eq(text_count(service_log(), textf("%s$", line)), 1);
		ck_assert_uint_eq(text_count(service_log(), textf("%s count=29$", line)), 1);
	}
}
END_TEST

START_TEST(lists_of_defaults_count)
{
	int plain, more;

	add_defaults("no_access = 127.0.0.2\n");
	plain = add_service("zzplain", HELLO);
	more = add_service("zzmore", HELLO "no_access += 127.0.0.3\n");
	daemon_start();
	ck_assert_str_eq(ask_from("127.0.0.2", plain, ""), "");
	ck_assert_str_eq(ask_from("127.0.0.3", plain, ""), "hello\n");
	ck_assert_str_eq(ask_from("127.0.0.2", more, ""), "");
	ck_assert_str_eq(ask_from("127.0.0.3", more, ""), "");
	ck_assert_str_eq(ask_from("127.0.0.4", more, ""), "hello\n");
}
END_TEST

Suite *access_suite(void)
{
	Suite *suite = suite_create("access");
	TCase *access = daemon_tcase(suite, "access");

	tcase_add_loop_test(access, lists_let_in_whom_they_should, 0,
			    sizeof lists / sizeof lists[0]);
	tcase_add_loop_test(access, lists_know_ipv6, 0, sizeof lists6 / sizeof lists6[0]);
	tcase_add_test(access, a_refused_client_leaves_one_line);
	tcase_add_test(access, builtins_obey_lists);
	tcase_add_test(access, datagrams_obey_lists);
	tcase_add_test(access, each_refused_sender_is_logged_once_and_counted);
	tcase_add_test(access, lists_of_defaults_count);
	return suite;
}
