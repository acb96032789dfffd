/* ban_file: what sensors ban outlives the daemon. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int trap, port;

/* A sensor and a service, with that ban file. */
static void configure_trap(const char *file, const char *minutes)
{
	configure("daemon\n{\n\tban_file = %s\n}\n", file);
	trap = add_service("zztrap",
			   "type = INTERNAL UNLISTED\nflags = SENSOR\ncps = 100000 1\n"
			   "deny_time = %s\n%s",
			   minutes, log_everything());
	port = add_service("zzok", HELLO);
}

static bool is_served(const char *source)
{
	return strcmp(ask_from(source, port, ""), "hello\n") == 0;
}

static void touch_from(const char *source)
{
	ck_assert_str_eq(ask_from(source, trap, ""), "");
}

static bool file_has(const char *pattern)
{
	return text_matches(place_read("bans"), pattern);
}

/* A ban file that was written now. */
static void write_bans(const char *name, const char *lines)
{
	place_write(name, "usherd-bans 1 %ld\n%s", (long)time(NULL), lines);
	ck_assert_int_eq(chmod(place_path(name), 0600), 0);
}

START_TEST(bans_outlive_a_restart)
{
	configure_trap("bans", "5");
	daemon_start();
	touch_from("127.0.0.5");
	daemon_stop();
	ck_assert(file_has("^127\\.0\\.0\\.5 [0-9]+$"));
	daemon_start();
	daemon_wait_log("ban file .*/bans: 1 addresses are refused");
	ck_assert(!is_served("127.0.0.5"));
	ck_assert(is_served("127.0.0.6"));
}
END_TEST

START_TEST(bans_outlive_a_crash_of_the_monitor)
{
	configure_trap("bans", "FOREVER");
	daemon_start();
	touch_from("127.0.0.5");
	wait_until(file_has("^127\\.0\\.0\\.5 forever$"));
	daemon_signal(SIGKILL);
	daemon_wait_end();
	wait_until(client_is_refused(NULL, port));
	daemon_start();
	ck_assert(!is_served("127.0.0.5"));
	ck_assert(is_served("127.0.0.6"));
}
END_TEST

START_TEST(the_end_of_a_ban_is_a_time_of_day)
{
	long before = time(NULL), end;

	configure_trap("bans", "10");
	daemon_start();
	touch_from("127.0.0.5");
	daemon_stop();
	ck_assert_int_eq(sscanf(strstr(place_read("bans"), "127.0.0.5"), "127.0.0.5 %ld", &end), 1);
	ck_assert_int_ge(end, before + 600);
	ck_assert_int_le(end, time(NULL) + 602);
}
END_TEST

START_TEST(what_is_over_is_forgotten)
{
	configure_trap("bans", "5");
	write_bans("bans", textf("127.0.0.5 %ld\n127.0.0.6 %ld\n127.0.0.7 forever\n",
				 (long)time(NULL) - 1, (long)time(NULL) + 600));
	daemon_start();
	ck_assert(is_served("127.0.0.5"));
	ck_assert(!is_served("127.0.0.6"));
	ck_assert(!is_served("127.0.0.7"));
	daemon_stop();
	ck_assert(!file_has("127.0.0.5"));
	ck_assert(file_has("^127\\.0\\.0\\.6 ") && file_has("^127\\.0\\.0\\.7 forever$"));
}
END_TEST

START_TEST(bad_lines_are_reported_and_skipped)
{
	configure_trap("bans", "5");
	write_bans("bans", "127.0.0.0/8 forever\n127.0.0.5 forever\nnonsense\n");
	daemon_start();
	ck_assert(!is_served("127.0.0.5"));
	ck_assert(is_served("127.0.0.6"));
	daemon_wait_log("%s:2: no address with the second of its end", place_path("bans"));
	daemon_wait_log("%s:4: no address with the second of its end", place_path("bans"));
}
END_TEST

/* A mistake in the name must not cost another file. */
START_TEST(another_file_is_left_alone)
{
	configure_trap("bans", "5");
	place_write("bans", "dear diary\n");
	daemon_start();
	daemon_wait_log("ban file .*/bans: is no file of bans");
	touch_from("127.0.0.5");
	ck_assert(!is_served("127.0.0.5"));
	daemon_stop();
	ck_assert_str_eq(place_read("bans"), "dear diary\n");
}
END_TEST

START_TEST(the_file_is_its_owners_alone)
{
	struct stat status;

	configure_trap("bans", "5");
	daemon_start();
	touch_from("127.0.0.5");
	daemon_stop();
	ck_assert_int_eq(stat(place_path("bans"), &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
	ck_assert_uint_eq(status.st_uid, geteuid());
	ck_assert(!text_matches(place_read("bans.new"), "."));
}
END_TEST

START_TEST(a_link_is_not_followed)
{
	configure_trap("bans", "5");
	write_bans("elsewhere", "127.0.0.5 forever\n");
	ck_assert_int_eq(symlink(place_path("elsewhere"), place_path("bans")), 0);
	daemon_start();
	daemon_wait_log(
		"ban file .*/bans: is a link; bans are neither read from it nor kept in it");
	ck_assert(is_served("127.0.0.5"));
}
END_TEST

START_TEST(root_reads_no_bans_that_others_can_write)
{
	configure_trap("bans", "5");
	write_bans("bans", "127.0.0.5 forever\n");
	ck_assert_int_eq(chmod(place_path("bans"), 0666), 0);
	daemon_start();
	daemon_wait_log(
		"ban file .*/bans: .*bans is writable by everybody \\(chmod o-w .*/bans\\)");
	ck_assert(is_served("127.0.0.5"));
}
END_TEST

START_TEST(a_reload_that_names_another_file_adds_its_bans)
{
	configure_trap("bans", "5");
	write_bans("other", "127.0.0.7 forever\n");
	daemon_start();
	touch_from("127.0.0.5");
	wait_until(file_has("127.0.0.5"));
	configuration_clear();
	configure_trap("other", "5");
	daemon_reload();
	ck_assert(!is_served("127.0.0.5"));
	wait_until(!is_served("127.0.0.7"));
	wait_until(text_matches(place_read("other"), "127.0.0.5"));
	ck_assert(file_has("127.0.0.5") && !file_has("127.0.0.7"));
}
END_TEST

START_TEST(a_reload_without_a_file_keeps_the_bans_in_memory)
{
	configure_trap("bans", "5");
	daemon_start();
	touch_from("127.0.0.5");
	wait_until(file_has("127.0.0.5"));
	configuration_clear();
	trap = add_service("zztrap", "type = INTERNAL UNLISTED\nflags = SENSOR\ndeny_time = 5\n");
	port = add_service("zzok", HELLO);
	daemon_reload();
	touch_from("127.0.0.6");
	ck_assert(!is_served("127.0.0.5"));
	wait_until(!is_served("127.0.0.6"));
	daemon_stop();
	ck_assert(!file_has("127.0.0.6"));
}
END_TEST

static unsigned count_renames(int notices)
{
	char buffer[65536] __attribute__((aligned(8)));
	ssize_t size = read(notices, buffer, sizeof buffer);
	unsigned count = 0;

	for (ssize_t at = 0; at < size;) {
		const struct inotify_event *event = (const void *)(buffer + at);

		count += event->len > 0 && (event->mask & IN_MOVED_TO) &&
			 strcmp(event->name, "bans") == 0;
		at += (ssize_t)(sizeof *event + event->len);
	}
	return count;
}

START_TEST(a_flood_of_bans_is_written_together)
{
	enum { SOURCES = 300 };
	int notices = inotify_init1(IN_NONBLOCK);
	time_t began = time(NULL);

	/* Creations too, as the kernel makes equal notices one. */
	ck_assert_int_ge(inotify_add_watch(notices, place_path("."), IN_MOVED_TO | IN_CREATE), 0);
	configure_trap("bans", "5");
	daemon_start();
	for (int i = 0; i < SOURCES; i++)
		touch_from(textf("127.0.%d.%d", 2 + i / 200, 1 + i % 200));
	wait_until(text_count(place_read("bans"), "^127\\.") == SOURCES);
	ck_assert_uint_le(count_renames(notices), (unsigned)(time(NULL) - began) + 2);
	close(notices);
}
END_TEST

/* It is no error of the configuration, and the daemon serves. */
START_TEST(a_file_that_cannot_be_written_is_reported_once)
{
	configure_trap("no/such/directory/bans", "5");
	daemon_start();
	touch_from("127.0.0.5");
	daemon_wait_log("can't write the bans to .*/no/such/directory/bans: No such file");
	ck_assert(!is_served("127.0.0.5"));
	touch_from("127.0.0.6");
	daemon_stop();
	ck_assert_uint_eq(text_count(daemon_log(), "can't write the bans"), 1);
}
END_TEST

Suite *ban_file_suite(void)
{
	Suite *suite = suite_create("ban_file");
	TCase *tests = daemon_tcase(suite, "ban file");

	tcase_add_test(tests, bans_outlive_a_restart);
	tcase_add_test(tests, bans_outlive_a_crash_of_the_monitor);
	tcase_add_test(tests, the_end_of_a_ban_is_a_time_of_day);
	tcase_add_test(tests, what_is_over_is_forgotten);
	tcase_add_test(tests, bad_lines_are_reported_and_skipped);
	tcase_add_test(tests, another_file_is_left_alone);
	tcase_add_test(tests, the_file_is_its_owners_alone);
	tcase_add_test(tests, a_link_is_not_followed);
	if (is_superuser())
		tcase_add_test(tests, root_reads_no_bans_that_others_can_write);
	tcase_add_test(tests, a_reload_that_names_another_file_adds_its_bans);
	tcase_add_test(tests, a_reload_without_a_file_keeps_the_bans_in_memory);
	tcase_add_test(tests, a_flood_of_bans_is_written_together);
	tcase_add_test(tests, a_file_that_cannot_be_written_is_reported_once);
	return suite;
}
