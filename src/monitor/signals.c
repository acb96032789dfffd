#include "monitor/signals.h"

#include "base/loop.h"
#include "monitor/ending.h"
#include "monitor/orphans.h"
#include "monitor/reload.h"
#include "monitor/requests.h"
#include "monitor/session_messages.h"
#include "monitor/session_tree.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_in_foreground;
static struct watch watch;

static void on_interrupt(void)
{
	if (is_in_foreground)
		ending_begin();
}

/* The status in waitpid(2)'s form. */
static int status_of(const siginfo_t *ended)
{
	if (ended->si_code == CLD_EXITED)
		return ended->si_status << 8;
	return ended->si_status | (ended->si_code == CLD_DUMPED ? 0x80 : 0);
}

static uint64_t microseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

/* The next child that has ended, which stays to be reaped; false: there is none. The C
 * library's waitid(3) does not say what it has used. */
static bool next_ended(siginfo_t *ended, struct program_usage *usage)
{
	struct rusage all;

	ended->si_pid = 0;
	if (syscall(SYS_waitid, P_ALL, 0, ended, WEXITED | WNOHANG | WNOWAIT, &all) < 0 ||
	    ended->si_pid == 0)
		return false;
	usage->cpu_us = microseconds(&all.ru_utime) + microseconds(&all.ru_stime);
	usage->max_rss = (uint64_t)all.ru_maxrss;
	return true;
}

/* Handles each end before the process is reaped: whoever sees that a process is gone can rely
 * on its place being free. */
static void reap(void)
{
	struct program_usage usage;
	siginfo_t ended;

	while (next_ended(&ended, &usage)) {
		session_messages_child_ended(ended.si_pid, status_of(&ended), &usage);
		waitpid(ended.si_pid, NULL, WNOHANG);
		orphans_note(ended.si_pid);
	}
	session_trees_look();
	ending_process_gone();
}

static const struct {
	int number;
	void (*act)(void);
} actions[] = {
	{ SIGHUP, reload_begin },     { SIGUSR2, reload_begin },
	{ SIGUSR1, requests_report }, { SIGTERM, ending_begin },
	{ SIGINT, on_interrupt },     { SIGQUIT, ending_leaving_programs },
	{ SIGABRT, requests_check },  { SIGCHLD, reap },
};

enum { ACTIONS = sizeof actions / sizeof actions[0] };

static sigset_t watched_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ACTIONS; i++)
		sigaddset(&set, actions[i].number);
	return set;
}

void signals_block(void)
{
	/* Faults and job control. */
	static const int unblocked[] = {
		SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGTRAP, SIGTSTP, SIGTTIN, SIGTTOU,
	};
	static const unsigned long zeros[8];
	sigset_t set;

	sigfillset(&set);
	/* By system call, as signal(3) refuses two signals that the C library uses itself. All
	 * zero is the default action. */
	for (int number = 1; number < NSIG; number++)
		syscall(SYS_rt_sigaction, number, zeros, NULL, NSIG / 8);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof unblocked / sizeof unblocked[0]; i++)
		sigdelset(&set, unblocked[i]);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static void act_on(int number)
{
	for (size_t i = 0; i < ACTIONS; i++)
		if (actions[i].number == number)
			actions[i].act();
}

static void on_signal(struct watch *ready, short events)
{
	struct signalfd_siginfo signals[16];
	ssize_t size = read(ready->fd, signals, sizeof signals);

	(void)events;
	for (ssize_t i = 0; i < size / (ssize_t)sizeof signals[0]; i++)
		act_on((int)signals[i].ssi_signo);
}

int signals_watch(bool in_foreground)
{
	sigset_t set = watched_signals();
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);

	if (fd < 0)
		return -1;
	is_in_foreground = in_foreground;
	watch_init(&watch, fd, on_signal);
	return watch_start(&watch, LOOP_READ);
}
