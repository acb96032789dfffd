#include "monitor/jail_trial.h"

#include "monitor/clone_process.h"
#include "monitor/in_child.h"
#include "monitor/jail_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STACK_SIZE = 64 * 1024 };

/* One child, with a copy of the daemon's memory. */
struct trial {
	const struct jail_plan *plan;
	int template; /* for a session; -1: none */
	bool makes_template;
	bool tries_network;
	struct jail_report *report; /* shared with the child */
	int parent, child;          /* ends of a socket pair */
};

/* Making a network takes longer than all others. */
static bool network_has_worked;

/* --- in the child --------------------------------------------------------------------------- */

IN_CHILD static int take_steps(const struct trial *trial)
{
	const struct jail_plan *plan = trial->plan;

	if (trial->makes_template)
		return jail_make_template(plan, trial->report);
	if ((plan->clone_flags & CLONE_NEWUSER) && jail_map_identity(plan) < 0)
		return -1;
	if (trial->tries_network && jail_enter_network(-1) < 0) {
		trial->report->attribute = "network";
		return -1;
	}
	return jail_enter(plan, trial->template, "trial", trial->report);
}

/* A template stays until the parent has opened it. */
IN_CHILD static int child_main(void *argument)
{
	const struct trial *trial = argument;
	char byte = 0;

	close(trial->parent);
	trial->report->error = take_steps(trial) < 0 ? errno : 0;
	if (write(trial->child, &byte, 1) == 1 && trial->makes_template)
		while (read(trial->child, &byte, 1) < 0 && errno == EINTR)
			;
	_exit(0);
}

/* --- in the parent -------------------------------------------------------------------------- */

static pid_t start(struct trial *trial, unsigned char *stack)
{
	int namespaces = trial->makes_template ? 0 : trial->plan->clone_flags;
	const struct clone_order order = {
		.run = child_main,
		.argument = trial,
		.stack = stack,
		.stack_size = STACK_SIZE,
		.flags = namespaces | SIGCHLD,
	};

	return (pid_t)clone_process(&order);
}

/* False: it has not ended what it does in time. */
static bool await(const struct trial *trial)
{
	struct pollfd ready = { .fd = trial->parent, .events = POLLIN };
	char byte;

	return poll(&ready, 1, TRIAL_DEADLINE_MS) == 1 && read(trial->parent, &byte, 1) == 1;
}

static int open_mounts(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* A child that hangs in a system call is reaped with the programs, whenever it ends. */
static int conclude(struct trial *trial, pid_t pid)
{
	bool is_done = await(trial);
	int result = -1;

	if (!is_done)
		trial->report->error = ETIMEDOUT;
	else if (!trial->report->error)
		result = trial->makes_template ? open_mounts(pid) : 0;
	if (result < 0 && !trial->report->error)
		trial->report->error = errno;
	kill(pid, SIGKILL);
	if (is_done)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	return result;
}

static int run(struct trial *trial)
{
	unsigned char *stack = malloc(STACK_SIZE);
	int ends[2], result = -1;
	pid_t pid;

	if (!stack || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		trial->report->error = errno;
		free(stack);
		return -1;
	}
	trial->parent = ends[0];
	trial->child = ends[1];
	pid = start(trial, stack);
	close(trial->child);
	if (pid >= 0) /* only the child writes its report from now on */
		result = conclude(trial, pid);
	else
		trial->report->error = errno;
	close(trial->parent);
	free(stack);
	return result;
}

/* With a report that the child writes. */
static int run_reporting(struct trial *trial, struct jail_report *report)
{
	int result = -1;

	*report = (struct jail_report){ .error = ENOMEM };
	trial->report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (trial->report == MAP_FAILED)
		return -1;
	result = run(trial);
	*report = *trial->report;
	munmap(trial->report, sizeof *report);
	return result;
}

int jail_trial_template(const struct jail_plan *plan, struct jail_report *report)
{
	struct trial trial = { .plan = plan, .template = -1, .makes_template = true };

	return run_reporting(&trial, report);
}

int jail_trial(const struct jail_plan *plan, int template, struct jail_report *report)
{
	struct trial trial = {
		.plan = plan,
		.template = template,
		.tries_network = plan->has_no_network && !network_has_worked,
	};
	int result = run_reporting(&trial, report);

	network_has_worked |= result == 0 && plan->has_no_network;
	return result;
}

/* --- why it failed ---------------------------------------------------------------------------- */

/* The settings of systems that forbid ordinary users such namespaces. */
static const struct {
	const char *name, *path;
	int forbidding;
} settings[] = {
	{ "kernel.unprivileged_userns_clone", "/proc/sys/kernel/unprivileged_userns_clone", 0 },
	{ "kernel.apparmor_restrict_unprivileged_userns",
	  "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1 },
	{ "user.max_user_namespaces", "/proc/sys/user/max_user_namespaces", 0 },
};

static bool has_value(const char *path, int expected)
{
	FILE *file = fopen(path, "re");
	int value = -1;
	bool is_read = file && fscanf(file, "%d", &value) == 1;

	if (file)
		fclose(file);
	return is_read && value == expected;
}

static void explain_user_namespaces(char *text, size_t size, int error)
{
	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
		if (has_value(settings[i].path, settings[i].forbidding)) {
			snprintf(text, size,
				 "usherd does not run as root, and %s = %d lets nobody else have "
				 "namespaces; start it as root, or change that with sysctl",
				 settings[i].name, settings[i].forbidding);
			return;
		}
	snprintf(text, size,
		 "usherd does not run as root, and may have no user namespace here (%s); start it "
		 "as root, or in a container that does not forbid unshare, clone and mount",
		 strerror(error));
}

static void explain_namespaces(char *text, size_t size, const struct jail_plan *plan, int error)
{
	if (!plan->is_privileged)
		explain_user_namespaces(text, size, error);
	else if (error == EPERM || error == EACCES)
		snprintf(text, size,
			 "usherd may make no namespaces and mounts here (%s); it needs the "
			 "capability CAP_SYS_ADMIN, and a container that does not forbid unshare "
			 "and mount",
			 strerror(error));
	else
		snprintf(text, size, "the kernel can't make the namespaces: %s", strerror(error));
}

/* What the error says about the path, or NULL. */
static const char *hint(const struct jail_report *report)
{
	if (report->error == ELOOP)
		return "; the path has a symbolic link in it, which others may have made";
	if (report->error == EPERM && report->attribute && strcmp(report->attribute, "proc") == 0)
		return "; a container that covers parts of its /proc allows no other one";
	if (report->error == EPERM || report->error == EACCES)
		return "; a container may forbid mounts";
	return "";
}

const char *jail_trial_reason(const struct jail_plan *plan, const struct jail_report *report)
{
	static char text[512];

	if (report->error == ENOSYS)
		snprintf(text, sizeof text, "it needs Linux 5.12 or newer");
	else if (report->error == ETIMEDOUT)
		snprintf(text, sizeof text, "making the mounts took longer than %d s",
			 TRIAL_DEADLINE_MS / 1000);
	else if (!report->path)
		explain_namespaces(text, sizeof text, plan, report->error);
	else
		snprintf(text, sizeof text, "%s: %s%s", report->path, strerror(report->error),
			 hint(report));
	return text;
}
