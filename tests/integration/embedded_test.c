/* The embedded default, usherd.conf with conf.d and services, which `make run` starts.
 * -check reads it as it is; the daemon serves a copy with other ports in the port map.
 * The current directory is the top of the repository. */
#include "frontend/fence.h"
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LINES_MAX = 64, SOME_USER = 54321 };

/* One line of the copied port map. */
struct port_line {
	char name[32], protocol[8];
	int original, port;
};

static struct port_line port_lines[LINES_MAX];
static unsigned port_line_count;

/* The copy's port for original: the same for both protocols. */
static int port_instead_of(int original)
{
	for (unsigned i = 0; i < port_line_count; i++)
		if (port_lines[i].original == original)
			return port_lines[i].port;
	return port_take();
}

/* The line with its port replaced, if it has one. */
static const char *move_line(const char *line)
{
	struct port_line *moved = &port_lines[port_line_count];
	int end = 0;

	if (sscanf(line, "%31[^# \t] %d/%7[a-z]%n", moved->name, &moved->original, moved->protocol,
		   &end) != 3)
		return line;
	ck_assert_uint_lt(port_line_count + 1, LINES_MAX);
	moved->port = port_instead_of(moved->original);
	port_line_count++;
	return textf("%s %d/%s%s", moved->name, moved->port, moved->protocol, line + end);
}

static void copy_port_map(void)
{
	char *rest = textf("%s", file_read("services")), *line;
	const char *copy = "";

	port_line_count = 0;
	while ((line = strsep(&rest, "\n")))
		copy = textf("%s%s\n", copy, move_line(line));
	ck_assert_uint_gt(port_line_count, 0);
	place_write("services", "%s", copy);
}

static bool is_drop_in(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The files of conf.d; the last one is NULL. */
static const char *const *drop_ins(void)
{
	static const char *names[LINES_MAX];
	DIR *directory = opendir("conf.d");
	struct dirent *entry;
	unsigned count = 0;

	ck_assert_msg(directory != NULL, "no conf.d here; run this at the top of the repository");
	while ((entry = readdir(directory)))
		if (is_drop_in(entry)) {
			ck_assert_uint_lt(count + 1, LINES_MAX);
			names[count++] = textf("%s", entry->d_name);
		}
	closedir(directory);
	names[count] = NULL;
	ck_assert_uint_gt(count, 0);
	return names;
}

/* Where the entry has it, below the directory in which the daemon is started. */
static void copy_status_page(void)
{
	ck_assert_int_eq(mkdir(place_path("build"), 0755), 0);
	place_status_page("build/status_page");
}

static void copy_embedded_default(void)
{
	copy_port_map();
	ck_assert_int_eq(mkdir(place_path("conf.d"), 0755), 0);
	copy_status_page();
	for (const char *const *name = drop_ins(); *name; name++)
		place_write(textf("conf.d/%s", *name), "%s", file_read(textf("conf.d/%s", *name)));
	configure("%s", file_read("usherd.conf"));
}

static int port_of(const char *name)
{
	for (unsigned i = 0; i < port_line_count; i++)
		if (strcmp(port_lines[i].name, name) == 0)
			return port_lines[i].port;
	ck_abort_msg("the port map has no %s", name);
	return -1;
}

static void start(void)
{
	copy_embedded_default();
	daemon_start();
}

/* Starts the daemon as `make run` does: the terminal is the log. */
static void start_as_make_run_does(void)
{
	const char *const arguments[] = { "-dontfork", "-f", "usherd.conf", NULL };

	copy_embedded_default();
	configuration_write();
	daemon_launch_logging_to("daemon.err", arguments);
}

/* --- what is served, and where --- */

/* A kernel without Landlock can't keep what the service asks for. */
static bool is_impossible(const char *name)
{
	return strcmp(name, "checksum") == 0 && !fence_has_landlock();
}

static bool is_disabled(const char *name)
{
	return is_impossible(name) ||
	       text_matches(file_read(textf("conf.d/%s", name)), "^[ \t]*disable[ \t]*=[ \t]*yes");
}

/* The log says nothing worse than a notice, but for the service that is impossible. */
static void expect_no_trouble(const char *log)
{
	unsigned troubles = text_count(log, "ERROR|WARNING|CRITICAL");

	ck_assert_msg(troubles == (is_impossible("checksum") ? 1 : 0), "%s", log);
	if (troubles)
		ck_assert_msg(text_matches(log,
					   "ERROR: .*checksum: allow_read can't be kept here: .*"
					   "Landlock"),
			      "%s", log);
}

START_TEST(every_line_of_the_port_map_is_served)
{
	start();
	for (unsigned i = 0; i < port_line_count; i++) {
		const struct port_line *line = &port_lines[i];

		ck_assert_msg(port_is_served(line->protocol, line->port) != is_disabled(line->name),
			      "%s/%s", line->name, line->protocol);
	}
}
END_TEST

START_TEST(the_terminal_says_what_is_served_where)
{
	const char *said;

	start_as_make_run_does();
	wait_until(text_matches(place_read("daemon.err"),
				textf("whoami: tcp .* port %d$", port_of("whoami"))));
	said = place_read("daemon.err");
	for (unsigned i = 0; i < port_line_count; i++) {
		const struct port_line *line = &port_lines[i];

		if (!is_disabled(line->name))
			ck_assert_msg(text_matches(said,
						   textf("%s.*: %s 127\\.0\\.0\\.1 port %d$",
							 line->name, line->protocol, line->port)),
				      "%s/%s: %s", line->name, line->protocol, said);
	}
	expect_no_trouble(said);
}
END_TEST

START_TEST(nothing_is_served_beyond_loopback)
{
	const char *said;

	start_as_make_run_does();
	wait_until(text_matches(place_read("daemon.err"), "whoami: tcp"));
	said = place_read("daemon.err");
	ck_assert_uint_gt(text_count(said, " port [0-9]+"), 0);
	ck_assert_uint_eq(text_count(said, " port [0-9]+"),
			  text_count(said, " 127\\.0\\.0\\.1 port [0-9]+"));
	ck_assert(client_is_refused("127.0.0.2", port_of("daytime")));
}
END_TEST

/* --- what the services answer --- */

START_TEST(daytime_tells_the_time)
{
	const char *form = "^[0-9]{2} [A-Z]{3} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} [^ ]+\r$";

	start();
	ck_assert_msg(text_matches(ask(port_of("daytime"), ""), form), "stream");
	ck_assert_msg(text_matches(datagram_ask(port_of("daytime"), "?"), form), "datagram");
}
END_TEST

START_TEST(echo_and_discard_do_as_they_are_called)
{
	start();
	ck_assert_str_eq(ask(port_of("echo"), "hello"), "hello");
	ck_assert_str_eq(datagram_ask(port_of("echo"), "hello"), "hello");
	ck_assert_str_eq(ask(port_of("discard"), "hello"), "");
}
END_TEST

START_TEST(time_counts_from_1900)
{
	uint32_t from_1900;
	int fd;

	start();
	fd = client_connect(NULL, port_of("time"));
	memcpy(&from_1900, client_read(fd, sizeof from_1900).data, sizeof from_1900);
	client_expect_end(fd);
	/* The clock of every test machine is later than 2020. */
	ck_assert_uint_gt(ntohl(from_1900), 2208988800u + 1577836800u);
}
END_TEST

START_TEST(chargen_serves_a_source_once)
{
	int first, second;

	start();
	first = client_connect(NULL, port_of("chargen"));
	ck_assert_str_eq(textf("%.3s", client_read(first, 74).data), " !\"");
	second = client_connect(NULL, port_of("chargen"));
	client_expect_end(second);
	daemon_wait_log("FAIL: chargen-stream per_source_limit from=127\\.0\\.0\\.1");
	close(first);
}
END_TEST

static uid_t expected_user(void)
{
	const struct passwd *nobody = getpwnam("nobody");

	ck_assert_ptr_nonnull(nobody);
	return is_superuser() ? nobody->pw_uid : geteuid();
}

START_TEST(whoami_is_nobody)
{
	start();
	ck_assert_msg(text_matches(ask(port_of("whoami"), ""),
				   textf("^uid=%d[( ]", (int)expected_user())),
		      "%s", ask(port_of("whoami"), ""));
}
END_TEST

START_TEST(the_environment_is_what_the_entry_says)
{
	const char *said;

	start();
	said = ask(port_of("environment"), "");
	ck_assert_msg(text_matches(said, "^GREETING=hello$"), "%s", said);
	ck_assert_msg(text_matches(said, "^REMOTE_HOST=127\\.0\\.0\\.1$"), "%s", said);
	ck_assert_msg(text_matches(said, textf("^TCPLOCALPORT=%d$", port_of("environment"))), "%s",
		      said);
	ck_assert_msg(text_matches(said, "^PATH="), "%s", said);
	ck_assert_msg(!text_matches(said, "^LANG="), "%s", said);
}
END_TEST

START_TEST(sort_answers_at_the_end)
{
	start();
	ck_assert_str_eq(ask(port_of("sort"), "a\nc\nb\n"), "c\nb\na\n");
}
END_TEST

static void expect_checksum(void)
{
	if (!is_impossible("checksum"))
		ck_assert_str_eq(
			ask(port_of("checksum"), "hello"),
			"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824  "
			"-\n");
}

START_TEST(checksum_needs_no_rights)
{
	start();
	expect_checksum();
}
END_TEST

START_TEST(relay_leads_to_daytime)
{
	start();
	ck_assert(text_matches(ask(port_of("relay"), ""), "^[0-9]{2} [A-Z]{3} [0-9]{4} "));
	daemon_wait_log("TRAFFIC: relay in=0\\(bytes\\) out=[1-9][0-9]*\\(bytes\\)$");
}
END_TEST

START_TEST(tcpmux_leads_to_date)
{
	start();
	ck_assert_str_eq(ask(port_of("tcpmux"), "help\r\n"), "date\r\n");
	ck_assert_msg(text_matches(ask(port_of("tcpmux"), "date\r\n"), "^\\+Go\r\n.*UTC"), "date");
	/* Only services for tcpmux are available there. */
	ck_assert(text_matches(ask(port_of("tcpmux"), "whoami\r\n"), "^-"));
}
END_TEST

START_TEST(the_trap_can_be_set)
{
	const char *trap = file_read("conf.d/trap");
	char *set = textf("%s", trap), *answer = strstr(set, "= yes");

	start();
	ck_assert_ptr_nonnull(answer);
	memcpy(answer, "= no ", strlen("= no "));
	place_write("conf.d/trap", "%s", set);
	daemon_reload();
	ck_assert_str_ne(ask(port_of("daytime"), ""), "");
	ck_assert_str_eq(ask(port_of("trap"), ""), "");
	ck_assert_str_eq(ask(port_of("daytime"), ""), "");
	daemon_wait_log("FAIL: daytime-stream address from=127\\.0\\.0\\.1");
}
END_TEST

/* --- living with it --- */

static void become_somebody(void)
{
	if (is_superuser() &&
	    (setgroups(0, NULL) < 0 || setgid(SOME_USER) < 0 || setuid(SOME_USER) < 0))
		_exit(126);
}

START_TEST(anybody_can_run_it)
{
	uid_t user = is_superuser() ? SOME_USER : geteuid();

	copy_embedded_default();
	ck_assert_int_eq(chown(place_path(""), user, (gid_t)-1), 0);
	daemon_start_with(&(struct daemon_options){ .prepare = become_somebody });
	expect_no_trouble(daemon_log());
	ck_assert(text_matches(ask(port_of("daytime"), ""), "^[0-9]{2} "));
	expect_checksum();
	ck_assert(text_matches(ask(port_of("whoami"), ""), textf("^uid=%d[( ]", (int)user)));
}
END_TEST

/* A control socket of its own, which root has not. */
START_TEST(the_status_page_asks_the_daemon)
{
	uid_t user = is_superuser() ? SOME_USER : geteuid();
	const char *answer, *variables[] = { textf("XDG_RUNTIME_DIR=%s", place_path("")), NULL };

	copy_embedded_default();
	ck_assert_int_eq(chown(place_path(""), user, (gid_t)-1), 0);
	daemon_start_with(
		&(struct daemon_options){ .prepare = become_somebody, .environment = variables });
	answer = ask(port_of("status_page"),
		     "GET /status.json HTTP/1.1\r\nHost: localhost:7107\r\n\r\n");
	ck_assert_msg(text_matches(answer, "^HTTP/1\\.1 200 OK\r$"), "%s", answer);
	ck_assert(text_matches(answer, "[{]\"id\": \"status_page\", .*\"is_up\": true"));
}
END_TEST

START_TEST(the_status_report_is_beside_the_configuration)
{
	start();
	daemon_signal(SIGUSR1);
	daemon_wait_log("generated state dump in file .*/build/usherd\\.status$");
	ck_assert_msg(text_matches(place_read("build/usherd.status"), "^Service = daytime$"), "%s",
		      place_read("build/usherd.status"));
}
END_TEST

/* The service entry of README.md, on another port. */
static const char *readme_entry(int port)
{
	const char *header = strstr(file_read("README.md"), "\nservice uname"), *end, *number;

	ck_assert_msg(header != NULL, "README.md has no service entry");
	end = strstr(header, "\n}\n");
	number = strstr(header, "7200");
	ck_assert_msg(end && number && number < end, "README.md's service is not on port 7200");
	return textf("%.*s%d%.*s\n}\n", (int)(number - header - 1), header + 1, port,
		     (int)(end - number - 4), number + 4);
}

START_TEST(a_service_is_added_as_the_readme_says)
{
	int port = port_take();

	start();
	ck_assert(client_is_refused(NULL, port));
	place_write("conf.d/uname", "%s", readme_entry(port));
	daemon_reload();
	daemon_wait_log("Reconfigured: new=1 old=[0-9]+ dropped=0 \\(services\\)$");
	ck_assert_str_ne(ask(port, ""), "");
}
END_TEST

/* --- -check --- */

/* True for a message that depends on the test's user and the owner of the files. */
static bool is_about_the_tester(const char *line)
{
	return strstr(line, "usherd does not run as root") || strstr(line, "is not owned by root");
}

static void expect_nothing_to_be_said(const char *path)
{
	struct outcome outcome = daemon_run((const char *const[]){ "-check", "-f", path, NULL });
	char *rest = textf("%s", outcome.output), *line;

	ck_assert_msg(outcome.status == 0, "%s: status %d: %s%s", path, outcome.status,
		      outcome.output, outcome.errors);
	ck_assert_msg(outcome.errors[0] == '\0', "%s: %s", path, outcome.errors);
	while ((line = strsep(&rest, "\n")))
		ck_assert_msg(!text_matches(line, ": (advice|warning|error): ") ||
				      is_about_the_tester(line),
			      "%s: %s", path, line);
}

static const char *top_of_repository(void)
{
	static char directory[PATH_MAX];

	ck_assert_ptr_nonnull(getcwd(directory, sizeof directory));
	return directory;
}

START_TEST(check_has_nothing_to_say)
{
	copy_status_page();
	expect_nothing_to_be_said(textf("%s/usherd.conf", top_of_repository()));
}
END_TEST

/* Each alone, so that none depends on another. */
START_TEST(check_has_nothing_to_say_of_any_drop_in)
{
	const char *whole = file_read("usherd.conf"), *including = strstr(whole, "\nincludedir");

	ck_assert_ptr_nonnull(including);
	place_write("services", "%s", file_read("services"));
	copy_status_page();
	for (const char *const *name = drop_ins(); *name; name++) {
		place_write("one.conf", "%.*s\ninclude %s/conf.d/%s\n", (int)(including - whole),
			    whole, top_of_repository(), *name);
		expect_nothing_to_be_said(place_path("one.conf"));
	}
}
END_TEST

static void add_answer_tests(Suite *suite)
{
	TCase *answers = daemon_tcase(suite, "answers");

	tcase_add_test(answers, daytime_tells_the_time);
	tcase_add_test(answers, echo_and_discard_do_as_they_are_called);
	tcase_add_test(answers, time_counts_from_1900);
	tcase_add_test(answers, chargen_serves_a_source_once);
	tcase_add_test(answers, whoami_is_nobody);
	tcase_add_test(answers, the_environment_is_what_the_entry_says);
	tcase_add_test(answers, sort_answers_at_the_end);
	tcase_add_test(answers, checksum_needs_no_rights);
	tcase_add_test(answers, relay_leads_to_daytime);
	tcase_add_test(answers, tcpmux_leads_to_date);
	tcase_add_test(answers, the_trap_can_be_set);
}

Suite *embedded_suite(void)
{
	Suite *suite = suite_create("embedded");
	TCase *places = daemon_tcase(suite, "places");
	TCase *living = daemon_tcase(suite, "living with it");
	TCase *check = daemon_tcase(suite, "check");

	tcase_add_test(places, every_line_of_the_port_map_is_served);
	tcase_add_test(places, the_terminal_says_what_is_served_where);
	tcase_add_test(places, nothing_is_served_beyond_loopback);
	add_answer_tests(suite);
	tcase_add_test(living, anybody_can_run_it);
	tcase_add_test(living, the_status_page_asks_the_daemon);
	tcase_add_test(living, the_status_report_is_beside_the_configuration);
	tcase_add_test(living, a_service_is_added_as_the_readme_says);
	tcase_add_test(check, check_has_nothing_to_say);
	tcase_add_test(check, check_has_nothing_to_say_of_any_drop_in);
	return suite;
}
