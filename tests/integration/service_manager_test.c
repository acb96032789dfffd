/* What the daemon tells the service manager that has started it, as sd_notify(3) has it. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager;

/* A manager at a path, or at an abstract name. */
static const char *const names[] = { "manager", "@" };

static const char *variable; /* NOTIFY_SOCKET=... */

static void be_manager(const char *name)
{
	const char *path =
		*name == '@' ? textf("@usherd-test-%d", (int)getpid()) : place_path(name);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, path, strlen(path));
	if (*path == '@')
		address.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))),
			 0);
	variable = textf("NOTIFY_SOCKET=%s", path);
}

/* Starts the daemon with this variable and up to two more. */
static void start_with(const char *second, const char *third)
{
	const char *const environment[] = { variable, second, third, NULL };

	daemon_start_with(&(struct daemon_options){ .environment = environment });
}

/* The next message that is not from the watchdog. */
static const char *next_message(void)
{
	static char text[512];

	do {
		struct pollfd ready = { .fd = manager, .events = POLLIN };
		ssize_t size;

		ck_assert_msg(poll(&ready, 1, DEADLINE_MS) == 1, "the manager is told nothing");
		size = recv(manager, text, sizeof text - 1, 0);
		ck_assert_int_ge(size, 0);
		text[size] = '\0';
	} while (strcmp(text, "WATCHDOG=1") == 0);
	return text;
}

static void expect(const char *pattern)
{
	const char *message = next_message();

	ck_assert_msg(text_matches(message, pattern), "%s instead of %s", message, pattern);
}

START_TEST(the_manager_is_told_of_each_state)
{
	const char *ready;

	be_manager(names[_i]);
	add_service("zzhello", HELLO);
	start_with(NULL, NULL);
	ready = textf("^READY=1\nMAINPID=%d\nSTATUS=1 service available$", (int)daemon_pid());
	expect(ready);
	daemon_signal(SIGHUP);
	expect("^RELOADING=1\nMONOTONIC_USEC=[0-9]+\nSTATUS=");
	expect(ready);
	add_service("zzbroken", "nosuch = attribute\n");
	daemon_reload();
	expect("^RELOADING=1\n");
	expect(ready);
	daemon_signal(SIGTERM);
	expect("^STOPPING=1\n");
	ck_assert_int_eq(daemon_wait_end(), 0);
}
END_TEST

START_TEST(a_reload_that_fails_is_over_too)
{
	be_manager("manager");
	add_service("zzhello", HELLO);
	start_with(NULL, NULL);
	expect("^READY=1\n");
	ck_assert_int_eq(unlink(configuration_path()), 0);
	daemon_signal(SIGHUP);
	expect("^RELOADING=1\n");
	expect("^READY=1\n");
}
END_TEST

START_TEST(the_watchdog_is_told_in_time)
{
	char text[64] = "";

	be_manager("manager");
	add_service("zzhello", HELLO);
	start_with("WATCHDOG_USEC=100000", NULL);
	for (int told = 0; told < 3; told += strcmp(text, "WATCHDOG=1") == 0) {
		struct pollfd ready = { .fd = manager, .events = POLLIN };
		ssize_t size;

		ck_assert_int_eq(poll(&ready, 1, DEADLINE_MS), 1);
		size = recv(manager, text, sizeof text - 1, 0);
		text[size > 0 ? size : 0] = '\0';
	}
}
END_TEST

/* Each program would be the daemon to the manager. */
START_TEST(programs_do_not_know_the_manager)
{
	int port;

	be_manager("manager");
	port = add_service("zzenv", "server = /usr/bin/env\n");
	start_with("WATCHDOG_USEC=100000000", "WATCHDOG_PID=1");
	ck_assert_ptr_null(strstr(ask(port, ""), "NOTIFY_SOCKET"));
	ck_assert_ptr_null(strstr(ask(port, ""), "WATCHDOG"));
}
END_TEST

START_TEST(a_manager_that_is_not_there_is_told_nothing)
{
	int port = add_service("zzhello", HELLO);

	variable = textf("NOTIFY_SOCKET=%s", place_path("nobody"));
	start_with(NULL, NULL);
	daemon_wait_log("ERROR: can't reach the service manager at .*nobody");
	ck_assert_str_eq(ask(port, ""), "hello\n");
}
END_TEST

Suite *service_manager_suite(void)
{
	Suite *suite = suite_create("service_manager");
	TCase *tcase = daemon_tcase(suite, "service manager");

	tcase_add_loop_test(tcase, the_manager_is_told_of_each_state, 0,
			    sizeof names / sizeof names[0]);
	tcase_add_test(tcase, a_reload_that_fails_is_over_too);
	tcase_add_test(tcase, the_watchdog_is_told_in_time);
	tcase_add_test(tcase, programs_do_not_know_the_manager);
	tcase_add_test(tcase, a_manager_that_is_not_there_is_told_nothing);
	return suite;
}
