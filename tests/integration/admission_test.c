/* Rates, times, load and sensors: reasons to refuse a connection other than its address
 * and the number of servers. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TIME_SERVICE "type = INTERNAL UNLISTED\n"

/* How many of the clients, which connect at once, get the time. */
static int count_served(const char *source, int port, int clients)
{
	int served = 0;

	for (int i = 0; i < clients; i++) {
		int fd = client_connect_from(source, NULL, port);

		served += client_read_all(fd).length == 4;
		close(fd);
	}
	return served;
}

static void check_served(const char *source, int port, bool served)
{
	ck_assert_msg(count_served(source, port, 1) == served, "%s was %sserved", source,
		      served ? "not " : "");
}

/* --- rates --- */

START_TEST(excess_connections_are_refused_and_the_service_goes_on)
{
	int port = add_service("time", TIME_SERVICE "cps = 4 30\n%s", log_everything());
	int served;

	daemon_start();
	served = count_served("127.0.0.1", port, 40);
	/* A burst of four, and one more for each quarter of a second it took. */
	ck_assert_int_ge(served, 4);
	ck_assert_int_lt(served, 40);
	service_wait_log(LOG_TIME "FAIL: time connections per second from=127\\.0\\.0\\.1$");
	ck_assert(port_is_served("tcp", port));
	wait_until(count_served("127.0.0.1", port, 1) == 1);
}
END_TEST

START_TEST(a_flood_leaves_room_for_others)
{
	int port = add_service("time", TIME_SERVICE "cps = 8 30\n");

	daemon_start();
	ck_assert_int_lt(count_served("127.0.0.66", port, 60), 60);
	check_served("127.0.0.1", port, true);
	check_served("127.0.0.66", port, false);
}
END_TEST

START_TEST(a_suspended_service_comes_back)
{
	int port = add_service("time", TIME_SERVICE "cps = 3 1\ncps_action = suspend\n%s",
			       log_everything());

	daemon_start();
	ck_assert_int_eq(count_served("127.0.0.1", port, 4), 3);
	daemon_wait_log(
		"ERROR: Deactivating service time due to excessive incoming connections\\.  "
		"Restarting in 1 seconds\\.$");
	service_wait_log("FAIL: time connections per second from=127\\.0\\.0\\.1$");
	ck_assert(client_is_refused(NULL, port));
	daemon_wait_log("ERROR: Activating service time$");
	check_served("127.0.0.1", port, true);
}
END_TEST

START_TEST(a_throttled_service_queues)
{
	int port = add_service("time", TIME_SERVICE "cps = 5 1\ncps_action = queue\n%s",
			       log_everything());

	daemon_start();
	ck_assert_int_eq(count_served("127.0.0.1", port, 10), 10);
	daemon_stop();
	ck_assert_uint_eq(text_count(service_log(), "FAIL:"), 0);
	ck_assert_uint_eq(text_count(service_log(), "START: time"), 10);
}
END_TEST

START_TEST(source_cps_limits_each_source_apart)
{
	int port = add_service("time", TIME_SERVICE "cps = 0 0\nsource_cps = 1 2\n%s",
			       log_everything());

	daemon_start();
	ck_assert_int_lt(count_served("127.0.0.66", port, 20), 20);
	service_wait_log("FAIL: time source rate from=127\\.0\\.0\\.66$");
	check_served("127.0.0.1", port, true);
	check_served("127.0.0.2", port, true);
}
END_TEST

/* Makes so many connections, which are refused. */
static void be_refused(const char *source, int port, int count)
{
	for (int i = 0; i < count; i++)
		ck_assert_str_eq(ask_from(source, port, ""), "");
}

/* One line at once, and one with the count of the others, which is written at the daemon's
 * end at the latest. */
static void check_folded(const char *line, int refused)
{
	daemon_stop();
	ck_assert_uint_eq(text_count(service_log(), textf(LOG_TIME "%s$", line)), 1);
	ck_assert_uint_eq(text_count(service_log(),
				     textf(LOG_TIME "%s count=%d$", line, refused - 1)),
			  1);
}

#define RATE_LINE "FAIL: time source rate from=127\\.0\\.0\\.66"

START_TEST(refusals_of_a_source_are_counted_in_one_line)
{
	int port = add_service("time", TIME_SERVICE "source_cps = 1 1\nfold_failures = 3600\n%s",
			       log_everything());
	int refused;

	daemon_start();
	refused = 20 - count_served("127.0.0.66", port, 20);
	ck_assert_int_gt(refused, 1);
	check_folded(RATE_LINE, refused);
}
END_TEST

START_TEST(refusals_by_rate_are_counted_unless_told_otherwise)
{
	int port = add_service("time", TIME_SERVICE "source_cps = 1 1\n%s", log_everything());

	daemon_start();
	wait_until(count_served("127.0.0.66", port, 5) < 5 &&
		   text_matches(service_log(), LOG_TIME RATE_LINE " count=[0-9]+$"));
}
END_TEST

START_TEST(refusals_have_a_line_each_when_asked)
{
	int port = add_service("time", TIME_SERVICE "source_cps = 1 1\nfold_failures = 0\n%s",
			       log_everything());
	unsigned refused;

	daemon_start();
	refused = 20 - (unsigned)count_served("127.0.0.66", port, 20);
	daemon_stop();
	ck_assert_uint_eq(text_count(service_log(), LOG_TIME RATE_LINE "$"), refused);
	ck_assert_uint_eq(text_count(service_log(), "count="), 0);
}
END_TEST

START_TEST(other_refusals_are_folded_only_when_asked)
{
	int plain = add_service("zzplain", HELLO "only_from = 127.0.0.1\n%s", log_everything());
	int folded =
		add_service("zzfolded", HELLO "only_from = 127.0.0.1\nfold_failures = 3600\n%s",
			    log_everything());

	daemon_start();
	be_refused("127.0.0.66", plain, 4);
	be_refused("127.0.0.66", folded, 4);
	check_folded("FAIL: zzfolded address from=127\\.0\\.0\\.66", 4);
	ck_assert_uint_eq(text_count(service_log(), "FAIL: zzplain address from=127.0.0.66$"), 4);
}
END_TEST

START_TEST(every_folded_refusal_counts_in_the_report)
{
	int port = add_service("zzno", HELLO "only_from = 127.0.0.1\nfold_failures = 3600\n");

	configure("daemon\n{\nstatus_file = %s\n}\n", place_path("status"));
	daemon_start();
	be_refused("127.0.0.66", port, 4);
	daemon_signal(SIGUSR1);
	wait_until(text_matches(place_read("status"), "^\trefused \\(address\\) = 4$"));
}
END_TEST

/* nowait.25 of inetd.conf becomes this: all clients of a minute may come at once. */
START_TEST(a_rate_of_minutes_is_there_at_once)
{
	int port = add_service("time", TIME_SERVICE "cps = 3/86400 0\n%s", log_everything());

	daemon_start();
	ck_assert_int_eq(count_served("127.0.0.1", port, 3), 3);
	ck_assert_int_eq(count_served("127.0.0.1", port, 5), 0);
	service_wait_log("FAIL: time connections per second from=127\\.0\\.0\\.1$");
}
END_TEST

/* nowait/50/10 becomes this: at most ten from one source in a minute. */
START_TEST(source_cps_of_minutes_limits_a_source)
{
	int port = add_service("time", TIME_SERVICE "cps = 0 0\nsource_cps = 10/86400 10\n%s",
			       log_everything());

	daemon_start();
	ck_assert_int_eq(count_served("127.0.0.66", port, 20), 10);
	check_served("127.0.0.1", port, true);
}
END_TEST

START_TEST(a_refused_address_costs_no_rate)
{
	int port = add_service("time", TIME_SERVICE "cps = 2 30\nno_access = 127.0.0.66\n");

	daemon_start();
	ck_assert_int_eq(count_served("127.0.0.66", port, 20), 0);
	ck_assert_int_eq(count_served("127.0.0.1", port, 2), 2);
}
END_TEST

/* --- time and load --- */

/* "H:00-H:59" of the hour that is so many hours from now. */
static const char *hour_of_day(int hours_from_now)
{
	time_t now = time(NULL);
	struct tm local;
	int hour;

	localtime_r(&now, &local);
	hour = (local.tm_hour + hours_from_now) % 24;
	return textf("%d:00-%d:59", hour, hour);
}

START_TEST(access_times_open_and_close)
{
	/* Also the next hour, as this one may be about to end. */
	int open = add_service("time", "id = open\n" TIME_SERVICE "access_times = %s %s\n",
			       hour_of_day(0), hour_of_day(1));
	int closed = add_service("time", "id = closed\n" TIME_SERVICE "access_times = %s\n%s",
				 hour_of_day(12), log_everything());

	daemon_start();
	check_served("127.0.0.1", open, true);
	check_served("127.0.0.1", closed, false);
	service_wait_log(LOG_TIME "FAIL: closed time from=127\\.0\\.0\\.1$");
}
END_TEST

START_TEST(access_times_cross_midnight)
{
	time_t now = time(NULL);
	struct tm local;
	int port;

	localtime_r(&now, &local);
	/* All hours but the one before this one. */
	port = add_service("time", TIME_SERVICE "access_times = %d:00-%d:59\n", local.tm_hour,
			   (local.tm_hour + 22) % 24);
	daemon_start();
	check_served("127.0.0.1", port, true);
}
END_TEST

START_TEST(a_load_below_max_load_is_served)
{
	int idle = add_service("time", "id = idle\n" TIME_SERVICE "max_load = 100000.5\n");

	daemon_start();
	check_served("127.0.0.1", idle, true);
}
END_TEST

START_TEST(a_load_above_max_load_is_refused)
{
	int port = add_service("time", TIME_SERVICE "max_load = 0.001\n%s", log_everything());
	double before, after;
	int served;

	daemon_start();
	do { /* until the load stays on one side of the limit */
		ck_assert_int_eq(getloadavg(&before, 1), 1);
		served = count_served("127.0.0.1", port, 1);
		ck_assert_int_eq(getloadavg(&after, 1), 1);
	} while ((before >= 0.001) != (after >= 0.001));
	ck_assert_int_eq(served, before < 0.001);
	if (served)
		return;
	service_wait_log(LOG_TIME "FAIL: time load from=127\\.0\\.0\\.1$");
	daemon_wait_log("refused connect from 127\\.0\\.0\\.1 due to excessive load$");
}
END_TEST

/* --- sensors --- */

static void check_hello(const char *source, int port, bool served)
{
	ck_assert_msg((strcmp(ask_from(source, port, ""), "hello\n") == 0) == served,
		      "%s was %sserved", source, served ? "not " : "");
}

START_TEST(who_touches_a_sensor_is_refused_everywhere)
{
	int trap = add_service("zztrap",
			       "type = INTERNAL UNLISTED\nflags = SENSOR\n"
			       "deny_time = 5\n%s",
			       log_everything());
	int port = add_service("zzok", HELLO "%s", log_everything());
	int datagram = add_service("echo", "type = INTERNAL UNLISTED\nsocket_type = dgram\n");
	int fd;

	daemon_start();
	check_hello("127.0.0.5", port, true);
	ck_assert_str_eq(ask_from("127.0.0.5", trap, "x"), "");
	service_wait_log(LOG_TIME "FAIL: zztrap address from=127\\.0\\.0\\.5$");
	daemon_wait_log(
		"CRITICAL: .*Adding 127\\.0\\.0\\.5 to the global_no_access list for 5 minutes");
	check_hello("127.0.0.5", port, false);
	service_wait_log(LOG_TIME "FAIL: zzok address from=127\\.0\\.0\\.5$");
	check_hello("127.0.0.6", port, true);
	fd = datagram_connect("127.0.0.5", NULL, datagram);
	datagram_send(fd, "x", 1);
	ck_assert(!datagram_is_waiting(fd));
}
END_TEST

START_TEST(refusals_of_who_is_banned_are_counted)
{
	int trap = add_service("zztrap", "type = INTERNAL UNLISTED\nflags = SENSOR\n"
					 "deny_time = FOREVER\n");
	int port = add_service("zzok", HELLO "%s", log_everything());

	daemon_start();
	ck_assert_str_eq(ask_from("127.0.0.5", trap, ""), "");
	wait_until(ask_from("127.0.0.5", port, "")[0] == '\0' &&
		   text_matches(service_log(),
				LOG_TIME "FAIL: zzok address from=127\\.0\\.0\\.5 count=[0-9]+$"));
}
END_TEST

START_TEST(a_sensor_bans_an_address_not_its_network)
{
	int trap =
		add_service("zztrap", "server = /bin/true\nflags = SENSOR\ndeny_time = FOREVER\n");
	int port = add_service("zzok", HELLO);

	daemon_start();
	ck_assert_str_eq(ask_from("127.0.1.0", trap, ""), "");
	check_hello("127.0.1.0", port, false);
	check_hello("127.0.1.1", port, true);
}
END_TEST

START_TEST(a_sensor_that_never_denies_only_tells)
{
	int trap =
		add_service("zztrap", "server = /bin/true\nflags = SENSOR\ndeny_time = NEVER\n%s",
			    log_everything());
	int port = add_service("zzok", HELLO);

	daemon_start();
	ck_assert_str_eq(ask_from("127.0.0.5", trap, ""), "");
	service_wait_log("FAIL: zztrap address from=127\\.0\\.0\\.5$");
	check_hello("127.0.0.5", port, true);
}
END_TEST

START_TEST(a_datagram_sensor_bans_when_asked)
{
	int trap = add_service("zztrap", "type = INTERNAL UNLISTED\nsocket_type = dgram\n"
					 "flags = SENSOR DGRAMBAN\ndeny_time = 5\n");
	int port = add_service("zzok", HELLO);
	int fd;

	daemon_start();
	fd = datagram_connect("127.0.0.5", NULL, trap);
	datagram_send(fd, "x", 1);
	daemon_wait_log("Adding 127\\.0\\.0\\.5 to the global_no_access list");
	check_hello("127.0.0.5", port, false);
	check_hello("127.0.0.6", port, true);
}
END_TEST

START_TEST(a_datagram_sensor_only_tells_otherwise)
{
	int trap = add_service("zztrap",
			       "type = INTERNAL UNLISTED\nsocket_type = dgram\n"
			       "flags = SENSOR\ndeny_time = 5\n%s",
			       log_everything());
	int port = add_service("zzok", HELLO);
	int fd;

	daemon_start();
	fd = datagram_connect("127.0.0.5", NULL, trap);
	datagram_send(fd, "x", 1);
	service_wait_log("FAIL: zztrap address from=127\\.0\\.0\\.5$");
	check_hello("127.0.0.5", port, true);
}
END_TEST

START_TEST(bans_outlive_a_reload)
{
	int trap = add_service("zztrap", "server = /bin/true\nflags = SENSOR\ndeny_time = 5\n");
	int port = add_service("zzok", HELLO);

	daemon_start();
	ck_assert_str_eq(ask_from("127.0.0.5", trap, ""), "");
	daemon_wait_log("Adding 127\\.0\\.0\\.5");
	daemon_reload();
	check_hello("127.0.0.5", port, false);
}
END_TEST

Suite *admission_suite(void)
{
	Suite *suite = suite_create("admission");
	TCase *rates = daemon_tcase(suite, "rates");
	TCase *times = daemon_tcase(suite, "time and load");
	TCase *sensors = daemon_tcase(suite, "sensors");

	tcase_add_test(rates, excess_connections_are_refused_and_the_service_goes_on);
	tcase_add_test(rates, a_flood_leaves_room_for_others);
	tcase_add_test(rates, a_suspended_service_comes_back);
	tcase_add_test(rates, a_throttled_service_queues);
	tcase_add_test(rates, source_cps_limits_each_source_apart);
	tcase_add_test(rates, refusals_of_a_source_are_counted_in_one_line);
	tcase_add_test(rates, refusals_by_rate_are_counted_unless_told_otherwise);
	tcase_add_test(rates, refusals_have_a_line_each_when_asked);
	tcase_add_test(rates, other_refusals_are_folded_only_when_asked);
	tcase_add_test(rates, every_folded_refusal_counts_in_the_report);
	tcase_add_test(rates, a_rate_of_minutes_is_there_at_once);
	tcase_add_test(rates, source_cps_of_minutes_limits_a_source);
	tcase_add_test(rates, a_refused_address_costs_no_rate);
	tcase_add_test(times, access_times_open_and_close);
	tcase_add_test(times, access_times_cross_midnight);
	tcase_add_test(times, a_load_below_max_load_is_served);
	tcase_add_test(times, a_load_above_max_load_is_refused);
	tcase_add_test(sensors, who_touches_a_sensor_is_refused_everywhere);
	tcase_add_test(sensors, refusals_of_who_is_banned_are_counted);
	tcase_add_test(sensors, a_sensor_bans_an_address_not_its_network);
	tcase_add_test(sensors, a_sensor_that_never_denies_only_tells);
	tcase_add_test(sensors, a_datagram_sensor_bans_when_asked);
	tcase_add_test(sensors, a_datagram_sensor_only_tells_otherwise);
	tcase_add_test(sensors, bans_outlive_a_reload);
	return suite;
}
