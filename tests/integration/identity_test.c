/* Names of clients: identd, host names in the access lists, hosts.allow. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/name_server.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- identd ---------------------------------------------------------------------
 * Clients come from an address of their own, where the test answers for it. */

#define CLIENT "127.113.0.1"

static int identd_open_at(const char *address)
{
	struct endpoint here = endpoint_of(address, 113);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	ck_assert_int_ge(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&here.address, here.length), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	return fd;
}

static int identd_open(void)
{
	return identd_open_at(CLIENT);
}

/* Answers one query about client's connection to port: the ports, then rest. */
static void identd_answer(int identd, int client, int port, const char *rest)
{
	int fd = accept(identd, NULL, NULL);
	const char *ports = textf("%d,%d", client_port(client), port);
	char *query;

	ck_assert_int_ge(fd, 0);
	query = client_read_line(fd);
	ck_assert_msg(strncmp(query, ports, strlen(ports)) == 0, "asked %s, not %s", query, ports);
	client_send(fd, textf("%s %s", ports, rest));
	close(fd);
}

/* Waits until a query is there; it stays there. */
static void client_is_asked_about(int identd)
{
	struct pollfd query = { .fd = identd, .events = POLLIN };

	ck_assert_int_eq(poll(&query, 1, DEADLINE_MS), 1);
}

static int add_identified(const char *lines)
{
	return add_service("zzid", HELLO "%slog_on_success += USERID\n%s", log_everything(), lines);
}

START_TEST(the_user_is_logged)
{
	int identd = identd_open(), port = add_identified(""), client;

	daemon_start();
	client = client_connect_from(CLIENT, NULL, port);
	identd_answer(identd, client, port, ": USERID : UNIX : joe\r\n");
	ck_assert_str_eq(client_read_all(client).data, "hello\n");
	service_wait_log(LOG_TIME "USERID: zzid .*joe$");
}
END_TEST

START_TEST(a_hostile_identd_writes_no_lines_of_its_own)
{
	int identd = identd_open(), port = add_identified(""), client;

	daemon_start();
	client = client_connect_from(CLIENT, NULL, port);
	identd_answer(identd, client, port, ": USERID : UNIX : x\x1b[2J\r EXIT: zzid\r\n");
	ck_assert_str_eq(client_read_all(client).data, "hello\n");
	service_wait_log("USERID: zzid .*x\\\\x1B\\[2J\\\\r EXIT: zzid$");
	ck_assert_uint_eq(text_count(service_log(), "\x1b"), 0);
}
END_TEST

START_TEST(without_identd_the_client_is_served_nevertheless)
{
	int port = add_identified("");

	daemon_start();
	ck_assert_str_eq(ask_from(CLIENT, port, ""), "hello\n");
	service_wait_log("EXIT: zzid");
	ck_assert_uint_eq(text_count(service_log(), "USERID"), 0);
}
END_TEST

START_TEST(idonly_refuses_who_is_not_identified)
{
	int port = add_identified("flags = IDONLY\n"), identd, client;

	daemon_start();
	ck_assert_str_eq(ask_from(CLIENT, port, ""), "");
	service_wait_log(LOG_TIME "NOID: zzid 127\\.113\\.0\\.1 no server$");
	identd = identd_open();
	client = client_connect_from(CLIENT, NULL, port);
	identd_answer(identd, client, port, ": USERID : UNIX : joe\r\n");
	ck_assert_str_eq(client_read_all(client).data, "hello\n");
	client = client_connect_from(CLIENT, NULL, port);
	identd_answer(identd, client, port, ": ERROR : HIDDEN-USER\r\n");
	ck_assert_str_eq(client_read_all(client).data, "");
	service_wait_log("NOID: zzid 127\\.113\\.0\\.1 bad response$");
}
END_TEST

START_TEST(a_refused_user_is_logged_too)
{
	int identd = identd_open(), client;
	int port = add_service("zzid", HELLO "instances = 0\n%slog_on_failure += USERID\n",
			       log_everything());

	daemon_start();
	client = client_connect_from(CLIENT, NULL, port);
	identd_answer(identd, client, port, ": USERID : UNIX : mallory\r\n");
	ck_assert_str_eq(client_read_all(client).data, "");
	service_wait_log("FAIL: zzid service_limit from=127\\.113\\.0\\.1$");
	service_wait_log("USERID: zzid .*mallory$");
}
END_TEST

/* What was let in by other settings is not started, and that is all. */
START_TEST(a_service_that_begins_to_wait_fails_who_is_on_the_way)
{
	int identd = identd_open(), port = port_take(), client;
	char *same_port = textf("port = %d\n", port);

	add_identified(same_port);
	daemon_start();
	client = client_connect_from(CLIENT, NULL, port);
	client_is_asked_about(identd);
	configuration_clear();
	add_service("zzid", "wait = yes\nserver = %s\n%s%s", place_program("wait_stream"),
		    log_everything(), same_port);
	daemon_reload();
	identd_answer(identd, client, port, ": USERID : UNIX : joe\r\n");
	service_wait_log(LOG_TIME "FAIL: zzid fork from=%s$", CLIENT);
	client_expect_end(client);
	ck_assert_uint_eq(text_count(daemon_log(), "not to be trusted"), 0);
	close(identd);
}
END_TEST

START_TEST(a_silent_identd_holds_up_nobody_else)
{
	int identd = identd_open(), port = add_identified(""), waiting;

	daemon_start();
	waiting = client_connect_from(CLIENT, NULL, port);
	ck_assert_str_eq(ask_from("127.0.0.1", port, ""), "hello\n");
	ck_assert(client_hears_nothing(waiting));
	close(waiting);
	close(identd);
}
END_TEST

/* Raises this process's limit of open files as far as possible. */
static bool can_open(rlim_t files)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max < files)
		return false;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

enum { ROOM = 4096 }; /* pending connections of a service */

/* All connections of one source wait for an answer that does not come. */
START_TEST(who_waits_in_numbers_leaves_room_for_others)
{
	int identd = identd_open(), port = add_identified("cps = 0 0\n"), clients[ROOM / 2 + 8];
	enum { CLIENTS = sizeof clients / sizeof clients[0] };

	daemon_start();
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = client_connect_from(CLIENT, NULL, port);
	service_wait_log(LOG_TIME "FAIL: zzid too many arriving from=127\\.113\\.0\\.1$");
	ck_assert_str_eq(ask_from("127.0.0.1", port, ""), "hello\n");
	for (int i = 0; i < CLIENTS; i++)
		close(clients[i]);
	close(identd);
}
END_TEST

/* Each source fills half of the room that is left, until none is left. */
START_TEST(a_service_without_room_says_so)
{
	int port = add_identified("cps = 0 0\n"), source = 1;
	const char *address;

	daemon_start();
	for (int left = ROOM; left > 0; left -= (left + 1) / 2, source++) {
		address = textf("127.113.0.%d", source);
		identd_open_at(address);
		for (int i = 0; i < (left + 1) / 2; i++)
			client_connect_from(address, NULL, port);
	}
	client_connect_from(textf("127.113.0.%d", source), NULL, port);
	service_wait_log("FAIL: zzid too many arriving from=127\\.113\\.0\\.%d$", source);
}
END_TEST

/* --- host names -------------------------------------------------------------------- */

START_TEST(names_in_the_lists_match_their_hosts)
{
	int port = add_service("zzname", HELLO "only_from = localhost\n%s", log_everything());
	int domain = add_service("zzdomain", HELLO "no_access = .invalid localhost\n");

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "hello\n");
	ck_assert_str_eq(ask_from("127.0.0.77", port, ""), "");
	service_wait_log("FAIL: zzname address from=127\\.0\\.0\\.77$");
	ck_assert_str_eq(ask(domain, ""), "");
	ck_assert_str_eq(ask_from("127.0.0.77", domain, ""), "hello\n");
}
END_TEST

START_TEST(names_count_for_datagrams_once_they_are_known)
{
	int port = add_service("echo", "type = INTERNAL UNLISTED\nsocket_type = dgram\n"
				       "only_from = localhost\n");
	int fd;

	daemon_start();
	fd = datagram_connect("127.0.0.1", NULL, port);
	do { /* the daemon drops the datagram while the name is not known: send it again */
		datagram_send(fd, "x", 1);
	} while (!datagram_is_waiting(fd));
	ck_assert_str_eq(datagram_receive(fd).data, "x");
}
END_TEST

/* Only the daemon uses the test's name server. */
#define NAME_SERVER "127.113.0.53"
#define GOOD "127.113.5.1"

static const struct name_record records[] = {
	{ "1.5.113.127.in-addr.arpa", ns_t_ptr, "good.example", 0 },
	{ "good.example", ns_t_a, GOOD, 0 },
	{ ".66.127.in-addr.arpa", ns_t_ptr, NULL, 0 },
	{ "slow.example", ns_t_a, NULL, 0 },
};

static void use_own_name_server(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(place_path("resolv.conf"), "/etc/resolv.conf", NULL, MS_BIND, NULL) < 0 ||
	    mount(place_path("nsswitch.conf"), "/etc/nsswitch.conf", NULL, MS_BIND, NULL) < 0)
		_exit(99);
}

/* options: of resolv.conf. */
static void start_name_server(const char *options)
{
	place_write("resolv.conf", "nameserver " NAME_SERVER "\noptions %s\n", options);
	place_write("nsswitch.conf", "hosts: files dns\nnetworks: files\n");
	name_server_start(NAME_SERVER, records, sizeof records / sizeof records[0]);
}

static void start_with_name_server(const char *options)
{
	start_name_server(options);
	daemon_start_with(&(struct daemon_options){ .prepare = use_own_name_server });
}

/* Name servers of strangers get the longest possible timeout, or a very short one. */
#define PATIENT "timeout:5"
#define IMPATIENT "timeout:1 attempts:1"

enum { STRANGERS = 100 };

/* Clients whose reverse names are never answered, each from a network of its own. */
static void connect_strangers(int port, int clients[static STRANGERS])
{
	for (int i = 0; i < STRANGERS; i++)
		clients[i] = client_connect_from(textf("127.66.%d.1", i), NULL, port);
}

START_TEST(slow_names_of_one_service_hold_up_no_other)
{
	const char *good_alone = "only_from = good.example\ncps = 0 0\n";
	int flooded = add_service("zzone", HELLO "%s", good_alone);
	int other = add_service("zztwo", HELLO "%s", good_alone);
	int echo = add_service("echo", "type = INTERNAL UNLISTED\n"), clients[STRANGERS];
	int redirect = add_service("zzredirect", "redirect = good.example %d\n", echo);

	start_with_name_server(PATIENT);
	connect_strangers(flooded, clients);
	ck_assert_str_eq(ask_from(GOOD, other, ""), "hello\n");
	ck_assert_str_eq(ask(redirect, "there"), "there");
	ck_assert(client_hears_nothing(clients[STRANGERS - 1]));
	for (int i = 0; i < STRANGERS; i++)
		close(clients[i]);
}
END_TEST

/* --- a name server that does not answer ----------------------------------------------- */

#define NO_ANSWER "host name rules can't be checked: no answer from 127\\.113\\.0\\.53"
#define ANSWERS_AGAIN "host name rules can be checked again: answer from 127\\.113\\.0\\.53"

/* A client with a name that was not looked up yet connects. Returns how often the log
 * says what. */
static unsigned said_after_another(int port, const char *what)
{
	static int clients;

	clients++;
	ask_from(textf("127.%d.%d.1", 114 + clients / 256, clients % 256), port, "");
	return text_count(daemon_log(), what);
}

START_TEST(a_dead_name_server_is_said_once)
{
	int port = add_service("zzone", HELLO "only_from = good.example\ncps = 0 0\n%s",
			       log_everything());

	start_with_name_server(IMPATIENT);
	name_server_be_silent(true);
	said_after_another(port, NO_ANSWER);
	daemon_wait_log("ERROR: " NO_ANSWER);
	for (int i = 0; i < 8; i++) /* longer than until the server is tried again */
		ck_assert_uint_eq(said_after_another(port, NO_ANSWER), 1);
	name_server_be_silent(false);
	wait_until(said_after_another(port, ANSWERS_AGAIN) == 1);
	name_server_be_silent(true);
	wait_until(said_after_another(port, NO_ANSWER) == 2);
	ck_assert_uint_eq(text_count(daemon_log(), ANSWERS_AGAIN), 1);
}
END_TEST

START_TEST(a_slow_zone_is_no_dead_name_server)
{
	int port = add_service("zzone", HELLO "only_from = good.example\n");

	start_with_name_server(IMPATIENT);
	ck_assert_str_eq(ask_from("127.66.0.1", port, ""), "");
	ck_assert_uint_eq(text_count(daemon_log(), "name server"), 0);
}
END_TEST

START_TEST(a_dead_name_server_is_explained)
{
	struct outcome outcome;

	add_service("zzone", HELLO "only_from = good.example\n");
	configuration_write();
	start_name_server(IMPATIENT);
	name_server_be_silent(true);
	use_own_name_server();
	outcome = daemon_run((const char *const[]){ "-f", configuration_path(), "-explain", "zzone",
						    GOOD, NULL });
	ck_assert_int_eq(outcome.status, 1);
	ck_assert_msg(text_matches(outcome.output, "^ +" NO_ANSWER "$"), "%s", outcome.output);
	ck_assert_str_eq(outcome.errors, "");
}
END_TEST

/* --- a frontend that dies while a name is looked up ---------------------------------- */

static bool has_settings(pid_t frontend)
{
	return frontend > 0 &&
	       strstr(file_read(textf("/proc/%d/maps", (int)frontend)), "memfd:usherd");
}

/* Runs in a process that is not a child of the daemon. */
static void crash_first_frontend(void)
{
	pid_t daemon = getpid();

	use_own_name_server();
	if (fork() == 0) {
		if (fork() != 0)
			_exit(0);
		wait_until(has_settings(process_frontend(daemon)));
		kill(process_frontend(daemon), SIGKILL);
		_exit(0);
	}
	wait(NULL);
}

START_TEST(a_frontend_that_dies_at_the_start_leaves_the_logs_to_the_next)
{
	int port = add_service("zzok", HELLO "%s", log_everything());

	add_service("zzslow", HELLO "bind = slow.example\n");
	start_name_server(IMPATIENT);
	daemon_start_with(&(struct daemon_options){ .prepare = crash_first_frontend });
	daemon_wait_log("the frontend .* died of signal 9");
	ck_assert_str_eq(ask(port, ""), "hello\n");
	service_wait_log("START: zzok");
}
END_TEST

/* --- a wait service's datagrams ------------------------------------------------------ */

static int add_wait_datagram(const char *arguments)
{
	return add_service("zzwait",
			   "socket_type = dgram\nserver = %s\nserver_args = %s\n"
			   "only_from = good.example 127.0.0.1\n%s",
			   place_program("wait_datagram"), arguments, log_everything());
}

START_TEST(a_sender_known_by_name_need_not_repeat)
{
	int port = add_wait_datagram("-1"), good;

	start_with_name_server(PATIENT);
	good = datagram_connect(GOOD, NULL, port);
	datagram_send(good, "once", 4);
	ck_assert(text_matches(datagram_receive(good).data, " once$"));
	datagram_send(good, "quit", 4);
	service_wait_lines(1, "EXIT: zzwait");
	close(good);
}
END_TEST

enum { SENDERS = 40 };

/* The name of each takes long: in a plain queue every later datagram would wait for it. */
static void send_as_strangers(int port, int count, int senders[static SENDERS])
{
	for (int i = 0; i < count; i++) {
		senders[i] = datagram_connect(textf("127.66.%d.1", i), NULL, port);
		datagram_send(senders[i], i % 2 ? "stranger" : "", i % 2 ? 8 : 0);
	}
}

static void check_unheard(int count, const int senders[static SENDERS])
{
	for (int i = 0; i < count; i++) {
		ck_assert(!datagram_is_waiting(senders[i]));
		close(senders[i]);
	}
}

static const struct {
	const char *sender;
	int strangers; /* that send before it */
} crowds[] = { { "127.0.0.1", 10 }, { GOOD, 10 }, { "127.0.0.1", SENDERS } };

START_TEST(slow_names_hold_up_no_datagram)
{
	int port = add_wait_datagram("1"), senders[SENDERS], good;

	start_with_name_server(PATIENT);
	send_as_strangers(port, crowds[_i].strangers, senders);
	good = datagram_connect(crowds[_i].sender, NULL, port);
	datagram_send(good, "good", 4);
	ck_assert(text_matches(datagram_receive(good).data, " good$"));
	service_wait_lines(1, "EXIT: zzwait");
	daemon_stop();
	check_unheard(crowds[_i].strangers, senders);
	ck_assert_uint_eq(text_count(service_log(), "START: zzwait"), 1);
	service_wait_log("FAIL: zzwait address from=127\\.66\\.0\\.1$");
	close(good);
}
END_TEST

START_TEST(a_queue_of_strangers_is_no_work)
{
	int port = add_wait_datagram("1"), senders[SENDERS];

	start_with_name_server(PATIENT);
	send_as_strangers(port, 3, senders);
	daemon_check_calm(senders[0]);
	check_unheard(3, senders);
}
END_TEST

/* --- hosts.allow and hosts.deny ------------------------------------------------------ */

/* Mounts the test's hosts.deny over the machine's, for the daemon alone. */
static void use_own_hosts_deny(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(place_path("hosts.deny"), "/etc/hosts.deny", NULL, MS_BIND, NULL) < 0)
		_exit(99);
}

START_TEST(hosts_deny_is_obeyed)
{
	static const struct daemon_options options = { .prepare = use_own_hosts_deny };
	int named = add_service("zzone", "id = named\n" HELLO "libwrap = zz-daemon\n%s",
				log_everything());
	int other = add_service("zztwo", "id = other\n" HELLO);
	int without = add_service("zzthree", "id = without\n" HELLO "libwrap = zz-daemon\n"
					     "flags = NOLIBWRAP\n");

	place_write("hosts.deny", "zz-daemon: 127.0.0.5\n");
	daemon_start_with(&options);
	ck_assert_str_eq(ask(named, ""), "hello\n");
	ck_assert_str_eq(ask_from("127.0.0.5", named, ""), "");
	service_wait_log(LOG_TIME "FAIL: named libwrap from=127\\.0\\.0\\.5$");
	daemon_wait_log("libwrap refused connection to named \\(libwrap=zz-daemon\\) from 127");
	ck_assert_str_eq(ask_from("127.0.0.5", other, ""), "hello\n");
	ck_assert_str_eq(ask_from("127.0.0.5", without, ""), "hello\n");
}
END_TEST

START_TEST(the_server_is_known_by_its_file_name)
{
	static const struct daemon_options options = { .prepare = use_own_hosts_deny };
	int port = add_service("zzone", HELLO);

	place_write("hosts.deny", "echo: ALL\n");
	daemon_start_with(&options);
	ck_assert_str_eq(ask(port, ""), "");
}
END_TEST

START_TEST(hosts_deny_is_asked_by_the_frontends_user)
{
	static const struct daemon_options options = { .prepare = use_own_hosts_deny };
	int port = add_service("zzone", "libwrap = zz-daemon\n" HELLO);

	place_write("out", "%s", "");
	ck_assert_int_eq(chmod(place_path("."), 0755), 0);
	ck_assert_int_eq(chmod(place_path("out"), 0666), 0);
	place_write("hosts.deny", "zz-daemon: 127.0.0.5: spawn id -u > %s\n", place_path("out"));
	daemon_start_with(&options);
	ck_assert_str_eq(ask_from("127.0.0.5", port, ""), "");
	ck_assert_msg(text_matches(place_read("out"), "^6[1-5][0-9]{3}$"), "%s", place_read("out"));
}
END_TEST

START_TEST(an_unreadable_hosts_deny_refuses_everybody_and_is_said_once)
{
	static const struct daemon_options options = { .prepare = use_own_hosts_deny };
	static const char said[] = "ERROR: /etc/hosts\\.deny can't be read by the user [0-9]+";
	int port = add_service("zzone", "libwrap = zz-daemon\n" HELLO);

	place_write("hosts.deny", "other: ALL\n");
	ck_assert_int_eq(chmod(place_path("hosts.deny"), 0600), 0);
	daemon_start_with(&options);
	ck_assert_str_eq(ask(port, ""), "");
	daemon_wait_log(said);
	ck_assert_str_eq(ask(port, ""), "");
	ck_assert_uint_eq(text_count(daemon_log(), said), 1);
}
END_TEST

Suite *identity_suite(void)
{
	Suite *suite = suite_create("identity");
	TCase *identd = daemon_tcase(suite, "identd");
	TCase *names = daemon_tcase(suite, "host names");
	TCase *wrap = daemon_tcase(suite, "hosts.allow");

	tcase_add_test(identd, without_identd_the_client_is_served_nevertheless);
	if (is_superuser()) { /* port 113 */
		tcase_add_test(identd, the_user_is_logged);
		tcase_add_test(identd, a_hostile_identd_writes_no_lines_of_its_own);
		tcase_add_test(identd, idonly_refuses_who_is_not_identified);
		tcase_add_test(identd, a_refused_user_is_logged_too);
		tcase_add_test(identd, a_service_that_begins_to_wait_fails_who_is_on_the_way);
		tcase_add_test(identd, a_silent_identd_holds_up_nobody_else);
		if (can_open(4 * ROOM)) {
			tcase_add_test(identd, who_waits_in_numbers_leaves_room_for_others);
			tcase_add_test(identd, a_service_without_room_says_so);
		}
	}
	tcase_add_test(names, names_in_the_lists_match_their_hosts);
	tcase_add_test(names, names_count_for_datagrams_once_they_are_known);
	if (is_superuser() && access("/etc/resolv.conf", F_OK) == 0 &&
	    access("/etc/nsswitch.conf", F_OK) == 0) { /* to mount others over them */
		tcase_add_test(names, slow_names_of_one_service_hold_up_no_other);
		tcase_add_test(names, a_dead_name_server_is_said_once);
		tcase_add_test(names, a_slow_zone_is_no_dead_name_server);
		tcase_add_test(names, a_dead_name_server_is_explained);
		tcase_add_test(names,
			       a_frontend_that_dies_at_the_start_leaves_the_logs_to_the_next);
		tcase_add_test(names, a_sender_known_by_name_need_not_repeat);
		tcase_add_loop_test(names, slow_names_hold_up_no_datagram, 0,
				    sizeof crowds / sizeof crowds[0]);
		tcase_add_test(names, a_queue_of_strangers_is_no_work);
	}
#ifdef HAVE_LIBWRAP
	if (is_superuser() && access("/etc/hosts.deny", F_OK) == 0) {
		tcase_add_test(wrap, hosts_deny_is_obeyed);
		tcase_add_test(wrap, the_server_is_known_by_its_file_name);
		tcase_add_test(wrap, hosts_deny_is_asked_by_the_frontends_user);
		tcase_add_test(wrap, an_unreadable_hosts_deny_refuses_everybody_and_is_said_once);
	}
#endif
	(void)wrap;
	return suite;
}
