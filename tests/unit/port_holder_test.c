#include "monitor/port_holder.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket, and the address that can't be had because of it. */
static const struct {
	int type;
	const char *bound, *wanted;
	bool is_found;
} sockets[] = {
	{ SOCK_STREAM, "127.0.0.1", "127.0.0.1", true },
	{ SOCK_STREAM, "127.0.0.1", "0.0.0.0", true },
	{ SOCK_STREAM, "0.0.0.0", "127.0.0.1", true },
	{ SOCK_STREAM, "127.0.0.1", "127.0.0.2", false },
	{ SOCK_STREAM, "::1", "::1", true },
	{ SOCK_STREAM, "::", "127.0.0.1", true },
	{ SOCK_STREAM, "127.0.0.1", "::", true },
	{ SOCK_STREAM, "::1", "127.0.0.1", false },
	{ SOCK_DGRAM, "127.0.0.1", "127.0.0.1", true },
	{ SOCK_DGRAM, "::1", "::", true },
};

START_TEST(a_holder_is_found)
{
	struct address address, wanted;
	char text[HOLDER_TEXT_SIZE], expected[HOLDER_TEXT_SIZE];
	int fd;

	prctl(PR_SET_NAME, "a b\n\xff");
	ck_assert_int_eq(address_parse(&address, sockets[_i].bound, 0), 0);
	fd = socket(address.any.sa_family, sockets[_i].type | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, &address.any, address.length), 0);
	ck_assert(sockets[_i].type == SOCK_DGRAM || listen(fd, 1) == 0);
	ck_assert_int_eq(address_of_socket(fd, &address), 0);
	ck_assert_int_eq(address_parse(&wanted, sockets[_i].wanted, address_port(&address)), 0);
	snprintf(expected, sizeof expected, "a b\\n\\xFF (pid %d)", (int)getpid());
	ck_assert_str_eq(port_holder_find(sockets[_i].type, &wanted, text),
			 sockets[_i].is_found ? expected : "");
	/* Another port, and another protocol. */
	ck_assert_str_eq(port_holder_find(sockets[_i].type == SOCK_DGRAM ? SOCK_STREAM : SOCK_DGRAM,
					  &wanted, text),
			 "");
	ck_assert_str_eq(port_holder_find(SOCK_RAW, &wanted, text), "");
	close(fd);
	ck_assert_str_eq(port_holder_find(sockets[_i].type, &wanted, text), "");
}
END_TEST

Suite *port_holder_suite(void);

Suite *port_holder_suite(void)
{
	Suite *suite = suite_create("port_holder");
	TCase *tests = tcase_create("port_holder");

	tcase_add_loop_test(tests, a_holder_is_found, 0, sizeof sockets / sizeof sockets[0]);
	suite_add_tcase(suite, tests);
	return suite;
}
