/* Log lines as records: JSON, and messages of the journal. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define JSON_FORMAT "daemon\n{\nlog_format = json\n}\n"
enum { SOME_USER = 54321 };

/* What a line of the daemon begins with in xinetd's format. */
#define LOG_TIME_OF_DAEMON "^[0-9/]+@[0-9:]+ usherd\\[[0-9]+\\]: "
#define TIME "\\{\"time\":\"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z\","
#define STRING "\"([^\"\\]|\\\\[\"\\]|\\\\u[0-9a-f]{4})*\""
#define LINE_OF_JSON \
	"^" TIME "\"level\":\"[a-z]+\",\"event\":\"[a-z.]+\"(,\"[a-z_.]+\":(" STRING \
	"|[0-9]+(\\.[0-9]{3})?))*\\}$"
#define ALL_FLAGS "log_on_success = PID HOST EXIT DURATION REASON TRAFFIC RUSAGE SESSION\n"

static void check_all_is_json(const char *log)
{
	ck_assert_msg(text_count(log, LINE_OF_JSON) == text_count(log, "\n") &&
			      text_count(log, "\n") > 0,
		      "%s", log);
}

START_TEST(a_session_is_two_records)
{
	int port, fd;
	const char *ends, *client;

	configure(JSON_FORMAT);
	port = add_service("zzcat", CAT ALL_FLAGS "%s", log_to_service_log());
	daemon_start();
	fd = client_connect(NULL, port);
	client_ping(fd);
	client =
		textf("\"client.address\":\"127\\.0\\.0\\.1\",\"client.port\":%d", client_port(fd));
	close(fd);
	ends = textf("%s,\"network.local.address\":\"127\\.0\\.0\\.1\",\"network.local.port\":%d,"
		     "\"network.transport\":\"tcp\",\"process.pid\":[0-9]+",
		     client, port);
	service_wait_log("^" TIME "\"level\":\"info\",\"event\":\"session.start\","
			 "\"usherd.service\":\"zzcat\",\"usherd.session\":\"[0-9a-f]+-1\",%s\\}$",
			 ends);
	service_wait_log("^" TIME "\"level\":\"info\",\"event\":\"session.end\","
			 "\"usherd.service\":\"zzcat\",\"usherd.session\":\"[0-9a-f]+-1\",%s,"
			 "\"process.exit.code\":0,\"duration_s\":[0-9]+\\.[0-9]{3},"
			 "\"bytes_in\":[1-9][0-9]*,\"bytes_out\":[1-9][0-9]*,"
			 "\"cpu_s\":[0-9]+\\.[0-9]{3},\"max_rss_bytes\":[0-9]+,"
			 "\"reason\":\"exit\"\\}$",
			 ends);
	daemon_stop();
	ck_assert_uint_eq(text_count(service_log(), "\n"), 2);
	check_all_is_json(daemon_log());
}
END_TEST

/* The keys of a JSON line, in their order. */
static const char *keys_of(const char *line)
{
	const char *keys = "";

	for (const char *at = line; (at = strstr(at, "\":")); at += 2) {
		const char *from = at;

		while (from > line && from[-1] != '"')
			from--;
		keys = textf("%s %.*s", keys, (int)(at - from), from);
	}
	return keys;
}

/* The current directory is the top of the repository. */
START_TEST(the_example_of_the_manual_is_true)
{
	const char *manual = file_read("man/usherd.log.5"), *example, *end;
	int port;

	example = strstr(manual, "{\"time\":");
	ck_assert_ptr_nonnull(example);
	example = textf("%.*s", (int)(strstr(example, "}\n.Ed") - example), example);
	configure(JSON_FORMAT);
	port = add_service("zzcat", CAT ALL_FLAGS "%s", log_to_service_log());
	daemon_start();
	ask(port, "x");
	service_wait_log("session\\.end");
	end = strstr(service_log(), "\"event\":\"session.end\"");
	ck_assert_str_eq(keys_of(example), textf(" time level%s", keys_of(end)));
}
END_TEST

/* By whom, and by which rule. */
START_TEST(a_refusal_has_its_rule)
{
	int port;

	configure(JSON_FORMAT);
	place_write("hosts", "# some\n127.0.0.5\n127.0.0.6\n");
	port = add_service("zzcat",
			   CAT "only_from = 127.0.0.0/8\nno_access = 127.0.0.9\n"
			       "no_access += @%s\nproxy_protocol = v1\nproxy_from = 127.0.0.2\n"
			       "proxy_others = direct\nlog_on_failure = HOST\n%s",
			   place_path("hosts"), log_to_service_log());
	daemon_start();
	ask_from("127.0.0.9", port, "");
	service_wait_log("\"event\":\"session.refused\",\"usherd.service\":\"zzcat\","
			 "\"client.address\":\"127.0.0.9\",.*\"reason\":\"address\","
			 "\"rule\":\"%s:%d\"\\}$",
			 configuration_path(), configuration_line("no_access = "));
	ask_from("127.0.0.6", port, "");
	service_wait_log("\"client.address\":\"127.0.0.6\",.*\"rule\":\"%s:3\"\\}$",
			 place_path("hosts"));
	ask_from("127.0.0.2", port, "PROXY TCP4 10.1.2.3 10.9.9.9 4711 80\r\n");
	service_wait_log("\"client.address\":\"10.1.2.3\",\"client.port\":4711,"
			 "\"network.peer.address\":\"127.0.0.2\",\"network.peer.port\":[0-9]+,"
			 "\"network.local.address\":\"10.9.9.9\",\"network.local.port\":80,"
			 "\"network.transport\":\"tcp\",\"reason\":\"address\"\\}$");
}
END_TEST

/* HOST is not asked for. */
START_TEST(a_record_may_be_without_addresses)
{
	int port;

	configure(JSON_FORMAT);
	port = add_service("zzcat", CAT "log_on_success = EXIT\n%s", log_to_service_log());
	daemon_start();
	ask(port, "");
	service_wait_log("session\\.end");
	ck_assert_str_eq(text_matches(service_log(), "client") ? service_log() : "", "");
}
END_TEST

START_TEST(whatever_is_logged_is_json)
{
	int port;

	configure(JSON_FORMAT);
	port = add_service("zzbad", "server = %s\nstderr = log\n%s",
			   place_script("bad", "printf '\"\\\\\\\\ \\\\001\\\\377\\\\n' >&2"),
			   "log_on_success = HOST\n");
	add_service("zz\xc3\xbc", HELLO "instances = no\"number\n");
	daemon_start();
	ask(port, "");
	daemon_wait_log("\"level\":\"notice\",\"event\":\"message\".*stderr");
	daemon_wait_log("\"event\":\"session.start\",\"usherd.service\":\"zzbad\"");
	daemon_reload();
	daemon_wait_log("\"event\":\"reload\",\"usherd.services.new\":0,\"usherd.services.old\":1,"
			"\"usherd.services.dropped\":0,\"usherd.services.old_version\":0,"
			"\"message\":\"Reconfigured: new=0 old=1 dropped=0 \\(services\\)");
	configuration_clear();
	configure(JSON_FORMAT);
	daemon_reload();
	daemon_wait_log("\"event\":\"service.state\",\"usherd.service\":\"zzbad\","
			"\"usherd.state\":\"removed\",\"message\"");
	check_all_is_json(daemon_log());
}
END_TEST

START_TEST(a_reload_changes_the_format)
{
	int port = add_service("zzcat", CAT "log_on_success = HOST\n%s", log_to_service_log());

	daemon_start();
	ask(port, "");
	service_wait_log(LOG_TIME "START: zzcat from=");
	configure(JSON_FORMAT);
	daemon_reload();
	ask(port, "");
	service_wait_log("^" TIME ".*session.start");
	ck_assert(!text_matches(place_read("daemon.log"), "^" TIME ".*zz"));
	ck_assert(text_matches(daemon_log(), LOG_TIME_OF_DAEMON "NOTICE: Started"));
}
END_TEST

/* In each format and in the daemon's own messages, but not for the program. */
START_TEST(addresses_may_be_cut)
{
	int port, port_denied, port_sensor;

	configure("daemon\n{\nlog_anonymize = 16 32\nlog_format = %s\n}\n", _i ? "json" : "xinetd");
	port = add_service("zzenv", "server = %s\nsession_env = yes\nlog_on_success = HOST\n%s",
			   place_script("env", "echo $REMOTE_HOST"), log_to_service_log());
	port_denied = add_service("zzno", CAT "only_from =\nlog_on_failure = HOST\n%s",
				  log_to_service_log());
	port_sensor = add_service("zzsensor", "flags = SENSOR\ndeny_time = FOREVER\n"
					      "server = /bin/true\n");
	daemon_start();
	ck_assert_str_eq(ask_from("127.0.1.2", port, ""), "127.0.1.2\n");
	service_wait_log(_i ? "\"client.address\":\"127\\.0\\.0\\.0\"" : "from=127\\.0\\.0\\.0$");
	ask_from("127.0.1.3", port_denied, "");
	service_wait_log("zzno");
	ask_from("127.0.1.4", port_sensor, "");
	daemon_wait_log("Adding 127\\.0\\.0\\.0 to the global_no_access list");
	ck_assert_str_eq(ask_from("127.0.1.4", port, ""), "");
	ck_assert_str_eq(ask_from("127.0.1.5", port, ""), "127.0.1.5\n");
	daemon_stop();
	ck_assert_msg(!text_matches(service_log(), "127\\.0\\.1") &&
			      !text_matches(daemon_log(), "127\\.0\\.1"),
		      "%s%s", service_log(), daemon_log());
}
END_TEST

/* --- a port that others have --- */

static void become_some_user(void)
{
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setgid(SOME_USER) < 0 || setuid(SOME_USER) < 0))
		_exit(126);
}

static int have_port(int port)
{
	struct endpoint endpoint = endpoint_of("127.0.0.1", port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&endpoint.address, endpoint.length), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

/* As root, and as a user who may not look at the process. */
START_TEST(who_has_a_port_is_named)
{
	bool may_look = _i == 0 || !is_superuser();
	int port = port_take(), fd = have_port(port);
	int user = may_look ? (int)geteuid() : SOME_USER;

	prctl(PR_SET_NAME, "nginx");
	add_service("zzcat", CAT "bind = 127.0.0.1\nport = %d\nuser = %d\n", port, user);
	add_service("zzother", "user = %d\n" HELLO, user);
	if (!may_look)
		ck_assert_int_eq(chown(place_path(""), SOME_USER, SOME_USER), 0);
	daemon_start_with(
		&(struct daemon_options){ .prepare = may_look ? NULL : become_some_user });
	daemon_wait_log("bind failed\\. service = zzcat, address = 127\\.0\\.0\\.1, port = %d; "
			"trying again: Address already in use; port %d is in use by %s$",
			port, port,
			may_look ? textf("nginx \\(pid %d\\)", (int)getpid())
				 : "a process of user 0");
	close(fd);
	daemon_wait_log("service zzcat: bound at last$");
	ck_assert_str_eq(ask(port, "x"), "x");
}
END_TEST

/* --- the journal --- */

static int journal;

static void listen_as_journald(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	unlink(place_path("run/systemd/journal/socket"));
	strcpy(address.sun_path, place_path("run/systemd/journal/socket"));
	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(journal, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(chmod(address.sun_path, 0666), 0);
}

/* A /run of its own, in which the test listens as journald. */
static void have_own_run(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("run", "/run", NULL, MS_BIND, NULL) < 0)
		_exit(126);
}

static void start_with_journal(void)
{
	ck_assert_int_eq(mkdir(place_path("run"), 0755), 0);
	ck_assert_int_eq(mkdir(place_path("run/systemd"), 0755), 0);
	ck_assert_int_eq(mkdir(place_path("run/systemd/journal"), 0755), 0);
	listen_as_journald();
	daemon_start_with(&(struct daemon_options){ .prepare = have_own_run });
}

/* Receives messages until one matches. */
static const char *journal_wait(const char *pattern)
{
	struct deadline deadline = deadline_in(DEADLINE_MS);
	char message[9000];
	ssize_t length;

	for (;;) {
		length = recv(journal, message, sizeof message - 1, MSG_DONTWAIT);
		if (length < 0) {
			deadline_pause(&deadline, pattern, __FILE__, __LINE__);
			continue;
		}
		message[length] = '\0';
		if (text_matches(message, pattern))
			return textf("%s", message);
	}
}

START_TEST(the_journal_gets_the_records)
{
	const char *message;
	int port, port_file;

	configure("daemon\n{\nlog_format = journal\n}\n");
	port = add_service("zzcat", CAT ALL_FLAGS "log_type = SYSLOG daemon\n");
	port_file = add_service("zzfile", CAT "log_on_success = HOST\n%s", log_to_service_log());
	start_with_journal();
	ask(port, "x");
	message = journal_wait("^USHERD_EVENT=session\\.start$");
	ck_assert_msg(text_matches(message, "^MESSAGE=START: zzcat pid=[0-9]+ from=127.0.0.1 ") &&
			      text_matches(message, "^MESSAGE_ID=[0-9a-f]{32}$") &&
			      text_matches(message, "^PRIORITY=6$") &&
			      text_matches(message, textf("^SYSLOG_PID=%d$", (int)daemon_pid())) &&
			      text_matches(message, "^SYSLOG_IDENTIFIER=usherd$") &&
			      text_matches(message, "^CLIENT_ADDRESS=127\\.0\\.0\\.1$"),
		      "%s", message);
	message = journal_wait("^USHERD_EVENT=session\\.end$");
	ck_assert_msg(text_matches(message, "^BYTES_IN=1$") &&
			      text_matches(message, "^PROCESS_EXIT_CODE=0$") &&
			      text_matches(message, "^MESSAGE=EXIT: zzcat status=0"),
		      "%s", message);
	ask(port_file, "");
	service_wait_log(LOG_TIME "START: zzfile from=127");
	/* journald is restarted, and gone */
	close(journal);
	listen_as_journald();
	ask(port, "x");
	journal_wait("^USHERD_EVENT=session\\.start$");
	close(journal);
	ask(port, "x");
	daemon_wait_log("ERROR: the journal takes no messages: Connection refused; they go");
}
END_TEST

Suite *log_records_suite(void)
{
	Suite *suite = suite_create("log_records");
	TCase *tcase = daemon_tcase(suite, "log_records");

	tcase_add_test(tcase, a_session_is_two_records);
	tcase_add_test(tcase, the_example_of_the_manual_is_true);
	tcase_add_test(tcase, a_refusal_has_its_rule);
	tcase_add_test(tcase, a_record_may_be_without_addresses);
	tcase_add_test(tcase, whatever_is_logged_is_json);
	tcase_add_test(tcase, a_reload_changes_the_format);
	tcase_add_loop_test(tcase, addresses_may_be_cut, 0, 2);
	tcase_add_loop_test(tcase, who_has_a_port_is_named, 0, 2);
	if (is_superuser())
		tcase_add_test(tcase, the_journal_gets_the_records);
	return suite;
}
