#include "config/program.h"
#include "support/place.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LENGTH(array) (int)(sizeof(array) / sizeof *(array))

/* Owns no file here and is in none of their groups. */
enum { STRANGER = 54321, STRANGERS = 54322 };

static struct identity stranger(void)
{
	return (struct identity){ .name = "somebody", .uid = STRANGER, .gid = STRANGERS };
}

/* A program of that mode in a directory of that mode. */
static const char *make_program(const char *text, mode_t directory, mode_t mode)
{
	const char *path;

	ck_assert_int_eq(mkdir(place_path("d"), 0700), 0);
	place_write("d/program", "%s", text);
	path = place_path("d/program");
	ck_assert_int_eq(chmod(path, mode), 0);
	ck_assert_int_eq(chmod(place_path("d"), directory), 0);
	return path;
}

static void expect(const char *path, const struct identity *identity, const char *pattern)
{
	char text[OBSTACLE_SIZE];
	const char *obstacle = program_obstacle(path, identity, text);

	ck_assert_msg((obstacle != NULL) == (pattern != NULL), "%s", obstacle ? obstacle : "none");
	ck_assert_msg(!pattern || text_matches(obstacle, pattern), "%s", obstacle);
}

/* --- modes --- */

enum who { OWNER, GROUP, SUPPLEMENTARY, OTHER, ROOT };

static struct identity identity_of(enum who who)
{
	static gid_t groups[] = { 1, 0 };
	struct identity identity = stranger();

	groups[1] = getegid();
	if (who == OWNER)
		identity.uid = geteuid() == 0 ? STRANGER : geteuid();
	if (who == GROUP)
		identity.gid = getegid();
	if (who == SUPPLEMENTARY) {
		identity.groups = groups;
		identity.groups_count = 2;
	}
	if (who == ROOT)
		identity.uid = 0;
	return identity;
}

static const struct {
	mode_t directory, mode;
	enum who who;
	const char *obstacle; /* NULL: none */
} modes[] = {
	{ 0755, 0755, OTHER, NULL },
	{ 0711, 0711, OTHER, NULL },
	{ 0711, 0111, OWNER, NULL },
	{ 0755, 0700, OWNER, NULL },
	{ 0700, 0700, OWNER, NULL },
	{ 0755, 0077, OWNER, "^somebody may not execute .*/d/program \\(mode 0077\\)$" },
	{ 0755, 0710, GROUP, NULL },
	{ 0755, 0701, GROUP, "may not execute .*/d/program \\(mode 0701\\)" },
	{ 0750, 0750, SUPPLEMENTARY, NULL },
	{ 0705, 0755, SUPPLEMENTARY, "may not enter .*/d \\(mode 0705\\)" },
	{ 0755, 0770, OTHER, "may not execute .*/d/program \\(mode 0770\\)" },
	{ 0754, 0755, OTHER, "may not enter .*/d \\(mode 0754\\)" },
	{ 0700, 0100, ROOT, NULL },
	{ 0700, 0644, ROOT, "may not execute .*/d/program \\(mode 0644\\)" },
};

START_TEST(modes_are_read_as_the_kernel_does)
{
	struct identity identity = identity_of(modes[_i].who);
	const char *path = make_program("#!/bin/sh\n", modes[_i].directory, modes[_i].mode);

	/* No mode stops root, so another user must own the files. */
	if (modes[_i].who == OWNER && geteuid() == 0) {
		ck_assert_int_eq(chown(path, STRANGER, 0), 0);
		ck_assert_int_eq(chown(place_path("d"), STRANGER, 0), 0);
	}
	expect(path, &identity, modes[_i].obstacle);
}
END_TEST

START_TEST(where_links_lead_counts_too)
{
	struct identity identity = stranger();

	make_program("#!/bin/sh\n", 0700, 0755);
	ck_assert_int_eq(mkdir(place_path("open"), 0755), 0);
	ck_assert_int_eq(symlink("../d/program", place_path("open/link")), 0);
	expect(place_path("open/link"), &identity, "may not enter .*/d ");
	ck_assert_int_eq(chmod(place_path("d"), 0755), 0);
	expect(place_path("open/link"), &identity, NULL);
	ck_assert_int_eq(chmod(place_path("open"), 0700), 0);
	expect(place_path("open/link"), &identity, "may not enter .*/open ");
}
END_TEST

START_TEST(what_is_not_there_is_somebody_elses_to_tell)
{
	struct identity identity = stranger();

	expect(place_path("nothing"), &identity, NULL);
	expect("/no/such/directory/program", &identity, NULL);
}
END_TEST

/* --- interpreters --- */

static const struct {
	const char *text, *obstacle;
} heads[] = {
	{ "#!/bin/sh\n", NULL },
	{ "#!/bin/sh -e\n", NULL },
	{ "#! /bin/sh", NULL },
	{ "#!\t/bin/sh\t-e", NULL },
	{ "#!bin/sh\n", NULL }, /* relative to where the server is started */
	{ "#!\n", NULL },
	{ "\177ELF", NULL },
	{ "MZ\220", NULL },
	{ "#!/no/such/shell\n", "^there is no /no/such/shell, which .*/program names as its "
				"interpreter$" },
	{ "#!/etc/passwd/sh -e\n", "^there is no /etc/passwd/sh, " },
	{ "#!/bin/sh\r\n", "^there is no /bin/sh, .* with a carriage return after it; " },
	{ "#!/etc/passwd\n", "may not execute /etc/passwd " },
	{ "", "/program is no program: " },
	{ "echo hello\n", "/program is no program: it needs a first line such as #!/bin/sh$" },
	{ "# !/bin/sh\n", "/program is no program" },
};

START_TEST(the_first_line_is_read)
{
	struct identity identity = stranger();

	expect(make_program(heads[_i].text, 0755, 0755), &identity, heads[_i].obstacle);
}
END_TEST

START_TEST(interpreters_of_interpreters_are_looked_at)
{
	struct identity identity = stranger();
	const char *path;

	place_write("two", "#!/no/such/shell\n");
	ck_assert_int_eq(chmod(place_path("two"), 0755), 0);
	path = make_program(textf("#!%s\n", place_path("two")), 0755, 0755);
	expect(path, &identity, "^there is no /no/such/shell, which .*/two names");
}
END_TEST

START_TEST(an_interpreter_of_itself_comes_to_an_end)
{
	struct identity identity = stranger();

	expect(make_program(textf("#!%s\n", place_path("d/program")), 0755, 0755), &identity, NULL);
}
END_TEST

START_TEST(long_lines_and_paths_are_bounded)
{
	struct identity identity = stranger();
	char *line = malloc(5001);

	ck_assert_ptr_nonnull(line);
	memset(line, 'a', 5000);
	line[0] = '/';
	line[5000] = '\0';
	keep(line);
	expect(line, &identity, NULL);
	expect(make_program(textf("#!%s\n", line), 0755, 0755), &identity, "^there is no /aaa");
}
END_TEST

Suite *program_suite(void)
{
	Suite *suite = suite_create("program");
	TCase *tcase = tcase_create("obstacles");

	tcase_add_checked_fixture(tcase, place_make, place_remove);
	tcase_add_loop_test(tcase, modes_are_read_as_the_kernel_does, 0, LENGTH(modes));
	tcase_add_test(tcase, where_links_lead_counts_too);
	tcase_add_test(tcase, what_is_not_there_is_somebody_elses_to_tell);
	tcase_add_loop_test(tcase, the_first_line_is_read, 0, LENGTH(heads));
	tcase_add_test(tcase, interpreters_of_interpreters_are_looked_at);
	tcase_add_test(tcase, an_interpreter_of_itself_comes_to_an_end);
	tcase_add_test(tcase, long_lines_and_paths_are_bounded);
	suite_add_tcase(suite, tcase);
	return suite;
}
