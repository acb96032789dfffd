#include "monitor/launcher.h"

#include "base/clock.h"
#include "base/container_of.h"
#include "base/descriptors.h"
#include "base/worker.h"
#include "config/generation.h"
#include "monitor/environment.h"
#include "monitor/expansion.h"
#include "monitor/jail.h"
#include "monitor/launch_failure.h"
#include "monitor/network_pool.h"
#include "monitor/start_program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Users take turns; so do the services of one user, and the sources of one service. */
enum launch_level { LEVEL_USER = 1, LEVEL_SERVICE, LEVEL_SOURCE, LEVELS = LEVEL_SOURCE };

/* A pending launch. */
struct launch {
	UT_hash_handle hh; /* by session */
	uint64_t session;
	TAILQ_ENTRY(launch) link;
	struct job job;
	struct worker_pool *pool; /* that has the job; NULL: it waits for a retry */
	struct turn_key keys[LEVELS];
	struct program_order order;
	struct service_settings *settings; /* a reference */
	struct child *child; /* allocated beforehand, so that a started program is never lost */
	struct launch_task *task; /* instead of session and child; NULL: none */
	struct timer deadline;
	void (*overdue)(struct launch *launch); /* called when a worker takes too long */
	unsigned long given;                    /* turns of its service at the last look */
	int silences;                           /* looks in a row without a new turn */
	int attempts;                           /* before this one */
	const char *given_up;                   /* why, or NULL */
	bool is_told;                           /* of the failure; a worker may still have it */
	bool is_to_end;                         /* as soon as it has been started ... */
	enum end_reason reason;                 /* ... for this */
	bool has_ended; /* the program, before the worker was done; status is set */
	int status;
	struct expansion *expansion; /* of placeholders; NULL: there are none */
	struct jail_plan *own_plan;  /* the same, of a jail */
	char *environment[];         /* followed by its texts */
};

/* One pool starts programs. The other one looks up what they need, and may wait for name
 * services and file systems. */
static struct worker_pool *starters, *preparers;
static const struct launcher_events *events;
static struct launch *by_session;
static TAILQ_HEAD(, launch) launches = TAILQ_HEAD_INITIALIZER(launches); /* oldest first */

enum { PREPARERS_MAX = 6 };

static void launch_begin(struct launch *launch);

/* In this pool at most half of the threads work for one user, and a third for one service. */
static struct worker_pool *pool_new(unsigned usual, unsigned most)
{
	const unsigned shares[LEVELS + 1] = {
		[LEVEL_USER] = most > 2 ? most / 2 : 1,
		[LEVEL_SERVICE] = most > 3 ? most / 3 : 1,
	};

	return worker_pool_new_shared(usual, most, LEVELS, shares);
}

/* Leaves a processor to other services while one is flooded. */
static void leave_processors(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	worker_pool_set_most_in_company(starters, LEVEL_SERVICE,
					processors > 2 ? (unsigned)processors - 1 : 1);
}

int launcher_init(const struct launcher_events *those)
{
	events = those;
	if (start_program_init() < 0)
		return -1;
	starters = pool_new(4, (unsigned)program_slots());
	preparers = pool_new(1, PREPARERS_MAX);
	if (!starters || !preparers)
		return -1;
	leave_processors();
	return 0;
}

unsigned launcher_count(void)
{
	return HASH_COUNT(by_session);
}

static struct launch *find(uint64_t session)
{
	struct launch *launch;

	HASH_FIND(hh, by_session, &session, sizeof session, launch);
	return launch;
}

bool launcher_has(uint64_t session)
{
	return find(session) != NULL;
}

/* The pid of a pending launch: the kernel may be writing it. */
static pid_t launch_pid(const struct launch *launch)
{
	return __atomic_load_n(&launch->order.pid, __ATOMIC_RELAXED);
}

void launcher_each_process(void (*visit)(uint64_t session, pid_t pid))
{
	struct launch *launch;

	TAILQ_FOREACH(launch, &launches, link)
		if (!launch->task && launch_pid(launch) > 0)
			visit(launch->session, launch_pid(launch));
}

bool launcher_starts_task(pid_t pid)
{
	const struct launch *launch;

	TAILQ_FOREACH(launch, &launches, link)
		if (launch->task && launch_pid(launch) == pid)
			return true;
	return false;
}

void launcher_each_server(void (*visit)(struct child *child))
{
	struct launch *launch;

	TAILQ_FOREACH(launch, &launches, link)
		if (!launch->task && !launch->is_told && address_is_known(&launch->child->socket))
			visit(launch->child);
}

bool launcher_end(uint64_t session, enum end_reason reason)
{
	struct launch *launch = find(session);

	if (!launch)
		return false;
	launch->is_to_end = true;
	end_reason_note(&launch->reason, reason);
	return true;
}

/* A program may end before its worker is done: the launch keeps its status. */
bool launcher_reaped(pid_t pid, int status, const struct program_usage *usage)
{
	struct launch *launch;

	TAILQ_FOREACH(launch, &launches, link)
		if (launch_pid(launch) == pid) {
			launch->has_ended = true;
			launch->status = status;
			if (launch->child)
				launch->child->usage = *usage;
			return true;
		}
	return false;
}

void launcher_renumber(const uint32_t *numbers, uint32_t count)
{
	struct launch *launch;

	TAILQ_FOREACH(launch, &launches, link)
		if (!launch->task)
			child_renumber(launch->child,
				       service_renumber(launch->child->service, numbers, count));
}

/* --- the end of a launch ------------------------------------------------------------------ */

/* A program that was not started may have begun to use it. */
static void launch_drop_network(struct launch *launch)
{
	if (launch->order.network >= 0)
		network_pool_drop(launch->order.network);
	launch->order.network = -1;
}

static void launch_free(struct launch *launch)
{
	TAILQ_REMOVE(&launches, launch, link);
	if (!launch->task)
		HASH_DEL(by_session, launch);
	timer_stop(&launch->deadline);
	if (launch->order.connection >= 0)
		descriptor_close(launch->order.connection);
	if (launch->order.error >= 0)
		close(launch->order.error);
	terminal_close(&launch->order.terminal);
	launch_drop_network(launch);
	jail_release(launch->order.jail);
	program_order_clear(&launch->order);
	service_settings_release(launch->settings);
	child_free(launch->child);
	free(launch->expansion);
	free(launch->own_plan);
	free(launch);
}

static void on_retry(struct timer *timer)
{
	launch_begin(container_of(timer, struct launch, deadline));
}

/* Starts the timer for a retry. False: there is none. */
static bool retry_later(struct launch *launch)
{
	if (!launch_failure_is_passing(&launch->order) ||
	    (launch->settings->flags & FLAG_NORETRY) || launch->attempts == LAUNCH_RETRIES ||
	    launch->is_to_end)
		return false;
	launch->attempts++;
	launch->pool = NULL;
	launch_drop_network(launch);
	program_order_clear(&launch->order);
	launch->order.failed_step = NULL;
	launch->order.no_process = false;
	timer_init(&launch->deadline, on_retry);
	timer_start(&launch->deadline, LAUNCH_RETRY_MS);
	return true;
}

static void tell_failed(uint64_t session, bool no_process, const char *step, const char *reason)
{
	struct program_message program = { .session = session, .no_process = no_process };

	strncpy(program.step, step, sizeof program.step - 1);
	strncpy(program.reason, reason, sizeof program.reason - 1);
	events->not_started(&program);
}

static void tell_failure(struct launch *launch)
{
	const char *step =
		launch->given_up ? program_step(&launch->order) : launch->order.failed_step;
	const char *reason =
		launch->given_up ? launch->given_up : launch_failure_reason(&launch->order);
	bool is_told = launch->is_told;

	launch->is_told = true;
	if (launch->child)
		child_counts_no_more(launch->child);
	if (!is_told && launch->task)
		launch->task->failed(launch->task, step, reason);
	else if (!is_told)
		tell_failed(launch->session, launch->order.no_process, step, reason);
}

static void kill_started(struct launch *launch)
{
	if (!launch->has_ended)
		kill(-launch->order.pid, SIGKILL);
	launch->given_up = strerror(ENOMEM);
	tell_failure(launch);
}

/* Gives the started program to the owner of the task. */
static void task_claim(struct launch *launch)
{
	struct launch_task *task = launch->task;

	if (task->started(task, launch->order.pid) < 0)
		kill_started(launch);
	else if (launch->has_ended)
		task->ended(task, launch->status);
}

/* Makes the started program a child. */
static void child_claim(struct launch *launch)
{
	struct child *child = launch->child;

	child->pid = launch->order.pid;
	child->terminal = launch->order.terminal;
	launch->order.terminal = NO_TERMINAL;
	if (child_add(child) < 0) {
		kill_started(launch);
		return;
	}
	launch->child = NULL;
	child->network = launch->order.network;
	launch->order.network = -1;
	if (launch->settings->max_runtime > 0)
		child_limit_runtime(child, 1000 * (uint64_t)launch->settings->max_runtime);
	if (launch->has_ended)
		child_reaped(child, launch->status);
	if (launch->is_to_end || launch->is_told)
		child_end(child, launch->is_told, launch->reason);
	events->started(child);
}

static void launch_finish(struct launch *launch)
{
	bool is_started = !launch->order.failed_step && !launch->given_up;

	timer_stop(&launch->deadline);
	if (is_started && launch->task)
		task_claim(launch);
	else if (is_started)
		child_claim(launch);
	else if (!launch->is_told && retry_later(launch))
		return;
	else
		tell_failure(launch);
	launch_free(launch);
}

/* --- the queue ------------------------------------------------------------------------- */

/* A long queue is fine while it moves. If it is stuck, behind launches of the same service or
 * user that nothing can end, the launch is given up. */
static void wait_on(struct launch *launch)
{
	unsigned long given = worker_turns_given(launch->pool, &launch->job, LEVEL_SERVICE);

	launch->silences = given == launch->given ? launch->silences + 1 : 0;
	launch->given = given;
	if (launch->silences >= LAUNCH_SILENCES && worker_cancel(launch->pool, &launch->job)) {
		launch->order.failed_step = "queue";
		launch->given_up = "earlier launches take too long";
		launch_finish(launch);
		return;
	}
	timer_start(&launch->deadline, LAUNCH_DEADLINE_MS);
}

/* The time counts from when a worker took the launch, not in the queue. */
static void on_deadline(struct timer *timer)
{
	struct launch *launch = container_of(timer, struct launch, deadline);
	uint64_t began = worker_began(launch->pool, &launch->job);

	if (!began)
		wait_on(launch);
	else if (clock_now() < began + LAUNCH_DEADLINE_MS)
		timer_start(timer, began + LAUNCH_DEADLINE_MS - clock_now());
	else
		launch->overdue(launch);
}

static void launch_submit(struct launch *launch, struct worker_pool *pool)
{
	launch->pool = pool;
	launch->given = 0;
	launch->silences = 0;
	timer_init(&launch->deadline, on_deadline);
	timer_start(&launch->deadline, LAUNCH_DEADLINE_MS);
	if (worker_submit_for(pool, &launch->job, launch->keys) < 0) {
		launch->order.failed_step = "fork"; /* of a thread */
		launch->order.no_process = true;    /* which may work later */
		launch->order.failure = errno;
		launch_finish(launch);
	}
}

/* --- starting ---------------------------------------------------------------------------- */

/* The program may have ended already, and may have set SO_LINGER: the loop must not be the one
 * that closes its connection. */
static void on_start(struct job *job)
{
	struct program_order *order = &container_of(job, struct launch, job)->order;

	start_program(order);
	if (order->failed_step) /* maybe for a retry */
		return;
	descriptor_close(order->connection);
	order->connection = -1;
}

static void on_started(struct job *job)
{
	launch_finish(container_of(job, struct launch, job));
}

/* A child that does not reach its program (a file system that hangs, or a
 * process of the same user that stops it) must not hold a worker for ever. */
static void end_child(struct launch *launch)
{
	pid_t pid = launch_pid(launch);

	if (pid > 0 && !launch->has_ended) {
		launch->given_up = "took too long";
		kill(pid, SIGKILL);
	}
	timer_start(&launch->deadline, LAUNCH_DEADLINE_MS);
}

static void launch_start_program(struct launch *launch)
{
	launch->job = (struct job){ .run = on_start, .done = on_started };
	launch->overdue = end_child;
	launch_submit(launch, starters);
}

/* --- preparing ----------------------------------------------------------------------------- */

static void on_prepare(struct job *job)
{
	prepare_program(&container_of(job, struct launch, job)->order);
}

static void on_prepared(struct job *job)
{
	struct launch *launch = container_of(job, struct launch, job);

	timer_stop(&launch->deadline);
	if (launch->is_told || launch->order.failed_step)
		launch_finish(launch);
	else
		launch_start_program(launch);
}

/* Closes the connection but not its number, which the worker may be using. */
static void let_go_of_connection(struct launch *launch)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	descriptor_forbid_waiting(launch->order.connection);
	dup3(null, launch->order.connection, O_CLOEXEC);
	close(null);
}

/* Nothing can end a worker that waits for a name service. */
static void give_up_preparing(struct launch *launch)
{
	if (launch->is_told)
		return;
	let_go_of_connection(launch);
	launch->given_up = "took too long";
	tell_failure(launch);
}

static void launch_prepare(struct launch *launch)
{
	launch->job = (struct job){ .run = on_prepare, .done = on_prepared };
	launch->overdue = give_up_preparing;
	launch_submit(launch, preparers);
}

/* --- a new one ------------------------------------------------------------------------------ */

/* 0, or -1 with errno. */
static int expand(struct launch *launch, const struct session_facts *facts)
{
	const struct service_settings *settings = launch->settings;
	bool has_own_name = !(settings->flags & FLAG_NAMEINARGS); /* not from server_args */

	launch->expansion =
		expansion_new(settings, &launch->child->peer, facts, settings->argv, has_own_name);
	if (!launch->expansion)
		return -1;
	launch->order.argv = launch->expansion->argv;
	launch->order.directory = launch->expansion->directory;
	expansion_apply(launch->expansion, settings, launch->order.environment);
	if (!launch->order.jail_plan || settings->program->scratch.count == 0)
		return 0;
	launch->own_plan = expansion_plan(launch->order.jail_plan, settings, facts);
	launch->order.jail_plan = launch->own_plan;
	return launch->own_plan ? 0 : -1;
}

/* 0, or -1 with errno. */
static int fill_environment(struct launch *launch, const struct proxied *proxied)
{
	const struct service_settings *settings = launch->settings;
	struct child *child = launch->child;
	struct session_facts facts = { .id = child->id, .has_slot = true };
	struct program_client client = { &child->peer, &child->local, proxied };

	if (proxied) /* orphans are known by what their environment says */
		child->local = proxied->local;
	if ((settings->program->session_env || expansion_needs_slot(settings)) &&
	    session_slot_take(&child->slot, settings->id) < 0)
		return -1;
	facts.slot = child->slot.number;
	if (settings->program->end_command.count > 0 &&
	    !(child->end_command = end_command_new(settings, &client, &facts)))
		return -1;
	launch->order.environment =
		environment_fill(launch->environment, settings, &client,
				 settings->program->session_env ? &facts : NULL);
	return settings->placeholders_used ? expand(launch, &facts) : 0;
}

static void fill_keys(struct launch *launch, uint32_t service, const struct address *peer)
{
	launch->keys[LEVEL_USER - 1] = turn_key_number(launch->settings->uid);
	launch->keys[LEVEL_SERVICE - 1] = turn_key_number(service);
	launch->keys[LEVEL_SOURCE - 1] = turn_key_source(peer, launch->settings->source_prefix);
}

static void fill_order(struct launch *launch, const struct launch_message *message,
		       const struct launch_descriptors *descriptors)
{
	struct child *child = launch->child;

	child->local = descriptors->local;
	launch->order.settings = launch->settings;
	launch->order.program = launch->settings->server;
	launch->order.argv = launch->settings->argv;
	launch->order.cgroup = child->cgroup;
	launch->order.jail = jail_of(launch->settings);
	launch->order.jail_plan = launch->order.jail ? jail_plan(launch->order.jail) : NULL;
	launch->order.directory = launch->settings->program->directory;
	launch->order.connection = descriptors->connection;
	launch->order.error = descriptors->errors_to;
	child->errors = descriptors->errors_from;
	fill_keys(launch, message->service.service, &message->peer);
	child->session = message->session;
	launch->order.has_terminal = launch->settings->pty;
	if (service_keeps_socket(launch->settings) && !launch->order.has_terminal)
		socket_holders_note(&child->holders, descriptors->connection);
	child_counts_for(child, message->service.service);
	child->peer = message->peer;
	if (message->waits)
		child->socket = message->socket;
	child->v6only = message->v6only;
	child->is_inner = message->is_inner;
	child->started = clock_wall();
	child->opened = clock_now();
	child->id = session_id_new();
	child->grace_ms = service_grace_ms(launch->settings);
}

/* 0, or -1: out of memory. */
static int make_trackable(struct child *child, const struct service_settings *settings,
			  const struct launch_message *message)
{
	child->is_tracked = service_is_tracked(settings);
	child->kills_rest = settings->processes_at_exit == AT_EXIT_KILL;
	if (!child->is_tracked)
		return 0;
	child->cgroup = cgroup_new(settings, &message->peer);
	return child->cgroup || errno != ENOMEM ? 0 : -1;
}

static struct launch *launch_new(struct service_settings *settings,
				 const struct launch_message *message,
				 const struct proxied *proxied)
{
	size_t size = environment_size(settings, proxied, settings->program->session_env);
	struct launch *launch = calloc(1, sizeof *launch + size);

	if (!launch)
		return NULL;
	launch->session = message->session;
	launch->order.network = -1;
	launch->child = child_new();
	if (launch->child && make_trackable(launch->child, settings, message) < 0) {
		child_free(launch->child);
		launch->child = NULL;
	}
	if (launch->child)
		HASH_ADD(hh, by_session, session, sizeof launch->session, launch);
	if (!launch->child || !launch->hh.tbl) {
		child_free(launch->child);
		free(launch);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&launches, launch, link);
	timer_init(&launch->deadline, on_deadline);
	launch->settings = service_settings_keep(settings);
	launch->order.terminal = NO_TERMINAL;
	return launch;
}

static void launch_begin(struct launch *launch)
{
	if (program_needs_preparing(launch->settings))
		launch_prepare(launch);
	else
		launch_start_program(launch);
}

static void close_all(const struct launch_descriptors *descriptors)
{
	const int all[] = { descriptors->connection, descriptors->errors_to,
			    descriptors->errors_from };

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i] >= 0)
			descriptor_close(all[i]);
}

/* Before it began, with errno. */
static void launch_fail(struct launch *launch, const char *step)
{
	launch->order.failed_step = step;
	launch->order.failure = errno;
	launch_finish(launch);
}

/* The service was removed, and its jail with it. */
static void launch_lose_jail(struct launch *launch)
{
	errno = ENOENT;
	launch_fail(launch, "mounts");
}

void launcher_launch(struct service_settings *settings, const struct launch_message *message,
		     const struct proxied *proxied, const struct launch_descriptors *descriptors)
{
	int error = errno;
	bool has_connection = descriptors->connection >= 0;
	struct launch *launch = has_connection ? launch_new(settings, message, proxied) : NULL;

	if (launch) {
		fill_order(launch, message, descriptors);
		if (service_has_jail(settings) && !launch->order.jail)
			launch_lose_jail(launch);
		else if (fill_environment(launch, proxied) == 0)
			launch_begin(launch);
		else
			launch_fail(launch, "memory");
		return;
	}
	close_all(descriptors);
	if (has_connection)
		tell_failed(message->session, true, "memory", strerror(ENOMEM));
	else
		tell_failed(message->session, false, "descriptors", strerror(error));
}

/* --- other programs ------------------------------------------------------------------------- */

static struct launch *launch_new_for(struct launch_task *task)
{
	struct launch *launch = calloc(1, sizeof *launch);

	if (!launch)
		return NULL;
	launch->task = task;
	launch->settings = service_settings_keep(task->settings);
	launch->order.settings = task->settings;
	launch->order.program = task->program;
	launch->order.argv = task->argv;
	launch->order.environment = task->environment;
	launch->order.connection = open("/dev/null", O_RDWR | O_CLOEXEC);
	launch->order.error = -1;
	launch->order.terminal = NO_TERMINAL;
	launch->order.network = -1;
	fill_keys(launch, task->service, &task->peer);
	timer_init(&launch->deadline, on_deadline);
	TAILQ_INSERT_TAIL(&launches, launch, link);
	return launch;
}

void launcher_run(struct launch_task *task)
{
	struct launch *launch = launch_new_for(task);

	if (!launch)
		task->failed(task, "memory", strerror(ENOMEM));
	else if (launch->order.connection < 0)
		launch_fail(launch, "descriptors");
	else
		launch_begin(launch);
}
