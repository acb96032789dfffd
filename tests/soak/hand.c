#include "soak/hand.h"

#include "soak/json.h"
#include "soak/measures.h"
#include "soak/services.h"
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"

#include <check.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the hand and the crowd know of each other. */
static struct shared {
	atomic_uint gone; /* clients */
	atomic_bool is_over;
	atomic_uint done; /* by the hand */
} * shared;

static pid_t hand;
static unsigned pace;
static int changing_port, extra_port;
static int held_echo, held_cat; /* connections that nothing may touch */

#define ASK(...) daemon_ask((const char *const[]){ __VA_ARGS__, NULL })

static void expect(struct outcome outcome, int status, const char *pattern)
{
	ck_assert_msg(outcome.status == status && text_matches(outcome.output, pattern),
		      "not %d and /%s/ but %d: %s%s", status, pattern, outcome.status,
		      outcome.output, outcome.errors);
}

/* --- pace ------------------------------------------------------------------------------------- */

enum { REST_MAX_MS = 2000 };

/* Lets some clients come and go. Those that are left may all wait for the hand. */
static void rest(void)
{
	struct deadline most = deadline_in(REST_MAX_MS);
	unsigned until = atomic_load(&shared->gone) + pace;

	while (!atomic_load(&shared->is_over) && atomic_load(&shared->gone) < until &&
	       deadline_left(&most) > 0)
		deadline_pause(&most, "clients", __FILE__, __LINE__);
}

/* The daemon is no child of this process. */
static void signal_daemon(int number)
{
	ck_assert_msg(kill(daemon_pid(), number) == 0, "there is no daemon to signal");
}

/* --- files ------------------------------------------------------------------------------------ */

static void write_changing(const char *word)
{
	file_of_service("changing", "changing", changing_port,
			textf("server = /bin/echo\nserver_args = %s\n", word));
}

static void remove_file(const char *id)
{
	ck_assert_int_eq(unlink(place_path(textf("extra/%s", id))), 0);
}

static void check_changing(const char *answer)
{
	ck_assert_str_eq(ask(changing_port, ""), answer);
}

/* What was there before goes on. */
static void check_held(void)
{
	client_ping(held_echo);
	client_ping(held_cat);
}

/* A reload by signal, which says in the log when it is done. */
static void signal_reload(const char *message)
{
	unsigned before = log_count("daemon.log", message);

	signal_daemon(SIGHUP);
	wait_until(log_count("daemon.log", message) > before);
}

/* --- reloads ---------------------------------------------------------------------------------- */

static void add_a_service(void)
{
	file_of_service("extra", "echo", extra_port, "");
	signal_reload("Reconfigured: ");
	ck_assert_str_eq(ask(extra_port, "new"), "new");
	check_held();
}

static void change_a_service(void)
{
	write_changing("two");
	expect(ASK("-reload"), 0, "^changed: changing\nnew=0 .* 1 changed\n$");
	check_changing("two\n");
	check_held();
}

static void spoil_a_service(void)
{
	file_of_service("changing", "changing", changing_port,
			"server = /bin/echo\ninstances = many\n");
	expect(ASK("-reload"), 1,
	       "extra/changing:[0-9]+: error: instances: .*\nkeeps its running version: changing\n");
	check_changing("two\n");
	check_held();
}

static void add_a_wrong_service(void)
{
	file_of_service("wrong", "wrong", extra_port, "server = /bin/echo\nno_such_word = 1\n");
	signal_reload("Reconfigured: ");
	expect(ASK("-status"), 1, "^not started because of errors: 1 services$");
	check_held();
}

static void spoil_everything(void)
{
	place_write("extra/defaults", "defaults\n{\ncps = nonsense\n}\n");
	expect(ASK("-reload"), 1, "the old one stays in force\n$");
	signal_reload("econfiguration failed");
	check_changing("two\n");
	check_held();
}

static void mend_everything(void)
{
	remove_file("defaults");
	remove_file("wrong");
	write_changing("one");
	expect(ASK("-reload"), 0, "^changed: changing\nnew=0 .* 1 changed\n$");
	check_changing("one\n");
	check_held();
}

static void remove_a_service(void)
{
	remove_file("extra");
	signal_reload("Reconfigured: ");
	wait_until(client_is_refused(NULL, extra_port));
	check_held();
}

/* --- pauses ----------------------------------------------------------------------------------- */

static bool is_paused(void)
{
	return strstr(measures_ask("status json\n"), "\"state\": \"paused\"") != NULL;
}

static void pause_a_service(void)
{
	expect(ASK("-pause", "echo-paused", "60"), 0, "^echo-paused is paused for at most 60 ");
	expect(ASK("-status"), 1, "^echo-paused +paused ");
	rest();
	expect(ASK("-resume", "echo-paused"), 0, "^echo-paused is resumed\n$");
	ck_assert(!is_paused());
}

static void pause_until_it_is_over(void)
{
	expect(ASK("-pause", "echo-paused", "1"), 0, "^echo-paused is paused for at most 1 ");
	rest();
	wait_until(!is_paused());
}

/* --- asking ----------------------------------------------------------------------------------- */

static void read_the_table(void)
{
	struct outcome outcome = ASK("-status");

	expect(outcome, 0, "^usherd .*: every service is up$");
	expect(outcome, 0, "^echo +listening +[0-9]+ +[0-9]+ +[0-9]+$");
	expect(outcome, 0,
	       "^[0-9]+ services, [0-9]+ sessions, [0-9]+ processes, 0 log lines lost$");
	expect(outcome, 0, "^configuration: read 20.*, in force: ");
}

static void read_the_json(void)
{
	struct outcome outcome = ASK("-status=json");

	ck_assert_msg(json_is_valid(outcome.output), "no JSON: %s", outcome.output);
	expect(outcome, 0, "\"is_up\": true, .*\"log_lines_lost\": 0");
	expect(outcome, 0,
	       "[{]\"id\": \"echo\", .*\"state\": \"listening\", .*\"started\": [0-9]+,");
	expect(outcome, 0,
	       textf("\"service\": \"cat\", \"state\": \"serving\", \"client\": "
		     "\"127.0.0.1\", \"client_port\": %d, \"pid\": [1-9]",
		     client_port(held_cat)));
}

/* Counters grow. */
static void read_the_measures(void)
{
	static const char name[] = "usherd_connections_accepted_total";
	static uint64_t before;
	struct outcome outcome = ASK("-status=prometheus");
	uint64_t now = measures_of(outcome.output, name, "echo", NULL);

	expect(outcome, 0, "^usherd_config_last_reload_successful 1$");
	expect(outcome, 0, "^usherd_sessions_running[{]service=\"cat\"[}] 1$");
	expect(outcome, 0, "^usherd_log_lines_lost_total 0$");
	measures_check(outcome.output);
	ck_assert_msg(now >= before, "%s of echo was %llu and is %llu", name,
		      (unsigned long long)before, (unsigned long long)now);
	before = now;
}

static void read_the_report(void)
{
	static const char end[] = "END OF DUMP\n";
	const char *text;

	unlink(place_path("status"));
	signal_daemon(SIGUSR1);
	wait_until(access(place_path("status"), F_OK) == 0);
	text = place_read("status");
	ck_assert_msg(strlen(text) > sizeof end &&
			      strcmp(text + strlen(text) - strlen(end), end) == 0,
		      "the report is cut: %s", text);
	ck_assert(text_matches(text, "^log lines lost = 0$"));
	ck_assert(text_matches(text, "^Service = echo$"));
}

static void check_the_counts(void)
{
	static const char passed[] = "Consistency check passed";
	static const char failed[] = "consistency check failed";
	unsigned before = log_count("daemon.log", passed);

	signal_daemon(SIGABRT);
	wait_until(log_count("daemon.log", passed) + log_count("daemon.log", failed) > before);
	ck_assert_msg(log_count("daemon.log", failed) == 0, "the daemon's own check: %s", failed);
}

/* --- sessions, bans, logs --------------------------------------------------------------------- */

/* What the status has of the service's session of that client, "" if there is none. */
static const char *find_session(const char *service, int client)
{
	const char *answer = measures_ask("status json\n");
	const char *wanted = textf("\"service\": \"%s\", \"state\": \"serving\", \"client\": "
				   "\"127.0.0.1\", \"client_port\": %d,",
				   service, client);
	const char *start = strstr(answer, wanted);

	if (!start)
		return "";
	while (*start != '\n')
		start--;
	return start;
}

/* A program may serve its client before the frontend knows. */
static const char *name_of_session(const char *service, int client)
{
	static const char before[] = "{\"session\": \"";
	const char *name;

	wait_until(*find_session(service, client));
	name = strstr(find_session(service, client), before);
	ck_assert_ptr_nonnull(name);
	name += strlen(before);
	return textf("%.*s", (int)strcspn(name, "\""), name);
}

static void end_one(const char *service)
{
	int fd = client_hold(service_port(service));

	expect(ASK("-end", name_of_session(service, client_port(fd))), 0,
	       "^session .* is being ended\n$");
	client_expect_end(fd);
}

static void end_a_session(void)
{
	end_one("cat");
	end_one("echo-held");
	check_held();
}

static void ban_and_pardon(void)
{
	client_expect_end(client_connect_from(PARDONED, NULL, service_port("trap")));
	wait_until(strcmp(ask_from(PARDONED, changing_port, ""), "") == 0);
	expect(ASK("-unban", PARDONED), 0, "^" PARDONED " is not banned any more\n$");
	ck_assert_str_eq(ask_from(PARDONED, changing_port, ""), "one\n");
}

static void move_the_logs_away(void)
{
	static unsigned number;
	const char *end = textf(".%d-%u", (int)getpid(), ++number);

	ck_assert_int_eq(rename(place_path("service.log"),
				textf("%s%s", place_path("service.log"), end)),
			 0);
	ck_assert_int_eq(rename(place_path("daemon.log"),
				textf("%s%s", place_path("daemon.log"), end)),
			 0);
	signal_reload("Reconfigured: ");
	wait_until(access(place_path("service.log"), F_OK) == 0);
}

/* --- the round -------------------------------------------------------------------------------- */

/* In this order: each leaves what the next ones expect. */
static void (*const acts[])(void) = {
	read_the_table,   add_a_service,    read_the_json,      change_a_service,
	pause_a_service,  spoil_a_service,  end_a_session,      add_a_wrong_service,
	spoil_everything, mend_everything,  ban_and_pardon,     read_the_measures,
	remove_a_service, check_the_counts, move_the_logs_away, pause_until_it_is_over,
	read_the_report,
};

static void do_round(void)
{
	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
		acts[i]();
		atomic_fetch_add(&shared->done, 1);
		rest();
	}
}

static void be_the_hand(void)
{
	held_echo = client_hold(service_port("echo-held"));
	held_cat = client_hold(service_port("cat"));
	do
		do_round();
	while (!atomic_load(&shared->is_over));
	close(held_echo);
	close(held_cat);
	_exit(EXIT_SUCCESS);
}

/* --- the hand and the test -------------------------------------------------------------------- */

void hand_configure(void)
{
	changing_port = port_take();
	extra_port = port_take();
	write_changing("one");
}

void hand_start(unsigned clients)
{
	pid_t parent = getpid();

	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	ck_assert(shared != MAP_FAILED);
	pace = clients;
	fflush(NULL);
	hand = fork();
	ck_assert_int_ge(hand, 0);
	if (hand > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		be_the_hand();
	_exit(EXIT_FAILURE);
}

bool hand_goes_on(unsigned gone)
{
	siginfo_t end = { 0 };

	atomic_store(&shared->gone, gone);
	return waitid(P_PID, (id_t)hand, &end, WEXITED | WNOHANG | WNOWAIT) == 0 && end.si_pid == 0;
}

unsigned hand_stop(void)
{
	struct deadline deadline = deadline_in(6 * DEADLINE_MS);
	unsigned done;
	int status;

	atomic_store(&shared->is_over, true);
	while (hand_goes_on(atomic_load(&shared->gone)))
		deadline_pause(&deadline, "the end of the hand's round", __FILE__, __LINE__);
	ck_assert_int_eq(waitpid(hand, &status, 0), hand);
	ck_assert_msg(status == 0, "the hand ended with status 0x%x", (unsigned)status);
	done = atomic_load(&shared->done);
	munmap(shared, sizeof *shared);
	return done;
}
