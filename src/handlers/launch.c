#include "handlers/launch.h"

#include "base/container_of.h"
#include "base/worker.h"
#include "handlers/error_pipe.h"
#include "handlers/handler.h"
#include "handlers/start_program.h"
#include "session/record.h"

#include <errno.h>
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
};

/* A launch under way. */
struct launch {
	struct job job;
	struct program_order order;
	TAILQ_ENTRY(launch) link;
	struct session *session; /* NULL: closed meanwhile */
	struct service_settings *settings;
	struct child *child; /* allocated beforehand, so that a started program is never lost */
	struct timer deadline;
	int attempts;        /* before this one */
	bool timed_out;
	bool has_ended; /* the program did, before the launch came back, with status */
	int status;
	char *variables[]; /* the whole environment, then the texts of what is new in it */
};

enum { VARIABLES_MOST = 8, /* those of fill_environment */
        VARIABLE_SIZE = 24 + ADDRESS_TEXT_SIZE };

static struct worker_pool *pool;
static struct child *children;
static TAILQ_HEAD(, launch) launches = TAILQ_HEAD_INITIALIZER(launches); /* oldest first */
static unsigned launching; /* how many those are */
static void (*when_idle)(void);

static void launch_begin(struct session *session, int attempts);
static void launch_start(struct session *session);

const struct handler launch_handler = { .name = "launch", .start = launch_start };

int launch_init(void)
{
	if (start_program_init() < 0)
		return -1;
	pool = worker_pool_new(4, PROGRAM_SLOTS);
	return pool ? 0 : -1;
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
	if (when_idle && launch_processes() == 0) {
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

static void child_ended(struct child *child, int status)
{
	struct session *session = child->session;

	HASH_DEL(children, child);
	free(child);
	if (session) {
		record_exit(session, status);
		session_close(session);
	}
	tell_when_idle();
}

/* A program may have ended before its launch is back: its status waits there.
 * Any other process is an orphan that came to us as process 1. */
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
		free(child);
		kill(launch->order.pid, SIGKILL);
		if (session)
			session_fail(session, REFUSED_MEMORY, NULL);
	} else if (launch->has_ended) {
		child_ended(child, launch->status);
	}
}

/* --- the environment ------------------------------------------------------------------- */

static void add_variable(char **variables, size_t *count, char **text, const char *prefix,
			 const char *name, const char *value)
{
	variables[(*count)++] = *text;
	*text += snprintf(*text, VARIABLE_SIZE, "%s%s=%s", prefix, name, value) + 1;
}

static void add_end(char **variables, size_t *count, char **text, const char *prefix,
		    const char *which, const struct address *address)
{
	char host[ADDRESS_TEXT_SIZE], name[24], port[8];

	snprintf(name, sizeof name, "%sIP", which);
	add_variable(variables, count, text, prefix, name, address_text(address, host));
	snprintf(name, sizeof name, "%sPORT", which);
	snprintf(port, sizeof port, "%u", address_port(address));
	add_variable(variables, count, text, prefix, name, port);
}

/* REMOTE_HOST as xinetd has it, REMOTE_ADDR and REMOTE_PORT as CGI has them
 * (RFC 3875), PROTO and the others as UCSPI has them. A service whose passenv
 * is set to nothing wants none but the first. */
static void fill_environment(struct launch *launch, const struct session *session, char *text)
{
	const struct service_settings *settings = launch->settings;
	const char *protocol = session->settings->socket_type == SOCK_DGRAM ? "UDP" : "TCP";
	struct address local;
	char host[ADDRESS_TEXT_SIZE], port[8];
	char **variables = launch->variables;
	size_t count = settings->environment_count;

	memcpy(variables, settings->environment, count * sizeof *variables);
	address_text(&session->peer, host);
	add_variable(variables, &count, &text, "", "REMOTE_HOST", host);
	if (settings->passenv.is_set && settings->passenv.count == 0)
		goto done;
	add_variable(variables, &count, &text, "", "PROTO", protocol);
	address_of_socket(launch->order.connection, &local);
	add_end(variables, &count, &text, protocol, "LOCAL", &local);
	if (address_is_known(&session->peer)) {
		snprintf(port, sizeof port, "%u", address_port(&session->peer));
		add_variable(variables, &count, &text, "", "REMOTE_ADDR", host);
		add_variable(variables, &count, &text, "", "REMOTE_PORT", port);
		add_end(variables, &count, &text, protocol, "REMOTE", &session->peer);
	}
done:
	variables[count] = NULL;
}

/* --- a launch ----------------------------------------------------------------------------- */

static void launch_free(struct launch *launch)
{
	if (launch->order.connection >= 0)
		close(launch->order.connection);
	if (launch->order.error >= 0)
		close(launch->order.error);
	service_settings_release(launch->settings);
	free(launch->child);
	free(launch);
}

static void on_run(struct job *job)
{
	start_program(&container_of(job, struct launch, job)->order);
}

/* True when the failure is one that a later attempt may not meet. */
static bool is_passing(const struct program_order *order)
{
	return order->failed_step && strcmp(order->failed_step, "fork") == 0 &&
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
	const char *step = launch->order.failed_step ? launch->order.failed_step : "exec";
	char detail[256];

	snprintf(detail, sizeof detail, "%s %s: %s", step, launch->settings->server,
		 launch->timed_out ? "took too long" : strerror(launch->order.failure));
	session_fail(session, strcmp(step, "fork") == 0 ? REFUSED_FORK : REFUSED_EXEC, detail);
}

/* The launch came back to its session. */
static void hand_over(struct launch *launch, struct session *session)
{
	session->stop = NULL;
	session->handler_data = NULL;
	if (launch->order.failed_step || launch->timed_out) {
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

static void on_done(struct job *job)
{
	struct launch *launch = container_of(job, struct launch, job);

	TAILQ_REMOVE(&launches, launch, link);
	launching--;
	timer_stop(&launch->deadline);
	if (launch->session)
		hand_over(launch, launch->session);
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

/* A child that does not reach its program (a file system that hangs, or a
 * process of the same user that stops it) must not hold a worker for ever. The
 * time counts from when a worker took the launch: in the queue nothing hangs. */
static void on_deadline(struct timer *timer)
{
	struct launch *launch = container_of(timer, struct launch, deadline);
	uint64_t began = worker_began(pool, &launch->job);
	uint64_t end = (began ? began : loop_now()) + LAUNCH_DEADLINE_MS;
	pid_t pid = launch_pid(launch);

	if (loop_now() < end) {
		timer_start(timer, end - loop_now());
		return;
	}
	if (pid > 0 && !launch->has_ended) {
		launch->timed_out = true;
		kill(pid, SIGKILL);
	}
	timer_start(timer, LAUNCH_DEADLINE_MS);
}

static struct launch *launch_new(struct session *session, int attempts)
{
	size_t pointers = session->settings->environment_count + VARIABLES_MOST + 1;
	struct launch *launch = calloc(1, sizeof *launch + pointers * sizeof(char *) +
					       VARIABLES_MOST * VARIABLE_SIZE);

	if (!launch)
		return NULL;
	launch->child = calloc(1, sizeof *launch->child);
	if (!launch->child) {
		free(launch);
		return NULL;
	}
	launch->job.run = on_run;
	launch->job.done = on_done;
	launch->session = session;
	launch->settings = service_settings_keep(session->settings);
	launch->attempts = attempts;
	launch->order.settings = launch->settings;
	launch->order.environment = launch->variables;
	launch->order.error = -1;
	launch->order.connection = session->fd;
	fill_environment(launch, session, (char *)(launch->variables + pointers));
	return launch;
}

/* From here on the descriptor and the session's fate are the launch's. */
static void launch_submit(struct launch *launch, struct session *session)
{
	if (worker_submit(pool, &launch->job) < 0) {
		launch->order.connection = -1;
		launch_free(launch);
		session_fail(session, REFUSED_FORK, strerror(errno));
		return;
	}
	session_take_fd(session);
	TAILQ_INSERT_TAIL(&launches, launch, link);
	launching++;
	session->handler_data = launch;
	session->stop = on_session_closed;
	timer_init(&launch->deadline, on_deadline);
	timer_start(&launch->deadline, LAUNCH_DEADLINE_MS);
}

static void launch_begin(struct session *session, int attempts)
{
	struct launch *launch = launch_new(session, attempts);

	if (launch && session->settings->stderr_kind == STDERR_LOG)
		launch->order.error = error_pipe_open(session->settings->id);
	if (!launch)
		session_fail(session, REFUSED_MEMORY, NULL);
	else
		launch_submit(launch, session);
}

static void launch_start(struct session *session)
{
	launch_begin(session, 0);
}
