#include "handlers/launch.h"

#include "base/closer.h"
#include "base/descriptors.h"
#include "base/hash.h"
#include "handlers/error_pipe.h"
#include "handlers/handler.h"
#include "handlers/kept_socket.h"
#include "handlers/terminal_relay.h"
#include "session/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A program that was requested, or runs. */
struct program {
	UT_hash_handle hh;
	uint64_t number;
	struct session *session;       /* NULL: closed before it was started */
	struct error_pipe *error_pipe; /* stderr = log; NULL: none */
	struct kept_socket *kept;      /* the connection's; NULL: none */
	struct terminal_relay *relay;  /* pty; NULL: none */
	pid_t pid;                     /* 0: not known yet */
	bool runs;
};

static const struct launch_way *way;
static struct program *programs;
static uint64_t next_number;
static unsigned launching; /* programs that do not run yet */
static struct shares shares, pipe_shares;
static void (*when_idle)(void);

static void launch_start(struct session *session);

const struct handler launch_handler = { .name = "launch", .start = launch_start };

void launch_init(const struct launch_way *to_monitor, uint64_t first)
{
	way = to_monitor;
	next_number = first;
	launch_set_room(0);
}

/* A launch takes one of the monitor's descriptors, and two more if it has a pipe for standard
 * error. Of each pipe the monitor keeps an end, and copies it for another frontend. So a third is
 * for launches, and a third for pipes, and what is over these fails alone. */
void launch_set_room(unsigned descriptors)
{
	unsigned third = descriptors >= 3 ? descriptors / 3 : 1;

	shares_set_total(&shares, third < LAUNCHES_MAX ? third : LAUNCHES_MAX);
	shares_set_total(&pipe_shares, third);
}

unsigned launch_processes(void)
{
	return HASH_COUNT(programs);
}

struct shares *launch_shares(void)
{
	return &shares;
}

struct shares *launch_pipe_shares(void)
{
	return &pipe_shares;
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

/* --- programs ----------------------------------------------------------------------------- */

static struct program *find(uint64_t number)
{
	struct program *program;

	HASH_FIND(hh, programs, &number, sizeof number, program);
	return program;
}

/* The session is closed: ends its program. */
static void on_session_closed(struct session *session)
{
	struct program *program = session->handler_data;

	kept_socket_free(program->kept);
	terminal_relay_free(program->relay);
	program->kept = NULL;
	program->relay = NULL;
	program->session = NULL;
	way->end(program->number, true, session->reason);
}

static void end_program(struct session *session, bool at_once)
{
	way->end(((struct program *)session->handler_data)->number, at_once, session->reason);
}

/* The program that serves session from here on. NULL when memory runs out. */
static struct program *program_new(struct session *session, uint64_t number)
{
	struct program *program = calloc(1, sizeof *program);

	if (!program)
		return NULL;
	program->number = number;
	program->session = session;
	HASH_ADD(hh, programs, number, sizeof program->number, program);
	if (!program->hh.tbl) {
		free(program);
		return NULL;
	}
	session->handler_data = program;
	session->stop = on_session_closed;
	session->end = end_program;
	launching++;
	return program;
}

/* Returns its session, without a handler now; NULL: it has none. */
static struct session *program_free(struct program *program)
{
	struct session *session = program->session;

	if (session) {
		session->handler_data = NULL;
		session->stop = NULL;
		session->end = NULL;
	}
	launching -= !program->runs;
	kept_socket_free(program->kept);
	terminal_relay_free(program->relay);
	error_pipe_release(program->error_pipe);
	HASH_DEL(programs, program);
	free(program);
	return session;
}

pid_t launch_process(const struct session *session)
{
	return session->stop == on_session_closed
		       ? ((const struct program *)session->handler_data)->pid
		       : 0;
}

/* --- the monitor's messages ----------------------------------------------------------------- */

void launch_has_process(const struct program_message *message)
{
	struct program *program = find(message->session);

	if (program)
		program->pid = message->pid;
}

static void begin(struct program *program, const struct program_message *message)
{
	launching -= !program->runs;
	program->runs = true;
	program->pid = message->pid;
	if (program->session) {
		program->session->pid = message->pid;
		program->session->id = message->id;
	}
}

static void serve(struct program *program)
{
	if (program->session)
		handler_begin(program->session);
	if (program->session && program->kept)
		kept_socket_watch(program->kept);
}

void launch_started(const struct program_message *message, int terminal)
{
	struct program *program = find(message->session);
	bool is_new = program && !program->runs;

	if (is_new) {
		begin(program, message);
		serve(program);
	}
	if (is_new && program->relay)
		terminal_relay_start(program->relay, terminal);
	else
		closer_close(terminal, message->session);
}

void launch_released(const struct program_message *message)
{
	struct program *program = find(message->session);

	if (program && program->kept)
		kept_socket_released(program->kept);
}

void launch_not_started(const struct program_message *message)
{
	struct program *program = find(message->session);
	struct session *session = program ? program_free(program) : NULL;
	char detail[256];

	if (session) {
		snprintf(detail, sizeof detail, "%s %s: %s", message->step,
			 session->settings->server, message->reason);
		session_fail(session, message->no_process ? REFUSED_FORK : REFUSED_EXEC, detail);
	}
	tell_when_idle();
}

/* Only a session has one: it closes it, or takes it over. */
static struct kept_socket *take_kept(struct program *program)
{
	struct kept_socket *kept = program->kept;

	program->kept = NULL;
	return kept;
}

static struct terminal_relay *take_relay(struct program *program)
{
	struct terminal_relay *relay = program->relay;

	program->relay = NULL;
	return relay;
}

void launch_ended(const struct program_message *message)
{
	struct program *program = find(message->session);
	struct kept_socket *kept = program ? take_kept(program) : NULL;
	struct terminal_relay *relay = program ? take_relay(program) : NULL;
	struct session *session = program ? program_free(program) : NULL;

	if (kept)
		kept_socket_record(kept);
	if (relay)
		terminal_relay_record(relay);
	if (session) {
		session->reason = message->end_reason;
		session->ended = message->ended;
		record_usage(session, message->usage.cpu_us, message->usage.max_rss);
		record_exit(session, message->status);
	}
	if (kept)
		kept_socket_end(kept);
	else if (relay)
		terminal_relay_end(relay);
	else if (session)
		session_close(session);
	tell_when_idle();
}

int launch_resume(struct session *session, const struct program_message *message, int errors)
{
	struct program *program = program_new(session, message->session);

	if (!program) {
		if (errors >= 0)
			close(errors);
		return -1;
	}
	if (errors >= 0)
		program->error_pipe = error_pipe_resume(session->settings->id, errors);
	if (message->pid > 0)
		begin(program, message);
	return 0;
}

/* --- requests ------------------------------------------------------------------------------- */

static struct message launch_message(const struct program *program)
{
	const struct session *session = program->session;

	return (struct message){
		.kind = MESSAGE_LAUNCH,
		.launch = { .session = program->number,
			    .peer = session->peer,
			    .logs_errors = program->error_pipe != NULL },
	};
}

/* Adds what a balancer said, which nobody needs after this. */
static void add_proxied(struct message *message, struct session *session)
{
	struct proxied *proxied = &message->proxied_launch.proxied;

	message->kind = MESSAGE_LAUNCH_PROXIED;
	*proxied = (struct proxied){ .proxy = session->proxy, .local = session->local };
	if (session->facts)
		proxied->facts = *session->facts;
	free(session->facts);
	session->facts = NULL;
}

/* Sends the connection, and both ends of the pipe for standard error if there is one; not
 * a wait server's socket, which the monitor has. */
static int ask(struct program *program, int errors)
{
	struct session *session = program->session;
	struct message message = launch_message(program);
	int descriptors[MESSAGE_DESCRIPTORS_MAX];
	unsigned count = 0;

	if (address_is_known(&session->proxy))
		add_proxied(&message, session);
	if (!session->origin)
		descriptors[count++] = session->fd;
	if (program->error_pipe) {
		descriptors[count++] = errors;
		descriptors[count++] = error_pipe_read_end(program->error_pipe);
	}
	return way->ask(session, &message, descriptors, count);
}

static int ask_with_errors(struct program *program)
{
	const struct service_settings *settings = program->session->settings;
	int errors = -1, result;

	if (settings->program->stderr_kind == STDERR_LOG)
		program->error_pipe = error_pipe_open(settings->id, &errors);
	result = ask(program, errors);
	if (program->error_pipe)
		close(errors);
	return result;
}

/* False: out of memory. */
static bool keep_socket(struct program *program)
{
	struct session *session = program->session;

	if (!service_keeps_socket(session->settings) || session->origin)
		return true;
	if (session->settings->pty)
		program->relay = terminal_relay_new(session);
	else
		program->kept = kept_socket_new(session);
	return program->relay || program->kept;
}

static void launch_start(struct session *session)
{
	struct program *program = program_new(session, next_number++);

	if (program && !keep_socket(program)) {
		program_free(program);
		program = NULL;
	}
	if (!program) {
		session_fail(session, REFUSED_MEMORY, NULL);
	} else if (ask_with_errors(program) < 0) {
		program_free(program);
		session_fail(session, REFUSED_FORK, strerror(errno));
	} else if (!program->kept && !program->relay) {
		descriptor_close(session_take_fd(session));
	}
}
