#include "config/port_map.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct port_map *map;
static struct problems problems;

static void set_up(void)
{
	map = port_map_new();
	ck_assert_ptr_nonnull(map);
	problems = (struct problems){ 0 };
}

static void tear_down(void)
{
	port_map_free(map);
	problems_clear(&problems);
}

static int read_bytes(const void *bytes, size_t length)
{
	char path[sizeof "/proc/self/fd/2147483647"];
	int fd = memfd_create("services", MFD_CLOEXEC);
	int result;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	result = port_map_read(map, path, &problems);
	close(fd);
	return result;
}

static void read_text(const char *text)
{
	ck_assert_int_eq(read_bytes(text, strlen(text)), 0);
}

/* One line of a file, and the port of "name"; -1: none. */
static const struct {
	const char *line;
	int tcp, udp;
	unsigned warnings;
} lines[] = {
	{ "name 80/tcp\n", 80, -1, 0 },
	{ "name 80/tcp", 80, -1, 0 },
	{ "name\t\t 80/tcp \t\n", 80, -1, 0 },
	{ "  name 80/tcp\n", 80, -1, 0 },
	{ "name 80/tcp\r\n", 80, -1, 0 },
	{ "\xef\xbb\xbfname 80/tcp\n", 80, -1, 0 },
	{ "NAME 80/TCP\n", 80, -1, 0 },
	{ "name 80/tcp#comment\n", 80, -1, 0 },
	{ "name 80/tcp # other 81/tcp\n", 80, -1, 0 },
	{ "name 1/tcp\nname 65535/udp\n", 1, 65535, 0 },
	{ "other 80/tcp alias name\n", 80, -1, 0 },
	{ "other 80/tcp alias #name\n", -1, -1, 0 },
	{ "name 080/tcp\n", 80, -1, 0 },
	{ "#name 80/tcp\n", -1, -1, 0 },
	{ "\n\n \t\r\n#\n", -1, -1, 0 },
	{ "", -1, -1, 0 },
	{ "name\n", -1, -1, 1 },
	{ "name 80\n", -1, -1, 1 },
	{ "name 80/\n", -1, -1, 1 },
	{ "name /tcp\n", -1, -1, 1 },
	{ "name 0/tcp\n", -1, -1, 1 },
	{ "name 65536/tcp\n", -1, -1, 1 },
	{ "name 00080/tcp\n", 80, -1, 0 },
	{ "name 000080/tcp\n", -1, -1, 1 },
	{ "name 99999999999999999999/tcp\n", -1, -1, 1 },
	{ "name -1/tcp\n", -1, -1, 1 },
	{ "name +80/tcp\n", -1, -1, 1 },
	{ "name 0x50/tcp\n", -1, -1, 1 },
	{ "name 80 /tcp\n", -1, -1, 1 },
	{ "name tcp/80\n", -1, -1, 1 },
	{ "80/tcp name\n", -1, -1, 1 },
	{ "na\x01me 80/tcp\n", -1, -1, 1 },
	{ "name 80/t\x01p\n", -1, -1, 1 },
	{ "bad\nname 80/tcp\n", 80, -1, 1 },
	{ "name 80/aprotocolwhosenameistoolongtobeone\n", -1, -1, 1 },
};

START_TEST(reads_lines)
{
	read_text(lines[_i].line);
	ck_assert_msg(port_map_find(map, "name", "tcp") == lines[_i].tcp, "\"%s\": tcp is %d",
		      lines[_i].line, port_map_find(map, "name", "tcp"));
	ck_assert_msg(port_map_find(map, "name", "udp") == lines[_i].udp, "\"%s\": udp is %d",
		      lines[_i].line, port_map_find(map, "name", "udp"));
	ck_assert_msg(problems.count == lines[_i].warnings, "\"%s\": %zu problems", lines[_i].line,
		      problems.count);
	ck_assert_msg(problems.count == 0 || problems.list[0].severity == WARNING,
		      "\"%s\": not a warning", lines[_i].line);
}
END_TEST

START_TEST(looks_names_up_in_any_case)
{
	read_text("Alpha 10/tcp BETA\n");
	ck_assert_int_eq(port_map_find(map, "aLPHa", "TCP"), 10);
	ck_assert_int_eq(port_map_find(map, "beta", "tcp"), 10);
	ck_assert_int_eq(port_map_find(map, "alph", "tcp"), -1);
	ck_assert_int_eq(port_map_find(map, "alphab", "tcp"), -1);
	ck_assert_int_eq(port_map_find(map, "", ""), -1);
}
END_TEST

START_TEST(finds_nothing_for_endless_words)
{
	char name[4096];

	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	read_text("alpha 10/tcp\n");
	ck_assert_int_eq(port_map_find(map, name, "tcp"), -1);
	ck_assert_int_eq(port_map_find(map, "alpha", name), -1);
}
END_TEST

START_TEST(takes_the_longest_name)
{
	char line[300];

	memset(line, 'x', 255);
	strcpy(line + 255, " 10/tcp\n");
	read_text(line);
	line[255] = '\0';
	ck_assert_uint_eq(problems.count, 0);
	ck_assert_int_eq(port_map_find(map, line, "tcp"), 10);
}
END_TEST

START_TEST(skips_a_name_that_is_too_long)
{
	char line[600];

	memset(line, 'x', 256);
	strcpy(line + 256, " 10/tcp\nnext 11/tcp\n");
	read_text(line);
	ck_assert_uint_eq(problems.count, 1);
	ck_assert_uint_eq(port_map_size(map), 1);
	ck_assert_int_eq(port_map_find(map, "next", "tcp"), 11);
}
END_TEST

START_TEST(leaves_out_a_broken_alias_only)
{
	read_text("alpha 10/tcp be\x02ta gamma\n");
	ck_assert_uint_eq(problems.count, 1);
	ck_assert_int_eq(problems.list[0].severity, WARNING);
	ck_assert_int_eq(port_map_find(map, "alpha", "tcp"), 10);
	ck_assert_int_eq(port_map_find(map, "gamma", "tcp"), 10);
	ck_assert_uint_eq(port_map_size(map), 2);
}
END_TEST

START_TEST(reports_file_and_line)
{
	read_text("# one\nalpha 10/tcp\n\nbroken\nbeta 11/tcp\nworse x/y\n");
	ck_assert_uint_eq(problems.count, 2);
	ck_assert_int_eq(problems.list[0].line, 4);
	ck_assert_int_eq(problems.list[1].line, 6);
	ck_assert_ptr_nonnull(strstr(problems.list[0].file, "/proc/self/fd/"));
	ck_assert_ptr_nonnull(strstr(problems.list[1].text, "\"x/y\""));
}
END_TEST

START_TEST(keeps_the_first_port_of_a_name)
{
	read_text("alpha 10/tcp\nalpha 11/tcp beta\nalpha 12/udp\n");
	ck_assert_int_eq(port_map_find(map, "alpha", "tcp"), 10);
	ck_assert_int_eq(port_map_find(map, "beta", "tcp"), 11);
	ck_assert_int_eq(port_map_find(map, "alpha", "udp"), 12);
	ck_assert_uint_eq(problems.count, 1);
	ck_assert_int_eq(problems.list[0].severity, ADVICE);
	ck_assert_int_eq(problems.list[0].line, 2);
	ck_assert_ptr_nonnull(strstr(problems.list[0].text, "port 10 "));
}
END_TEST

START_TEST(takes_the_same_port_again)
{
	read_text("alpha 10/tcp beta\nbeta 10/tcp alpha\nalpha 10/tcp\n");
	ck_assert_uint_eq(problems.count, 0);
	ck_assert_uint_eq(port_map_size(map), 2);
}
END_TEST

START_TEST(adds_one_file_to_another)
{
	read_text("alpha 10/tcp\n");
	read_text("alpha 11/tcp\nbeta 12/tcp\n");
	ck_assert_int_eq(port_map_find(map, "alpha", "tcp"), 10);
	ck_assert_int_eq(port_map_find(map, "beta", "tcp"), 12);
	ck_assert_uint_eq(problems.count, 1);
	ck_assert_int_eq(problems.list[0].line, 1);
}
END_TEST

START_TEST(takes_zero_bytes_for_text)
{
	static const char bytes[] = "al\0pha 10/tcp\n\0\nbeta 11/tcp\0\ngamma 12/tcp\n";

	ck_assert_int_eq(read_bytes(bytes, sizeof bytes - 1), 0);
	ck_assert_uint_eq(problems.count, 3);
	ck_assert_uint_eq(port_map_size(map), 1);
	ck_assert_int_eq(port_map_find(map, "gamma", "tcp"), 12);
}
END_TEST

START_TEST(holds_many_names)
{
	enum { NAMES = 20000 };
	size_t size;
	char *text, name[16];
	FILE *file = open_memstream(&text, &size);

	for (int i = 0; i < NAMES; i++)
		fprintf(file, "n%d %d/%s a%d\n", i, i % 65535 + 1, i % 2 ? "tcp" : "udp", i);
	fclose(file);
	ck_assert_int_eq(read_bytes(text, size), 0);
	free(text);
	ck_assert_uint_eq(port_map_size(map), 2 * NAMES);
	for (int i = 0; i < NAMES; i++) {
		snprintf(name, sizeof name, "a%d", i);
		ck_assert_int_eq(port_map_find(map, name, i % 2 ? "tcp" : "udp"), i + 1);
	}
}
END_TEST

START_TEST(reads_the_map_of_this_system)
{
	ck_assert_int_eq(port_map_read(map, "/etc/services", &problems), 0);
	ck_assert_int_eq(port_map_find(map, "echo", "udp"), 7);
	ck_assert_int_eq(port_map_find(map, "www", "tcp"), 80);
}
END_TEST

/* Files that are not a port map, and why. */
static const struct {
	const char *path;
	int error;
} refused[] = {
	{ "/nonexistent/services", ENOENT },
	{ "/", EISDIR },
	{ "/dev/null", EINVAL },
	{ "/etc/services/name", ENOTDIR },
};

START_TEST(refuses_what_is_no_file)
{
	errno = 0;
	ck_assert_msg(port_map_read(map, refused[_i].path, &problems) == -1, "%s was read",
		      refused[_i].path);
	ck_assert_msg(errno == refused[_i].error, "%s: %s", refused[_i].path, strerror(errno));
	ck_assert_uint_eq(problems.count, 0);
}
END_TEST

START_TEST(refuses_a_pipe_without_waiting)
{
	char path[sizeof "/proc/self/fd/2147483647"];
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
	ck_assert_int_eq(port_map_read(map, path, &problems), -1);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(refuses_a_huge_file)
{
	char path[sizeof "/proc/self/fd/2147483647"];
	int fd = memfd_create("services", MFD_CLOEXEC);

	ck_assert_int_eq(ftruncate(fd, (16 << 20) + 1), 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	ck_assert_int_eq(port_map_read(map, path, &problems), -1);
	ck_assert_int_eq(errno, EFBIG);
	close(fd);
}
END_TEST

START_TEST(leaves_no_descriptor_open)
{
	int before = dup(0), after;

	close(before);
	read_text("alpha 10/tcp\n");
	ck_assert_int_eq(port_map_read(map, "/", &problems), -1);
	after = dup(0);
	close(after);
	ck_assert_int_eq(before, after);
}
END_TEST

START_TEST(frees_nothing_harmlessly)
{
	port_map_free(NULL);
}
END_TEST

Suite *port_map_suite(void)
{
	Suite *suite = suite_create("port_map");
	TCase *parsing = tcase_create("parsing");
	TCase *files = tcase_create("files");

	tcase_add_checked_fixture(parsing, set_up, tear_down);
	tcase_add_loop_test(parsing, reads_lines, 0, sizeof lines / sizeof lines[0]);
	tcase_add_test(parsing, looks_names_up_in_any_case);
	tcase_add_test(parsing, finds_nothing_for_endless_words);
	tcase_add_test(parsing, takes_the_longest_name);
	tcase_add_test(parsing, skips_a_name_that_is_too_long);
	tcase_add_test(parsing, leaves_out_a_broken_alias_only);
	tcase_add_test(parsing, reports_file_and_line);
	tcase_add_test(parsing, keeps_the_first_port_of_a_name);
	tcase_add_test(parsing, takes_the_same_port_again);
	tcase_add_test(parsing, adds_one_file_to_another);
	tcase_add_test(parsing, takes_zero_bytes_for_text);
	tcase_add_test(parsing, holds_many_names);
	suite_add_tcase(suite, parsing);

	tcase_add_checked_fixture(files, set_up, tear_down);
	tcase_add_test(files, reads_the_map_of_this_system);
	tcase_add_loop_test(files, refuses_what_is_no_file, 0, sizeof refused / sizeof refused[0]);
	tcase_add_test(files, refuses_a_pipe_without_waiting);
	tcase_add_test(files, refuses_a_huge_file);
	tcase_add_test(files, leaves_no_descriptor_open);
	tcase_add_test(files, frees_nothing_harmlessly);
	suite_add_tcase(suite, files);
	return suite;
}
