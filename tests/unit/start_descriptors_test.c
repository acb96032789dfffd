#include "base/start_descriptors.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

static const struct {
	const char *path;
	int number;
} names[] = {
	{ "-", 1 },
	{ "/dev/stdin", 0 },
	{ "/dev/stdout", 1 },
	{ "/dev/stderr", 2 },
	{ "/dev/fd/0", 0 },
	{ "/dev/fd/17", 17 },
	{ "/proc/self/fd/2", 2 },
	{ "/dev/fd/99999999999999999999", INT_MAX },
	{ "/dev/fd/", NO_DESCRIPTOR },
	{ "/dev/fd/1x", NO_DESCRIPTOR },
	{ "/dev/fd/-1", NO_DESCRIPTOR },
	{ "/dev/fd/+1", NO_DESCRIPTOR },
	{ "/dev/fd/1/2", NO_DESCRIPTOR },
	{ "/dev/stdout2", NO_DESCRIPTOR },
	{ "/proc/self/fd", NO_DESCRIPTOR },
	{ "/proc/1/fd/9", NO_DESCRIPTOR }, /* closed here, or another file there */
	{ "/proc/2/fd/1", NO_DESCRIPTOR },
	{ "--", NO_DESCRIPTOR },
	{ "", NO_DESCRIPTOR },
	{ "/var/log/usherd.log", NO_DESCRIPTOR },
};

START_TEST(names_are_known)
{
	ck_assert_int_eq(start_descriptor_named(names[_i].path), names[_i].number);
}
END_TEST

START_TEST(those_of_process_1_are_known)
{
	ck_assert(start_descriptor_is_of_init("/proc/1/fd/2"));
	ck_assert(!start_descriptor_is_of_init("/proc/1/fd/"));
	ck_assert(!start_descriptor_is_of_init("/proc/11/fd/2"));
}
END_TEST

/* 3 is a pipe, 4 is closed; the rest is as the test has it. */
static int take(void)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ends[0] = fcntl(ends[0], F_DUPFD_CLOEXEC, 40);
	ck_assert_int_ge(dup2(ends[1], 3), 0);
	close(4);
	start_descriptors_take(60, false);
	return ends[0];
}

START_TEST(a_descriptor_can_be_written_to_again_and_again)
{
	int reader = take(), one, other;
	char buffer[8];

	ck_assert_int_eq(fcntl(3, F_GETFD), -1);
	one = start_descriptor_open(3);
	ck_assert_int_eq(write(one, "a", 1), 1);
	close(one);
	start_descriptors_leave();
	other = start_descriptor_open(3);
	ck_assert(fcntl(other, F_GETFD) & FD_CLOEXEC);
	ck_assert_int_eq(write(other, "b", 1), 1);
	ck_assert_int_eq(read(reader, buffer, sizeof buffer), 2);
}
END_TEST

START_TEST(what_nobody_logs_to_is_closed)
{
	int reader = take();
	char byte;

	start_descriptors_leave();
	ck_assert_int_eq(start_descriptor_open(3), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(read(reader, &byte, 1), 0);
	ck_assert_int_ge(start_descriptor_open(STDERR_FILENO), 0);
}
END_TEST

START_TEST(what_was_closed_takes_nothing)
{
	int fd;

	take();
	fd = start_descriptor_open(4);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "a", 1), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(start_descriptor_open(START_DESCRIPTORS), -1);
}
END_TEST

Suite *start_descriptors_suite(void)
{
	Suite *suite = suite_create("start_descriptors");
	TCase *tests = tcase_create("start_descriptors");

	tcase_add_loop_test(tests, names_are_known, 0, sizeof names / sizeof names[0]);
	tcase_add_test(tests, those_of_process_1_are_known);
	tcase_add_test(tests, a_descriptor_can_be_written_to_again_and_again);
	tcase_add_test(tests, what_nobody_logs_to_is_closed);
	tcase_add_test(tests, what_was_closed_takes_nothing);
	suite_add_tcase(suite, tests);
	return suite;
}
