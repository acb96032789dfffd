#include "monitor/end_command.h"

#include "base/container_of.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/timer.h"
#include "config/generation.h"
#include "monitor/expansion.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

struct end_command {
	UT_hash_handle hh; /* by pid, while it runs */
	pid_t pid;
	struct launch_task task;
	struct address local;
	struct proxied *proxied;     /* NULL: none */
	struct expansion *expansion; /* of placeholders; NULL: there are none */
	struct timer limit;
	void (*done)(void *context);
	void *context;
	char *environment[]; /* followed by its texts */
};

static struct end_command *running;
static bool are_killed;
static void (*launch)(struct launch_task *task);

void end_command_init(void (*how)(struct launch_task *task))
{
	launch = how;
}

/* --- its end ------------------------------------------------------------------------------- */

static void log_end(const struct launch_task *task, int status)
{
	const char *id = task->settings->id;

	if (WIFSIGNALED(status))
		log_warning("service %s: end_command %s was ended by signal %d", id, task->program,
			    WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		log_warning("service %s: end_command %s ended with status %d", id, task->program,
			    WEXITSTATUS(status));
}

static void on_ended(struct launch_task *task, int status)
{
	struct end_command *command = container_of(task, struct end_command, task);

	timer_stop(&command->limit);
	HASH_DEL(running, command);
	log_end(task, status);
	command->done(command->context);
}

static void on_failed(struct launch_task *task, const char *step, const char *reason)
{
	struct end_command *command = container_of(task, struct end_command, task);

	log_error("service %s: end_command can't be started: %s %s: %s", task->settings->id, step,
		  task->program, reason);
	command->done(command->context);
}

static void on_limit(struct timer *timer)
{
	struct end_command *command = container_of(timer, struct end_command, limit);

	log_warning("service %s: end_command %s took longer than %u s and is killed",
		    command->task.settings->id, command->task.program,
		    service_grace_ms(command->task.settings) / 1000);
	kill(-command->pid, SIGKILL);
}

bool end_command_is(pid_t pid)
{
	struct end_command *command;

	HASH_FIND(hh, running, &pid, sizeof pid, command);
	return command != NULL;
}

bool end_command_reaped(pid_t pid, int status)
{
	struct end_command *command;

	HASH_FIND(hh, running, &pid, sizeof pid, command);
	if (command)
		on_ended(&command->task, status);
	return command != NULL;
}

void end_commands_kill(void)
{
	struct end_command *command, *next;

	are_killed = true;
	HASH_ITER(hh, running, command, next)
		kill(-command->pid, SIGKILL);
}

bool end_commands_are_killed(void)
{
	return are_killed;
}

/* --- its start ------------------------------------------------------------------------------- */

static int on_started(struct launch_task *task, pid_t pid)
{
	struct end_command *command = container_of(task, struct end_command, task);

	command->pid = pid;
	HASH_ADD(hh, running, pid, sizeof command->pid, command);
	if (!command->hh.tbl) {
		errno = ENOMEM;
		return -1;
	}
	timer_start(&command->limit, service_grace_ms(command->task.settings));
	return 0;
}

/* False when memory runs out. */
static bool expand(struct end_command *command, const struct session_facts *facts)
{
	const struct service_settings *settings = command->task.settings;

	if (!settings || !settings->placeholders_used)
		return settings;
	command->expansion =
		expansion_new(settings, &command->task.peer, facts, settings->program->end_argv, 1);
	return command->expansion;
}

struct end_command *end_command_new(const struct service_settings *settings,
				    const struct program_client *client,
				    const struct session_facts *facts)
{
	size_t size = environment_size(settings, client->proxied, true);
	struct end_command *command = calloc(1, sizeof *command + size);

	if (!command)
		return NULL;
	command->local = *client->local;
	timer_init(&command->limit, on_limit);
	command->task = (struct launch_task){
		.settings = service_settings_copy(settings),
		.peer = *client->peer,
		.started = on_started,
		.ended = on_ended,
		.failed = on_failed,
	};
	if (client->proxied && (command->proxied = malloc(sizeof *command->proxied)))
		*command->proxied = *client->proxied;
	if (expand(command, facts) && !client->proxied == !command->proxied)
		return command;
	end_command_free(command);
	errno = ENOMEM;
	return NULL;
}

void end_command_free(struct end_command *command)
{
	if (!command)
		return;
	if (command->task.settings)
		service_settings_release(command->task.settings);
	free(command->proxied);
	free(command->expansion);
	free(command);
}

void end_command_run(struct end_command *command, uint32_t service,
		     const struct session_facts *facts, void (*done)(void *context), void *context)
{
	struct launch_task *task = &command->task;
	struct program_client client = { &task->peer, &command->local, command->proxied };

	command->done = done;
	command->context = context;
	task->service = service;
	task->program = task->settings->program->end_command.list[0];
	task->argv = task->settings->program->end_argv;
	task->environment = environment_fill(command->environment, task->settings, &client, facts);
	if (command->expansion) {
		task->argv = command->expansion->argv;
		expansion_apply(command->expansion, task->settings, task->environment);
	}
	launch(task);
}
