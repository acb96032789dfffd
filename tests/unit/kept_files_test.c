#include "base/kept_files.h"
#include "support/place.h"

#include <check.h>
#include <fcntl.h>
#include <unistd.h>

static struct kept_file *files;

static int open_one(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

START_TEST(what_is_kept_is_had_once)
{
	int fd = open_one();

	ck_assert(kept_files_add(&files, "/a", fd));
	ck_assert(kept_files_have(files, "/a"));
	ck_assert_int_eq(kept_files_take(&files, "/a"), fd);
	ck_assert(is_open(fd));
	ck_assert(!kept_files_have(files, "/a"));
	ck_assert_int_eq(kept_files_take(&files, "/a"), -1);
	ck_assert_ptr_null(files);
	close(fd);
}
END_TEST

START_TEST(paths_are_told_apart)
{
	static const char *const paths[] = { "", "/a", "/A", "/a/", "/a/b" };
	enum { PATHS = sizeof paths / sizeof paths[0] };
	int fds[PATHS];

	for (int i = 0; i < PATHS; i++)
		ck_assert(kept_files_add(&files, paths[i], fds[i] = open_one()));
	for (int i = 0; i < PATHS; i++) {
		ck_assert_int_eq(kept_files_take(&files, paths[i]), fds[i]);
		close(fds[i]);
	}
	ck_assert(!kept_files_have(files, "/"));
}
END_TEST

START_TEST(the_latest_of_a_path_counts)
{
	int first = open_one(), second = open_one();

	ck_assert(kept_files_add(&files, "/a", first));
	ck_assert(kept_files_add(&files, textf("/%s", "a"), second));
	ck_assert(!is_open(first));
	ck_assert_int_eq(kept_files_take(&files, "/a"), second);
	ck_assert(!kept_files_have(files, "/a"));
	close(second);
}
END_TEST

START_TEST(what_nobody_has_taken_is_closed)
{
	int fds[40];

	for (int i = 0; i < 40; i++)
		ck_assert(kept_files_add(&files, textf("/%d", i), fds[i] = open_one()));
	kept_files_close(&files);
	ck_assert_ptr_null(files);
	for (int i = 0; i < 40; i++)
		ck_assert(!is_open(fds[i]));
	kept_files_close(&files);
}
END_TEST

Suite *kept_files_suite(void);

Suite *kept_files_suite(void)
{
	Suite *suite = suite_create("kept_files");
	TCase *keeping = tcase_create("keeping");

	tcase_add_test(keeping, what_is_kept_is_had_once);
	tcase_add_test(keeping, paths_are_told_apart);
	tcase_add_test(keeping, the_latest_of_a_path_counts);
	tcase_add_test(keeping, what_nobody_has_taken_is_closed);
	suite_add_tcase(suite, keeping);
	return suite;
}
