#include "monitor/handed_file.h"

#include "base/loop.h"
#include "base/timer.h"
#include "base/clock.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char directory[] = "/tmp/usherd-handed-XXXXXX", path[64];
static int failure;

static void on_failed(struct handed_file *file, int error)
{
	(void)file;
	failure = error;
}

static void setup(void)
{
	ck_assert_int_eq(loop_init(), 0);
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/file", directory);
}

static void teardown(void)
{
	unlink(path);
	ck_assert_int_eq(rmdir(directory), 0);
}

/* Returns its ticket. */
static uint64_t begin(struct handed_file *file)
{
	int fd = handed_file_open(file, path, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	close(fd);
	return file->ticket;
}

START_TEST(what_is_written_replaces_the_file)
{
	struct handed_file file = { .failed = on_failed };
	uint64_t ticket = begin(&file);

	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert(handed_file_finish(&file, ticket));
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert(!handed_file_finish(&file, ticket));
}
END_TEST

/* The writer was stopped for a while. */
START_TEST(an_answer_that_comes_late_finishes_nothing_else)
{
	struct handed_file file = { .failed = on_failed };
	uint64_t late = begin(&file), ticket;

	timers_run(clock_now() + HANDED_FILE_MS);
	ck_assert_int_eq(failure, ETIMEDOUT);
	ticket = begin(&file);
	ck_assert(!handed_file_finish(&file, late));
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert(handed_file_finish(&file, ticket));
}
END_TEST

Suite *handed_file_suite(void);

Suite *handed_file_suite(void)
{
	Suite *suite = suite_create("handed_file");
	TCase *tests = tcase_create("handed_file");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_is_written_replaces_the_file);
	tcase_add_test(tests, an_answer_that_comes_late_finishes_nothing_else);
	suite_add_tcase(suite, tests);
	return suite;
}
