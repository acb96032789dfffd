/* proof_of_work: clients solve a puzzle before they are served. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"
#include "support/solver.h"

#include <check.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define PUZZLED "proof_of_work = 2\ncps = 0 0\n"
#define WRONG "Incorrect: this solves no puzzle that you got here\n"
#define USED "Incorrect: this puzzle was solved before\n"

static int add_puzzled(const char *name, const char *lines)
{
	return add_service(name, "%s%s%s", PUZZLED, log_everything(), lines);
}

/* A client that has got a puzzle. */
struct player {
	int fd;
	char *puzzle;
};

static char *read_puzzle(int fd)
{
	char *first = client_read_line(fd), *puzzle = puzzle_in(first);

	ck_assert_str_eq(first,
			 textf("proof of work: curl -sSfL https://pwn.red/pow | sh -s %s", puzzle));
	client_expect(fd, textf("or: python3 <(curl -sSL https://goo.gle/kctf-pow) solve %s\n",
				puzzle));
	client_expect(fd, "solution: ");
	return puzzle;
}

static struct player join_from(const char *source, int port)
{
	int fd = client_connect_from(source, NULL, port);

	return (struct player){ fd, read_puzzle(fd) };
}

static struct player join(int port)
{
	return join_from("127.0.0.1", port);
}

static void leave(struct player player)
{
	close(player.fd);
}

/* Sends the line, reads the answer. */
static void answer(struct player player, const char *line, const char *expected)
{
	client_send(player.fd, textf("%s\n", line));
	client_expect(player.fd, expected);
}

static void be_refused(struct player player, const char *line, const char *expected)
{
	answer(player, line, expected);
	client_expect_end(player.fd);
}

static void be_served(struct player player)
{
	client_ping(player.fd);
	client_finish_sending(player.fd);
	client_expect_end(player.fd);
}

/* --- who is served ------------------------------------------------------------------------- */

START_TEST(a_client_that_solves_its_puzzle_is_served)
{
	int port = add_puzzled("zzcat", CAT);
	struct player player;

	daemon_start();
	player = join(port);
	client_send(player.fd, textf("%s\nmore\n", puzzle_solve(player.puzzle)));
	client_expect(player.fd, "Correct\nmore\n");
	be_served(player);
	service_wait_log(LOG_TIME "START: zzcat pid=[1-9][0-9]* from=127\\.0\\.0\\.1$");
	service_wait_log(LOG_TIME "EXIT: zzcat status=0 ");
}
END_TEST

/* The program gets the bytes behind the line, and not one of the line. */
START_TEST(the_program_gets_what_comes_behind_the_line)
{
	enum { SIZE = 100000 };
	static char bytes[SIZE];
	int port = add_puzzled("zzcat", CAT);
	struct player player;
	const char *line;

	for (int i = 0; i < SIZE; i++)
		bytes[i] = (char)(i % 251);
	daemon_start();
	player = join(port);
	line = textf("%s\r\n", puzzle_solve(player.puzzle));
	client_send_bytes(player.fd, line, 50);
	client_send(player.fd, line + 50);
	client_send_bytes(player.fd, bytes, sizeof bytes);
	client_expect(player.fd, "Correct\n");
	client_expect_bytes(player.fd, bytes, sizeof bytes);
	be_served(player);
}
END_TEST

START_TEST(internal_services_and_redirect_have_it_too)
{
	int echo = add_service("echo", "type = INTERNAL UNLISTED\n" PUZZLED);
	int plain = add_service("echo", "id = plain\ntype = INTERNAL UNLISTED\n");
	int passed = add_puzzled("zzpassed", textf("redirect = 127.0.0.1 %d\n", plain));
	int ports[] = { echo, passed };

	daemon_start();
	for (int i = 0; i < 2; i++) {
		struct player player = join(ports[i]);

		client_send(player.fd, textf("%s\nmore\n", puzzle_solve(player.puzzle)));
		client_expect(player.fd, "Correct\nmore\n");
		be_served(player);
	}
}
END_TEST

START_TEST(a_puzzle_may_be_solved_on_another_connection)
{
	int port = add_puzzled("zzcat", CAT);
	struct player first, second;

	daemon_start();
	first = join(port);
	leave(first);
	second = join(port);
	answer(second, puzzle_solve(first.puzzle), "Correct\n");
	be_served(second);
	second = join(port);
	be_refused(second, puzzle_solve(first.puzzle), USED);
	service_wait_lines(2, "FAIL: zzcat proof of work from=127\\.0\\.0\\.1");
	ck_assert_uint_eq(text_count(service_log(), "START: zzcat"), 1);
}
END_TEST

START_TEST(a_puzzle_is_of_one_address_one_service_and_one_difficulty)
{
	int port = add_puzzled("zzcat", CAT), other = add_puzzled("zzother", CAT);
	char *solution;

	daemon_start();
	solution = puzzle_solve(join(port).puzzle);
	be_refused(join_from("127.0.0.2", port), solution, WRONG);
	be_refused(join(other), solution, WRONG);
	answer(join(port), solution, "Correct\n");
	service_wait_log("FAIL: zzcat proof of work from=127\\.0\\.0\\.2$");
	service_wait_log("FAIL: zzother proof of work from=127\\.0\\.0\\.1$");
}
END_TEST

/* --- who is not ------------------------------------------------------------------------------- */

static const char *const wrong_lines[] = { "", "yes", "s.", "s.AAAA", "s.AAAA.AAAA", "s.!!!!" };

START_TEST(a_wrong_line_is_refused)
{
	int port;

	place_write("fail", "go away\n");
	port = add_puzzled("zzcat",
			   textf(CAT "banner_fail = %s\nfold_failures = 0\n", place_path("fail")));
	daemon_start();
	for (size_t i = 0; i < sizeof wrong_lines / sizeof wrong_lines[0]; i++)
		be_refused(join(port), wrong_lines[i], WRONG "go away\n");
	service_wait_lines(6, LOG_TIME "FAIL: zzcat proof of work from=127\\.0\\.0\\.1$");
	ck_assert_uint_eq(text_count(service_log(), "START: zzcat"), 0);
}
END_TEST

/* All of it is thrown away: no reset cuts the answer. */
START_TEST(a_line_without_end_is_refused)
{
	enum { SIZE = 10000 };
	static char bytes[SIZE];
	int port = add_puzzled("zzcat", CAT);
	struct player player;

	memset(bytes, 'A', sizeof bytes);
	daemon_start();
	player = join(port);
	client_send_bytes(player.fd, bytes, 255);
	ck_assert(client_hears_nothing(player.fd));
	client_send_bytes(player.fd, bytes, 1);
	client_expect(player.fd, WRONG);
	client_expect_end(player.fd);
	player = join(port);
	client_send_bytes(player.fd, bytes, sizeof bytes);
	client_expect(player.fd, WRONG);
	ck_assert_int_eq(client_end(player.fd), 0); /* and not a reset */
	leave(player);
	service_wait_log("FAIL: zzcat proof of work");
}
END_TEST

START_TEST(a_client_that_closes_is_refused)
{
	int port = add_puzzled("zzcat", CAT "fold_failures = 0\n");
	struct player player;

	daemon_start();
	leave(join(port));
	service_wait_lines(1, "FAIL: zzcat proof of work from=127\\.0\\.0\\.1$");
	player = join(port);
	client_send(player.fd, "s.AAA");
	client_finish_sending(player.fd);
	client_expect_end(player.fd);
	service_wait_lines(2, "FAIL: zzcat proof of work from=127\\.0\\.0\\.1$");
	player = join(port);
	client_reset(player.fd);
	service_wait_lines(3, "FAIL: zzcat proof of work from=127\\.0\\.0\\.1$");
}
END_TEST

/* The same ends the wait for the rest of a line, and a solution that waits to be checked. */
START_TEST(start_timeout_limits_the_wait)
{
	int port = add_puzzled("zzcat", CAT "start_timeout = 1\n");
	struct player silent, slow;

	daemon_start();
	silent = join(port);
	slow = join(port);
	client_send(slow.fd, "s.AA");
	client_expect_end(silent.fd);
	client_expect_end(slow.fd);
	service_wait_lines(2, "FAIL: zzcat start_timeout from=127\\.0\\.0\\.1");
}
END_TEST

/* It has another secret. */
START_TEST(the_next_frontend_knows_no_puzzle_of_the_last_one)
{
	int port = add_puzzled("zzcat", CAT);
	struct player before, player;
	pid_t frontend;

	daemon_start();
	before = join(port);
	wait_until((frontend = process_frontend(daemon_pid())) > 0);
	ck_assert_int_eq(kill(frontend, SIGKILL), 0);
	client_expect_end(before.fd);
	player = join(port);
	be_refused(player, puzzle_solve(before.puzzle), WRONG);
	player = join(port);
	answer(player, puzzle_solve(player.puzzle), "Correct\n");
	be_served(player);
}
END_TEST

/* --- who needs no puzzle ---------------------------------------------------------------------- */

START_TEST(a_source_that_has_solved_one_is_remembered)
{
	int port = add_puzzled("zzcat", CAT "proof_of_work_time = 600\n");
	int other = add_puzzled("zzother", CAT "proof_of_work_time = 600\n");
	struct player player;

	daemon_start();
	player = join(port);
	answer(player, puzzle_solve(player.puzzle), "Correct\n");
	be_served(player);
	ck_assert_str_eq(ask(port, "no puzzle"), "no puzzle");
	configure("# another text\n");
	daemon_reload();
	ck_assert_str_eq(ask(port, "no puzzle"), "no puzzle");
	leave(join_from("127.0.0.2", port));
	leave(join(other));
}
END_TEST

START_TEST(without_proof_of_work_time_nobody_is_remembered)
{
	int port = add_puzzled("zzcat", CAT);

	daemon_start();
	for (int i = 0; i < 2; i++) {
		struct player player = join(port);

		answer(player, puzzle_solve(player.puzzle), "Correct\n");
		be_served(player);
	}
}
END_TEST

/* --- what else is decided --------------------------------------------------------------------- */

START_TEST(who_waits_at_a_puzzle_is_no_instance)
{
	int port = add_puzzled("zzcat", CAT "instances = 1\n");
	struct player waiting, player;

	daemon_start();
	waiting = join(port);
	player = join(port);
	answer(player, puzzle_solve(player.puzzle), "Correct\n");
	client_ping(player.fd);
	be_refused(waiting, puzzle_solve(waiting.puzzle), "Correct\n");
	service_wait_log("FAIL: zzcat service_limit from=127\\.0\\.0\\.1$");
	be_served(player);
}
END_TEST

START_TEST(rates_and_lists_come_before_the_puzzle)
{
	int listed = add_puzzled("zzlisted", CAT "no_access = 127.0.0.2\n");
	int rated = add_puzzled("zzrated", CAT "source_cps = 1/3600 1\n");

	daemon_start();
	ck_assert_str_eq(ask_from("127.0.0.2", listed, ""), "");
	service_wait_log("FAIL: zzlisted address from=127\\.0\\.0\\.2$");
	leave(join(listed));
	leave(join(rated));
	ck_assert_str_eq(ask(rated, ""), "");
	service_wait_log("FAIL: zzrated source rate from=127\\.0\\.0\\.1");
}
END_TEST

START_TEST(who_is_banned_while_it_solves_is_refused)
{
	int port = add_puzzled("zzcat", CAT);
	int sensor = add_service("zzsensor", "type = INTERNAL UNLISTED\nflags = SENSOR\n"
					     "deny_time = FOREVER\n");
	struct player player;

	daemon_start();
	player = join_from("127.0.0.2", port);
	ck_assert_str_eq(ask_from("127.0.0.2", sensor, ""), "");
	be_refused(player, puzzle_solve(player.puzzle), "Correct\n");
	service_wait_log("FAIL: zzcat address from=127\\.0\\.0\\.2$");
}
END_TEST

/* A reload while clients solve: the lists hold, and the puzzle is the one that was sent. */
START_TEST(a_reload_changes_who_is_admitted_and_not_the_puzzle)
{
	int port = port_take();
	struct player refused, player;

	add_puzzled("zzcat", textf(CAT "port = %d\n", port));
	daemon_start();
	refused = join_from("127.0.0.2", port);
	player = join(port);
	configuration_clear();
	add_service("zzcat", CAT "port = %d\nproof_of_work = 3\nno_access = 127.0.0.2\n%s", port,
		    log_everything());
	daemon_reload();
	client_expect_end(refused.fd);
	service_wait_log("FAIL: zzcat address from=127\\.0\\.0\\.2$");
	answer(player, puzzle_solve(player.puzzle), "Correct\n");
	be_served(player);
}
END_TEST

START_TEST(the_client_of_a_balancer_counts)
{
	int port = add_puzzled("zzcat", CAT "proxy_protocol = v1\nproxy_from = 127.0.0.1\n"
					    "proof_of_work_time = 600\n");
	struct player player = { 0 };

	daemon_start();
	player.fd = client_connect(NULL, port);
	client_send(player.fd, "PROXY TCP4 192.0.2.7 198.51.100.1 4000 80\r\n");
	player.puzzle = read_puzzle(player.fd);
	answer(player, puzzle_solve(player.puzzle), "Correct\n");
	be_served(player);
	ck_assert_str_eq(ask(port, "PROXY TCP4 192.0.2.7 198.51.100.1 4 80\r\nagain"), "again");
	player.fd = client_connect(NULL, port);
	client_send(player.fd, "PROXY TCP4 192.0.2.8 198.51.100.1 4 80\r\n");
	be_refused((struct player){ player.fd, read_puzzle(player.fd) },
		   puzzle_solve(player.puzzle), WRONG);
	service_wait_log("FAIL: zzcat proof of work from=192\\.0\\.2\\.8$");
}
END_TEST

/* --- many ------------------------------------------------------------------------------------- */

static void have_256_descriptors(void)
{
	struct rlimit limit = { .rlim_cur = 256, .rlim_max = 256 };

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		_exit(126);
}

START_TEST(one_source_that_waits_leaves_room_for_others)
{
	enum { CLIENTS = 260 };
	int port = add_puzzled("zzcat", CAT), fds[CLIENTS];
	struct player player;

	daemon_start_with(&(struct daemon_options){ .prepare = have_256_descriptors });
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_connect_from("127.0.0.2", NULL, port);
	service_wait_log("FAIL: zzcat too many arriving from=127\\.0\\.0\\.2$");
	player = join(port);
	answer(player, puzzle_solve(player.puzzle), "Correct\n");
	be_served(player);
	ck_assert(!text_matches(service_log(), "no available descriptors"));
	daemon_check_calm(join(port).fd);
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
}
END_TEST

/* A solution that takes some time to check, and turns out to be wrong. */
static void send_hard(int fd)
{
	client_send(fd, "s.AQIDBAUGBwgJ\n");
}

/* Each solution of the flooded service takes long to check. A second source waits for its
 * turn, not for all of the first one; another service has a thread of its own. */
START_TEST(a_flood_of_wrong_solutions_delays_nobody_else)
{
	enum { FLOOD = 40 };
	int hard = add_service("zzhard",
			       CAT "proof_of_work = 200000\ncps = 0 0\n"
				   "fold_failures = 0\n%s",
			       log_everything());
	int easy = add_puzzled("zzcat", CAT), fds[FLOOD];
	struct player player, stranger;

	daemon_start();
	player = join(easy);
	for (int i = 0; i < FLOOD; i++)
		send_hard(fds[i] = client_connect_from("127.0.0.2", NULL, hard));
	stranger = join_from("127.0.0.3", hard);
	send_hard(stranger.fd);
	answer(player, puzzle_solve(player.puzzle), "Correct\n");
	be_served(player);
	client_expect(stranger.fd, WRONG);
	ck_assert_uint_lt(text_count(service_log(), "FAIL: zzhard .*from=127\\.0\\.0\\.2$"), FLOOD);
	for (int i = 0; i < FLOOD; i++)
		client_reset(fds[i]);
	wait_until(process_children(daemon_pid()) == 0);
}
END_TEST

Suite *proof_of_work_suite(void)
{
	Suite *suite = suite_create("proof_of_work");
	TCase *served = daemon_tcase(suite, "served"), *refused = daemon_tcase(suite, "refused");
	TCase *others = daemon_tcase(suite, "others"), *many = daemon_tcase(suite, "many");

	tcase_add_test(served, a_client_that_solves_its_puzzle_is_served);
	tcase_add_test(served, the_program_gets_what_comes_behind_the_line);
	tcase_add_test(served, internal_services_and_redirect_have_it_too);
	tcase_add_test(served, a_puzzle_may_be_solved_on_another_connection);
	tcase_add_test(served, a_puzzle_is_of_one_address_one_service_and_one_difficulty);
	tcase_add_test(served, a_source_that_has_solved_one_is_remembered);
	tcase_add_test(served, without_proof_of_work_time_nobody_is_remembered);
	tcase_add_test(refused, a_wrong_line_is_refused);
	tcase_add_test(refused, a_line_without_end_is_refused);
	tcase_add_test(refused, a_client_that_closes_is_refused);
	tcase_add_test(refused, start_timeout_limits_the_wait);
	tcase_add_test(refused, the_next_frontend_knows_no_puzzle_of_the_last_one);
	tcase_add_test(others, who_waits_at_a_puzzle_is_no_instance);
	tcase_add_test(others, rates_and_lists_come_before_the_puzzle);
	tcase_add_test(others, who_is_banned_while_it_solves_is_refused);
	tcase_add_test(others, a_reload_changes_who_is_admitted_and_not_the_puzzle);
	tcase_add_test(others, the_client_of_a_balancer_counts);
	tcase_add_test(many, one_source_that_waits_leaves_room_for_others);
	tcase_add_test(many, a_flood_of_wrong_solutions_delays_nobody_else);
	return suite;
}
