#include "monitor/frontend_process.h"

#include "base/loop.h"
#include "base/timer.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned spawned;

/* A process that does nothing, and ends with the test. */
static pid_t spawn(int channel)
{
	pid_t pid = fork();

	(void)channel;
	spawned++;
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static pid_t spawn_nothing(int channel)
{
	(void)channel;
	errno = EAGAIN;
	return -1;
}

static void on_event(void)
{
}

static int fill_start(struct start_message *start)
{
	*start = (struct start_message){ .monitor = (int32_t)getpid() };
	return -1;
}

static const struct frontend_events events = {
	.ready = on_event,
	.gone = on_event,
	.start = fill_start,
};

static void setup(void)
{
	ck_assert_int_eq(loop_init(), 0);
	frontend_process_start_by(spawn);
}

static void teardown(void)
{
	pid_t pid = frontend_process_pid();

	frontend_process_kill();
	if (pid > 0)
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	loop_free();
}

START_TEST(starts_the_process_that_was_prepared)
{
	pid_t pid;

	ck_assert_int_eq(frontend_process_prepare(), 0);
	pid = frontend_process_pid();
	ck_assert_int_eq(kill(pid, 0), 0);
	ck_assert_int_eq(frontend_process_start(&events), 0);
	ck_assert_int_eq(frontend_process_pid(), pid);
	ck_assert_uint_eq(spawned, 1);
	frontend_process_discard(); /* not any more */
	ck_assert_int_eq(kill(pid, 0), 0);
}
END_TEST

START_TEST(ends_the_process_that_was_not_started)
{
	pid_t pid;

	frontend_process_discard(); /* there is none */
	ck_assert_int_eq(frontend_process_prepare(), 0);
	pid = frontend_process_pid();
	frontend_process_discard();
	ck_assert_int_eq(frontend_process_pid(), 0);
	ck_assert_int_eq(kill(pid, 0), -1);
	ck_assert_int_eq(errno, ESRCH);
}
END_TEST

START_TEST(tries_again_when_there_was_no_process)
{
	frontend_process_start_by(spawn_nothing);
	ck_assert_int_eq(frontend_process_prepare(), -1);
	ck_assert_int_eq(frontend_process_pid(), 0);
	frontend_process_start_by(spawn);
	ck_assert_int_eq(frontend_process_start(&events), 0);
	ck_assert_uint_eq(spawned, 1);
}
END_TEST

/* --- pings ---------------------------------------------------------------------------- */

enum { PING_MS = 100, TURNS_MAX = 5000 };

static enum { ANSWERS, IS_SILENT, STOPS_ONCE } behaviour;
static int ping_seen[2]; /* a pipe: a byte for each ping */

static void say(int channel, enum message_kind kind)
{
	if (send(channel, &kind, sizeof kind, 0) != sizeof kind)
		_exit(1);
}

static void play_frontend(int channel)
{
	struct message message;

	fcntl(channel, F_SETFL, 0); /* to wait */
	say(channel, MESSAGE_READY);
	if (behaviour == STOPS_ONCE)
		raise(SIGSTOP);
	while (recv(channel, &message, sizeof message, 0) > 0) {
		if (message.kind != MESSAGE_PING)
			continue;
		if (write(ping_seen[1], "", 1) != 1)
			_exit(1);
		if (behaviour != IS_SILENT)
			say(channel, MESSAGE_PONG);
	}
	_exit(0);
}

static pid_t spawn_playing(int channel)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	play_frontend(channel);
	return 0;
}

static void start_playing(int as)
{
	behaviour = as;
	ck_assert_int_eq(pipe2(ping_seen, O_CLOEXEC | O_NONBLOCK), 0);
	frontend_process_start_by(spawn_playing);
	frontend_process_ping_every(PING_MS);
	ck_assert_int_eq(frontend_process_start(&events), 0);
}

static unsigned count_pings(void)
{
	static unsigned count;
	char bytes[64];
	ssize_t length;

	while ((length = read(ping_seen[0], bytes, sizeof bytes)) > 0)
		count += (unsigned)length;
	return count;
}

static void wait_for_pings(unsigned count)
{
	for (int turns = 0; count_pings() < count; turns++) {
		ck_assert_int_lt(turns, TURNS_MAX);
		loop_turn(PING_MS);
	}
}

static bool passed;

static void on_passed(struct timer *timer)
{
	(void)timer;
	passed = true;
}

static void let_pings_pass(unsigned count)
{
	struct timer timer;

	timer_init(&timer, on_passed);
	timer_start(&timer, count * PING_MS);
	while (!passed)
		loop_turn(-1);
}

START_TEST(one_that_answers_is_left_alone)
{
	start_playing(ANSWERS);
	wait_for_pings(3 * FRONTEND_PINGS_MAX);
	ck_assert_int_eq(waitpid(frontend_process_pid(), NULL, WNOHANG), 0);
}
END_TEST

START_TEST(one_that_does_not_answer_is_killed)
{
	int status = 0;
	pid_t pid;

	start_playing(IS_SILENT);
	pid = frontend_process_pid();
	for (int turns = 0; waitpid(pid, &status, WNOHANG) == 0; turns++) {
		ck_assert_int_lt(turns, TURNS_MAX);
		loop_turn(PING_MS);
	}
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	ck_assert_uint_eq(count_pings(), 1);
	ck_assert(frontend_process_ended(pid, status));
}
END_TEST

START_TEST(one_that_is_stopped_is_waited_for)
{
	pid_t pid;

	start_playing(STOPS_ONCE);
	pid = frontend_process_pid();
	ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);
	let_pings_pass(3 * FRONTEND_PINGS_MAX);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	wait_for_pings(2 * FRONTEND_PINGS_MAX);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
}
END_TEST

Suite *frontend_process_suite(void);

Suite *frontend_process_suite(void)
{
	Suite *suite = suite_create("frontend_process");
	TCase *tests = tcase_create("frontend_process");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, starts_the_process_that_was_prepared);
	tcase_add_test(tests, ends_the_process_that_was_not_started);
	tcase_add_test(tests, tries_again_when_there_was_no_process);
	tcase_add_test(tests, one_that_answers_is_left_alone);
	tcase_add_test(tests, one_that_does_not_answer_is_killed);
	tcase_add_test(tests, one_that_is_stopped_is_waited_for);
	suite_add_tcase(suite, tests);
	return suite;
}
