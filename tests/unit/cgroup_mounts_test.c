#include "base/cgroup_mounts.h"

#include <check.h>
#include <string.h>

#define V2(root, point) "31 23 0:27 " root " " point " rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
#define V1(root, point, names) "40 23 0:36 " root " " point " rw - cgroup cgroup rw," names "\n"
#define OTHER "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"

static const struct {
	const char *mounts, *cgroups, *controller;
	const char *path; /* NULL: none */
} places[] = {
	{ OTHER V2("/", "/sys/fs/cgroup"), "0::/system.slice/usherd.service\n", NULL,
	  "/sys/fs/cgroup/system.slice/usherd.service" },
	{ V2("/", "/sys/fs/cgroup"), "0::/\n", NULL, "/sys/fs/cgroup" },
	{ V2("/", "/sys/fs/cgroup"), "0::/a\n", "memory", NULL },
	/* beside version 1 */
	{ V1("/", "/sys/fs/cgroup/memory", "memory") V2("/", "/sys/fs/cgroup/unified"),
	  "4:memory:/m\n1:cpu,cpuacct:/c\n0::/u\n", NULL, "/sys/fs/cgroup/unified/u" },
	{ V1("/", "/sys/fs/cgroup/memory", "memory") V2("/", "/sys/fs/cgroup/unified"),
	  "4:memory:/m\n1:cpu,cpuacct:/c\n0::/u\n", "memory", "/sys/fs/cgroup/memory/m" },
	{ V1("/", "/c", "cpu,cpuacct"), "1:cpu,cpuacct:/x\n", "cpu", "/c/x" },
	{ V1("/", "/c", "cpuset"), "1:cpuset:/x\n", "cpu", NULL },
	{ V1("/", "/c", "cpu,cpuacct"), "1:cpuset:/x\n", "cpu", NULL },
	/* containers that see a part of the hierarchy */
	{ V2("/docker/12", "/sys/fs/cgroup"), "0::/docker/12\n", NULL, "/sys/fs/cgroup" },
	{ V2("/docker/12", "/sys/fs/cgroup"), "0::/docker/12/a\n", NULL, "/sys/fs/cgroup/a" },
	{ V2("/docker/1", "/sys/fs/cgroup"), "0::/docker/12\n", NULL, NULL },
	{ V2("/docker/12", "/sys/fs/cgroup"), "0::/\n", NULL, NULL },
	{ V2("/", "/sys/fs/cgroup"), "0::/../other\n", NULL, NULL },
	{ V2("/docker/1", "/one") V2("/", "/two"), "0::/a\n", NULL, "/two/a" },
	/* escapes */
	{ V2("/", "/a\\040b"), "0::/c d\n", NULL, "/a b/c d" },
	{ V2("/x\\134y", "/a"), "0::/x\\y/z\n", NULL, "/a/z" },
	/* what is no such file */
	{ "", "", NULL, NULL },
	{ V2("/", "/a"), "", NULL, NULL },
	{ V2("/", "/a"), "0:\n0\n\n", NULL, NULL },
	{ "31 23 0:27 / /a rw - cgroup2\n", "0::/\n", NULL, NULL },
	{ "31 23 0:27 - cgroup2 cgroup2 rw\n", "0::/\n", NULL, NULL },
	{ "31 23 0:27 / /a rw shared:4 cgroup2 cgroup2 rw\n", "0::/\n", NULL, NULL },
	{ "\n\n" V2("/", "/a"), "0::/\n", NULL, "/a" },
};

START_TEST(finds_the_own_cgroup)
{
	char path[PATH_MAX] = "";
	bool found = cgroup_mounts_find(places[_i].mounts, places[_i].cgroups,
					places[_i].controller, path);

	ck_assert(found == (places[_i].path != NULL));
	if (found)
		ck_assert_str_eq(path, places[_i].path);
}
END_TEST

START_TEST(finds_no_path_that_is_too_long)
{
	char path[PATH_MAX], cgroups[2 * PATH_MAX] = "0::/";

	memset(cgroups + 4, 'a', PATH_MAX);
	ck_assert(!cgroup_mounts_find(V2("/", "/x"), cgroups, NULL, path));
	cgroups[PATH_MAX - 1] = '\0';
	ck_assert(!cgroup_mounts_find(V2("/", "/sys/fs/cgroup"), cgroups, NULL, path));
	cgroups[PATH_MAX - 20] = '\0';
	ck_assert(cgroup_mounts_find(V2("/", "/sys"), cgroups, NULL, path));
}
END_TEST

static const struct {
	const char *text, *word;
	bool has_it;
} lists[] = {
	{ "cpuset cpu io memory pids\n", "cpu", true },
	{ "cpuset cpu io memory pids\n", "pids", true },
	{ "rw,cpu,cpuacct", "cpuacct", true },
	{ "cpuset io", "cpu", false },
	{ "", "cpu", false },
	{ ",, \n", "cpu", false },
};

START_TEST(knows_words)
{
	ck_assert(cgroup_mounts_lists(lists[_i].text, lists[_i].word) == lists[_i].has_it);
}
END_TEST

Suite *cgroup_mounts_suite(void)
{
	Suite *suite = suite_create("cgroup_mounts");
	TCase *tests = tcase_create("cgroup_mounts");

	tcase_add_loop_test(tests, finds_the_own_cgroup, 0, sizeof places / sizeof places[0]);
	tcase_add_test(tests, finds_no_path_that_is_too_long);
	tcase_add_loop_test(tests, knows_words, 0, sizeof lists / sizeof lists[0]);
	suite_add_tcase(suite, tests);
	return suite;
}
