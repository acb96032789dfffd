#include "base/sink.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define STAMP "[0-9]{2}/[0-9]{1,2}/[0-9]{1,2}@[0-9]{2}:[0-9]{2}:[0-9]{2}"

static char directory[] = "/tmp/usherd-sink-XXXXXX";
static char path[PATH_MAX];
static char told[4096]; /* every message, with a newline after each */
static char content[256 * 1024];

static void remember(const char *sentence)
{
	ck_assert_msg(strlen(told) + strlen(sentence) + 2 < sizeof told, "too often: %s", told);
	strcat(strcat(told, sentence), "\n");
}

static void set_up(void)
{
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/log", directory);
	signal(SIGPIPE, SIG_IGN);
	told[0] = '\0';
	sink_on_trouble(remember);
}

static void tear_down(void)
{
	sink_on_trouble(NULL);
	unlink(path);
	rmdir(directory);
}

static void say(struct sink *sink, const char *text)
{
	sink_line(sink, text, strlen(text));
}

static void say_message(struct sink *sink, int level, const char *text)
{
	sink_message(sink, level, text, strlen(text));
}

static const char *read_descriptor(int fd)
{
	size_t used = 0;
	ssize_t more;

	while ((more = read(fd, content + used, sizeof content - 1 - used)) > 0)
		used += (size_t)more;
	content[used] = '\0';
	return content;
}

static const char *read_file(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	ck_assert_msg(fd >= 0, "%s: %s", name, strerror(errno));
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

static struct sink *open_file(uint64_t soft, uint64_t hard)
{
	struct sink *sink = sink_open_file(path, soft, hard, "svc");

	ck_assert_ptr_nonnull(sink);
	return sink;
}

START_TEST(lines_are_gathered_until_the_flush)
{
	struct sink *sink = open_file(0, 0);

	say(sink, "START: echo");
	say(sink, "");
	ck_assert_str_eq(read_file(path), "");
	sink_flush_all();
	assert_matches(read_file(path), "^" STAMP ": START: echo\n" STAMP ": \n$");
	sink_flush_all();
	sink_release(sink);
	assert_matches(read_file(path), "^" STAMP ": START: echo\n" STAMP ": \n$");
	ck_assert_str_eq(told, "");
}
END_TEST

START_TEST(messages_bear_name_and_pid)
{
	struct sink *sink = open_file(0, 0);
	char pattern[100];

	say_message(sink, LOG_ERR, "text");
	sink_release(sink);
	snprintf(pattern, sizeof pattern, "^" STAMP " usherd\\[%d\\]: text\n$", (int)getpid());
	assert_matches(read_file(path), pattern);
}
END_TEST

static void write_stamp(char *stamp, size_t size)
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	localtime_r(&now.tv_sec, &tm);
	snprintf(stamp, size, "%02d/%d/%d@%02d:%02d:%02d: x\n", tm.tm_year % 100, tm.tm_mon + 1,
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

START_TEST(stamps_are_local_time)
{
	struct sink *sink = open_file(0, 0);
	char before[64], after[64];

	write_stamp(before, sizeof before);
	say(sink, "x");
	write_stamp(after, sizeof after);
	sink_release(sink);
	read_file(path);
	ck_assert_msg(strcmp(content, before) == 0 || strcmp(content, after) == 0, "%s", content);
}
END_TEST

START_TEST(files_are_appended_to_and_not_for_everybody)
{
	struct sink *sink;
	struct stat status;

	umask(022);
	sink = open_file(0, 0);
	say(sink, "one");
	sink_release(sink);
	sink = open_file(0, 0);
	say(sink, "two");
	sink_release(sink);
	assert_matches(read_file(path), "^[^\n]*: one\n[^\n]*: two\n$");
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0644);
}
END_TEST

START_TEST(a_file_is_open_once)
{
	struct sink *one = open_file(0, 0);
	struct sink *other = open_file(0, 0);
	struct sink *third = sink_keep(one);

	ck_assert_ptr_eq(one, other);
	sink_release(one);
	sink_release(other);
	say(third, "still there");
	sink_release(third);
	assert_matches(read_file(path), "still there\n$");
	sink_release(NULL);
}
END_TEST

START_TEST(more_than_a_buffer_is_written_in_order)
{
	struct sink *sink = open_file(0, 0);
	const char *line;
	char text[1000];

	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof text, "%0999d", i);
		say(sink, text);
	}
	sink_release(sink);
	line = read_file(path);
	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof text, "%0999d", i);
		line = strstr(line, ": ");
		ck_assert_msg(line && strncmp(line + 2, text, 999) == 0, "line %d", i);
		line += 2 + 999;
		ck_assert_msg(*line == '\n', "line %d", i);
	}
	ck_assert_str_eq(line, "\n");
}
END_TEST

START_TEST(an_endless_line_is_cut)
{
	struct sink *sink = open_file(0, 0);
	static char text[100000];

	memset(text, 'x', sizeof text);
	sink_line(sink, text, sizeof text);
	say(sink, "next");
	sink_release(sink);
	assert_matches(read_file(path), "^" STAMP ": x+\n" STAMP ": next\n$");
	ck_assert_uint_eq(strcspn(content, "\n"), strcspn(content, "x") + 8192);
}
END_TEST

START_TEST(one_that_cannot_be_opened_says_why)
{
	ck_assert_ptr_null(sink_open_file("/no such directory/log", 0, 0, "svc"));
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_ptr_null(sink_open_file(directory, 0, 0, "svc"));
	ck_assert_int_eq(errno, EISDIR);
	ck_assert_ptr_null(sink_open_file("", 0, 0, "svc"));
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

static void say_bytes(struct sink *sink, int count)
{
	char text[1000];

	memset(text, 'x', sizeof text);
	sink_line(sink, text, (size_t)count);
}

static int lines_in_file(void)
{
	int lines = 0;

	for (const char *c = read_file(path); *c; c++)
		lines += *c == '\n';
	return lines;
}

START_TEST(the_soft_limit_is_told_once)
{
	struct sink *sink = open_file(200, 0);

	say_bytes(sink, 150);
	ck_assert_str_eq(told, "");
	say_bytes(sink, 150);
	say_bytes(sink, 150);
	sink_release(sink);
	ck_assert_str_eq(told, "soft limit exceeded on 'svc'\n");
	ck_assert_int_eq(lines_in_file(), 3);
}
END_TEST

START_TEST(past_the_hard_limit_nothing_is_written)
{
	struct sink *sink = open_file(0, 200);
	uint64_t lost = sink_lost_lines();

	say_bytes(sink, 150);
	sink_flush_all();
	ck_assert(!sink_is_losing(sink));
	say_bytes(sink, 150);
	ck_assert(sink_is_losing(sink));
	sink_flush_all();
	say_bytes(sink, 1);
	say_bytes(sink, 1);
	sink_release(sink);
	ck_assert_str_eq(told, "Size of svc log exceeded hard limit\n");
	ck_assert_int_eq(lines_in_file(), 2);
	ck_assert_uint_eq(sink_lost_lines() - lost, 2);
}
END_TEST

START_TEST(what_was_there_counts_towards_the_limit)
{
	struct sink *sink = open_file(0, 0);

	say_bytes(sink, 500);
	sink_release(sink);
	sink = open_file(300, 400);
	say(sink, "too late");
	sink_release(sink);
	ck_assert_str_eq(told, "soft limit exceeded on 'svc'\n"
			       "Size of svc log exceeded hard limit\n");
	ck_assert_int_eq(lines_in_file(), 1);
}
END_TEST

START_TEST(a_rotated_file_is_written_again)
{
	struct sink *sink = open_file(0, 100);

	say_bytes(sink, 150);
	say_bytes(sink, 150);
	sink_reopen_all();
	say_bytes(sink, 150);
	ck_assert_str_eq(told, "Size of svc log exceeded hard limit\n");
	ck_assert_int_eq(lines_in_file(), 1);
	ck_assert_int_eq(unlink(path), 0);
	sink_reopen_all();
	ck_assert(!sink_is_losing(sink));
	say(sink, "anew");
	sink_flush_all();
	assert_matches(read_file(path), "^" STAMP ": anew\n$");
	assert_matches(told, "^Size of svc log exceeded hard limit\n"
			     "log file .*/log: writing again, 2 lines were lost\n$");
	told[0] = '\0';
	say_bytes(sink, 150);
	ck_assert_str_eq(told, "Size of svc log exceeded hard limit\n");
	sink_release(sink);
}
END_TEST

START_TEST(the_latest_limits_count)
{
	struct sink *sink = open_file(0, 100), *same;

	say_bytes(sink, 150);
	ck_assert(sink_is_losing(sink));
	same = sink_open_file(path, 0, 1000, "other");
	ck_assert_ptr_eq(same, sink);
	say_bytes(sink, 900);
	sink_release(sink);
	sink_release(same);
	ck_assert_int_eq(lines_in_file(), 2);
	ck_assert_str_eq(told, "Size of svc log exceeded hard limit\n"
			       "Size of other log exceeded hard limit\n");
}
END_TEST

START_TEST(reopening_leaves_gathered_lines_in_the_old_file)
{
	struct sink *sink = open_file(0, 0);
	char old[PATH_MAX + 8];

	snprintf(old, sizeof old, "%s.1", path);
	say(sink, "before");
	ck_assert_int_eq(rename(path, old), 0);
	sink_reopen_all();
	say(sink, "after");
	sink_release(sink);
	assert_matches(read_file(old), "^[^\n]*: before\n$");
	assert_matches(read_file(path), "^[^\n]*: after\n$");
	unlink(old);
}
END_TEST

START_TEST(one_that_cannot_be_reopened_stays_open)
{
	struct sink *sink = open_file(0, 0);
	char old[PATH_MAX + 8];

	snprintf(old, sizeof old, "%s.1", path);
	ck_assert_int_eq(rename(path, old), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	sink_reopen_all();
	assert_matches(told, "^log file .*/log: cannot be reopened: Is a directory\n$");
	say(sink, "on");
	sink_release(sink);
	assert_matches(read_file(old), "^[^\n]*: on\n$");
	unlink(old);
	rmdir(path);
}
END_TEST

START_TEST(a_full_disk_is_told_once)
{
	struct sink *sink = sink_open_file("/dev/full", 0, 0, "svc");
	uint64_t lost = sink_lost_lines();

	ck_assert_ptr_nonnull(sink);
	for (int i = 0; i < 3; i++) {
		say(sink, "one");
		say(sink, "two");
		sink_flush_all();
	}
	ck_assert(sink_is_losing(sink));
	sink_release(sink);
	ck_assert_str_eq(told, "log file /dev/full: "
			       "No space left on device, lines are being lost\n");
	ck_assert_uint_eq(sink_lost_lines() - lost, 6);
}
END_TEST

START_TEST(what_is_lost_does_not_count_towards_the_limit)
{
	struct sink *sink = sink_open_file("/dev/full", 0, 1000, "svc");

	ck_assert_ptr_nonnull(sink);
	for (int i = 0; i < 5; i++) {
		say_bytes(sink, 900);
		sink_flush_all();
	}
	sink_release(sink);
	ck_assert_str_eq(told, "log file /dev/full: "
			       "No space left on device, lines are being lost\n");
}
END_TEST

START_TEST(devices_are_files_too)
{
	struct sink *sink = sink_open_file("/dev/null", 0, 100, "svc");

	ck_assert_ptr_nonnull(sink);
	say(sink, "gone");
	sink_flush_all();
	ck_assert(!sink_is_losing(sink));
	sink_release(sink);
	ck_assert_str_eq(told, "");
}
END_TEST

/* A named pipe that holds one page. */
static int open_small_fifo(void)
{
	int fd;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_SETPIPE_SZ, 4096), 4096);
	return fd;
}

START_TEST(a_named_pipe_without_reader_is_refused)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_ptr_null(sink_open_file(path, 0, 0, "svc"));
	ck_assert_int_eq(errno, ENXIO);
}
END_TEST

START_TEST(a_torn_line_does_not_run_into_the_next)
{
	int reader = open_small_fifo();
	struct sink *sink = open_file(0, 0);
	uint64_t lost = sink_lost_lines();

	for (int i = 0; i < 10; i++)
		say_bytes(sink, 900);
	sink_flush_all();
	assert_matches(told, "^log file .*/log: "
			     "Resource temporarily unavailable, lines are being lost\n$");
	ck_assert_uint_eq(sink_lost_lines() - lost, 6);
	say(sink, "lost");
	sink_flush_all();
	ck_assert_uint_eq(sink_lost_lines() - lost, 7);
	told[0] = '\0';
	assert_matches(read_descriptor(reader),
		       "^(" STAMP ": x{200}x{200}x{200}x{200}x{100}\n){4}" STAMP ": x+$");
	say(sink, "whole");
	sink_flush_all();
	assert_matches(read_descriptor(reader), "^\n" STAMP ": whole\n$");
	assert_matches(told, "^log file .*/log: writing again, 7 lines were lost\n$");
	say(sink, "next");
	sink_flush_all();
	assert_matches(read_descriptor(reader), "^" STAMP ": next\n$");
	sink_release(sink);
	close(reader);
}
END_TEST

START_TEST(a_reader_that_leaves_is_told_and_may_come_back)
{
	int reader = open_small_fifo();
	struct sink *sink = open_file(0, 0);

	close(reader);
	say(sink, "lost");
	sink_flush_all();
	assert_matches(told, "^log file .*/log: Broken pipe, lines are being lost\n$");
	told[0] = '\0';
	reader = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	say(sink, "heard");
	sink_flush_all();
	assert_matches(read_descriptor(reader), "^" STAMP ": heard\n$");
	assert_matches(told, "^log file .*/log: writing again, 1 line was lost\n$");
	sink_release(sink);
	close(reader);
}
END_TEST

/* A message about a sink may be written to that sink. */
static struct sink *listener;

static void say_it_there(const char *sentence)
{
	remember(sentence);
	say(listener, sentence);
}

START_TEST(troubles_may_be_logged_in_the_troubled_file)
{
	int reader = open_small_fifo();

	listener = open_file(0, 0);
	sink_on_trouble(say_it_there);
	for (int i = 0; i < 10; i++)
		say_bytes(listener, 900);
	sink_flush_all();
	read_descriptor(reader);
	say(listener, "again");
	sink_flush_all();
	assert_matches(read_descriptor(reader),
		       "^\n" STAMP ": again\n" STAMP
		       ": log file .*: writing again, 7 lines were lost\n$");
	sink_release(listener);
	close(reader);
}
END_TEST

static int listen_as_syslogd(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	unlink(path);
	ck_assert_uint_lt(strlen(path), sizeof address.sun_path);
	memcpy(address.sun_path, path, strlen(path));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static const char *receive(int fd)
{
	ssize_t length = recv(fd, content, sizeof content - 1, 0);

	content[length < 0 ? 0 : length] = '\0';
	return length < 0 ? "nothing" : content;
}

static struct sink *open_syslog(void)
{
	struct sink *sink = sink_open_syslog(LOG_DAEMON, LOG_INFO);

	ck_assert_ptr_nonnull(sink);
	sink_use_syslog_socket(path);
	ck_assert(sink_is_syslog(sink));
	return sink;
}

START_TEST(syslog_gets_each_line_at_once)
{
	int syslogd = listen_as_syslogd();
	struct sink *sink = open_syslog();
	char pattern[100];

	say(sink, "a line");
	say_message(sink, LOG_ERR, "a message");
	snprintf(pattern, sizeof pattern,
		 "^<30>[A-Z][a-z]{2} [ 123][0-9] [0-9:]{8} "
		 "usherd\\[%d\\]: a line$",
		 (int)getpid());
	assert_matches(receive(syslogd), pattern);
	assert_matches(receive(syslogd), "^<27>[^>]* usherd.[0-9]+.: a message$");
	ck_assert_str_eq(told, "");
	sink_release(sink);
	close(syslogd);
}
END_TEST

START_TEST(a_syslogd_that_was_restarted_misses_nothing)
{
	int syslogd = listen_as_syslogd();
	struct sink *sink = open_syslog();

	say(sink, "one");
	close(syslogd);
	syslogd = listen_as_syslogd();
	say(sink, "two");
	assert_matches(receive(syslogd), ": two$");
	ck_assert_str_eq(told, "");
	sink_release(sink);
	close(syslogd);
}
END_TEST

/* The sink looks for it once a second, so this repeats until it is found. */
START_TEST(a_syslogd_may_come_later)
{
	struct sink *sink = open_syslog();
	struct pollfd syslogd = { .events = POLLIN };

	say(sink, "lost");
	say(sink, "lost");
	ck_assert(sink_is_losing(sink));
	ck_assert_str_eq(told, "syslog: No such file or directory, lines are being lost\n");
	told[0] = '\0';
	syslogd.fd = listen_as_syslogd();
	do
		say(sink, "found");
	while (poll(&syslogd, 1, 10) == 0);
	assert_matches(receive(syslogd.fd), ": found$");
	assert_matches(told, "^syslog: writing again, [0-9]+ lines were lost\n$");
	ck_assert(!sink_is_losing(sink));
	sink_release(sink);
	close(syslogd.fd);
}
END_TEST

START_TEST(a_syslogd_that_does_not_read_stops_nobody)
{
	int syslogd = listen_as_syslogd();
	struct sink *sink = open_syslog();
	uint64_t lost = sink_lost_lines();
	int said = 0, received = 0;

	while (sink_lost_lines() == lost) {
		say(sink, "line");
		said++;
	}
	say(sink, "line");
	ck_assert_uint_eq(sink_lost_lines() - lost, 2);
	ck_assert_str_eq(told, "syslog: Resource temporarily unavailable, lines are being lost\n");
	told[0] = '\0';
	while (strcmp(receive(syslogd), "nothing") != 0)
		received++;
	ck_assert_int_eq(received, said - 1);
	say(sink, "again");
	assert_matches(receive(syslogd), ": again$");
	ck_assert_str_eq(told, "syslog: writing again, 2 lines were lost\n");
	sink_release(sink);
	close(syslogd);
}
END_TEST

START_TEST(a_descriptor_gets_the_bare_text_at_once)
{
	int ends[2];
	struct sink *sink;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	sink = sink_open_descriptor(ends[1]);
	ck_assert_ptr_nonnull(sink);
	ck_assert(!sink_is_syslog(sink));
	say(sink, "a line");
	say_message(sink, LOG_ERR, "a message");
	ck_assert_str_eq(read_descriptor(ends[0]), "a line\na message\n");
	sink_release(sink);
	ck_assert_int_eq(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* A write that blocks is the bug; then the test hangs. */
START_TEST(a_descriptor_that_nobody_reads_stops_nobody)
{
	int ends[2];
	struct sink *sink;
	uint64_t lost = sink_lost_lines();

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	fcntl(ends[0], F_SETPIPE_SZ, 4096);
	sink = sink_open_descriptor(ends[1]);
	memset(content, 'x', 8000);
	sink_line(sink, content, 8000);
	ck_assert_uint_eq(sink_lost_lines() - lost, 1);
	say(sink, "lost");
	ck_assert_str_eq(told, "log descriptor: "
			       "Resource temporarily unavailable, lines are being lost\n");
	told[0] = '\0';
	ck_assert_uint_eq(strspn(read_descriptor(ends[0]), "x"), 4096);
	say(sink, "again");
	ck_assert_str_eq(read_descriptor(ends[0]), "\nagain\n");
	ck_assert_str_eq(told, "log descriptor: writing again, 2 lines were lost\n");
	sink_release(sink);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(a_closed_descriptor_is_told)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct sink *sink = sink_open_descriptor(fd);

	close(fd);
	say(sink, "lost");
	ck_assert_str_eq(told, "log descriptor: Bad file descriptor, lines are being lost\n");
	sink_release(sink);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
	TCase *cases = tcase_create(name);

	tcase_add_checked_fixture(cases, set_up, tear_down);
	suite_add_tcase(suite, cases);
	return cases;
}

Suite *sink_suite(void);

Suite *sink_suite(void)
{
	Suite *suite = suite_create("sink");
	TCase *file = add_case(suite, "file");
	TCase *limits = add_case(suite, "limits");
	TCase *trouble = add_case(suite, "trouble");
	TCase *syslogd = add_case(suite, "syslog");
	TCase *descriptor = add_case(suite, "descriptor");

	tcase_add_test(file, lines_are_gathered_until_the_flush);
	tcase_add_test(file, messages_bear_name_and_pid);
	tcase_add_test(file, stamps_are_local_time);
	tcase_add_test(file, files_are_appended_to_and_not_for_everybody);
	tcase_add_test(file, a_file_is_open_once);
	tcase_add_test(file, more_than_a_buffer_is_written_in_order);
	tcase_add_test(file, an_endless_line_is_cut);
	tcase_add_test(file, one_that_cannot_be_opened_says_why);
	tcase_add_test(file, reopening_leaves_gathered_lines_in_the_old_file);
	tcase_add_test(file, one_that_cannot_be_reopened_stays_open);
	tcase_add_test(file, devices_are_files_too);
	tcase_add_test(limits, the_soft_limit_is_told_once);
	tcase_add_test(limits, past_the_hard_limit_nothing_is_written);
	tcase_add_test(limits, what_was_there_counts_towards_the_limit);
	tcase_add_test(limits, a_rotated_file_is_written_again);
	tcase_add_test(limits, the_latest_limits_count);
	tcase_add_test(limits, what_is_lost_does_not_count_towards_the_limit);
	tcase_add_test(trouble, a_full_disk_is_told_once);
	tcase_add_test(trouble, a_named_pipe_without_reader_is_refused);
	tcase_add_test(trouble, a_torn_line_does_not_run_into_the_next);
	tcase_add_test(trouble, a_reader_that_leaves_is_told_and_may_come_back);
	tcase_add_test(trouble, troubles_may_be_logged_in_the_troubled_file);
	tcase_add_test(syslogd, syslog_gets_each_line_at_once);
	tcase_add_test(syslogd, a_syslogd_that_was_restarted_misses_nothing);
	tcase_add_test(syslogd, a_syslogd_may_come_later);
	tcase_add_test(syslogd, a_syslogd_that_does_not_read_stops_nobody);
	tcase_add_test(descriptor, a_descriptor_gets_the_bare_text_at_once);
	tcase_add_test(descriptor, a_descriptor_that_nobody_reads_stops_nobody);
	tcase_add_test(descriptor, a_closed_descriptor_is_told);
	return suite;
}
