#include "handlers/launch.h"

#include "base/container_of.h"
#include "base/worker.h"
#include "handlers/environment.h"
#include "handlers/error_pipe.h"
#include "handlers/handler.h"
#include "handlers/orphans.h"
#include "handlers/start_program.h"
#include "session/record.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) ((element)->hh.tbl = NULL)
#include <uthash.h>

/* A process of ours, until it is reaped. */
struct child {
	UT_hash_handle hh;
	pid_t pid;
	struct session *session; /* NULL: closed while the program was being started */
	struct error_pipe *error_pipe; /* stderr = log */
};

/* Launches of different users take turns, those of one user's services, and those of
 * one service's sources. */
enum launch_level { LEVEL_USER = 1, LEVEL_SERVICE, LEVEL_SOURCE, LEVELS = LEVEL_SOURCE };

/* A launch under way. */
struct launch {
	struct job job;
	struct worker_pool *pool; /* that has the job */
	struct turn_key keys[LEVELS];
	struct program_order order;
	TAILQ_ENTRY(launch) link;
	struct session *session; /* NULL: closed meanwhile */
	struct service_settings *settings;
	struct child *child; /* allocated beforehand, so that a started program is never lost */
	struct timer deadline;
	void (*overdue)(struct launch *launch); /* a worker has had it for too long */
	unsigned long given; /* turns of its service when last looked at */
	int silences;        /* looks since there was another one */
	int attempts;        /* before this one */
	const char *given_up; /* why, or NULL */
	bool has_ended; /* the program did, before the launch came back, with status */
	int status;
	char *environment[]; /* and its texts */
};

/* The pool that starts programs, and the one that looks up what they need, which
 * waits for name services and file systems. */
static struct worker_pool *starters, *preparers;
static struct child *children;
static TAILQ_HEAD(, launch) launches = TAILQ_HEAD_INITIALIZER(launches); /* oldest first */
static unsigned launching; /* how many those are */
static void (*when_idle)(void);

enum { PREPARERS_MOST = 6 };

static void launch_begin(struct session *session, int attempts);
static void launch_start(struct session *session);

const struct handler launch_handler = { .name = "launch", .start = launch_start };

/* A pool in which half of the threads at most work for one user, and a third of them
 * for one service. */
static struct worker_pool *pool_new(unsigned usual, unsigned most)
{
	const unsigned shares[LEVELS + 1] = {
		[LEVEL_USER] = most > 2 ? most / 2 : 1, [LEVEL_SERVICE] = most > 3 ? most / 3 : 1,
	};

	return worker_pool_new_shared(usual, most, LEVELS, shares);
}

/* Leaves a processor to the others while one service is flooded. */
static void leave_processors(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	worker_pool_set_most_in_company(starters, LEVEL_SERVICE,
					processors > 2 ? (unsigned)processors - 1 : 1);
}

int launch_init(void)
{
	if (start_program_init() < 0)
		return -1;
	orphans_adopt();
	starters = pool_new(4, (unsigned)program_slots());
	preparers = pool_new(1, PREPARERS_MOST);
	if (!starters || !preparers)
		return -1;
	leave_processors();
	return 0;
}

unsigned launch_processes(void)
{
	return launching + HASH_COUNT(children);
}

bool launch_is_busy(void)
{
	return launching > 0;
}

static void tell_when_idle(void)
{
	if (when_idle && launch_processes() == 0 && orphans_left() == 0) {
		void (*callback)(void) = when_idle;

		when_idle = NULL;
		callback();
	}
}

void launch_when_idle(void (*callback)(void))
{
	when_idle = callback;
	tell_when_idle();
}

/* The pid while the launch is under way: the kernel may be writing it. */
static pid_t launch_pid(struct launch *launch)
{
	return __atomic_load_n(&launch->order.pid, __ATOMIC_RELAXED);
}

/* --- children ------------------------------------------------------------------------ */

static void child_free(struct child *child)
{
	error_pipe_release(child->error_pipe);
	free(child);
}

static void child_ended(struct child *child, int status)
{
	struct session *session = child->session;

	HASH_DEL(children, child);
	orphans_note(child->pid);
	child_free(child);
	if (session) {
		record_exit(session, status);
		session_close(session);
	}
	tell_when_idle();
}

/* A program may have ended before its launch is back: its status waits there.
 * Any other process is an orphan that came to us. */
static void keep_status(pid_t pid, int status)
{
	struct launch *launch;

	TAILQ_FOREACH(launch, &launches, link)
		if (launch_pid(launch) == pid) {
			launch->has_ended = true;
			launch->status = status;
			return;
		}
}

void launch_reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *child;

		HASH_FIND_INT(children, &pid, child);
		if (child)
			child_ended(child, status);
		else
			keep_status(pid, status);
	}
	tell_when_idle();
}

/* From here on the launch's program is a child, session's if there is one. */
static void child_claim(struct launch *launch, struct session *session)
{
	struct child *child = launch->child;

	launch->child = NULL;
	child->pid = launch->order.pid;
	child->session = session;
	HASH_ADD_INT(children, pid, child);
	if (!child->hh.tbl) {
		child_free(child);
		kill(launch->order.pid, SIGKILL);
		if (session)
			session_fail(session, REFUSED_MEMORY, NULL);
	} else if (launch->has_ended) {
		child_ended(child, launch->status);
	}
}

/* --- a launch ----------------------------------------------------------------------------- */

static void launch_free(struct launch *launch)
{
	if (launch->order.connection >= 0)
		close(launch->order.connection);
	if (launch->order.error >= 0)
		close(launch->order.error);
	program_order_clear(&launch->order);
	service_settings_release(launch->settings);
	if (launch->child)
		child_free(launch->child);
	free(launch);
}

/* True when the failure is one that a later attempt may not meet. */
static bool is_passing(const struct program_order *order)
{
	return order->failed_step && strcmp(order->failed_step, STEP_FORK) == 0 &&
	       (order->failure == EAGAIN || order->failure == ENOMEM);
}

static void on_retry(struct timer *timer)
{
	struct session *session = container_of(timer, struct session, deadline);
	intptr_t attempts = (intptr_t)session->handler_data;

	session->handler_data = NULL;
	if (session->is_to_end)
		session_close(session);
	else
		launch_begin(session, (int)attempts);
}

/* Has the session try again in a while. False when it must not. */
static bool retry_later(struct launch *launch, struct session *session)
{
	if (!is_passing(&launch->order) || (launch->settings->flags & FLAG_NORETRY) ||
	    launch->attempts == LAUNCH_RETRIES || session->is_to_end)
		return false;
	session->fd = launch->order.connection;
	launch->order.connection = -1;
	session->handler_data = (void *)(intptr_t)(launch->attempts + 1);
	timer_init(&session->deadline, on_retry);
	timer_start(&session->deadline, LAUNCH_RETRY_MS);
	return true;
}

static void launch_failed(struct launch *launch, struct session *session)
{
	const char *step = launch->given_up ? program_step(&launch->order)
					    : launch->order.failed_step;
	char detail[256];

	snprintf(detail, sizeof detail, "%s %s: %s", step, launch->settings->server,
		 launch->given_up ? launch->given_up : strerror(launch->order.failure));
	session_fail(session, strcmp(step, STEP_FORK) == 0 ? REFUSED_FORK : REFUSED_EXEC, detail);
}

/* The session has to do without the launch from here on. */
static struct session *launch_leave_session(struct launch *launch)
{
	struct session *session = launch->session;

	launch->session = NULL;
	session->stop = NULL;
	session->handler_data = NULL;
	return session;
}

/* The launch came back to its session. */
static void hand_over(struct launch *launch)
{
	struct session *session = launch_leave_session(launch);

	if (launch->order.failed_step || launch->given_up) {
		if (!retry_later(launch, session))
			launch_failed(launch, session);
		return;
	}
	session->pid = launch->order.pid;
	handler_begin(session);
	if (session->is_to_end && !launch->has_ended)
		session_end(session);
	child_claim(launch, session);
}

/* Nobody waits for the program that was started: it is ended, and reaped. */
static void end_abandoned(struct launch *launch)
{
	kill(-launch->order.pid, SIGKILL);
	child_claim(launch, NULL);
}

static void launch_finish(struct launch *launch)
{
	TAILQ_REMOVE(&launches, launch, link);
	launching--;
	timer_stop(&launch->deadline);
	if (launch->session)
		hand_over(launch);
	else if (launch->order.pid > 0 && !launch->has_ended)
		end_abandoned(launch);
	launch_free(launch);
	tell_when_idle();
}

/* The session is closed while its launch is under way. */
static void on_session_closed(struct session *session)
{
	((struct launch *)session->handler_data)->session = NULL;
}

pid_t launch_process(const struct session *session)
{
	if (session->stop == on_session_closed)
		return launch_pid(session->handler_data);
	return session->pid;
}

/* --- the queue ------------------------------------------------------------------------- */

/* A long queue is no trouble while it moves. One that stands still, behind launches
 * of the same service or user that nothing can end, is not worth waiting in. */
static void wait_on(struct launch *launch)
{
	unsigned long given = worker_turns_given(launch->pool, &launch->job, LEVEL_SERVICE);

	launch->silences = given == launch->given ? launch->silences + 1 : 0;
	launch->given = given;
	if (launch->silences >= LAUNCH_SILENCES && worker_cancel(launch->pool, &launch->job)) {
		launch->order.step = "queue";
		launch->given_up = "those before it take too long";
		launch_finish(launch);
		return;
	}
	timer_start(&launch->deadline, LAUNCH_DEADLINE_MS);
}

/* The time counts from when a worker took the launch: in the queue nothing hangs. */
static void on_deadline(struct timer *timer)
{
	struct launch *launch = container_of(timer, struct launch, deadline);
	uint64_t began = worker_began(launch->pool, &launch->job);

	if (!began)
		wait_on(launch);
	else if (loop_now() < began + LAUNCH_DEADLINE_MS)
		timer_start(timer, began + LAUNCH_DEADLINE_MS - loop_now());
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
		launch->order.failed_step = STEP_FORK; /* of a thread, which may work later */
		launch->order.failure = errno;
		launch_finish(launch);
	}
}

/* --- starting ---------------------------------------------------------------------------- */

static void on_start(struct job *job)
{
	start_program(&container_of(job, struct launch, job)->order);
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
	if (launch->session && !launch->order.failed_step)
		launch_start_program(launch);
	else
		launch_finish(launch);
}

/* Closes the connection, whose number stays taken as the worker may be using it. */
static void let_go_of_connection(struct launch *launch)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	dup3(null, launch->order.connection, O_CLOEXEC);
	close(null);
}

/* Nothing can end a worker that waits for a name service. */
static void give_up_preparing(struct launch *launch)
{
	if (!launch->session)
		return;
	let_go_of_connection(launch);
	launch->given_up = "took too long";
	launch_failed(launch, launch_leave_session(launch));
}

static void launch_prepare(struct launch *launch)
{
	launch->job = (struct job){ .run = on_prepare, .done = on_prepared };
	launch->overdue = give_up_preparing;
	launch_submit(launch, preparers);
}

/* --- from the session ------------------------------------------------------------------------ */

static void fill_keys(struct launch *launch, const struct session *session)
{
	launch->keys[LEVEL_USER - 1] = turn_key_number(launch->settings->uid);
	launch->keys[LEVEL_SERVICE - 1] = turn_key_number((uintptr_t)session->service);
	launch->keys[LEVEL_SOURCE - 1] = turn_key_source(&session->peer,
							 launch->settings->source_prefix);
}

static struct launch *launch_new(struct session *session, int attempts)
{
	struct launch *launch = calloc(1, sizeof *launch + environment_size(session->settings));

	if (!launch)
		return NULL;
	launch->child = calloc(1, sizeof *launch->child);
	if (!launch->child) {
		free(launch);
		return NULL;
	}
	launch->session = session;
	launch->settings = service_settings_keep(session->settings);
	launch->attempts = attempts;
	launch->order.settings = launch->settings;
	launch->order.environment = environment_fill(launch->environment, session);
	launch->order.error = -1;
	if (launch->settings->stderr_kind == STDERR_LOG)
		launch->child->error_pipe = error_pipe_open(launch->settings->id,
							    &launch->order.error);
	launch->order.connection = session_take_fd(session);
	fill_keys(launch, session);
	return launch;
}

/* From here on the descriptor and the session's fate are the launch's. */
static void launch_begin(struct session *session, int attempts)
{
	struct launch *launch = launch_new(session, attempts);

	if (!launch) {
		session_fail(session, REFUSED_MEMORY, NULL);
		return;
	}
	TAILQ_INSERT_TAIL(&launches, launch, link);
	launching++;
	session->handler_data = launch;
	session->stop = on_session_closed;
	if (program_needs_preparing(launch->settings))
		launch_prepare(launch);
	else
		launch_start_program(launch);
}

static void launch_start(struct session *session)
{
	launch_begin(session, 0);
}
