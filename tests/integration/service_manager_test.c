/* What the daemon tells the service manager that has started it, as sd_notify(3) has it. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
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
	expect("\nSTATUS=1 service available; entries with an error: 1$");
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
	expect("^READY=1\n.*\nSTATUS=1 service available; the last reload has failed$");
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

/* --- sockets of the manager ------------------------------------------------------------- */

static int passed[4]; /* become 3, 4 ... in the daemon */
static unsigned passed_count;

/* In the new process. */
static void pass_sockets(void)
{
	for (unsigned i = 0; i < passed_count; i++)
		if (dup2(passed[i], 200 + (int)i) < 0)
			_exit(126);
	for (unsigned i = 0; i < passed_count; i++)
		if (dup2(200 + (int)i, 3 + (int)i) < 0)
			_exit(126);
}

static void start_with_sockets(const char *more)
{
	const char *const environment[] = {
		variable ? variable : "A=a", "LISTEN_PID=", textf("LISTEN_FDS=%u", passed_count),
		"LISTEN_FDNAMES=names",      more,          NULL
	};

	daemon_start_with(
		&(struct daemon_options){ .environment = environment, .prepare = pass_sockets });
}

/* As a .socket unit opens it. */
static int open_socket(int port, int type)
{
	const struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					      .sin6_port = htons((uint16_t)port) };
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0), no = 0, yes = 1;

	ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 5), 0);
	return passed[passed_count++] = fd;
}

START_TEST(a_socket_of_the_manager_is_used)
{
	int port = add_service("zzhello", HELLO), udp = port_take(), early;

	add_service("echo", "port = %d\nsocket_type = dgram\ntype = INTERNAL UNLISTED\n", udp);
	open_socket(port, SOCK_STREAM);
	open_socket(udp, SOCK_DGRAM);
	early = client_connect(NULL, port); /* before there is a daemon */
	start_with_sockets(NULL);
	client_finish_sending(early);
	ck_assert_str_eq(client_read_line(early), "hello");
	ck_assert_str_eq(ask(port, ""), "hello\n");
	ck_assert_str_eq(datagram_ask(udp, "x"), "x");
	daemon_reload();
	ck_assert_str_eq(ask(port, ""), "hello\n");
	ck_assert(!text_matches(daemon_log(), "ERROR|WARNING"));
}
END_TEST

START_TEST(what_no_service_asks_for_is_closed)
{
	int port = add_service("zzhello", HELLO), other = port_take(), null;

	open_socket(other, SOCK_STREAM);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	passed[passed_count++] = null;
	start_with_sockets(NULL);
	daemon_wait_log("WARNING: the service manager's socket on ::, port %d, is closed", other);
	daemon_wait_log("ERROR: a descriptor of the service manager is of no use");
	ck_assert_str_eq(ask(port, ""), "hello\n");
}
END_TEST

START_TEST(programs_get_nothing_of_it)
{
	int port = add_service("zzenv", "server = /usr/bin/env\n");
	int lists = add_service("zzlist", "server = /bin/sh\nserver_args = -c \"echo "
					  "/proc/self/fd/*\"\n");

	open_socket(port, SOCK_STREAM);
	start_with_sockets(NULL);
	ck_assert_ptr_null(strstr(ask(port, ""), "LISTEN_"));
	ck_assert(!text_matches(ask(lists, ""), "/fd/[0-9][0-9]"));
}
END_TEST

enum { TEXT_SIZE = 256 };

/* The manager's next message, and the descriptor in it; -1: there is none. */
static int receive(char text[static TEXT_SIZE])
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = { .iov_base = text, .iov_len = TEXT_SIZE - 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof control };
	struct pollfd ready = { .fd = manager, .events = POLLIN };
	int fd;

	ck_assert_int_eq(poll(&ready, 1, DEADLINE_MS), 1);
	memset(text, 0, TEXT_SIZE);
	ck_assert_int_gt(recvmsg(manager, &message, MSG_CMSG_CLOEXEC), 0);
	if (message.msg_controllen == 0)
		return -1;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
	return fd;
}

/* The descriptor in the manager's next message. */
static int receive_stored(void)
{
	char text[TEXT_SIZE];
	int fd = receive(text);

	ck_assert_msg(text_matches(text, "^FDSTORE=1\nFDNAME=usherd-[0-9a-f-]+$"), "%s", text);
	ck_assert_int_ge(fd, 0);
	return fd;
}

/* Clients that come while no daemon runs wait in the socket that the manager keeps. */
START_TEST(a_restart_closes_no_port)
{
	int port = add_service("zzhello", HELLO), early;

	be_manager("manager");
	start_with("FDSTORE=8", NULL);
	passed[passed_count++] = receive_stored();
	expect("^READY=1\n");
	daemon_signal(SIGTERM);
	ck_assert_int_eq(daemon_wait_end(), 0);
	expect("^STOPPING=1\n"); /* and nothing is to be forgotten */
	early = client_connect(NULL, port);
	start_with_sockets("FDSTORE=8");
	client_finish_sending(early);
	ck_assert_str_eq(client_read_line(early), "hello");
	expect("^READY=1\n");
	configuration_clear();
	add_service("zzother", HELLO);
	daemon_reload();
	expect("^RELOADING=1\n");
	expect("^FDSTORE=1\n");
	expect("^FDSTOREREMOVE=1\nFDNAME=usherd-");
}
END_TEST

static bool listens(int fd)
{
	int value = 0;
	socklen_t size = sizeof value;

	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size), 0);
	return value;
}

/* The monitor is interrupted as soon as the frontend can run: while its descriptors are closed,
 * and before the kernel ends the frontend. */
static void let_frontend_run_first(pid_t monitor, pid_t frontend)
{
	const struct sched_param none = { 0 };
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	ck_assert_int_eq(sched_setaffinity(monitor, sizeof one, &one), 0);
	ck_assert_int_eq(sched_setaffinity(frontend, sizeof one, &one), 0);
	ck_assert_int_eq(sched_setscheduler(monitor, SCHED_IDLE, &none), 0);
}

START_TEST(a_crash_closes_no_port)
{
	pid_t frontend;
	int stored;

	be_manager("manager");
	add_service("zzhello", HELLO);
	start_with("FDSTORE=8", NULL);
	stored = receive_stored();
	frontend = process_frontend(daemon_pid());
	let_frontend_run_first(daemon_pid(), frontend);
	daemon_signal(SIGKILL);
	ck_assert_int_eq(daemon_wait_end(), SIGKILL);
	wait_until(!process_runs(frontend));
	ck_assert_msg(listens(stored), "the socket is shut down");
}
END_TEST

/* Fills the manager's queue, so that it has no room until it reads. */
static void fill_queue(void)
{
	struct sockaddr_un address;
	socklen_t length = sizeof address;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(getsockname(manager, (struct sockaddr *)&address, &length), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, length), 0);
	while (send(fd, "WATCHDOG=1", strlen("WATCHDOG=1"), 0) > 0)
		;
	ck_assert_int_eq(errno, EAGAIN);
	close(fd);
}

/* It would end a daemon whose READY=1 is lost. */
START_TEST(a_manager_that_has_no_room_is_told_later)
{
	bool has_socket = false, is_ready = false;

	be_manager("manager");
	fill_queue();
	add_service("zzhello", HELLO);
	start_with("FDSTORE=8", NULL);
	daemon_signal(SIGHUP);
	while (!has_socket || !is_ready) {
		const char *message = next_message();

		has_socket |= text_matches(message, "^FDSTORE=1\n");
		is_ready |= text_matches(message, "^READY=1\n");
	}
	ck_assert(!text_matches(daemon_log(), "ERROR"));
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
	tcase_add_test(tcase, a_socket_of_the_manager_is_used);
	tcase_add_test(tcase, what_no_service_asks_for_is_closed);
	tcase_add_test(tcase, programs_get_nothing_of_it);
	tcase_add_test(tcase, a_restart_closes_no_port);
	tcase_add_test(tcase, a_crash_closes_no_port);
	tcase_add_test(tcase, a_manager_that_has_no_room_is_told_later);
	return suite;
}
