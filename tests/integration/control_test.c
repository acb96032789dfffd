/* Asking the daemon: -status, -reload, -pause, -resume, -end, -unban, the socket behind them, and
 * the file of measures. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	STRANGER = 54321,
	SOME_GROUP = 54322,
	GROUPS = 400,
	CLIENTS_MAX = 8,
	ASKING_MAX = 4,
	DESCRIPTORS = 40
};

/* --- asking --------------------------------------------------------------------------------- */

#define ASK(...) daemon_ask((const char *const[]){ __VA_ARGS__, NULL })

static void configure_control(const char *more)
{
	configure("daemon\n{\ncontrol_socket = control\n%s}\n", more);
}

static struct sockaddr_un control_address(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof address.sun_path, "%s", place_path("control"));
	return address;
}

static int control_connect(void)
{
	struct sockaddr_un address = control_address();
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

/* The file is there a moment before it. */
static bool control_listens(void)
{
	struct sockaddr_un address = control_address();
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;

	close(fd);
	return connected;
}

static const char *control_ask(const char *request)
{
	int fd = control_connect();
	const char *answer;

	client_send(fd, request);
	answer = client_read_all(fd).data;
	close(fd);
	return answer;
}

static bool status_has(const char *pattern)
{
	return text_matches(control_ask("status table\n"), pattern);
}

static void check_outcome(struct outcome outcome, int status, const char *pattern)
{
	ck_assert_msg(outcome.status == status && text_matches(outcome.output, pattern),
		      "status %d, %s%s", outcome.status, outcome.output, outcome.errors);
}

/* --- the status ----------------------------------------------------------------------------- */

START_TEST(the_status_says_what_runs)
{
	int cat = add_service("zzcat", CAT "env = TOKEN=secret\nlog_on_success = TRAFFIC\n");
	int echo = add_service("echo", "type = INTERNAL UNLISTED\nno_access = 127.0.0.9\n"), held;
	const char *text;

	configure_control("");
	daemon_start();
	held = client_hold(cat);
	client_expect_end(client_connect_from("127.0.0.9", NULL, echo));
	wait_until(status_has("^zzcat +listening +1 +1 +0$"));
	check_outcome(ASK("-status"), 0, "^usherd .*: every service is up$");
	text = ASK("-status").output;
	ck_assert(text_matches(text, textf("^    tcp .*port %d, accept queue 0 of [0-9]+$", cat)));
	ck_assert(text_matches(text, "^echo +listening +0 +0 +1$"));
	ck_assert(text_matches(text, "^    refused: address 1$"));
	ck_assert(text_matches(text, "^    last failure: 20.*address, from 127.0.0.9$"));
	ck_assert(text_matches(text, "^[0-9a-f]+-[0-9a-f]+ +zzcat +serving +127.0.0.1 +[1-9][0-9]* "
				     "+[0-9ms]+ +[0-9ms]+ +[1-9][0-9]* +[1-9][0-9]*$"));
	ck_assert(text_matches(text, "^127.0.0.1/32 +1$"));
	ck_assert(text_matches(text, "^configuration: read 20.*, in force: new=2 old=0"));
	ck_assert(!strstr(text, "secret"));
	close(held);
}
END_TEST

START_TEST(programs_can_read_the_status)
{
	int cat = add_service("zzcat", CAT "log_on_success = TRAFFIC\n"), held;
	const char *text;

	configure_control("");
	daemon_start();
	held = client_hold(cat);
	wait_until(status_has("^zzcat +listening +1 +1 "));
	text = ASK("-status=json").output;
	ck_assert(text_matches(text, "^[{]\"version\": \".*\"is_up\": true, "));
	ck_assert(text_matches(text, "[{]\"id\": \"zzcat\", .*\"running\": 1, .*\"started\": 1, "));
	ck_assert(text_matches(text, "\"service\": \"zzcat\", \"state\": \"serving\", "
				     "\"client\": \"127.0.0.1\", \"client_port\": [0-9]+, "
				     "\"pid\": [1-9]"));
	close(held);
	wait_until(text_matches(control_ask("status prometheus\n"),
				"^usherd_receive_bytes_total[{]service=\"zzcat\"[}] [1-9]"));
	text = ASK("-status=prometheus").output;
	ck_assert(
		text_matches(text, "^usherd_connections_accepted_total[{]service=\"zzcat\"[}] 1$"));
	ck_assert(text_matches(text, "^usherd_service_up[{]service=\"zzcat\"[}] 1$"));
	ck_assert(text_matches(text, "^usherd_session_duration_seconds_count 1$"));
	ck_assert(text_matches(text, "^usherd_launch_duration_seconds_count 1$"));
	ck_assert(text_matches(text, "^usherd_config_last_reload_successful 1$"));
}
END_TEST

/* Also when two services have one id: no measure is there twice. */
START_TEST(not_every_service_is_up)
{
	int taken = port_take(), other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct endpoint here = endpoint_of("127.0.0.1", taken);
	static const int yes = 1;
	const char *text;

	ck_assert_int_eq(setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), 0);
	ck_assert_int_eq(bind(other, (struct sockaddr *)&here.address, here.length), 0);
	ck_assert_int_eq(listen(other, 1), 0);
	add_service("zzcat", CAT);
	add_service("zzcat", CAT "bind = 127.0.0.1\nport = %d\n", taken);
	add_service("zzbad", CAT "socket_type = strem\n");
	configure_control("");
	daemon_start();
	text = ASK("-status").output;
	check_outcome(ASK("-status"), 1, "^usherd .*: not every service is up$");
	ck_assert(
		text_matches(text, textf("^    127.0.0.1 port %d: Address already in use", taken)));
	ck_assert(text_matches(text, "^not started because of errors: 1 services$"));
	ck_assert(text_matches(text, "usherd.conf:[0-9]+: error: socket_type: .*strem"));
	ck_assert_uint_eq(text_count(ASK("-status=prometheus").output,
				     "^usherd_service_up[{]service=\"zzcat\",entry=\".*usherd.conf:"
				     "[0-9]+\"[}] [01]$"),
			  2);
	close(other);
}
END_TEST

START_TEST(no_daemon_answers)
{
	add_service("zzcat", CAT);
	configure_control("");
	configuration_write();
	check_outcome(ASK("-status"), 2, "^$");
	ck_assert(text_matches(ASK("-status").errors, "control: no daemon answers there$"));
	daemon_start();
	check_outcome(ASK("-status"), 0, "every service is up");
	daemon_stop();
	ck_assert_int_lt(access(place_path("control"), F_OK), 0);
	check_outcome(ASK("-reload"), 2, "^$");
}
END_TEST

static void check_hanging(const char *complaint)
{
	struct outcome outcome = ASK("-status");

	check_outcome(outcome, 2, "^$");
	ck_assert_msg(text_matches(outcome.errors, complaint), "%s", outcome.errors);
}

/* Whoever is not accepted still fills the queue when it is gone. */
START_TEST(a_daemon_that_hangs_is_not_waited_for)
{
	struct sockaddr_un address = control_address();
	int hanging = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(hanging, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(hanging, 0), 0);
	add_service("zzcat", CAT);
	configure_control("");
	configuration_write();
	check_hanging("^usherd: the daemon has not answered in time$");
	check_hanging("control: the daemon is there, but accepts no connection");
	close(hanging);
}
END_TEST

/* --- the socket ----------------------------------------------------------------------------- */

static mode_t mode_of(const char *name)
{
	struct stat status;

	ck_assert_msg(lstat(place_path(name), &status) == 0, "%s", name);
	return status.st_mode;
}

START_TEST(a_socket_that_was_left_behind_is_replaced)
{
	struct sockaddr_un address = control_address();
	int left = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(left, (struct sockaddr *)&address, sizeof address), 0);
	close(left);
	add_service("zzcat", CAT);
	configure_control("");
	daemon_start();
	ck_assert(status_has("every service is up"));
	ck_assert_uint_eq(mode_of("control"), S_IFSOCK | 0600);
}
END_TEST

START_TEST(what_is_no_socket_or_is_answered_stays)
{
	struct sockaddr_un address = control_address();
	int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	place_write("other", "mine");
	ck_assert_int_eq(symlink(place_path("other"), place_path("control")), 0);
	add_service("zzcat", CAT);
	configure_control("");
	daemon_start();
	daemon_wait_log("WARNING: control socket .*control: File exists");
	ck_assert(S_ISLNK(mode_of("control")));
	ck_assert_str_eq(place_read("other"), "mine");
	unlink(place_path("control"));
	ck_assert_int_eq(bind(other, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(other, 1), 0);
	daemon_reload();
	daemon_wait_log("WARNING: control socket .*control: another daemon answers there");
	close(other);
	daemon_reload();
	wait_until(text_matches(ASK("-status").output, "every service is up"));
}
END_TEST

START_TEST(a_reload_moves_the_socket)
{
	add_service("zzcat", CAT);
	configure_control("");
	daemon_start();
	ck_assert(status_has("every service is up"));
	configuration_clear();
	add_service("zzcat", CAT);
	configure("daemon\n{\ncontrol_socket = moved\n}\n");
	daemon_reload();
	wait_until(ASK("-status").status == 0);
	ck_assert_int_lt(access(place_path("control"), F_OK), 0);
	configuration_clear();
	add_service("zzcat", CAT);
	configure("daemon\n{\ncontrol_socket = none\n}\n");
	daemon_reload();
	wait_until(access(place_path("moved"), F_OK) < 0);
}
END_TEST

/* What another user gets: 0 and the answer in the file "answer", or errno. */
static int request_as(gid_t more, const char *request)
{
	struct sockaddr_un address = control_address();
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int answer = open(place_path("answer"), O_WRONLY | O_CREAT | O_TRUNC, 0666);
		char bytes[200];
		gid_t groups[GROUPS];
		ssize_t got;

		for (int i = 0; i < GROUPS; i++)
			groups[i] = i + 1 < GROUPS ? STRANGER : more;
		if (setgroups(more ? GROUPS : 0, groups) < 0 || setgid(STRANGER) < 0 ||
		    setuid(STRANGER) < 0)
			_exit(126);
		if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
			_exit(errno);
		send(fd, request, strlen(request), MSG_NOSIGNAL);
		got = read(fd, bytes, sizeof bytes);
		_exit(got > 0 && write(answer, bytes, (size_t)got) == got ? 0 : 125);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static int ask_as(gid_t more)
{
	return request_as(more, "status table\n");
}

START_TEST(only_some_may_ask)
{
	if (!is_superuser())
		return;
	add_service("zzcat", CAT);
	configure_control("");
	daemon_start();
	ck_assert_int_eq(ask_as(0), EACCES);
	/* The file alone does not decide. */
	ck_assert_int_eq(chmod(place_path("control"), 0666), 0);
	ck_assert_int_eq(ask_as(0), 0);
	ck_assert_msg(text_matches(place_read("answer"), "^usherd 1 [0-9]+\nyou may not ask"), "%s",
		      place_read("answer"));
	configuration_clear();
	add_service("zzcat", CAT);
	configure_control("control_group = 54322\n");
	daemon_reload();
	wait_until(mode_of("control") == (S_IFSOCK | 0660));
	ck_assert_int_eq(ask_as(0), EACCES);
	ck_assert_int_eq(ask_as(SOME_GROUP), 0);
	ck_assert(text_matches(place_read("answer"), "^usherd 0 [0-9]+\nusherd .*: every service"));
}
END_TEST

static const char *answer_as(gid_t more, const char *request)
{
	ck_assert_int_eq(request_as(more, request), 0);
	return place_read("answer");
}

START_TEST(some_may_only_ask_for_the_status)
{
	static const char *const others[] = { "reload\n", "pause zzcat 1\n", "resume zzcat\n",
					      "unban 192.0.2.1\n", "end 1\n" };

	if (!is_superuser())
		return;
	add_service("zzcat", CAT);
	configure_control("control_group = 54323\nstatus_group = 54322\n");
	daemon_start();
	ck_assert_uint_eq(mode_of("control"), S_IFSOCK | 0666);
	ck_assert(text_matches(answer_as(0, "status table\n"), "^usherd 1 .*\nyou may not ask"));
	ck_assert(
		text_matches(answer_as(SOME_GROUP, "status table\n"), "^usherd 0 .*\nusherd .*: "));
	ck_assert(text_matches(answer_as(SOME_GROUP, "status json\n"), "^usherd 0 .*\n[{]"));
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		ck_assert_msg(text_matches(answer_as(SOME_GROUP, others[i]),
					   "^usherd 1 .*\nyou may ask this daemon for its status, "
					   "and no more$"),
			      "%s: %s", others[i], place_read("answer"));
		ck_assert(!text_matches(answer_as(SOME_GROUP + 1, others[i]), "no more"));
	}
	ck_assert(text_matches(answer_as(SOME_GROUP + 1, "pause zzcat 1\n"), "^usherd 0 "));
}
END_TEST

/* Holds a connection of somebody who may only ask; returns a descriptor whose end lets it go. */
static int hold_as_asker(void)
{
	struct sockaddr_un address = control_address();
	int ends[2];
	pid_t pid;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	pid = fork();
	if (pid == 0) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		char byte;

		close(ends[0]);
		if (setgroups(0, NULL) < 0 || setgid(SOME_GROUP) < 0 || setuid(STRANGER) < 0 ||
		    connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
			_exit(126);
		_exit(write(ends[1], "", 1) < 0 || read(ends[1], &byte, 1) < 0);
	}
	close(ends[1]);
	client_read(ends[0], 1);
	return ends[0];
}

/* Whoever may do everything has a share that they can't take. */
START_TEST(those_who_only_ask_do_not_keep_out_others)
{
	int held[ASKING_MAX];

	if (!is_superuser())
		return;
	add_service("zzcat", CAT);
	configure_control("status_group = 54322\n");
	daemon_start();
	for (int i = 0; i < ASKING_MAX; i++)
		held[i] = hold_as_asker();
	ck_assert(text_matches(answer_as(SOME_GROUP, "status table\n"),
			       "^usherd 1 .*\ntoo many ask this daemon at once$"));
	ck_assert(status_has("every service is up"));
	for (int i = 0; i < ASKING_MAX; i++)
		close(held[i]);
	wait_until(text_matches(answer_as(SOME_GROUP, "status table\n"), "^usherd 0 "));
}
END_TEST

START_TEST(root_has_a_socket_without_configuration)
{
	struct stat status;

	if (!is_superuser() || access("/run/usherd/control", F_OK) == 0)
		return;
	add_service("zzcat", CAT);
	daemon_start();
	check_outcome(ASK("-status"), 0, "every service is up");
	ck_assert_int_eq(stat("/run/usherd", &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0755);
	ck_assert_int_eq(stat("/run/usherd/control", &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
}
END_TEST

/* What it says, where a daemon answers at the usual place. */
static void check_only_named(const char *text, int status, const char *complaint)
{
	struct outcome outcome;

	configuration_clear();
	configure("%s", text);
	configuration_write();
	outcome = ASK("-status");
	ck_assert_msg(outcome.status == status && text_matches(outcome.errors, complaint),
		      "%s: status %d, %s%s", text, outcome.status, outcome.output, outcome.errors);
}

/* Or -end could end something of another daemon. */
START_TEST(only_the_daemon_of_the_file_is_asked)
{
	static const char elsewhere[] = "/elsewhere: no daemon answers there$";
	static const char bad[] = "defaults\n{\ncps = nonsense\n}\n";
	const char *included;

	if (!is_superuser() || access("/run/usherd/control", F_OK) == 0)
		return;
	add_service("zzcat", CAT);
	daemon_start();
	wait_until(ASK("-status").status == 0);
	place_write("included", "daemon\n{\ncontrol_socket = elsewhere\n}\n");
	included = textf("include %s\n", place_path("included"));
	check_only_named("", 0, "^$");
	check_only_named(bad, 0, "^$");
	check_only_named("daemon\n{\ncontrol_socket = elsewhere\n}\n", 2, elsewhere);
	check_only_named(textf("%sdaemon\n{\ncontrol_socket=elsewhere\n}\n", bad), 2, elsewhere);
	check_only_named("daemon {\n}\ndaemon\n{\ncontrol_socket=\"elsewhere\"\n", 2, elsewhere);
	check_only_named(textf("%s%s", bad, included), 2, elsewhere);
	check_only_named("daemon\n{\ncontrol_socket = none\n}\n", 2,
			 "^usherd: .*usherd.conf: control_socket = none: this daemon");
	check_only_named(textf("%sdaemon\n{\ncontrol_socket = none\n}\n", bad), 2,
			 "^usherd: .*usherd.conf: control_socket = none: this daemon");
	ck_assert_int_eq(unlink(configuration_path()), 0);
	check_outcome(ASK("-end", "session"), 2, "^$");
	ck_assert(text_matches(ASK("-reload").errors, "usherd.conf: No such file or directory$"));
}
END_TEST

static void have_a_narrow_umask(void)
{
	umask(077);
	if (is_superuser() &&
	    (setgroups(0, NULL) < 0 || setgid(STRANGER) < 0 || setuid(STRANGER) < 0))
		_exit(126);
}

/* Or a group that may ask could not come to the socket. */
START_TEST(the_directory_of_the_socket_is_open)
{
	struct stat status;

	if (is_superuser())
		ck_assert_int_eq(chown(place_path(""), STRANGER, (gid_t)-1), 0);
	add_service("zzcat", CAT);
	daemon_start_with(&(struct daemon_options){
		.prepare = have_a_narrow_umask,
		.environment =
			(const char *const[]){ textf("XDG_RUNTIME_DIR=%s", place_path("")), NULL },
	});
	wait_until(access(place_path("usherd/control"), F_OK) == 0);
	ck_assert_int_eq(stat(place_path("usherd"), &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0755);
}
END_TEST

START_TEST(requests_are_bounded)
{
	char *long_request = textf("%0600d", 0);
	int held[CLIENTS_MAX], late, fd;

	add_service("zzcat", CAT);
	configure_control("");
	daemon_start();
	ck_assert_str_eq(control_ask(long_request), "");
	ck_assert(text_matches(control_ask("nonsense\n"), "^usherd 1 [0-9]+\nthe request is not"));
	ck_assert(text_matches(control_ask("status\n"), "^usherd 1 "));
	ck_assert(text_matches(control_ask("end one two three four\n"), "^usherd 1 "));
	ck_assert(text_matches(control_ask("\n"), "^usherd 1 "));
	ck_assert(text_matches(control_ask("status table json\n"), "^usherd 1 "));
	ck_assert(text_matches(control_ask(" \x01 \xff\n"), "^usherd 1 "));
	ck_assert(text_matches(control_ask("pause zzcat -1\n"), "^usherd 1 .*\na pause has"));
	ck_assert(text_matches(control_ask("pause zzcat 99999999999999999999\n"), "^usherd 1 "));
	fd = control_connect();
	client_send(fd, "stat");
	client_send(fd, "us table");
	client_send(fd, "\n");
	ck_assert(text_matches(client_read_all(fd).data, "^usherd 0 "));
	for (int i = 0; i < CLIENTS_MAX; i++)
		held[i] = control_connect();
	late = control_connect();
	client_send(late, "status table\n");
	ck_assert(client_hears_nothing(late));
	close(held[0]);
	ck_assert(text_matches(client_read_all(late).data, "^usherd 0 "));
}
END_TEST

static void have_few_descriptors(void)
{
	struct rlimit limit = { .rlim_cur = DESCRIPTORS, .rlim_max = DESCRIPTORS };

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		_exit(126);
}

/* Connections have their share, and silent clients of the socket, the first of which is returned,
 * the rest. */
static int take_all_descriptors(int port)
{
	pid_t frontend = process_frontend(daemon_pid());
	unsigned before;
	int silent = -1, fd;

	for (int i = 0; i < DESCRIPTORS; i++)
		client_connect(NULL, port);
	wait_until(status_has("^    refused: no available descriptors [1-9]"));
	while ((before = process_descriptors(frontend)) < DESCRIPTORS) {
		fd = control_connect();
		silent = silent < 0 ? fd : silent;
		wait_until(process_descriptors(frontend) > before);
	}
	return silent;
}

START_TEST(without_descriptors_it_answers)
{
	int port = add_service("echo", "type = INTERNAL UNLISTED\ncps = 0 0\n"), kept, silent;

	if (!is_superuser())
		return; /* who may look at the frontend's descriptors */
	configure_control("");
	daemon_start_with(&(struct daemon_options){ .prepare = have_few_descriptors });
	kept = client_hold(port);
	silent = take_all_descriptors(port);
	ck_assert(status_has("every service is up"));
	ck_assert(status_has("every service is up"));
	ck_assert(client_hears_nothing(silent));
	client_ping(kept);
}
END_TEST

/* --- reloads -------------------------------------------------------------------------------- */

START_TEST(a_reload_says_what_changed)
{
	int cat = add_service("zzcat", CAT), old = add_service("zzold", CAT), fresh;

	configure_control("");
	daemon_start();
	configuration_clear();
	add_service("zzcat", CAT "port = %d\nnice = 1\n", cat);
	fresh = add_service("zznew", CAT);
	configure_control("");
	configuration_write();
	check_outcome(ASK("-reload"), 0,
		      "^removed: zzold\nchanged: zzcat\nnew: zznew\n"
		      "new=1 old=1 dropped=1 \\(services\\), 1 changed\n$");
	ck_assert_str_eq(ask(fresh, "there"), "there");
	ck_assert(client_is_refused(NULL, old));
}
END_TEST

START_TEST(a_reload_says_what_is_wrong)
{
	int cat = add_service("zzcat", CAT);

	configure_control("");
	daemon_start();
	configuration_clear();
	add_service("zzcat", CAT "port = %d\nnice = none\n", cat);
	configure_control("");
	configuration_write();
	check_outcome(ASK("-reload"), 1,
		      textf("^[^ ]*usherd.conf:%d: error: nice: .*\n"
			    "keeps its running version: zzcat\n"
			    "new=0 old=0 dropped=0 .*, 1 keep",
			    configuration_line("nice")));
	ck_assert_str_eq(ask(cat, "still"), "still");
	check_outcome(ASK("-status"), 0, "in force, but with errors");
	configuration_clear();
	configure("defaults\n{\ncps = nonsense\n}\n");
	add_service("zzcat", CAT "port = %d\n", cat);
	configure_control("");
	configuration_write();
	check_outcome(ASK("-reload"), 1, "the old one stays in force\n$");
	check_outcome(ASK("-status=prometheus"), 0, "^usherd_config_last_reload_successful 0$");
}
END_TEST

START_TEST(all_who_ask_for_a_reload_are_answered)
{
	int fds[4];

	add_service("zzcat", CAT);
	configure_control("");
	daemon_start();
	for (int i = 0; i < 4; i++) {
		fds[i] = control_connect();
		client_send(fds[i], "reload\n");
	}
	for (int i = 0; i < 4; i++)
		ck_assert(text_matches(client_read_all(fds[i]).data,
				       "^usherd 0 [0-9]+\nnew=0 old=1 dropped=0"));
}
END_TEST

/* --- services and sessions ------------------------------------------------------------------ */

START_TEST(clients_wait_while_a_service_is_paused)
{
	int port = add_service("zzcat", CAT), held, waiting;

	configure_control("");
	daemon_start();
	held = client_hold(port);
	check_outcome(ASK("-pause", "zzcat"), 0, "^zzcat is paused for at most 60 seconds\n$");
	client_ping(held);
	waiting = client_connect(NULL, port);
	client_send(waiting, "now");
	ck_assert(client_hears_nothing(waiting));
	check_outcome(ASK("-status"), 1, "^zzcat +paused +1 ");
	ck_assert(status_has("accept queue 1 of"));
	check_outcome(ASK("-resume", "zzcat"), 0, "^zzcat is resumed\n$");
	client_expect(waiting, "now");
	check_outcome(ASK("-resume", "zzcat"), 0, "^zzcat was not paused\n$");
	check_outcome(ASK("-pause", "zzcat", "1"), 0, "for at most 1 seconds");
	client_ping(client_connect(NULL, port)); /* it resumes by itself */
	check_outcome(ASK("-pause", "zznone"), 1, "^there is no service zznone\n$");
	check_outcome(ASK("-pause", "zzcat", "4000"), 1, "^a pause has 1 to 3600 seconds\n$");
}
END_TEST

/* The name of the first session in the status. */
static const char *first_session(void)
{
	const char *text = strstr(control_ask("status json\n"), "{\"session\": \"");

	ck_assert_msg(text != NULL, "there is no session");
	text += strlen("{\"session\": \"");
	return textf("%.*s", (int)strcspn(text, "\""), text);
}

START_TEST(a_session_is_ended)
{
	int cat = add_service("zzcat", CAT "%s\nlog_on_success += REASON SESSION\n",
			      log_everything());
	int echo = add_service("echo", "type = INTERNAL UNLISTED\n"), fd;
	const char *session;

	configure_control("");
	daemon_start();
	fd = client_hold(cat);
	wait_until(status_has("^zzcat +listening +1 +1 "));
	session = first_session();
	check_outcome(ASK("-end", session), 0, "^session .* of zzcat is being ended\n$");
	client_expect_end(fd);
	service_wait_log("EXIT: zzcat signal=15 .* reason=asked session=%s", session);
	fd = client_hold(echo);
	wait_until(status_has("^echo +listening +1 +1 "));
	session = first_session();
	ck_assert_ptr_nonnull(strstr(session, "local-"));
	check_outcome(ASK("-end", session), 0, "^session local-[0-9]+ of echo is being ended\n$");
	client_expect_end(fd);
	check_outcome(ASK("-end", session), 1, "^there is no session local-");
}
END_TEST

START_TEST(a_ban_is_ended)
{
	int trap = add_service("zztrap", "type = INTERNAL UNLISTED\nflags = SENSOR\n"
					 "deny_time = FOREVER\n");
	int port = add_service("zzcat", CAT);
	pid_t before;

	configure_control("ban_file = bans\n");
	daemon_start();
	client_expect_end(client_connect_from("127.0.0.9", NULL, trap));
	wait_until(status_has("^127.0.0.9 +for ever$"));
	ck_assert_str_eq(ask_from("127.0.0.9", port, "x"), "");
	client_expect_end(client_connect_from("127.0.0.8", NULL, trap));
	check_outcome(ASK("-unban", "127.0.0.9"), 0, "^127.0.0.9 is not banned any more\n$");
	ck_assert_str_eq(ask_from("127.0.0.9", port, "x"), "x");
	check_outcome(ASK("-unban", "127.0.0.9"), 1, "^127.0.0.9 is not banned\n$");
	check_outcome(ASK("-unban", "nobody"), 1, "^nobody is no address\n$");
	/* The next frontend does not know it either, and answers as this one does. */
	before = process_frontend(daemon_pid());
	ck_assert_int_eq(kill(before, SIGKILL), 0);
	ck_assert_str_eq(ask_from("127.0.0.9", port, "x"), "x");
	check_outcome(ASK("-status"), 0, "in force: new=2 old=0");
	daemon_stop();
	ck_assert(text_matches(place_read("bans"), "127.0.0.8"));
	ck_assert(!text_matches(place_read("bans"), "127.0.0.9"));
}
END_TEST

/* --- the file of measures ------------------------------------------------------------------- */

START_TEST(measures_are_in_a_file_while_the_daemon_runs)
{
	add_service("zzcat", CAT);
	configure_control("metrics_file = usherd.prom\n");
	daemon_start();
	wait_until(text_matches(place_read("usherd.prom"),
				"^usherd_service_up[{]service=\"zzcat\"[}] 1$"));
	ck_assert_uint_eq(mode_of("usherd.prom"), S_IFREG | 0644);
	ck_assert(text_matches(place_read("usherd.prom"), "_seconds_count [0-9]+\n$"));
	configuration_clear();
	add_service("zzcat", CAT);
	configure_control("metrics_file = other.prom\n");
	daemon_reload();
	wait_until(access(place_path("other.prom"), F_OK) == 0);
	ck_assert_int_lt(access(place_path("usherd.prom"), F_OK), 0);
	daemon_stop();
	ck_assert_int_lt(access(place_path("other.prom"), F_OK), 0);
}
END_TEST

START_TEST(measures_without_room_are_explained)
{
	const char *full = place_path("full");

	ck_assert_int_eq(mkdir(full, 0755), 0);
	if (mount("tmpfs", full, "tmpfs", 0, "size=4k,mode=755") < 0)
		return; /* only root can */
	place_write("full/filler", "all of it");
	add_service("zzcat", CAT);
	configure_control("metrics_file = full/prom\n");
	daemon_start();
	daemon_wait_log("ERROR: can't write the measures to .*full/prom: No space left on device");
	ck_assert_int_lt(access(place_path("full/prom"), F_OK), 0);
	daemon_stop();
	ck_assert_int_eq(umount(full), 0);
}
END_TEST

/* A mistake in the configuration costs no file. */
START_TEST(measures_replace_no_other_file)
{
	place_write("precious", "something else\n");
	add_service("zzcat", CAT);
	configure_control("metrics_file = precious\n");
	daemon_start();
	daemon_wait_log("ERROR: metrics_file .*precious: a file of something else is there");
	daemon_stop();
	ck_assert_str_eq(place_read("precious"), "something else\n");
}
END_TEST

/* What a daemon says may come from a stranger who has taken over a part of it. */
START_TEST(the_terminal_does_not_obey_an_answer)
{
	add_service("zzcat", CAT);
	configure_control("");
	daemon_start();
	check_outcome(ASK("-pause", "a\033[31m\302\233b\177\303\244"), 1,
		      "^there is no service a[?]\\[31m[?]b[?]\303\244$");
}
END_TEST

/* Whoever may read the directory can lock it. */
START_TEST(a_lock_on_the_directory_keeps_nobody_from_asking)
{
	int directory = open(place_path("."), O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(flock(directory, LOCK_SH), 0);
	add_service("zzcat", CAT);
	configure_control("");
	daemon_start();
	wait_until(control_listens());
	ck_assert(status_has("^zzcat +listening "));
	ck_assert(!text_matches(daemon_log(), "control socket"));
	close(directory);
}
END_TEST

Suite *control_suite(void);

Suite *control_suite(void)
{
	Suite *suite = suite_create("control");
	TCase *tests = daemon_tcase(suite, "control");

	tcase_add_test(tests, the_status_says_what_runs);
	tcase_add_test(tests, programs_can_read_the_status);
	tcase_add_test(tests, not_every_service_is_up);
	tcase_add_test(tests, no_daemon_answers);
	tcase_add_test(tests, a_daemon_that_hangs_is_not_waited_for);
	tcase_add_test(tests, a_socket_that_was_left_behind_is_replaced);
	tcase_add_test(tests, what_is_no_socket_or_is_answered_stays);
	tcase_add_test(tests, a_reload_moves_the_socket);
	tcase_add_test(tests, only_some_may_ask);
	tcase_add_test(tests, some_may_only_ask_for_the_status);
	tcase_add_test(tests, those_who_only_ask_do_not_keep_out_others);
	tcase_add_test(tests, root_has_a_socket_without_configuration);
	tcase_add_test(tests, only_the_daemon_of_the_file_is_asked);
	tcase_add_test(tests, the_directory_of_the_socket_is_open);
	tcase_add_test(tests, requests_are_bounded);
	tcase_add_test(tests, without_descriptors_it_answers);
	tcase_add_test(tests, a_reload_says_what_changed);
	tcase_add_test(tests, a_reload_says_what_is_wrong);
	tcase_add_test(tests, all_who_ask_for_a_reload_are_answered);
	tcase_add_test(tests, clients_wait_while_a_service_is_paused);
	tcase_add_test(tests, a_session_is_ended);
	tcase_add_test(tests, a_ban_is_ended);
	tcase_add_test(tests, measures_are_in_a_file_while_the_daemon_runs);
	tcase_add_test(tests, measures_without_room_are_explained);
	tcase_add_test(tests, measures_replace_no_other_file);
	tcase_add_test(tests, the_terminal_does_not_obey_an_answer);
	tcase_add_test(tests, a_lock_on_the_directory_keeps_nobody_from_asking);
	return suite;
}
