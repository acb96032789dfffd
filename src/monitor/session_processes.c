#include "monitor/session_processes.h"

#include "monitor/processes.h"

#include <unistd.h>

static bool (*is_program)(pid_t pid); /* NULL: none is */

void session_processes_init(bool (*which)(pid_t pid))
{
	is_program = which;
}

/* True when the process is, or descends from, ancestor. The list is of no single moment: it may
 * have a circle. */
static bool descends(const struct processes *all, const struct process *process, pid_t ancestor)
{
	for (size_t steps = 0; process && steps < all->count; steps++) {
		if (process->pid == ancestor || process->parent == ancestor)
			return true;
		process = processes_find(all, process->parent);
	}
	return false;
}

/* The frontend is in the daemon's own session. */
static bool has_strayed(const struct processes *all, const struct process *process)
{
	return process->session != getsid(0) && !(is_program && is_program(process->session)) &&
	       descends(all, process, getpid());
}

static bool may_belong(const struct processes *all, const struct process *process, pid_t program,
		       bool has_ended)
{
	return process->session == program || (!has_ended && descends(all, process, program)) ||
	       has_strayed(all, process);
}

bool session_processes_each(pid_t program, bool has_ended, bool (*visit)(pid_t pid, void *context),
			    void *context)
{
	struct processes all;
	bool goes_on = true, is_complete = processes_read(&all) == 0;

	for (size_t i = 0; is_complete && goes_on && i < all.count; i++)
		if (may_belong(&all, &all.list[i], program, has_ended))
			goes_on = visit(all.list[i].pid, context);
	processes_clear(&all);
	return is_complete;
}
