#include "monitor/ending.h"

#include "base/log.h"
#include "base/loop.h"
#include "base/timer.h"
#include "monitor/children.h"
#include "monitor/frontend_process.h"
#include "monitor/launcher.h"
#include "monitor/service_manager.h"
#include "monitor/session_tree.h"
#include "monitor/session_warnings.h"

#include <signal.h>
#include <stdlib.h>

enum {
	KILLED_MS = 2000,  /* for processes that not even SIGKILL ends at once */
	LEAVING_MS = 2000, /* for a frontend that has nothing to wait for */
};

static bool has_begun, leaves_programs, is_finished;
static int status = EXIT_SUCCESS;
static struct timer grace_over, deadline;
static uint64_t grace_ms, patience_ms; /* the longest that a program has, and a session */

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

static void warn_of_hold(struct child *child)
{
	if (!child->is_gone && !child->is_held)
		session_warn_of_hold(child);
}

static void on_deadline(struct timer *timer)
{
	(void)timer;
	if (!leaves_programs) {
		children_each(warn_of_hold);
		end_commands_kill();
		session_trees_end_all(SIGKILL, true);
	}
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

/* Waits for as long as a program may take, and what comes after it. */
static void be_patient(unsigned grace, unsigned more)
{
	if (grace > grace_ms)
		timer_start(&grace_over, grace_ms = grace);
	if (grace + more <= patience_ms)
		return;
	patience_ms = grace + more;
	timer_start(&deadline, patience_ms + KILLED_MS);
}

void ending_end(struct child *child)
{
	be_patient(child->has_ended ? 0 : child->grace_ms,
		   child->end_command ? child->grace_ms : 0);
	child_end(child, false, END_STOP);
}

static void kill_child(struct child *child)
{
	child_end(child, true, END_STOP);
}

static void begin_to_end(void)
{
	has_begun = true;
	service_manager_stopping();
	timer_init(&grace_over, on_grace_over);
	timer_init(&deadline, on_deadline);
}

void ending_begin(void)
{
	if (has_begun) {
		children_each(kill_child);
		end_commands_kill();
		session_trees_end_all(SIGKILL, true);
		finish();
		return;
	}
	begin_to_end();
	be_patient(KILL_TIMEOUT * 1000, 0);
	frontend_process_stop(false);
	children_each(ending_end);
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
	begin_to_end();
	timer_start(&deadline, LEAVING_MS);
	frontend_process_stop(true);
	finish_when_all_are_gone();
}
