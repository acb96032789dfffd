#include "monitor/session_warnings.h"

#include "base/log.h"
#include "monitor/configuration.h"
#include "monitor/processes.h"

static const char *service_of(const struct child *child)
{
	const struct generation *current = configuration_current();

	return child->service < current->count ? current->services[child->service]->id
					       : "that is removed";
}

void session_warn_of_memory(const struct child *child)
{
	log_warning("service %s: process %d: the session used up its memory; the kernel killed %lu "
		    "of its processes",
		    service_of(child), (int)child->pid, child->memory_kills);
}

#define DOES_NOT_END "service %s: process %d: the session was killed but does not end: "

void session_warn_of_hold(const struct child *child)
{
	const char *service = service_of(child);
	int pid = (int)child->pid;
	struct process_hold hold = { .tracer = 0 };

	if (child->has_ended || !process_hold_read(child->pid, &hold))
		log_warning(DOES_NOT_END "processes that it has started are left", service, pid);
	else if (hold.tracer > 0)
		log_warning(DOES_NOT_END "process %d traces it", service, pid, (int)hold.tracer);
	else
		log_warning(DOES_NOT_END "its state is %c, see proc(5)", service, pid, hold.state);
}
