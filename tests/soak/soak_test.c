/* Very many clients of every kind, while somebody reloads, pauses and asks: each gets the right
 * answer, the counts agree, and nothing is left. */
#include "base/cgroup_mounts.h"
#include "soak/crowd.h"
#include "soak/hand.h"
#include "soak/measures.h"
#include "soak/services.h"
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CONNECTIONS = 100000,
	WARM_UP = 10,             /* one client in so many comes before memory is measured */
	ACTS = 250,               /* of the hand, for all clients together */
	LEAK_BYTES = 5,           /* that memory may grow for each client after that, and ... */
	LEAK_LEAST = 1536 * 1024, /* ... for all of them: how many come at a time differs */
	SECONDS_MAX = 900,        /* far beyond what it takes */
	SERVICES_MAX = 64,
};

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { IS_SANITIZED = true };
#else
enum { IS_SANITIZED = false };
#endif

/* --- what the daemon holds -------------------------------------------------------------------- */

struct holding {
	unsigned descriptors[2]; /* of the monitor and the frontend */
	const char *lists[2];    /* of them */
	unsigned children;
	unsigned long memory[2]; /* bytes */
};

static const char *const processes[] = { "the monitor", "the frontend" };

static pid_t process_of(int which)
{
	return which == 0 ? daemon_pid() : process_frontend(daemon_pid());
}

/* The networks of jails are kept for later sessions, as many as there were at a time. epoll(7) is
 * used from a number of watches on. */
static bool is_kept(const char *target)
{
	return strncmp(target, "net:", 4) == 0 || strstr(target, "/net/sockstat") ||
	       strstr(target, "[eventpoll]");
}

/* What each descriptor of a process is. Only root may look at the frontend's. */
static const char *list_descriptors(int which, unsigned *count)
{
	const char *path = textf("/proc/%d/fd", (int)process_of(which)), *list = "";
	DIR *directory = which == 0 || is_superuser() ? opendir(path) : NULL;
	struct dirent *entry;

	*count = 0;
	while (directory && (entry = readdir(directory))) {
		char target[PATH_MAX] = "";

		if (entry->d_name[0] == '.' ||
		    readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1) < 0 ||
		    is_kept(target))
			continue;
		++*count;
		list = textf("%s %s", list, target);
	}
	if (directory)
		closedir(directory);
	return list;
}

static unsigned long memory_of(int which)
{
	pid_t pid = process_of(which);

	return 1024 * (strtoul(process_status(pid, "RssAnon"), NULL, 10) +
		       strtoul(process_status(pid, "RssShmem"), NULL, 10));
}

static struct holding holding_now(void)
{
	struct holding holding = { .children = process_children(daemon_pid()) };

	for (int i = 0; i < 2; i++) {
		holding.lists[i] = list_descriptors(i, &holding.descriptors[i]);
		holding.memory[i] = memory_of(i);
	}
	return holding;
}

static void check_descriptors(const struct holding *before)
{
	struct deadline deadline = deadline_in(DEADLINE_MS);
	unsigned now;

	for (int i = 0; i < 2; i++) {
		const char *list = list_descriptors(i, &now);

		for (; now > before->descriptors[i]; list = list_descriptors(i, &now))
			deadline_pause(&deadline,
				       textf("%s to have the %u descriptors of before and not %u:"
					     "%s\nand not:%s",
					     processes[i], before->descriptors[i], now,
					     before->lists[i], list),
				       __FILE__, __LINE__);
	}
}

/* Sanitizers keep what is freed, and find leaks themselves. */
static void check_memory(const struct holding *before, unsigned clients)
{
	unsigned long room = LEAK_LEAST + (unsigned long)clients * LEAK_BYTES;
	struct holding now = holding_now();

	for (int i = 0; i < 2; i++) {
		printf("soak: memory of %s: %lu KiB, then %lu KiB\n", processes[i],
		       before->memory[i] / 1024, now.memory[i] / 1024);
		ck_assert_msg(IS_SANITIZED || now.memory[i] <= before->memory[i] + room,
			      "%s had %lu bytes and has %lu after %u clients: a leak", processes[i],
			      before->memory[i], now.memory[i], clients);
	}
}

/* Sessions that have a cgroup of their own. */
static unsigned count_cgroups(void)
{
	char path[PATH_MAX];
	DIR *directory;
	struct dirent *entry;
	unsigned count = 0;

	if (!cgroup_mounts_own(NULL, path))
		return 0;
	directory = opendir(textf("%s/usherd-%d", path, (int)daemon_pid()));
	while (directory && (entry = readdir(directory)))
		count += entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
			 strcmp(entry->d_name, "daemon") != 0;
	if (directory)
		closedir(directory);
	return count;
}

/* --- quiet ------------------------------------------------------------------------------------ */

static uint64_t sum_running;

static void add_running(const char *id, void *context)
{
	sum_running += measures_of(context, "usherd_sessions_running", id, NULL);
}

static bool has_sessions(void)
{
	const char *answer = measures_ask("status prometheus\n");

	sum_running = 0;
	services_each(add_running, (void *)(uintptr_t)answer);
	return sum_running > 0 || measures_value(answer, "usherd_processes", NULL) > 0 ||
	       !strstr(measures_ask("status json\n"), "\"session_count\": 0,");
}

/* Its server waits for the rest of its datagrams. */
static void end_wait_server(void)
{
	ck_assert_ptr_nonnull(strstr(datagram_ask(service_port("wait"), "quit"), " quit"));
}

static void wait_for_quiet(unsigned children)
{
	struct deadline deadline = deadline_in(DEADLINE_MS);

	end_wait_server();
	while (has_sessions())
		deadline_pause(&deadline, measures_ask("status table\n"), __FILE__, __LINE__);
	wait_until(process_children(daemon_pid()) <= children);
	wait_until(count_cgroups() == 0);
}

/* --- the clients ------------------------------------------------------------------------------ */

static unsigned wanted_connections(void)
{
	const char *wanted = getenv("SOAK_CONNECTIONS");
	unsigned long count = wanted && *wanted ? strtoul(wanted, NULL, 10) : CONNECTIONS;

	ck_assert_msg(count >= 1000 && count <= 100000000, "SOAK_CONNECTIONS must be 1000 or more");
	return (unsigned)count;
}

static void let_come(unsigned clients, unsigned pace, unsigned children)
{
	unsigned done;

	hand_start(pace);
	crowd_run(clients, hand_goes_on);
	done = hand_stop();
	printf("soak: %u clients, while the daemon was looked after %u times\n", clients, done);
	fflush(stdout);
	wait_for_quiet(children);
}

/* --- the counts ------------------------------------------------------------------------------- */

/* What the clients saw of one service. */
struct account {
	const char *id;
	uint64_t accepted, unknown; /* unknown: they did not stay to see */
	bool is_counted;            /* false: others use it too, or it has a server for many */
	bool counts_traffic;
	uint64_t said, heard;
};

static struct account accounts[SERVICES_MAX];
static unsigned account_count;

static void open_account(const char *id, void *context)
{
	static const char *const others[] = { "wait", "trap", "cat", "echo-held" };
	struct account *account = &accounts[account_count++];

	(void)context;
	*account = (struct account){ .id = id, .is_counted = true };
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		account->is_counted &= strcmp(id, others[i]) != 0;
	account->counts_traffic = strcmp(id, "redirect") == 0 || strcmp(id, "count") == 0;
}

static struct account *account_of(const char *id)
{
	for (unsigned i = 0; i < account_count; i++)
		if (strcmp(accounts[i].id, id) == 0)
			return &accounts[i];
	return NULL;
}

static void enter(size_t number)
{
	const struct role *role = &roles[number];
	const struct role_count *count = crowd_count(number);
	struct account *account = account_of(role->service);

	if (!account)
		return;
	account->accepted += count->served;
	account->said += count->bytes_said;
	account->heard += count->bytes_heard;
	if (role->fate == UNHEARD)
		account->unknown += count->done;
	if (role->behind)
		account_of(role->behind)->accepted += count->served;
}

static void draw_up_accounts(void)
{
	account_count = 0;
	services_each(open_account, NULL);
	for (size_t i = 0; i < role_count; i++)
		enter(i);
}

/* How many clients of all roles were refused there for that reason. */
static uint64_t refused_by_clients(const char *id, const char *reason)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < role_count; i++)
		if (strcmp(roles[i].service, id) == 0 && roles[i].reason &&
		    strcmp(roles[i].reason, reason) == 0)
			sum += crowd_count(i)->refused;
	return sum;
}

static void check_equal(const char *what, const char *id, uint64_t wanted, uint64_t counted)
{
	ck_assert_msg(wanted == counted,
		      "service %s, %s: %" PRIu64 " by what the clients saw, but %" PRIu64, id, what,
		      wanted, counted);
}

static uint64_t accepted(const char *answer, const char *id)
{
	return measures_of(answer, "usherd_connections_accepted_total", id, NULL);
}

/* The sum of a service's refusals for all reasons. */
static uint64_t refused(const char *answer, const char *id)
{
	const char *start = textf("\nusherd_connections_refused_total{service=\"%s\",reason=", id);
	uint64_t sum = 0;

	for (; (answer = strstr(answer, start)); answer++)
		sum += strtoull(strstr(answer, "} ") + 2, NULL, 10);
	return sum;
}

static void check_account(const struct account *account, const char *answer)
{
	const char *id = account->id;

	if (!account->is_counted)
		return;
	if (account->unknown)
		check_equal("accepted and refused", id, account->unknown,
			    accepted(answer, id) + refused(answer, id));
	else
		check_equal("accepted", id, account->accepted, accepted(answer, id));
	if (!account->counts_traffic)
		return;
	check_equal("bytes received", id, account->said,
		    measures_of(answer, "usherd_receive_bytes_total", id, NULL));
	check_equal("bytes sent", id, account->heard,
		    measures_of(answer, "usherd_transmit_bytes_total", id, NULL));
}

static void check_refusals(size_t number, const char *answer)
{
	const struct role *role = &roles[number];

	if (role->reason && service_port(role->service) >= 0)
		check_equal(role->reason, role->service,
			    refused_by_clients(role->service, role->reason),
			    measures_of(answer, "usherd_connections_refused_total", role->service,
					role->reason));
}

/* A datagram that nobody answers may still be unread. */
static bool datagrams_are_read(void)
{
	const char *answer = measures_ask("status prometheus\n");

	return accepted(answer, "discard-datagrams") == account_of("discard-datagrams")->accepted &&
	       refused(answer, "echo-datagrams") == refused_by_clients("echo-datagrams", "address");
}

static void check_counts(void)
{
	const char *answer;

	draw_up_accounts();
	wait_until(datagrams_are_read());
	answer = measures_ask("status prometheus\n");
	for (unsigned i = 0; i < account_count; i++)
		check_account(&accounts[i], answer);
	for (size_t i = 0; i < role_count; i++)
		check_refusals(i, answer);
}

/* --- limits ----------------------------------------------------------------------------------- */

/* As many as the limit says are served, and no other one. */
static void check_limit(const char *id, int limit, bool queues)
{
	int held[8], port = service_port(id), other;

	for (int i = 0; i < limit; i++)
		held[i] = client_hold(port);
	other = client_connect(NULL, port);
	if (queues) {
		client_send(other, "x");
		ck_assert_msg(client_hears_nothing(other), "%s serves more than %d", id, limit);
		close(held[--limit]);
		client_expect(other, "x");
		close(other);
	} else {
		client_expect_end(other);
	}
	while (limit > 0)
		close(held[--limit]);
}

static void check_limits(void)
{
	check_limit("few", FEW_INSTANCES, false);
	check_limit("mine", PER_SOURCE, false);
	check_limit("queue", QUEUE_INSTANCES, true);
}

/* --- the logs --------------------------------------------------------------------------------- */

struct lines {
	uint64_t starts, exits, fails;
};

static struct lines lines[SERVICES_MAX];

static const char *behind(const char *line, const char *word)
{
	const char *place = strstr(line, word);

	return place ? place + strlen(word) : NULL;
}

/* The service whose id begins text, up to the next blank. */
static struct lines *lines_of(const char *text)
{
	size_t length = strcspn(text, " ");

	for (unsigned i = 0; i < account_count; i++)
		if (strncmp(accounts[i].id, text, length) == 0 && accounts[i].id[length] == '\0')
			return &lines[i];
	return NULL;
}

static void count_log_line(const char *line, void *context)
{
	static struct lines others; /* of the hand's services */
	const char *start = behind(line, ": START: "), *end = behind(line, ": EXIT: ");
	const char *fail = behind(line, ": FAIL: "), *id = start ? start : end ? end : fail;
	struct lines *own = id ? lines_of(id) : NULL;
	const char *folded = fail ? behind(fail, " count=") : NULL;

	(void)context;
	if (!own)
		own = &others;
	own->starts += start != NULL;
	own->exits += end != NULL;
	own->fails += folded ? strtoull(folded, NULL, 10) : fail != NULL;
}

/* What is answered at once has no EXIT line. */
static bool has_exits(const char *id)
{
	return strcmp(id, "daytime") != 0 && strcmp(id, "time") != 0 && !strstr(id, "-datagrams");
}

static void check_lines(const char *answer)
{
	memset(lines, 0, sizeof lines);
	log_each("service.log", count_log_line, NULL);
	for (unsigned i = 0; i < account_count; i++) {
		const char *id = accounts[i].id;

		check_equal("START lines", id, accepted(answer, id), lines[i].starts);
		check_equal("EXIT lines", id, has_exits(id) ? lines[i].starts : 0, lines[i].exits);
		check_equal("FAIL lines", id, refused(answer, id), lines[i].fails);
	}
}

/* Why the sessions of a service have ended, all of them. */
static void check_reasons(void)
{
	static const struct {
		const char *id, *reason;
	} reasons[] = {
		{ "hello", "exit" },
		{ "minute", "max_runtime" },
		{ "echo-minute", "max_runtime" },
		{ "gone", "disconnect" },
		{ "linger", "exit" },
		{ "redirect", "exit" },
		{ "idle", "idle_timeout" },
	};

	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
		const char *all = textf(": EXIT: %s ", reasons[i].id);
		unsigned own = log_count("service.log", all);
		const char *right = textf("reason=%s", reasons[i].reason);

		ck_assert_msg(own > 0 && log_count_both("service.log", all, right) == own,
			      "sessions of %s did not all end by %s", reasons[i].id,
			      reasons[i].reason);
	}
}

/* What programs write to standard error, unless it is too much. */
static void check_errors(void)
{
	uint64_t starts = lines_of("complains")->starts;

	if (log_count("daemon.log", "service complains: stderr: ") !=
	    log_count("daemon.log", "service complains: stderr: a complaint"))
		return;
	check_equal("lines of standard error", "complains", starts,
		    log_count("daemon.log", "service complains: stderr: a complaint"));
}

/* All that the daemon may complain of. */
static void complain(const char *line, void *context)
{
	static const char *const expected[] = {
		"ERROR: service broken: exec .*/broken: Exec format error$",
		"ERROR: .*/extra/changing:[0-9]+: instances: ",
		"WARNING: service changing: keeping the running version",
		"ERROR: .*/extra/wrong:[0-9]+: unknown attribute \"no_such_word\"",
		"ERROR: .*/extra/defaults:[0-9]+: cps takes 2 values",
		"ERROR: reconfiguration failed; the old configuration stays in force$",
		"CRITICAL: .* Adding 127\\.0\\.0\\.(66|77) to the global_no_access list",
		"WARNING: service balanced: balancer " BALANCER ": ",
		"WARNING: service complains: stderr: [0-9]+ lines? dropped",
		"WARNING: Exiting\\.\\.\\.$",
	};

	(void)context;
	if (!strstr(line, ": ERROR: ") && !strstr(line, ": WARNING: ") &&
	    !strstr(line, ": CRITICAL: "))
		return;
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
		if (text_matches(line, expected[i]))
			return;
	ck_abort_msg("unexpected in the log: %s", line);
}

/* --- the soak --------------------------------------------------------------------------------- */

START_TEST(everybody_is_served_and_nothing_is_left)
{
	unsigned total = wanted_connections(), first = total / WARM_UP, pace = total / ACTS + 1;
	struct holding idle, warm;
	const char *answer;

	services_configure();
	hand_configure();
	daemon_start();
	idle = holding_now();
	client_expect_end(client_connect_from(BANNED, NULL, service_port("trap")));
	let_come(first, pace, idle.children);
	warm = holding_now();
	let_come(total - first, pace, idle.children);
	check_descriptors(&warm);
	check_memory(&warm, total - first);
	check_counts();
	check_limits();
	wait_for_quiet(idle.children);
	answer = measures_ask("status prometheus\n");
	daemon_stop();
	check_lines(answer);
	check_reasons();
	check_errors();
	log_each("daemon.log", complain, NULL);
}
END_TEST

Suite *soak_suite(void);

Suite *soak_suite(void)
{
	Suite *suite = suite_create("soak");
	TCase *tests = daemon_tcase_lasting(suite, "soak", SECONDS_MAX);

	tcase_add_test(tests, everybody_is_served_and_nothing_is_left);
	return suite;
}
