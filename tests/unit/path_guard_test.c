#include "base/path_guard.h"
#include "support/place.h"

#include <check.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { DAEMON = 1, STRANGER = 54321 };

/* d/file: the modes and owners of both, and the check of one name for the file. */
struct scene {
	mode_t directory, file;
	uid_t directory_owner, file_owner;
	gid_t group; /* of both */
	uid_t trusted;
	const char *culprit;        /* last part of its path; NULL: none */
	const char *fault, *remedy; /* texts after the path, and before it */
};

static const struct scene scenes[] = {
	{ 0755, 0644, 0, 0, 0, 0, NULL, NULL, NULL },
	{ 0775, 0664, 0, 0, 0, 0, NULL, NULL, NULL },
	{ 0755, 0664, 0, 0, 7, 0, "file", "is writable by gid 7", "chmod g-w" },
	{ 0775, 0644, 0, 0, 7, 0, "d", "is writable by gid 7", "chmod g-w" },
	{ 0757, 0644, 0, 0, 0, 0, "d", "is writable by everybody", "chmod o-w" },
	{ 01777, 0644, 0, 0, 0, 0, NULL, NULL, NULL },
	{ 01777, 0644, 0, STRANGER, 0, 0, "file", "belongs to uid 54321", "chown root" },
	{ 01777, 0644, 0, STRANGER, 0, STRANGER, NULL, NULL, NULL },
	{ 01777, 0644, STRANGER, 0, 0, 0, "d", "belongs to uid 54321", "chown root" },
	{ 0755, 0646, 0, 0, 0, 0, "file", "is writable by everybody", "chmod o-w" },
	{ 0755, 0644, STRANGER, 0, 0, 0, "d", "belongs to uid 54321", "chown root" },
	{ 0755, 0644, STRANGER, STRANGER, 0, STRANGER, NULL, NULL, NULL },
	{ 0775, 0644, STRANGER, STRANGER, 7, STRANGER, "d", "is writable by gid 7", "chmod g-w" },
	/* The group daemon has no members, or only the user daemon. */
	{ 0775, 0664, DAEMON, DAEMON, DAEMON, DAEMON, NULL, NULL, NULL },
	{ 0775, 0644, DAEMON, DAEMON, DAEMON, STRANGER, "d", "belongs to uid 1", "chown root" },
};

static void set(const char *name, uid_t owner, gid_t group, mode_t mode)
{
	ck_assert_int_eq(chown(place_path(name), owner, group), 0);
	ck_assert_int_eq(chmod(place_path(name), mode), 0);
}

static void make_scene(const struct scene *scene)
{
	ck_assert_int_eq(mkdir(place_path("d"), 0755), 0);
	place_write("d/file", "text\n");
	set("d/file", scene->file_owner, scene->group, scene->file);
	set("d", scene->directory_owner, scene->group, scene->directory);
}

static void check_found(const struct scene *scene, const struct path_guard *guard)
{
	char text[GUARD_TEXT_SIZE];

	ck_assert_msg(guard->is_changeable == (scene->culprit != NULL), "%s", guard->culprit);
	if (!scene->culprit)
		return;
	ck_assert_str_eq(strrchr(guard->culprit, '/') + 1, scene->culprit);
	ck_assert_str_eq(path_guard_fault(guard, text),
			 textf("%s %s", guard->culprit, scene->fault));
	ck_assert_str_eq(path_guard_remedy(guard, text),
			 textf("%s %s", scene->remedy, guard->culprit));
}

static void check_scene(const struct scene *scene, const char *name)
{
	struct path_guard guard = { .trusted = scene->trusted };
	int fd = path_guard_open(&guard, place_path(name), O_RDONLY, 0);

	ck_assert_msg(fd >= 0, "%s: %s", name, strerror(errno));
	close(fd);
	check_found(scene, &guard);
}

/* The second check uses the remembered directory. */
static void check_scene_twice(const struct scene *scene, const char *name)
{
	struct path_guard_place place = { .directory = -1 };

	for (int i = 0; i < 2; i++) {
		struct path_guard guard = { .trusted = scene->trusted };
		int fd = path_guard_open_near(&place, &guard, place_path(name), O_RDONLY);

		ck_assert_msg(fd >= 0, "%s: %s", name, strerror(errno));
		close(fd);
		check_found(scene, &guard);
	}
	path_guard_leave(&place);
	ck_assert_int_lt(place.directory, 0);
}

START_TEST(who_can_change_a_file_is_found)
{
	make_scene(&scenes[_i]);
	check_scene(&scenes[_i], "d/file");
	check_scene_twice(&scenes[_i], "d/file");
}
END_TEST

/* The same through root's link: its target is checked, too. */
START_TEST(it_is_found_where_a_link_leads)
{
	make_scene(&scenes[_i]);
	ck_assert_int_eq(symlink("d", place_path("link")), 0);
	ck_assert_int_eq(symlink("./link/../d//file", place_path("second")), 0);
	ck_assert_int_eq(symlink(place_path("second"), place_path("third")), 0);
	check_scene(&scenes[_i], "third");
	check_scene_twice(&scenes[_i], "third");
}
END_TEST

/* A remembered directory does not make its other files trusted. */
START_TEST(each_file_of_a_kept_directory_is_looked_at)
{
	struct path_guard_place place = { .directory = -1 };
	static const struct {
		const char *name;
		const char *text; /* NULL: there is none */
	} files[] = {
		{ "d/one", "1" }, { "d/two", "2" },  { "d/none", NULL }, { "d/two", "2" },
		{ "other", "3" }, { "d/link", "3" }, { "d/one", "1" },   { "other", "3" },
	};

	ck_assert_int_eq(mkdir(place_path("d"), 0755), 0);
	place_write("d/one", "1");
	place_write("d/two", "2");
	place_write("other", "3");
	ck_assert_int_eq(symlink("../other", place_path("d/link")), 0);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct path_guard guard = { .trusted = geteuid() };
		int fd = path_guard_open_near(&place, &guard, place_path(files[i].name), O_RDONLY);
		char text[2] = "";

		ck_assert_msg((fd >= 0) == (files[i].text != NULL), "%s", files[i].name);
		if (fd < 0)
			continue;
		ck_assert_int_eq(read(fd, text, 1), 1);
		ck_assert_str_eq(text, files[i].text);
		close(fd);
	}
	path_guard_leave(&place);
}
END_TEST

static const struct {
	const char *first, *then;
} pairs[] = {
	{ "here/d/", "here/d/file" },
	{ "here/d//", "here/d//file" },
	{ "here/d", "here/d/file" },
	{ "here/d/.", "here/d/file" },
	{ "here/d/..", "here/d/file" },
	{ "here/d/file", "here/d/" },
	{ "here/link/", "here/link/file" },
	{ "here/link/file", "here/d/file" },
	{ "/proc/self/status", "/proc/self/stat" },
	{ "/proc/self/root/proc/version", "/proc/self/root/proc/uptime" },
};

static ino_t inode(int fd)
{
	struct stat status;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &status), 0);
	close(fd);
	return status.st_ino;
}

static const char *path_of(const char *name)
{
	return *name == '/' ? name : place_path(name);
}

START_TEST(a_kept_directory_is_the_one_before_the_last_slash)
{
	struct path_guard_place place = { .directory = -1 };
	struct path_guard guard = { .trusted = geteuid() };
	const char *then = path_of(pairs[_i].then);

	ck_assert_int_eq(mkdir(place_path("here"), 0755), 0);
	ck_assert_int_eq(mkdir(place_path("here/d"), 0755), 0);
	ck_assert_int_eq(symlink("d", place_path("here/link")), 0);
	place_write("here/file", "another\n");
	place_write("here/d/file", "text\n");
	inode(path_guard_open_near(&place, &guard, path_of(pairs[_i].first), O_RDONLY));
	ck_assert_uint_eq(inode(path_guard_open_near(&place, &guard, then, O_RDONLY)),
			  inode(open(then, O_RDONLY)));
	path_guard_leave(&place);
}
END_TEST

static bool is_changeable(struct path_guard_place *place, const char *name)
{
	struct path_guard guard = { .trusted = geteuid() };
	int fd = path_guard_open_near(place, &guard, place_path(name), O_RDONLY);

	ck_assert_msg(fd >= 0, "%s: %s", name, strerror(errno));
	close(fd);
	return guard.is_changeable;
}

/* Where a link leads is not what is known of the directory. */
START_TEST(a_link_elsewhere_leaves_the_kept_directory_as_it_is)
{
	struct path_guard_place place = { .directory = -1 };

	ck_assert_int_eq(mkdir(place_path("open"), 0755), 0);
	ck_assert_int_eq(chmod(place_path("open"), 0757), 0);
	place_write("open/file", "1");
	place_write("other", "2");
	ck_assert_int_eq(symlink("other", place_path("link")), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert(is_changeable(&place, "open/file"));
		ck_assert(!is_changeable(&place, "link"));
	}
	path_guard_leave(&place);
}
END_TEST

/* An entry of an access control list for one user or group, besides rw-rw-r--. */
static const struct {
	unsigned tag, id, permissions;
	uid_t trusted;
	bool lets_others_write;
} lists[] = {
	{ ACL_USER, STRANGER, ACL_READ | ACL_WRITE, 0, true },
	{ ACL_USER, STRANGER, ACL_READ, 0, false },
	{ ACL_USER, STRANGER, ACL_READ | ACL_WRITE, STRANGER, false },
	{ ACL_USER, 0, ACL_READ | ACL_WRITE, 0, false },
	{ ACL_GROUP, 7, ACL_READ | ACL_WRITE, 0, true },
	{ ACL_GROUP, 7, ACL_READ, 0, false },
	{ ACL_GROUP, 0, ACL_READ | ACL_WRITE, 0, false },
};

static struct posix_acl_xattr_entry list_entry(unsigned tag, unsigned permissions, unsigned id)
{
	return (struct posix_acl_xattr_entry){
		.e_tag = htole16((uint16_t)tag),
		.e_perm = htole16((uint16_t)permissions),
		.e_id = htole32(id),
	};
}

/* False when the file system has no access control lists. */
static bool set_list(const char *path, unsigned tag, unsigned permissions, unsigned id)
{
	struct posix_acl_xattr_entry named = list_entry(tag, permissions, id);
	struct {
		struct posix_acl_xattr_header header;
		struct posix_acl_xattr_entry entries[5];
	} list = {
		{ htole32(POSIX_ACL_XATTR_VERSION) },
		{ list_entry(ACL_USER_OBJ, 6, ACL_UNDEFINED_ID) },
	};
	unsigned count = 1;

	if (tag == ACL_USER)
		list.entries[count++] = named;
	list.entries[count++] = list_entry(ACL_GROUP_OBJ, 6, ACL_UNDEFINED_ID);
	if (tag == ACL_GROUP)
		list.entries[count++] = named;
	list.entries[count++] = list_entry(ACL_MASK, 6, ACL_UNDEFINED_ID);
	list.entries[count] = list_entry(ACL_OTHER, 4, ACL_UNDEFINED_ID);
	if (setxattr(path, "system.posix_acl_access", &list, sizeof list, 0) == 0)
		return true;
	ck_assert_msg(errno == EOPNOTSUPP, "%s", strerror(errno));
	return false;
}

START_TEST(whom_an_access_control_list_names_can_change_a_file)
{
	static const struct scene plain = { .directory = 0755, .file = 0644 };
	struct scene scene = {
		.trusted = lists[_i].trusted,
		.culprit = lists[_i].lets_others_write ? "file" : NULL,
		.fault = "is writable by whom its access control list names",
		.remedy = "setfacl -b",
	};

	make_scene(&plain);
	if (set_list(place_path("d/file"), lists[_i].tag, lists[_i].permissions, lists[_i].id))
		check_scene(&scene, "d/file");
}
END_TEST

/* Links in d to a file of root. */
static const struct {
	struct scene scene;
	uid_t owner; /* of the link */
	bool is_followed;
} links[] = {
	{ { .directory = 0755, .file = 0644 }, 0, true },
	{ { .directory = 0755, .file = 0644 }, STRANGER, true },
	{ { .directory = 01777, .file = 0644 }, 0, true },
	{ { .directory = 01777, .file = 0644 }, STRANGER, false },
	{ { .directory = 01777, .file = 0644, .trusted = STRANGER }, STRANGER, true },
	{ { .directory = 0777, .file = 0644 }, 0, false },
	{ { .directory = 0755, .directory_owner = STRANGER, .file = 0644 }, 0, false },
	{ { .directory = 0755, .directory_owner = STRANGER, .file = 0644, .trusted = STRANGER },
	  STRANGER,
	  true },
};

START_TEST(a_link_that_others_can_lay_is_not_followed)
{
	struct path_guard guard = { .trusted = links[_i].scene.trusted };
	int fd;

	place_write("target", "text\n");
	make_scene(&links[_i].scene);
	ck_assert_int_eq(symlink("../target", place_path("d/link")), 0);
	ck_assert_int_eq(lchown(place_path("d/link"), links[_i].owner, 0), 0);
	fd = path_guard_open(&guard, place_path("d/link"), O_RDONLY, 0);
	ck_assert_int_eq(fd >= 0, links[_i].is_followed);
	ck_assert_int_eq(guard.refused_link, !links[_i].is_followed);
	ck_assert(fd >= 0 || errno == ELOOP);
	ck_assert(fd >= 0 || strcmp(guard.culprit, place_path("d")) == 0);
	if (fd >= 0)
		close(fd);
}
END_TEST

START_TEST(what_lies_below_a_foreign_directory_is_shared)
{
	struct path_guard guard = { .trusted = 0 };
	struct scene foreign = { .directory = 0755, .directory_owner = STRANGER, .file = 0644 };
	int fd;

	make_scene(&foreign);
	ck_assert_int_eq(mkdir(place_path("d/deep"), 0755), 0);
	fd = path_guard_open(&guard, place_path("d/deep/new"), O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert(guard.is_shared && guard.is_changeable);
	ck_assert_str_eq(guard.culprit, place_path("d"));
}
END_TEST

/* --- as anybody --- */

static const struct {
	const char *path;
	int error; /* 0: it opens */
} paths[] = {
	{ "file", 0 },
	{ "./file", 0 },
	{ "d/../file", 0 },
	{ "d/", EISDIR },
	{ "none", ENOENT },
	{ "none/file", ENOENT },
	{ "file/file", ENOTDIR },
	{ "loop", ELOOP },
	{ "dangling", ENOENT },
};

START_TEST(paths_lead_where_the_kernel_has_them_lead)
{
	struct path_guard guard = { .trusted = getuid() };
	int fd;

	place_write("file", "text\n");
	ck_assert_int_eq(mkdir(place_path("d"), 0755), 0);
	ck_assert_int_eq(symlink("loop", place_path("loop")), 0);
	ck_assert_int_eq(symlink("none", place_path("dangling")), 0);
	fd = path_guard_open(&guard, place_path(paths[_i].path), O_WRONLY, 0);
	ck_assert_int_eq(fd >= 0 ? 0 : errno, paths[_i].error);
	ck_assert(!guard.refused_link);
	if (fd >= 0)
		close(fd);
}
END_TEST

START_TEST(what_is_not_there_is_made_at_the_end_of_a_link)
{
	struct path_guard guard = { .trusted = getuid() };
	int fd;

	ck_assert_int_eq(symlink("none", place_path("dangling")), 0);
	fd = path_guard_open(&guard, place_path("dangling"), O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(access(place_path("none"), F_OK), 0);
	close(fd);
}
END_TEST

static void check_pipe(const char *path)
{
	struct path_guard guard = { .trusted = getuid() };
	int fd = path_guard_open(&guard, path, O_WRONLY, 0);

	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	ck_assert_int_eq(write(fd, "x", 1), 1);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}

/* /dev/stdout is such a link, to another link. */
START_TEST(the_links_of_proc_are_the_kernel_s)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(symlink(textf("/proc/self/fd/%d", ends[1]), place_path("link")), 0);
	check_pipe(place_path("link"));
	check_pipe(textf("/dev/fd/%d", ends[1]));
	check_pipe(textf("/proc/%d/fd/%d", (int)getpid(), ends[1]));
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(a_path_that_is_too_long_is_an_error)
{
	struct path_guard guard = { .trusted = 0 };
	char path[PATH_MAX + 1];

	memset(path, '/', PATH_MAX);
	path[PATH_MAX] = '\0';
	ck_assert_int_lt(path_guard_open(&guard, path, O_RDONLY, 0), 0);
	ck_assert_int_eq(errno, ENAMETOOLONG);
}
END_TEST

#define LENGTH(array) (int)(sizeof(array) / sizeof *(array))

Suite *path_guard_suite(void)
{
	Suite *suite = suite_create("path_guard");
	TCase *owners = tcase_create("owners"), *paths_case = tcase_create("paths");

	tcase_add_checked_fixture(owners, place_make, place_remove);
	tcase_add_checked_fixture(paths_case, place_make, place_remove);
	if (geteuid() == 0) {
		tcase_add_loop_test(owners, who_can_change_a_file_is_found, 0, LENGTH(scenes));
		tcase_add_loop_test(owners, whom_an_access_control_list_names_can_change_a_file, 0,
				    LENGTH(lists));
		tcase_add_loop_test(owners, it_is_found_where_a_link_leads, 0, LENGTH(scenes));
		tcase_add_loop_test(owners, a_link_that_others_can_lay_is_not_followed, 0,
				    LENGTH(links));
		tcase_add_test(owners, what_lies_below_a_foreign_directory_is_shared);
	}
	tcase_add_loop_test(paths_case, paths_lead_where_the_kernel_has_them_lead, 0,
			    LENGTH(paths));
	tcase_add_test(paths_case, each_file_of_a_kept_directory_is_looked_at);
	tcase_add_loop_test(paths_case, a_kept_directory_is_the_one_before_the_last_slash, 0,
			    LENGTH(pairs));
	tcase_add_test(paths_case, what_is_not_there_is_made_at_the_end_of_a_link);
	tcase_add_test(paths_case, a_link_elsewhere_leaves_the_kept_directory_as_it_is);
	tcase_add_test(paths_case, the_links_of_proc_are_the_kernel_s);
	tcase_add_test(paths_case, a_path_that_is_too_long_is_an_error);
	suite_add_tcase(suite, owners);
	suite_add_tcase(suite, paths_case);
	return suite;
}
