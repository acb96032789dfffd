#include "monitor/session_messages.h"

#include "base/closer.h"
#include "base/container_of.h"
#include "base/loop.h"
#include "monitor/ending.h"
#include "monitor/frontend_process.h"
#include "monitor/orphans.h"
#include "monitor/reload.h"
#include "monitor/session_processes.h"
#include "monitor/session_warnings.h"

#include <sys/wait.h>

/* So many ends are kept that a frontend was told of and has not logged. A correct one logs them at
 * once. */
enum { UNLOGGED_MAX = 65536 };

static uint64_t frontends; /* so far */

/* What the frontend was told of starts and ends, and what of that it has logged. */
static uint64_t news, logged;

/* Children whose end it was told and has not logged, oldest first: if it dies, the next one is
 * told. */
static TAILQ_HEAD(, child) told = TAILQ_HEAD_INITIALIZER(told);
static size_t told_count;

uint64_t session_messages_frontend(void)
{
	return frontends;
}

uint64_t session_messages_next_frontend(void)
{
	return ++frontends;
}

/* --- starts and ends -------------------------------------------------------------------------- */

static struct message child_message(enum message_kind kind, const struct child *child)
{
	return (struct message){
		.kind = kind,
		.program = { .session = child->session,
			     .pid = child->pid,
			     .peer = child->peer,
			     .socket = child->socket,
			     .v6only = child->v6only,
			     .is_inner = child->is_inner,
			     .started = child->started,
			     .opened = child->opened,
			     .id = child->id,
			     .is_news = !child->start_told,
			     .status = child->status,
			     .end_reason = (uint8_t)child->reason,
			     .usage = child->usage,
			     .ended = child->ended,
			     .service = { reload_newest()->number, child->service } },
	};
}

/* Only the frontend that started the program keeps a descriptor of its connection. */
static bool is_kept(const struct child *child)
{
	return child->session >> 32 == frontends;
}

static void tell_released(struct socket_holders *holders)
{
	const struct child *child = container_of(holders, struct child, holders);
	struct message message = child_message(MESSAGE_RELEASED, child);

	if (is_kept(child))
		frontend_process_send(&message, NULL, 0);
}

static void leave_told(struct child *child)
{
	if (!child->is_told)
		return;
	TAILQ_REMOVE(&told, child, told);
	told_count--;
	child->is_told = false;
}

static void forget(struct child *child)
{
	leave_told(child);
	child_remove(child);
}

static void tell_end(struct child *child)
{
	struct message message = child_message(MESSAGE_ENDED, child);

	frontend_process_lend(&message, NULL, 0);
	child_close_errors(child); /* the frontend has that end of the pipe, too */
	child->end_news = ++news;
	child->is_told = true;
	TAILQ_INSERT_TAIL(&told, child, told);
	if (++told_count > UNLOGGED_MAX)
		forget(TAILQ_FIRST(&told));
}

static void tell_or_keep(struct child *child)
{
	if (frontend_process_is_ready())
		tell_end(child);
	else if (ending_has_begun() && frontend_process_pid() == 0)
		child_remove(child); /* nobody needs it any more */
}

/* One that is in the log already stays there. */
static void note_start(struct child *child)
{
	news++;
	if (!child->start_told)
		child->start_news = news;
	child->start_told = child->pid > 0;
}

static void tell_of_child(struct child *child)
{
	struct message message = child_message(MESSAGE_SESSION, child);

	if (child->service != SERVICE_IS_NEW) {
		frontend_process_send(&message, &child->errors, child->errors >= 0);
		note_start(child);
	}
	if (child->is_over)
		tell_end(child);
}

void session_messages_logged(uint64_t count)
{
	struct child *child;

	if (count < logged || count > news) {
		frontend_process_distrust("it has logged what it was not told");
		return;
	}
	logged = count;
	while ((child = TAILQ_FIRST(&told)) && child->end_news <= logged)
		forget(child);
	ending_process_gone();
}

/* A wait server that is being started has its socket already. */
static void tell_of_server(struct child *child)
{
	child->launch_told = true;
	tell_of_child(child);
}

static void forget_ended(struct child *child)
{
	if (child->is_over)
		forget(child);
}

/* Without a next frontend nobody needs the children that have ended. */
static void forget_all_ended(void)
{
	if (ending_has_begun() && frontend_process_pid() == 0)
		children_each(forget_ended);
}

/* --- a new frontend --------------------------------------------------------------------------- */

void session_messages_tell_all(void)
{
	children_each(tell_of_child);
	launcher_each_server(tell_of_server);
}

/* What the frontend did not log, the next one does. */
static void expect_next_frontend(struct child *child)
{
	socket_holders_stop(&child->holders);
	leave_told(child);
	if (child->start_news > logged)
		child->start_told = false;
	child->start_news = 0;
}

void session_messages_frontend_gone(void)
{
	children_each(expect_next_frontend);
	news = logged = 0;
	forget_all_ended();
}

static void tell_process(uint64_t session, pid_t pid)
{
	struct message message = { .kind = MESSAGE_PROCESS,
				   .program = { .session = session, .pid = pid } };

	frontend_process_send(&message, NULL, 0);
}

void session_messages_tell_processes(void)
{
	launcher_each_process(tell_process);
}

/* --- programs --------------------------------------------------------------------------------- */

/* A frontend that did not ask for the program is told everything about it. */
static void tell_of_start(struct child *child)
{
	struct message message = child_message(MESSAGE_STARTED, child);
	int master = child->terminal.master;

	if (child->session >> 32 != frontends && !child->launch_told) {
		tell_of_child(child);
		return;
	}
	frontend_process_lend(&message, &master, master >= 0);
	note_start(child);
	terminal_close(&child->terminal); /* at once: the frontend has it, or it is on its way */
}

static void on_over(void *context)
{
	struct child *child = context;

	child->is_over = true;
	child_settle(child);
	tell_or_keep(child);
	ending_process_gone();
}

/* The session is over when its end_command has ended. */
static void end_session(struct child *child)
{
	const struct session_facts facts = {
		.id = child->id,
		.has_slot = child->slot.table != NULL,
		.slot = child->slot.number,
		.has_ended = true,
		.status = child->status,
		.reason = child->reason,
		.seconds = (child->ended - child->opened) / 1000,
	};

	if (!child->end_command) {
		on_over(child);
		return;
	}
	socket_holders_lose_all(&child->holders); /* its client need not wait for the command */
	end_command_run(child->end_command, child->service, &facts, on_over, child);
}

/* What a session that nobody follows leaves behind. */
static void expect_orphans(const struct child *child)
{
	if (!child->is_tracked && !child->is_ending)
		orphans_expect(child->pid, child->service, &child->peer, &child->local);
}

/* A program may have ended, and may be reaped, before it is known that it started. */
static void on_program_started(const struct child *started)
{
	struct child *child = child_of_session(started->session);

	if (child->has_ended) {
		expect_orphans(child);
		orphans_note(child->pid);
	}
	if (is_kept(child))
		socket_holders_watch(&child->holders, child->pid, tell_released);
	if (ending_ends_programs())
		ending_end(child);
	if (frontend_process_is_ready()) /* otherwise the next one is told of every child */
		tell_of_start(child);
	/* A terminal that no frontend has is hung up. */
	closer_close(child->terminal.master, child->service);
	child->terminal.master = -1;
	if (child->is_gone)
		end_session(child);
}

static void on_program_not_started(const struct program_message *program)
{
	struct message message = { .kind = MESSAGE_NOT_STARTED, .program = *program };

	if (frontend_process_is_ready())
		frontend_process_send(&message, NULL, 0);
}

const struct launcher_events session_messages_launcher_events = {
	.started = on_program_started,
	.not_started = on_program_not_started,
};

/* Later than its program. */
static void on_session_gone(struct child *child)
{
	if (child->memory_kills > 0)
		session_warn_of_memory(child);
	end_session(child);
}

/* Any other process is an orphan that the monitor has adopted. */
void session_messages_child_ended(pid_t pid, int status, const struct program_usage *usage)
{
	struct child *child = child_of_process(pid);

	if (frontend_process_ended(pid, status))
		return;
	if (!child) {
		if (!launcher_reaped(pid, status, usage))
			end_command_reaped(pid, status);
		return;
	}
	child->usage = *usage;
	expect_orphans(child);
	child_reaped(child, status);
	if (socket_holders_are_noted(&child->holders))
		waitpid(pid, NULL,
			WNOHANG); /* now, as its process group must not have it any more */
	if (child->is_gone)
		end_session(child);
}

/* What runs for a session that has ended is in no session, also while it is being started. */
static bool is_spared(pid_t pid)
{
	return !end_commands_are_killed() &&
	       (end_command_is(pid) || (!child_is_program(pid) && launcher_starts_task(pid)));
}

void session_messages_init(void)
{
	static const struct child_events events = { .gone = on_session_gone,
						    .held = session_warn_of_hold };

	end_command_init(launcher_run);
	session_processes_init(child_is_program);
	children_init(&events, is_spared);
}
