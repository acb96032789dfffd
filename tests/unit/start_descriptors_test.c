#include "base/start_descriptors.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/wait.h>
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

/* For the processes below, in which the descriptors of Check are moved: no assertion of its own
 * works there. */
#define expect(condition) \
	do { \
		if (!(condition)) \
			_exit(__LINE__ % 255 + 1); \
	} while (0)

/* 3 is a pipe, 4 is closed; the rest is as the test has it. */
static int take(void)
{
	int ends[2], reader;

	expect(pipe2(ends, O_CLOEXEC) == 0);
	reader = fcntl(ends[0], F_DUPFD_CLOEXEC, 40);
	expect(ends[1] == 3 || (dup2(ends[1], 3) == 3 && close(ends[1]) == 0));
	close(4);
	start_descriptors_take(60);
	return reader;
}

static void write_again_and_again(void)
{
	int reader = take(), one, other;
	char buffer[8];

	expect(fcntl(3, F_GETFD) == -1);
	one = start_descriptor_open(3);
	expect(write(one, "a", 1) == 1);
	close(one);
	start_descriptors_leave(false);
	other = start_descriptor_open(3);
	expect(fcntl(other, F_GETFD) & FD_CLOEXEC);
	expect(write(other, "b", 1) == 1);
	expect(read(reader, buffer, sizeof buffer) == 2);
}

static void leave(void)
{
	int reader = take();
	char byte;

	start_descriptors_leave(false);
	expect(start_descriptor_open(3) == -1 && errno == EBADF);
	expect(read(reader, &byte, 1) == 0);
	expect(start_descriptor_open(STDERR_FILENO) >= 0);
	start_descriptors_leave(true);
	expect(start_descriptor_open(STDERR_FILENO) >= 0);
	expect(start_descriptor_open(STDIN_FILENO) == -1 && errno == EBADF);
}

static void write_to_closed(void)
{
	int fd;

	take();
	fd = start_descriptor_open(4);
	expect(fd >= 0);
	expect(write(fd, "a", 1) == -1 && errno == EBADF);
	expect(start_descriptor_open(START_DESCRIPTORS) == -1 && errno == EBADF);
}

static void (*const uses[])(void) = { write_again_and_again, leave, write_to_closed };

START_TEST(descriptors_of_the_start_are_kept_for_logs)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		uses[_i]();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(status == 0, "line %d", WEXITSTATUS(status) - 1);
}
END_TEST

Suite *start_descriptors_suite(void)
{
	Suite *suite = suite_create("start_descriptors");
	TCase *tests = tcase_create("start_descriptors");

	tcase_add_loop_test(tests, names_are_known, 0, sizeof names / sizeof names[0]);
	tcase_add_test(tests, those_of_process_1_are_known);
	tcase_add_loop_test(tests, descriptors_of_the_start_are_kept_for_logs, 0,
			    sizeof uses / sizeof uses[0]);
	suite_add_tcase(suite, tests);
	return suite;
}
