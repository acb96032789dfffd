#include "admission/libwrap.h"
#include "base/loop.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <resolv.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONG_MS = 3600 * 1000 };

static struct told {
	int calls;
	bool allowed;
} told[LIBWRAP_WAITING_MAX];

static int answered, wanted;

static void take_answer(void *context, bool allowed)
{
	struct told *one = context;

	one->calls++;
	one->allowed = allowed;
	if (++answered == wanted)
		loop_stop();
}

static void run_until_answered(int count)
{
	wanted = count;
	if (answered < count)
		loop_run();
	ck_assert_int_eq(answered, count);
}

static struct address address_of(const char *text, uint16_t port)
{
	struct address address = { 0 };

	ck_assert_msg(address_parse(&address, text, port) == 0, "%s is no address", text);
	return address;
}

static struct libwrap_query *begin(unsigned service, const char *daemon, const char *from,
				   struct told *one)
{
	struct turn_owner owner = { .service = service, .lengths = { 32, 64 } };
	struct address peer = address_of(from, 40000);
	struct address local = address_of(strchr(from, ':') ? "::1" : "127.0.0.2", 23);

	errno = 0;
	return libwrap_ask(&owner, daemon, &peer, &local, take_answer, one);
}

static struct libwrap_query *ask_from(struct told *one, const char *daemon, const char *from)
{
	struct libwrap_query *query = begin(0, daemon, from, one);

	ck_assert_msg(query != NULL, "%s", strerror(errno));
	ck_assert_int_eq(one->calls, 0);
	return query;
}

static void set_up(void)
{
	memset(told, 0, sizeof told);
	answered = 0;
	place_make();
	signal(SIGPIPE, SIG_IGN); /* as in the daemon */
	ck_assert_int_eq(loop_init(), 0);
	libwrap_set_deadline(LONG_MS);
}

/* Those that have ended are reaped, as by the daemon. */
static unsigned processes(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return process_children(getpid());
}

/* Every question's process ends, answered or not. */
static void tear_down(void)
{
	wait_until((loop_turn(0), processes() == 0));
	place_remove();
}

#ifdef HAVE_LIBWRAP

static void write_rules(const char *allow, const char *deny)
{
	if (allow)
		place_write("allow", "%s", allow);
	if (deny)
		place_write("deny", "%s", deny);
	libwrap_set_files(textf("%s", place_path("allow")), textf("%s", place_path("deny")));
}

/* --- whether there are rules -------------------------------------------------------- */

static const struct {
	const char *allow, *deny; /* NULL: no such file */
	bool have_any;
} files[] = {
	{ NULL, NULL, false },
	{ "", "", false },
	{ "# ALL: ALL\n", NULL, false },
	{ "\n \t\r\n#\n", "#ALL: ALL\n\n", false },
	{ "ALL: ALL\n", NULL, true },
	{ NULL, "#\n\n  ALL: ALL\n", true },
	{ NULL, "nonsense\n", true },
	{ " # no comment\n", NULL, true },
	{ NULL, "# not finished", true },
	{ NULL, " ", true },
};

START_TEST(knows_whether_there_are_rules)
{
	write_rules(files[_i].allow, files[_i].deny);
	ck_assert_msg(libwrap_has_rules() == files[_i].have_any, "row %d", _i);
}
END_TEST

START_TEST(a_file_that_can_not_be_read_is_a_rule)
{
	libwrap_set_files(textf("%s", place_path("none")), textf("%s/x", place_path("none")));
	ck_assert(!libwrap_has_rules());
	place_write("file", "%s", "");
	libwrap_set_files(textf("%s", place_path("none")), textf("%s/x", place_path("file")));
	ck_assert(libwrap_has_rules());
	ck_assert_int_eq(mkdir(place_path("directory"), 0755), 0);
	libwrap_set_files(textf("%s", place_path("none")), textf("%s", place_path("directory")));
	ck_assert(libwrap_has_rules());
}
END_TEST

START_TEST(a_very_long_comment_is_a_rule)
{
	char line[4000];

	memset(line, '#', sizeof line);
	line[sizeof line - 1] = '\0';
	write_rules(NULL, textf("%s\n", line));
	ck_assert(libwrap_has_rules());
}
END_TEST

static bool have_rules_after_a_turn(void)
{
	loop_turn(0);
	return libwrap_has_rules();
}

START_TEST(looks_again_after_a_while)
{
	write_rules("", NULL);
	ck_assert(!libwrap_has_rules());
	place_write("deny", "ALL: ALL\n");
	ck_assert(!libwrap_has_rules());
	wait_until(have_rules_after_a_turn());
	ck_assert_int_eq(unlink(place_path("deny")), 0);
	wait_until(!have_rules_after_a_turn());
}
END_TEST

/* --- the rules ------------------------------------------------------------------------ */

static const struct {
	const char *allow, *deny, *daemon, *from;
	bool allowed;
} questions[] = {
	{ "", "", "echo", "192.0.2.1", true },
	{ NULL, NULL, "echo", "192.0.2.1", true },
	{ "", "ALL: ALL\n", "echo", "192.0.2.1", false },
	{ "", "ALL: ALL\n", "echo", "2001:db8::1", false },
	{ "", "daytime: ALL\n", "echo", "192.0.2.1", true },
	{ "echo: 192.0.2.0/24\n", "ALL: ALL\n", "echo", "192.0.2.1", true },
	{ "echo: 192.0.2.0/24\n", "ALL: ALL\n", "echo", "192.0.3.1", false },
	{ "echo: 192.0.2.0/24\n", "ALL: ALL\n", "time", "192.0.2.1", false },
	{ "echo: 192.0.2.0/24\n", "ALL: ALL\n", "echo", "::ffff:192.0.2.1", true },
	{ "echo: 192.0.\n", "ALL: ALL\n", "echo", "192.0.9.1", true },
	{ "echo: [2001:db8::]/32\n", "ALL: ALL\n", "echo", "2001:db8:9::1", true },
	{ "echo: [2001:db8::]/32\n", "ALL: ALL\n", "echo", "2001:db9::1", false },
	{ "echo: [2001:db8::1]\n", "ALL: ALL\n", "echo", "2001:db8::1", true },
	{ "echo: [fe80::]/10\n", "ALL: ALL\n", "echo", "fe80::1%lo", true },
	{ "", "echo: ALL EXCEPT 192.0.2.1\n", "echo", "192.0.2.1", true },
	{ "", "echo: ALL EXCEPT 192.0.2.1\n", "echo", "192.0.2.2", false },
	{ "echo@127.0.0.2: 192.0.2.1\n", "ALL: ALL\n", "echo", "192.0.2.1", true },
	{ "echo@127.0.0.3: 192.0.2.1\n", "ALL: ALL\n", "echo", "192.0.2.1", false },
	{ "echo: localhost\n", "ALL: ALL\n", "echo", "127.0.0.1", true },
	{ "echo: nobody@127.0.0.1\n", "ALL: ALL\n", "echo", "127.0.0.1", false },
	{ "ALL: ALL: allow\n", "", "echo", "192.0.2.1", true },
	{ "ALL: ALL: deny\n", "", "echo", "192.0.2.1", false },
	{ "ALL: ALL: severity local0.debug: allow\n", "", "echo", "192.0.2.1", true },
	{ "ALL: ALL: keepalive: linger 1: allow\n", "", "echo", "192.0.2.1", true },
	{ "ALL: ALL: nonsense\n", "", "echo", "192.0.2.1", false },
	{ "", "ALL: ALL: twist /bin/echo go away\n", "echo", "192.0.2.1", false },
	{ "", "ALL: ALL: allow\n", "echo", "192.0.2.1", true },
	{ "", "# not finished", "echo", "192.0.2.1", false },
};

START_TEST(answers_by_the_rules)
{
	write_rules(questions[_i].allow, questions[_i].deny);
	ask_from(&told[0], questions[_i].daemon, questions[_i].from);
	run_until_answered(1);
	ck_assert_msg(told[0].calls == 1 && told[0].allowed == questions[_i].allowed,
		      "row %d: %s of %s", _i, questions[_i].daemon, questions[_i].from);
}
END_TEST

START_TEST(an_unknown_address_matches_no_network)
{
	struct address unknown = address_from_sockaddr(NULL, 0);

	write_rules("ALL: 0.0.0.0/0 [::]/0\n", "ALL: ALL\n");
	ck_assert_ptr_nonnull(libwrap_ask(&(struct turn_owner){ 0 }, "echo", &unknown, &unknown,
					  take_answer, &told[0]));
	run_until_answered(1);
	ck_assert(!told[0].allowed);
}
END_TEST

START_TEST(answers_many_at_once)
{
	write_rules("even: ALL\n", "ALL: ALL\n");
	for (int i = 0; i < 50; i++)
		ask_from(&told[i], i % 2 ? "odd" : "even", "192.0.2.1");
	run_until_answered(50);
	for (int i = 0; i < 50; i++)
		ck_assert_msg(told[i].calls == 1 && told[i].allowed == (i % 2 == 0), "%d", i);
}
END_TEST

/* --- options ------------------------------------------------------------------------ */

START_TEST(commands_are_run)
{
	write_rules(textf("ALL: ALL: spawn echo %%d %%a > %s\n", place_path("out")), "");
	ask_from(&told[0], "in.tftpd", "192.0.2.1");
	run_until_answered(1);
	ck_assert(told[0].allowed);
	ck_assert_str_eq(place_read("out"), "in.tftpd 192.0.2.1\n");
}
END_TEST

enum { ASKING_UID = 61999 };

static void ask_as_other_user(const char *allow, const char *deny)
{
	ck_assert_int_eq(chmod(place_path("."), 0777), 0);
	write_rules(allow, deny);
	libwrap_run_as(ASKING_UID, ASKING_UID + 1);
}

START_TEST(questions_are_put_by_another_user)
{
	ask_as_other_user(
		textf("ALL: ALL: spawn (id -u; id -G; grep CapEff /proc/self/status) > %s\n",
		      place_path("out")),
		"");
	ask_from(&told[0], "echo", "192.0.2.1");
	run_until_answered(1);
	ck_assert(told[0].allowed);
	ck_assert_str_eq(place_read("out"), "61999\n62000\nCapEff:\t0000000000000000\n");
}
END_TEST

/* libwrap itself goes on without the file. */
START_TEST(a_file_that_the_user_can_not_read_refuses_everybody)
{
	const char *closed = _i == 0 ? "allow" : "deny";

	ask_as_other_user("ALL: ALL\n", "");
	ck_assert_int_eq(chmod(place_path(closed), 0600), 0);
	ask_from(&told[0], "echo", "192.0.2.1");
	run_until_answered(1);
	ck_assert(!told[0].allowed);
	ck_assert_int_eq(chmod(place_path(closed), 0644), 0);
	ask_from(&told[1], "echo", "192.0.2.1");
	run_until_answered(2);
	ck_assert(told[1].allowed);
}
END_TEST

/* A test in the background may inherit ignored signals. */
static void stop_ignoring_signals(void)
{
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
}

/* Only 0, 1, 2 and the shell's own descriptors are open. No signal is blocked. Only
 * SIGHUP is ignored, by libwrap. Signal 32 belongs to the C library and can't be set. */
START_TEST(commands_inherit_nothing_of_the_daemon)
{
	int low = dup(STDERR_FILENO), high = fcntl(low, F_DUPFD, 200);

	ck_assert_int_ge(high, 200);
	stop_ignoring_signals();
	write_rules(textf("ALL: ALL: spawn (for fd in 3 4 5 6 7 8 9 %d; do "
			  "test -e /proc/self/fd/$fd && echo $fd is open; done; "
			  "grep -E 'Sig(Blk|Ign)' /proc/self/status) > %s\n",
			  high, place_path("out")),
		    "");
	ask_from(&told[0], "echo", "192.0.2.1");
	run_until_answered(1);
	close(low);
	close(high);
	ck_assert(!text_matches(place_read("out"), "is open"));
	ck_assert_msg(text_matches(place_read("out"), "^SigBlk:\t0+$"), "%s", place_read("out"));
	ck_assert_msg(text_matches(place_read("out"), "^SigIgn:\t0+[08]0000001$"), "%s",
		      place_read("out"));
}
END_TEST

START_TEST(options_leave_the_daemon_as_it_is)
{
	int niceness = getpriority(PRIO_PROCESS, 0);
	mode_t before = umask(022);

	write_rules("ALL: ALL: umask 077: setenv USHERD_TEST yes: nice 5: allow\n", "");
	ask_from(&told[0], "echo", "192.0.2.1");
	run_until_answered(1);
	ck_assert(told[0].allowed);
	ck_assert_int_eq(umask(before), 022);
	ck_assert_ptr_null(getenv("USHERD_TEST"));
	ck_assert_int_eq(getpriority(PRIO_PROCESS, 0), niceness);
}
END_TEST

/* --- slow rules ------------------------------------------------------------------------
 * A pattern that is the path of a fifo delays its query until a process writes to the
 * fifo. */

static void write_stuck_rule(void)
{
	ck_assert_int_eq(mkfifo(place_path("fifo"), 0600), 0);
	write_rules(textf("quick: ALL\nstuck: %s\n", place_path("fifo")), "ALL: ALL\n");
}

START_TEST(a_stuck_question_holds_up_no_other)
{
	struct libwrap_query *stuck;

	write_stuck_rule();
	stuck = ask_from(&told[0], "stuck", "192.0.2.1");
	ask_from(&told[1], "quick", "192.0.2.1");
	run_until_answered(1);
	ck_assert(told[1].allowed);
	ck_assert_int_eq(told[0].calls, 0);
	libwrap_cancel(stuck);
}
END_TEST

/* Whether the query has a process by then or still waits for one. */
START_TEST(the_answer_is_no_when_time_is_up)
{
	write_stuck_rule();
	libwrap_set_deadline((uint64_t)_i * 10);
	ask_from(&told[0], "stuck", "192.0.2.1");
	run_until_answered(1);
	ck_assert(!told[0].allowed);
	libwrap_set_deadline(LONG_MS);
	ask_from(&told[1], "quick", "192.0.2.1");
	run_until_answered(2);
	ck_assert(told[1].allowed);
	ck_assert_int_eq(told[0].calls, 1);
}
END_TEST

START_TEST(a_question_cancelled_at_once_is_not_answered)
{
	write_stuck_rule();
	libwrap_cancel(ask_from(&told[0], "quick", "192.0.2.1"));
	libwrap_cancel(ask_from(&told[1], "stuck", "192.0.2.1"));
	ask_from(&told[2], "quick", "192.0.2.1");
	run_until_answered(1);
	ck_assert(told[2].allowed);
	ck_assert_int_eq(told[0].calls + told[1].calls, 0);
}
END_TEST

START_TEST(a_question_cancelled_later_is_not_answered)
{
	struct libwrap_query *query;

	write_stuck_rule();
	query = ask_from(&told[0], "stuck", "192.0.2.1");
	wait_until((loop_turn(0), processes() == 1));
	libwrap_cancel(query);
	ask_from(&told[1], "quick", "192.0.2.1");
	run_until_answered(1);
	ck_assert(told[1].allowed);
	ck_assert_int_eq(told[0].calls, 0);
}
END_TEST

/* The one that there is may be about to be replaced by another. */
static void kill_process(void)
{
	if (processes() > 0)
		ck_assert_int_eq(kill(process_child(getpid()), SIGKILL), 0);
}

START_TEST(a_process_that_dies_has_said_no)
{
	write_stuck_rule();
	ask_from(&told[0], "stuck", "192.0.2.1");
	wait_until((loop_turn(0), kill_process(), answered == 1));
	ck_assert(!told[0].allowed);
}
END_TEST

/* Makes queries of service 1 until no more are taken. Returns how many. */
static int ask_all_that_fit(int sources, struct libwrap_query *asked[static LIBWRAP_WAITING_MAX])
{
	int count = 0;

	while ((asked[count] =
			begin(1, "stuck", textf("192.0.2.%d", count % sources), &told[count])))
		count++;
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_ge(count, LIBWRAP_WAITING_MAX / 4);
	return count;
}

static const struct {
	int sources;
	unsigned service; /* of the query after them */
	unsigned most;    /* processes that they may have */
} crowds[] = {
	{ 1, 1, LIBWRAP_MAX / 8 },
	{ 1, 2, LIBWRAP_MAX / 8 },
	{ 200, 2, LIBWRAP_MAX / 2 },
};

START_TEST(those_who_wait_hold_up_nobody_else)
{
	static struct libwrap_query *asked[LIBWRAP_WAITING_MAX];
	static struct told last;
	int count;

	write_stuck_rule();
	count = ask_all_that_fit(crowds[_i].sources, asked);
	ck_assert_ptr_nonnull(begin(crowds[_i].service, "quick", "192.0.2.250", &last));
	run_until_answered(1);
	ck_assert(last.allowed);
	/* What has said its word or was replaced ends; who waits for the fifo does not. */
	wait_until(processes() <= crowds[_i].most);
	for (int i = 0; i < count; i++)
		libwrap_cancel(asked[i]);
}
END_TEST

START_TEST(who_waits_for_a_turn_gets_it)
{
	enum { ALL = LIBWRAP_MAX / 8 + 1 };
	struct libwrap_query *asked[ALL];

	write_stuck_rule();
	for (int i = 0; i < ALL; i++)
		asked[i] = ask_from(&told[i], "stuck", "192.0.2.1");
	ask_from(&told[ALL], "quick", "192.0.2.1");
	libwrap_cancel(asked[ALL - 1]); /* it still waits */
	libwrap_cancel(asked[0]);
	run_until_answered(1);
	ck_assert(told[ALL].allowed);
	for (int i = 1; i < ALL - 1; i++)
		libwrap_cancel(asked[i]);
}
END_TEST

START_TEST(closes_what_it_opened)
{
	unsigned before;

	write_stuck_rule();
	ask_from(&told[0], "quick", "192.0.2.1");
	run_until_answered(1);
	before = process_descriptors(getpid());
	ask_from(&told[1], "quick", "192.0.2.1");
	libwrap_cancel(ask_from(&told[2], "stuck", "192.0.2.1"));
	run_until_answered(2);
	ask_from(&told[3], "quick", "192.0.2.1");
	run_until_answered(3);
	ck_assert_uint_eq(process_descriptors(getpid()), before);
}
END_TEST

#define ROWS(table) ((int)(sizeof table / sizeof table[0]))

/* Other threads look up names meanwhile and take locks of the C library. With
 * AddressSanitizer each look takes them so long that most children would be forked again
 * and again, so there is one thread then, and it rests most of the time. */
#ifdef __SANITIZE_ADDRESS__
enum { ASKED_MEANWHILE = 10, LOOKING_UP = 1, REST_MS = 25 };
#else
enum { ASKED_MEANWHILE = 400, LOOKING_UP = 8, REST_MS = 1 };
#endif

static atomic_bool is_over;

static void *read_resolv_conf(void *none)
{
	(void)none;
	while (!is_over) {
		res_init();
		poll(NULL, 0, REST_MS);
	}
	return NULL;
}

START_TEST(who_looks_up_names_meanwhile_keeps_no_answer_back)
{
	pthread_t threads[LOOKING_UP];

	write_rules("svc: ALL\n", "ALL: ALL\n");
	for (int i = 0; i < LOOKING_UP; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_resolv_conf, NULL), 0);
	for (int i = 0; i < ASKED_MEANWHILE; i++)
		ask_from(&told[i], "svc", textf("192.0.2.%d", i % 250));
	run_until_answered(ASKED_MEANWHILE);
	for (int i = 0; i < ASKED_MEANWHILE; i++)
		ck_assert(told[i].allowed);
	is_over = true;
	for (int i = 0; i < LOOKING_UP; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

Suite *libwrap_suite(void);

Suite *libwrap_suite(void)
{
	Suite *suite = suite_create("libwrap");
	TCase *looking = tcase_create("looking"), *asking = tcase_create("asking");
	TCase *options = tcase_create("options"), *waiting = tcase_create("waiting");

	tcase_add_checked_fixture(looking, set_up, tear_down);
	tcase_set_timeout(looking, 30);
	tcase_add_loop_test(looking, knows_whether_there_are_rules, 0, ROWS(files));
	tcase_add_test(looking, a_file_that_can_not_be_read_is_a_rule);
	tcase_add_test(looking, a_very_long_comment_is_a_rule);
	tcase_add_test(looking, looks_again_after_a_while);
	tcase_add_checked_fixture(asking, set_up, tear_down);
	tcase_set_timeout(asking, 30);
	tcase_add_loop_test(asking, answers_by_the_rules, 0, ROWS(questions));
	tcase_add_test(asking, an_unknown_address_matches_no_network);
	tcase_add_test(asking, answers_many_at_once);
	tcase_add_checked_fixture(options, set_up, tear_down);
	tcase_set_timeout(options, 30);
	tcase_add_test(options, commands_are_run);
	tcase_add_test(options, commands_inherit_nothing_of_the_daemon);
	tcase_add_test(options, options_leave_the_daemon_as_it_is);
	if (geteuid() == 0) {
		tcase_add_test(asking, questions_are_put_by_another_user);
		tcase_add_loop_test(asking, a_file_that_the_user_can_not_read_refuses_everybody, 0,
				    2);
	}
	tcase_add_checked_fixture(waiting, set_up, tear_down);
	tcase_set_timeout(waiting, 60);
	tcase_add_test(waiting, a_stuck_question_holds_up_no_other);
	tcase_add_loop_test(waiting, the_answer_is_no_when_time_is_up, 0, 5);
	tcase_add_test(waiting, a_question_cancelled_at_once_is_not_answered);
	tcase_add_test(waiting, a_question_cancelled_later_is_not_answered);
	tcase_add_test(waiting, a_process_that_dies_has_said_no);
	tcase_add_loop_test(waiting, those_who_wait_hold_up_nobody_else, 0, ROWS(crowds));
	tcase_add_test(waiting, who_waits_for_a_turn_gets_it);
	tcase_add_test(waiting, who_looks_up_names_meanwhile_keeps_no_answer_back);
	tcase_add_test(waiting, closes_what_it_opened);
	suite_add_tcase(suite, looking);
	suite_add_tcase(suite, asking);
	suite_add_tcase(suite, options);
	suite_add_tcase(suite, waiting);
	return suite;
}

#else

START_TEST(without_libwrap_everybody_is_allowed)
{
	ck_assert(!libwrap_has_rules());
	libwrap_cancel(ask_from(&told[0], "echo", "192.0.2.1"));
	ask_from(&told[1], "echo", "192.0.2.1");
	run_until_answered(1);
	ck_assert_int_eq(told[0].calls, 0);
	ck_assert(told[1].allowed);
}
END_TEST

Suite *libwrap_suite(void);

Suite *libwrap_suite(void)
{
	Suite *suite = suite_create("libwrap");
	TCase *without = tcase_create("without");

	tcase_add_checked_fixture(without, set_up, tear_down);
	tcase_add_test(without, without_libwrap_everybody_is_allowed);
	suite_add_tcase(suite, without);
	return suite;
}

#endif
