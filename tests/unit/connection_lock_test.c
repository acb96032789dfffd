/* Connections over the loopback, and what becomes of them when they are turned elsewhere. */
#include "monitor/connection_lock.h"

#include "base/address.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	const char *listener, *target; /* the second is how the client calls the first */
	const char *elsewhere;
} routes[] = {
	{ "127.0.0.1", "127.0.0.1", "127.0.0.1" },
	{ "::1", "::1", "::1" },
	{ "::", "127.0.0.1", "127.0.0.1" }, /* mapped */
};

static int socket_at(const char *host, struct address *address)
{
	int fd;

	ck_assert_int_eq(address_parse(address, host, 0), 0);
	fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static int listen_at(const char *host, uint16_t *port)
{
	struct address address;
	int fd = socket_at(host, &address);

	ck_assert_int_eq(bind(fd, &address.any, address.length), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(address_of_socket(fd, &address), 0);
	*port = address_port(&address);
	return fd;
}

static int connect_to(const char *host, uint16_t port)
{
	struct address address;
	int fd = socket_at(host, &address);

	ck_assert_int_eq(address_parse(&address, host, port), 0);
	ck_assert_int_eq(connect(fd, &address.any, address.length), 0);
	return fd;
}

static void expect_byte(int from, int to)
{
	struct pollfd ready = { .fd = to, .events = POLLIN };
	char byte = 'x', got = '-';

	ck_assert_int_eq(write(from, &byte, 1), 1);
	ck_assert_int_eq(poll(&ready, 1, 5000), 1);
	ck_assert_int_eq(read(to, &got, 1), 1);
	ck_assert_int_eq(got, 'x');
}

/* A socket of IPv6 takes an IPv4 address only in this form (RFC 4291). */
static struct sockaddr_in6 mapped(const struct address *address)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = address->in4.sin_port };

	in6.sin6_addr.s6_addr[10] = in6.sin6_addr.s6_addr[11] = 0xff;
	memcpy(&in6.sin6_addr.s6_addr[12], &address->in4.sin_addr, 4);
	return in6;
}

static bool is_of_ipv6(int fd)
{
	int domain = 0;

	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain,
				    &(socklen_t){ sizeof domain }),
			 0);
	return domain == AF_INET6;
}

/* How the socket of a connection, taken from its client, is connected elsewhere: 0 or errno. */
static int turn_to(int fd, const char *host, uint16_t port)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	const struct timeval patience = { .tv_usec = 100 * 1000 };
	struct address address;

	ck_assert_int_eq(connect(fd, &nobody, sizeof nobody), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
	ck_assert_int_eq(address_parse(&address, host, port), 0);
	if (address.any.sa_family == AF_INET && is_of_ipv6(fd)) {
		struct sockaddr_in6 in6 = mapped(&address);

		return connect(fd, (struct sockaddr *)&in6, sizeof in6) == 0 ? 0 : errno;
	}
	return connect(fd, &address.any, address.length) == 0 ? 0 : errno;
}

/* Some kernels give filters only to root. */
static bool can_lock(int fd)
{
	if (connection_lock(fd) == 0)
		return true;
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_ne(geteuid(), 0);
	return false;
}

START_TEST(only_the_client_can_be_reached)
{
	uint16_t port, other_port;
	int listener = listen_at(routes[_i].listener, &port);
	int other = listen_at(routes[_i].elsewhere, &other_port);
	int client = connect_to(routes[_i].target, port), free_client, fd, lock = 0;

	fd = accept(listener, NULL, NULL);
	if (!can_lock(fd))
		return;
	ck_assert_int_eq(connection_lock(fd), 0); /* again does no harm */
	expect_byte(client, fd);
	expect_byte(fd, client);
	ck_assert_int_lt(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &lock, sizeof lock), 0);
	ck_assert_int_lt(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &lock, sizeof lock), 0);
	ck_assert_int_eq(turn_to(fd, routes[_i].elsewhere, other_port), EINPROGRESS);

	/* One that is not locked leads there. */
	free_client = connect_to(routes[_i].target, port);
	close(fd);
	fd = accept(listener, NULL, NULL);
	ck_assert_int_eq(turn_to(fd, routes[_i].elsewhere, other_port), 0);
	close(free_client);
	close(fd);
	close(client);
	close(other);
	close(listener);
}
END_TEST

START_TEST(a_connection_without_a_client_gets_nothing)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	struct pollfd reset;
	uint16_t port;
	int listener = listen_at("127.0.0.1", &port);
	int client = connect_to("127.0.0.1", port), fd = accept(listener, NULL, NULL);

	ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
	close(client);
	reset = (struct pollfd){ .fd = fd, .events = POLLIN };
	ck_assert_int_eq(poll(&reset, 1, 5000), 1);
	if (!can_lock(fd))
		return;
	ck_assert_int_eq(turn_to(fd, "127.0.0.1", port), EINPROGRESS);
	close(fd);
	close(listener);
}
END_TEST

/* A server that had the listening socket can leave one that lets in all. */
START_TEST(the_lock_of_somebody_else_is_none)
{
	static struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, (unsigned)-1) };
	static const struct sock_fprog program = { 1, all };
	static const int yes = 1;
	uint16_t port;
	int listener = listen_at("127.0.0.1", &port), client = connect_to("127.0.0.1", port), fd;

	if (setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0)
		return;
	ck_assert_int_eq(setsockopt(listener, SOL_SOCKET, SO_LOCK_FILTER, &yes, sizeof yes), 0);
	close(client);
	close(accept(listener, NULL, NULL)); /* that of a connection from before */
	client = connect_to("127.0.0.1", port);
	fd = accept(listener, NULL, NULL);
	ck_assert_int_eq(connection_lock(fd), -1);
	ck_assert_int_eq(errno, EPERM);
	close(fd);
	close(client);
	close(listener);
}
END_TEST

/* --- without a filter --- */

static int error_of(long result)
{
	return result < 0 ? errno : 0;
}

#ifdef __x86_64__
/* The exit status of a process that makes a call of 32-bit programs; above 255: it was killed, as
 * by a kernel without such calls. */
static int call32(unsigned number, unsigned long one)
{
	pid_t child = fork();
	int status;
	long result;

	if (child == 0) {
		__asm__ volatile("int $0x80"
				 : "=a"(result)
				 : "a"(number), "b"(one), "c"(0), "d"(MSG_FASTOPEN),
				   "S"(MSG_FASTOPEN)
				 : "memory", "r8", "r9", "r10", "r11");
		_exit((int)-result);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 256;
}

static bool is_held32(int fd, bool has_landlock)
{
	static const unsigned calls[] = { 102, 363, 369, 370, 345 };

	if (!has_landlock)
		return call32(24, 0) == EPERM || call32(24, 0) > 255;
	if (call32(64, 0) > 255)
		return true;
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		if (call32(calls[i], (unsigned long)fd) != EPERM)
			return false;
	return call32(6 /* close */, (unsigned long)fd) == 0;
}
#else
static bool is_held32(int fd, bool has_landlock)
{
	(void)fd;
	(void)has_landlock;
	return true;
}
#endif

/* 0: nothing leads to the host's network. */
static int look_for_a_way(int fd, bool has_landlock)
{
	struct address there;
	struct msghdr message = { .msg_name = NULL };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || connection_lock_process() < 0 ||
	    address_parse(&there, "127.0.0.1", 9) < 0)
		return 1;
	if (error_of(connect(fd, &there.any, there.length)) != (has_landlock ? EACCES : EPERM))
		return 2;
	if (has_landlock &&
	    (error_of(listen(fd, 1)) != EPERM ||
	     error_of(bind(fd, &there.any, there.length)) != EACCES ||
	     error_of(sendto(fd, "", 1, MSG_FASTOPEN, &there.any, there.length)) != EPERM ||
	     error_of(sendmsg(fd, &message, MSG_FASTOPEN)) != EPERM ||
	     error_of(sendmmsg(fd, NULL, 0, MSG_FASTOPEN)) != EPERM))
		return 3;
	if (error_of(syscall(SYS_io_uring_setup, 1, NULL)) != EPERM)
		return 4;
	if (error_of(send(fd, "", 1, MSG_NOSIGNAL)) != EPIPE)
		return 5;
	return is_held32(fd, has_landlock) ? 0 : 6;
}

START_TEST(a_locked_process_has_no_way_to_the_network)
{
	bool has_landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 4;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), status;
	pid_t child = fork();

	if (child == 0)
		_exit(look_for_a_way(fd, has_landlock));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	close(fd);
}
END_TEST

START_TEST(other_files_are_left_alone)
{
	int pair[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);

	ck_assert_int_eq(connection_lock(null), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_int_eq(connection_lock(pair[0]), 0);
	close(pair[0]);
	close(pair[1]);
	close(null);
}
END_TEST

START_TEST(other_protocols_are_refused)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connection_lock(fd), -1);
	ck_assert_int_eq(errno, EPROTONOSUPPORT);
	close(fd);
}
END_TEST

Suite *connection_lock_suite(void)
{
	Suite *suite = suite_create("connection_lock");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(all, only_the_client_can_be_reached, 0,
			    sizeof routes / sizeof routes[0]);
	tcase_add_test(all, a_connection_without_a_client_gets_nothing);
	tcase_add_test(all, the_lock_of_somebody_else_is_none);
	tcase_add_test(all, a_locked_process_has_no_way_to_the_network);
	tcase_add_test(all, other_files_are_left_alone);
	tcase_add_test(all, other_protocols_are_refused);
	suite_add_tcase(suite, all);
	return suite;
}
