/* Paths in another root: what is found, and that nothing leads out of it. */
#include "base/path_in_root.h"
#include "support/place.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
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

/* --- who could move it ------------------------------------------------------------------------ */

enum { STRANGER = 54322, GROUP = 54323 };

static void make_owned(const char *name, mode_t mode)
{
	const char *path = place_path(name);

	ck_assert_int_eq(mkdir(path, 0700), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(chown(path, 54321, GROUP), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static void make_movable(void)
{
	place_make();
	make_owned("root", 0755);
	make_owned("root/own", 0755);
	make_owned("root/own/a", 0755);
	make_owned("root/own/a/b", 0755);
	make_owned("root/own/a/b/c", 0755);
	make_owned("root/open", 0777);
	make_owned("root/open/a", 0755);
	make_owned("root/open/a/b", 0755);
	make_owned("root/sticky", 01777);
	make_owned("root/sticky/a", 0755);
	make_owned("root/sticky/a/b", 0755);
	make_owned("root/group", 0775);
	make_owned("root/group/a", 0755);
	make_owned("root/group/a/b", 0755);
}

static const struct {
	bool is_owner;
	const char *writable; /* NULL: everything */
	const char *path, *where;
} movables[] = {
	{ true, "/own", "/own/a/b", "/own" },
	{ true, "/own/", "//own/./a/b", "//own" },
	{ true, "/own", "/own/a", NULL },
	{ true, "/own", "/own", NULL },
	{ true, "/open", "/own/a/b", NULL },
	{ true, "/own/a", "/own/a/b", NULL },
	{ true, "/own/a", "/own/a/b/c", "/own/a" },
	{ true, "/own/a/b", "/own/a/b/c", NULL },
	{ true, "/own/a/b", "/own/a/b/c/", NULL },
	{ true, "/sticky", "/sticky/a/b", "/sticky" },
	{ true, "/own", "/", NULL },
	{ true, "/own", "/own/none/b", "/own" },
	{ true, "/own", "/open/none/b", NULL },
	{ true, "/own", "/none/a/b", NULL },
	{ false, NULL, "/own/a/b", NULL },
	{ false, NULL, "/open/a/b", "/open" },
	{ false, "/own", "/open/a/b", NULL },
	{ false, NULL, "/open/a", NULL },
	{ false, NULL, "/sticky/a/b", NULL },
	{ false, NULL, "/group/a/b", "/group" },
};

START_TEST(knows_who_could_move_a_directory)
{
	char *writable[] = { (char *)(uintptr_t)movables[_i].writable, NULL };
	struct path_user user = {
		.uid = movables[_i].is_owner ? geteuid() == 0 ? 54321 : geteuid() : STRANGER,
		.gid = geteuid() == 0 ? GROUP : getegid(),
		.writable = writable,
		.count = writable[0] ? 1 : 0,
		.all_are_writable = !writable[0],
	};
	char where[PATH_MAX] = "";
	int fd = open(place_path("root"), O_PATH | O_CLOEXEC);
	bool can_move = path_in_root_can_move(&user, fd, movables[_i].path, where);

	close(fd);
	ck_assert_msg(can_move == (movables[_i].where != NULL), "%s", movables[_i].path);
	if (can_move)
		ck_assert_str_eq(where, movables[_i].where);
}
END_TEST

Suite *path_in_root_suite(void)
{
	Suite *suite = suite_create("path_in_root");
	TCase *tests = tcase_create("path_in_root"), *moving = tcase_create("moving");
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
	tcase_add_checked_fixture(moving, make_movable, place_remove);
	tcase_add_loop_test(moving, knows_who_could_move_a_directory, 0,
			    (int)(sizeof movables / sizeof movables[0]));
	suite_add_tcase(suite, moving);
	return suite;
}
