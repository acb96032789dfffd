/* Paths in another root: what is found, and that nothing leads out of it. */
#include "base/path_in_root.h"
#include "support/place.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int root;

/* root/inside/file, links to it, and links that try to leave. */
static void make_root(void)
{
	static const char *const links[][2] = {
		{ "/inside/file", "root/absolute" },      { "inside/file", "root/relative" },
		{ "../../../outside", "root/inside/up" }, { "/outside", "root/away" },
		{ "/inside", "root/directory" },
	};

	place_make();
	ck_assert(mkdir(place_path("root"), 0755) == 0 &&
		  mkdir(place_path("root/inside"), 0755) == 0);
	place_write("root/inside/file", "x");
	place_write("outside", "x");
	for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
		ck_assert_int_eq(symlink(links[i][0], place_path(links[i][1])), 0);
	root = open(place_path("root"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(root, 0);
}

static const struct {
	const char *path;
	int following, not_following; /* errno; 0: it is opened */
} paths[] = {
	{ "/", 0, 0 },
	{ "/inside/file", 0, 0 },
	{ "inside//file", 0, 0 },
	{ "/../../inside/file", 0, 0 },
	{ "/inside/../inside/file", 0, 0 },
	{ "/absolute", 0, ELOOP },
	{ "/relative", 0, ELOOP },
	{ "/directory/file", 0, ELOOP },
	{ "/../outside", ENOENT, ENOENT },
	{ "/outside", ENOENT, ENOENT },
	{ "/away", ENOENT, ELOOP },
	{ "/inside/up", ENOENT, ELOOP },
	{ "/inside/file/x", ENOTDIR, ENOTDIR },
};

static int error_of(const char *path, enum path_links links)
{
	int fd = path_in_root_open(root, path, O_PATH, links), error = errno;

	if (fd < 0)
		return error;
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	return 0;
}

START_TEST(stays_in_the_root)
{
	ck_assert_int_eq(error_of(paths[_i].path, PATH_FOLLOW_LINKS), paths[_i].following);
	ck_assert_int_eq(error_of(paths[_i].path, PATH_NO_LINKS), paths[_i].not_following);
}
END_TEST

START_TEST(finds_where_a_path_is)
{
	char real[PATH_MAX];

	ck_assert_int_eq(path_in_root_find(place_path("root"), "/directory/../absolute", real), 0);
	ck_assert_str_eq(real, place_path("root/inside/file"));
	ck_assert_int_eq(path_in_root_find(place_path("root"), "/away", real), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(path_in_root_find(place_path("none"), "/", real), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

static const struct {
	const char *directory, *path, *below;
} places[] = {
	{ "/", "/", "" },        { "/", "/a", "/a" },          { "/a", "/a", "" },
	{ "/a", "/a/", "" },     { "/a/", "/a", "" },          { "/a", "/a/b", "/b" },
	{ "/a/", "/a/b", "/b" }, { "/a/b", "/a/b/c/", "/c/" }, { "//a/./b/.", "/a//b/c", "/c" },
	{ "/a", "/a/./.", "" },  { "/a", "/a/.b", "/.b" },     { "/a", "/ab", NULL },
	{ "/ab", "/a", NULL },   { "/a/b", "/a", NULL },       { "/a", "/", NULL },
	{ "/a", "/b/a", NULL },  { "/.a", "/a", NULL },        { "/a", "/../a", NULL },
};

START_TEST(knows_what_is_below_a_directory)
{
	const char *below = path_below(places[_i].directory, places[_i].path);

	ck_assert_msg((below == NULL) == (places[_i].below == NULL), "%s in %s", places[_i].path,
		      places[_i].directory);
	if (below)
		ck_assert_str_eq(below, places[_i].below);
}
END_TEST

Suite *path_in_root_suite(void)
{
	Suite *suite = suite_create("path_in_root");
	TCase *tests = tcase_create("path_in_root");
	int fd = path_in_root_open(AT_FDCWD, ".", O_PATH, PATH_FOLLOW_LINKS);

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, knows_what_is_below_a_directory, 0,
			    (int)(sizeof places / sizeof places[0]));
	if (fd < 0 && errno == ENOSYS)
		return suite;
	close(fd);
	tcase_add_checked_fixture(tests, make_root, place_remove);
	tcase_add_loop_test(tests, stays_in_the_root, 0, (int)(sizeof paths / sizeof paths[0]));
	tcase_add_test(tests, finds_where_a_path_is);
	return suite;
}
