#include "base/log.h"
#include "base/sink.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define STAMP "[0-9]{2}/[0-9]{1,2}/[0-9]{1,2}@[0-9]{2}:[0-9]{2}:[0-9]{2}"

static char directory[] = "/tmp/usherd-log-XXXXXX";
static char path[PATH_MAX];
static char content[64 * 1024];
static int said; /* the file behind standard error */
static int stderr_before;

static void set_up(void)
{
	int ends[2];

	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/log", directory);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	said = ends[0];
	ck_assert_int_eq(fcntl(said, F_SETFL, O_NONBLOCK), 0);
	stderr_before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	log_set_level(LOG_INFO);
}

static void tear_down(void)
{
	log_to_stderr();
	dup2(stderr_before, STDERR_FILENO);
	close(stderr_before);
	close(said);
	unlink(path);
	rmdir(directory);
}

static const char *read_descriptor(int fd)
{
	ssize_t length = read(fd, content, sizeof content - 1);

	content[length < 0 ? 0 : length] = '\0';
	return content;
}

static const char *read_log(void)
{
	int fd;

	sink_flush_all();
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	read_descriptor(fd);
	close(fd);
	return content;
}

static void assert_matches(const char *text, const char *pattern)
{
	regex_t regex;

	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	ck_assert_msg(regexec(&regex, text, 0, NULL, 0) == 0, "\"%s\" is not like %s", text,
		      pattern);
	regfree(&regex);
}

START_TEST(speaks_on_standard_error_at_first)
{
	log_notice("%s, %d services", "hello", 3);
	ck_assert_str_eq(read_descriptor(said), "NOTICE: hello, 3 services\n");
}
END_TEST

START_TEST(writes_files_as_xinetd_does)
{
	char pattern[200];

	ck_assert_int_eq(log_to_file(path), 0);
	log_notice("text");
	log_error("error");
	snprintf(pattern, sizeof pattern,
		 "^" STAMP " usherd\\[%1$d\\]: NOTICE: text\n" STAMP
		 " usherd\\[%1$d\\]: ERROR: error\n$",
		 (int)getpid());
	assert_matches(read_log(), pattern);
	ck_assert_str_eq(read_descriptor(said), "");
}
END_TEST

START_TEST(leaves_the_level_to_syslog)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int syslogd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, path, strlen(path));
	ck_assert_int_eq(bind(syslogd, (struct sockaddr *)&address, sizeof address), 0);
	sink_use_syslog_socket(path);
	ck_assert_int_eq(log_to_syslog(LOG_AUTH), 0);
	log_warning("beware");
	assert_matches(read_descriptor(syslogd), "^<36>[^>]* usherd.[0-9]+.: beware$");
	close(syslogd);
}
END_TEST

START_TEST(stays_where_it_was_when_a_file_cannot_be_opened)
{
	ck_assert_int_eq(log_to_file("/no such directory/log"), -1);
	ck_assert_int_eq(errno, ENOENT);
	log_notice("here");
	ck_assert_str_eq(read_descriptor(said), "NOTICE: here\n");
}
END_TEST

START_TEST(writes_out_the_old_log_when_it_moves)
{
	ck_assert_int_eq(log_to_file(path), 0);
	log_notice("before");
	log_to_stderr();
	assert_matches(read_log(), "before\n$");
	log_notice("after");
	ck_assert_str_eq(read_descriptor(said), "NOTICE: after\n");
}
END_TEST

START_TEST(lends_its_sink_to_service_lines)
{
	ck_assert_int_eq(log_to_file(path), 0);
	sink_line(log_sink(), "START: echo", strlen("START: echo"));
	assert_matches(read_log(), "^" STAMP ": START: echo\n$");
}
END_TEST

static const struct {
	int level;
	const char *name;
} levels[] = {
	{ LOG_EMERG, "CRITICAL" }, { LOG_ALERT, "CRITICAL" },  { LOG_CRIT, "CRITICAL" },
	{ LOG_ERR, "ERROR" },      { LOG_WARNING, "WARNING" }, { LOG_NOTICE, "NOTICE" },
	{ LOG_INFO, "INFO" },      { LOG_DEBUG, "DEBUG" },     { LOG_DEBUG + 1, "DEBUG" },
	{ -1, "CRITICAL" },
};

START_TEST(knows_its_levels_by_name)
{
	const char *name = log_level_name(levels[_i].level);

	ck_assert_msg(strcmp(name, levels[_i].name) == 0, "level %d: %s", levels[_i].level, name);
}
END_TEST

START_TEST(drops_what_is_below_its_level)
{
	log_debug("dropped");
	log_info("kept");
	log_set_level(LOG_ERR);
	log_critical("kept");
	log_error("kept");
	log_warning("dropped");
	log_notice("dropped");
	log_set_level(LOG_DEBUG);
	log_debug("kept");
	ck_assert_str_eq(read_descriptor(said),
			 "INFO: kept\nCRITICAL: kept\nERROR: kept\nDEBUG: kept\n");
}
END_TEST

START_TEST(appends_the_reason_of_a_failure)
{
	log_failure(ENOENT, "cannot open %s", "it");
	ck_assert_str_eq(read_descriptor(said),
			 "ERROR: cannot open it: No such file or directory\n");
}
END_TEST

START_TEST(preserves_errno)
{
	ck_assert_int_eq(log_to_file("/dev/full"), 0);
	for (int i = 0; i < 2000; i++) {
		errno = ERANGE;
		log_notice("a line that fills the buffer in the end, which then cannot be written");
		ck_assert_int_eq(errno, ERANGE);
		log_debug("not said");
		ck_assert_int_eq(errno, ERANGE);
		log_failure(ENOENT, "failed");
		ck_assert_int_eq(errno, ERANGE);
	}
}
END_TEST

START_TEST(cuts_endless_text)
{
	static char text[5000];

	memset(text, 'x', sizeof text - 1);
	log_notice("%s", text);
	ck_assert_uint_le(strlen(read_descriptor(said)), 1025);
	ck_assert_uint_ge(strlen(content), 1000);
	ck_assert_ptr_eq(strchr(content, '\n'), content + strlen(content) - 1);
}
END_TEST

START_TEST(keeps_a_line_one_line)
{
	log_notice("one\ntwo\r\x1b[31m\x7f \\x41 \xc3\xa9");
	ck_assert_str_eq(read_descriptor(said),
			 "NOTICE: one\\ntwo\\r\\x1B[31m\\x7F \\x41 \xc3\xa9\n");
}
END_TEST

START_TEST(never_cuts_within_an_escape)
{
	char text[1100];

	for (size_t padding = 1000; padding < 1024; padding++) {
		const char *end;

		memset(text, 'x', padding);
		memset(text + padding, '\x01', sizeof text - 1 - padding);
		text[sizeof text - 1] = '\0';
		log_notice("%s", text);
		end = strchr(read_descriptor(said), '\\');
		for (; end && *end == '\\'; end += 4)
			ck_assert_msg(strncmp(end, "\\x01", 4) == 0, "padding %zu: %s", padding,
				      end);
		ck_assert_msg(!end || strcmp(end, "\n") == 0, "padding %zu: %s", padding, end);
	}
}
END_TEST

START_TEST(says_on_standard_error_that_it_cannot_write)
{
	ck_assert_int_eq(log_to_file("/dev/full"), 0);
	for (int i = 0; i < 3; i++) {
		log_notice("lost");
		sink_flush_all();
	}
	ck_assert_str_eq(read_descriptor(said), "ERROR: log file /dev/full: "
						"No space left on device, lines are being lost\n");
}
END_TEST

START_TEST(tells_the_troubles_of_others)
{
	struct sink *other = sink_open_file("/dev/full", 0, 0, "svc");

	ck_assert_int_eq(log_to_file(path), 0);
	sink_line(other, "lost", 4);
	sink_flush_all();
	sink_release(other);
	assert_matches(read_log(), "^" STAMP " usherd\\[[0-9]+\\]: ERROR: log file /dev/full: "
				   "No space left on device, lines are being lost\n$");
	ck_assert_str_eq(read_descriptor(said), "");
}
END_TEST

START_TEST(says_elsewhere_that_it_is_past_its_limit)
{
	struct sink *limited = sink_open_file(path, 0, 10, "svc");

	ck_assert_int_eq(log_to_file(path), 0);
	sink_release(sink_open_file(path, 0, 10, "svc"));
	sink_release(limited);
	log_notice("one line too many");
	ck_assert_str_eq(read_descriptor(said), "ERROR: Size of svc log exceeded hard limit\n");
}
END_TEST

START_TEST(is_not_upset_when_nobody_hears)
{
	close(said);
	ck_assert_int_eq(close(STDERR_FILENO), 0);
	log_notice("lost");
	ck_assert_int_eq(log_to_file("/dev/full"), 0);
	log_notice("lost");
	sink_flush_all();
	ck_assert_uint_ge(sink_lost_lines(), 2);
}
END_TEST

static const struct {
	const char *bytes;
	size_t length;
	const char *escaped;
} escapes[] = {
	{ "", 0, "" },
	{ "plain text ~", 12, "plain text ~" },
	{ "a\nb\rc\td", 7, "a\\nb\\rc\\td" },
	{ "\\n", 2, "\\\\n" },
	{ "\0\x01\x1b\x7f", 4, "\\x00\\x01\\x1B\\x7F" },
	{ "\x80\xff\xc3\xa9", 4, "\\x80\\xFF\\xC3\\xA9" },
	{ "\"'%s", 4, "\"'%s" },
};

START_TEST(escapes_what_could_deceive)
{
	char text[64];

	log_escape(text, sizeof text, escapes[_i].bytes, escapes[_i].length);
	ck_assert_msg(strcmp(text, escapes[_i].escaped) == 0, "row %d: %s", _i, text);
}
END_TEST

START_TEST(every_byte_has_its_own_printable_text)
{
	static char texts[256][5];

	for (int byte = 0; byte < 256; byte++) {
		log_escape(texts[byte], sizeof texts[byte], (char[]){ (char)byte }, 1);
		ck_assert_msg(strlen(texts[byte]) > 0, "byte %d", byte);
		for (const char *c = texts[byte]; *c; c++)
			ck_assert_msg(*c >= ' ' && *c <= '~', "byte %d: %s", byte, texts[byte]);
		for (int other = 0; other < byte; other++)
			ck_assert_msg(strcmp(texts[other], texts[byte]) != 0, "bytes %d and %d",
				      other, byte);
	}
}
END_TEST

/* For every size, as many whole escapes as fit. */
START_TEST(escapes_are_whole_or_not_there)
{
	static const char bytes[] = "a\x01\\b\nc\xff";
	static const char whole[] = "a\\x01\\\\b\\nc\\xFF";
	static const size_t ends[] = { 0, 1, 5, 7, 8, 10, 11, 15 };

	for (size_t size = 1; size <= sizeof whole; size++) {
		char text[sizeof whole + 1];
		size_t expected = 0;

		for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
			if (ends[i] < size)
				expected = ends[i];
		memset(text, '#', sizeof text);
		log_escape(text, size, bytes, sizeof bytes - 1);
		ck_assert_msg(strlen(text) == expected, "size %zu: %s", size, text);
		ck_assert_msg(strncmp(text, whole, expected) == 0, "size %zu: %s", size, text);
		ck_assert_msg(text[size] == '#', "size %zu", size);
	}
}
END_TEST

Suite *log_suite(void);

static const struct {
	const char *address;
	struct source_prefix lengths;
	const char *text;
} addresses[] = {
	{ "192.0.2.255", { 32, 128 }, "192.0.2.255" },
	{ "192.0.2.255", { 24, 48 }, "192.0.2.0" },
	{ "192.0.2.255", { 26, 48 }, "192.0.2.192" },
	{ "192.0.2.255", { 0, 48 }, "0.0.0.0" },
	{ "2001:db8:1:2::3", { 24, 48 }, "2001:db8:1::" },
	{ "2001:db8:1:2::3", { 24, 128 }, "2001:db8:1:2::3" },
	{ "2001:db8:1:2::3", { 24, 0 }, "::" },
};

START_TEST(addresses_are_cut)
{
	struct address address;
	char text[ADDRESS_TEXT_SIZE];

	ck_assert_int_eq(address_parse(&address, addresses[_i].address, 80), 0);
	log_set_style((struct log_style){ LOG_FORMAT_XINETD, addresses[_i].lengths });
	ck_assert_str_eq(log_address(&address, text), addresses[_i].text);
	ck_assert_int_eq(address_port(&address), 80);
}
END_TEST

Suite *log_suite(void)
{
	Suite *suite = suite_create("log");
	TCase *cut = tcase_create("cut");
	TCase *places = tcase_create("places");
	TCase *lines = tcase_create("lines");
	TCase *trouble = tcase_create("trouble");
	TCase *escape = tcase_create("escape");

	tcase_add_checked_fixture(places, set_up, tear_down);
	tcase_add_test(places, speaks_on_standard_error_at_first);
	tcase_add_test(places, writes_files_as_xinetd_does);
	tcase_add_test(places, leaves_the_level_to_syslog);
	tcase_add_test(places, stays_where_it_was_when_a_file_cannot_be_opened);
	tcase_add_test(places, writes_out_the_old_log_when_it_moves);
	tcase_add_test(places, lends_its_sink_to_service_lines);
	tcase_add_checked_fixture(lines, set_up, tear_down);
	tcase_add_loop_test(lines, knows_its_levels_by_name, 0, ROWS(levels));
	tcase_add_test(lines, drops_what_is_below_its_level);
	tcase_add_test(lines, appends_the_reason_of_a_failure);
	tcase_add_test(lines, preserves_errno);
	tcase_add_test(lines, cuts_endless_text);
	tcase_add_test(lines, keeps_a_line_one_line);
	tcase_add_test(lines, never_cuts_within_an_escape);
	tcase_add_checked_fixture(trouble, set_up, tear_down);
	tcase_add_test(trouble, says_on_standard_error_that_it_cannot_write);
	tcase_add_test(trouble, tells_the_troubles_of_others);
	tcase_add_test(trouble, says_elsewhere_that_it_is_past_its_limit);
	tcase_add_test(trouble, is_not_upset_when_nobody_hears);
	tcase_add_loop_test(escape, escapes_what_could_deceive, 0, ROWS(escapes));
	tcase_add_test(escape, every_byte_has_its_own_printable_text);
	tcase_add_test(escape, escapes_are_whole_or_not_there);
	suite_add_tcase(suite, places);
	suite_add_tcase(suite, lines);
	suite_add_tcase(suite, trouble);
	suite_add_tcase(suite, escape);
	tcase_add_loop_test(cut, addresses_are_cut, 0, sizeof addresses / sizeof addresses[0]);
	suite_add_tcase(suite, cut);
	return suite;
}
