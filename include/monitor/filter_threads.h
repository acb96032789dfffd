/* Threads that have a filter of system calls. What they start inherits it, which takes the kernel
 * much less time than loading it anew. A thread that nothing has needed for a while ends. */
#ifndef USHERD_MONITOR_FILTER_THREADS_H
#define USHERD_MONITOR_FILTER_THREADS_H

#include "config/settings.h"

#include <stdbool.h>

/* What such a thread has besides no_new_privs. */
struct filter_thread_kind {
	struct call_filter filter;
	bool is_bounded; /* an empty bounding set of capabilities, see capabilities(7) */
};

/* Has run(argument) called by a thread of that kind, and waits for it. The filter must allow what
 * run does, and what a thread needs to wait and to end. False: there can be no such thread, and
 * run was not called. Any thread whose signals are blocked. */
bool filter_threads_run(const struct filter_thread_kind *kind, void (*run)(void *argument),
			void *argument) __attribute__((warn_unused_result));

#endif
