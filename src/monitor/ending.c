#include "monitor/ending.h"

#include "base/log.h"
#include "base/loop.h"
#include "base/timer.h"
#include "monitor/children.h"
#include "monitor/frontend_process.h"
#include "monitor/launcher.h"
#include "monitor/session_tree.h"

#include <signal.h>
#include <stdlib.h>

enum {
	LAST_DEADLINE_MS = CHILD_GRACE_MS + 2000, /* for processes that not even SIGKILL ends
						   * at once */
	LEAVING_MS = 2000,                        /* for a frontend that has nothing to wait for */
};

static bool has_begun, leaves_programs, is_finished;
static int status = EXIT_SUCCESS;
static struct timer grace, deadline;

bool ending_has_begun(void)
{
	return has_begun;
}

bool ending_ends_programs(void)
{
	return has_begun && !leaves_programs;
}

int ending_status(void)
{
	return status;
}

static void finish(void)
{
	if (is_finished)
		return;
	is_finished = true;
	frontend_process_kill();
	log_warning("Exiting...");
	loop_stop();
}

/* Each child has a timer of its own. */
static void on_grace_over(struct timer *timer)
{
	(void)timer;
	session_trees_end_all(SIGKILL, false);
}

static void on_deadline(struct timer *timer)
{
	(void)timer;
	finish();
}

static void finish_when_all_are_gone(void)
{
	bool is_idle = children_count() == 0 && launcher_count() == 0;

	if (has_begun && frontend_process_pid() == 0 &&
	    (leaves_programs || (is_idle && !session_trees_are_left())))
		finish();
}

void ending_process_gone(void)
{
	finish_when_all_are_gone();
}

static void end_child(struct child *child)
{
	child_end(child, false);
}

static void kill_child(struct child *child)
{
	child_end(child, true);
}

static void wait_for_the_last(unsigned milliseconds)
{
	has_begun = true;
	timer_init(&deadline, on_deadline);
	timer_start(&deadline, milliseconds);
}

void ending_begin(void)
{
	if (has_begun) {
		children_each(kill_child);
		session_trees_end_all(SIGKILL, true);
		finish();
		return;
	}
	wait_for_the_last(LAST_DEADLINE_MS);
	timer_init(&grace, on_grace_over);
	timer_start(&grace, CHILD_GRACE_MS);
	frontend_process_stop(false);
	children_each(end_child);
	session_trees_end_all(SIGTERM, false);
	finish_when_all_are_gone();
}

void ending_fail(void)
{
	status = EXIT_FAILURE;
	ending_begin();
}

void ending_leaving_programs(void)
{
	leaves_programs = true;
	wait_for_the_last(LEAVING_MS);
	frontend_process_stop(true);
	finish_when_all_are_gone();
}
