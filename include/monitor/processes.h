/* What /proc says about all processes, at one moment. */
#ifndef USHERD_MONITOR_PROCESSES_H
#define USHERD_MONITOR_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
	pid_t pid, parent, group, session;
	uint64_t started; /* since the start of the machine: with pid it names one process */
	bool is_dead;     /* it is not reaped yet */
	bool is_stopped;  /* by a signal, or a debugger */
};

struct processes {
	struct process *list; /* by pid */
	size_t count;
};

/* Reads the text of /proc/PID/stat. False: it has another form. */
bool process_parse(const char *text, struct process *process);

/* Reads what /proc says of one. False: it is gone, or that can't be read. */
bool process_read(pid_t pid, struct process *process);

/* What may keep a process from ending when it is killed. */
struct process_hold {
	char state;   /* as proc(5) has it; 'D': it waits in the kernel */
	pid_t tracer; /* 0: none, or one that can't be seen from here */
};

/* Reads the text of /proc/PID/status. False: it has another form. */
bool process_hold_parse(const char *text, struct process_hold *hold);

/* Reads what /proc says of one. False: it is gone, or that can't be read. */
bool process_hold_read(pid_t pid, struct process_hold *hold);

/* Reads them all. 0, or -1 with errno: there is no /proc, or memory is short.
 * processes_clear in either case. */
int processes_read(struct processes *processes) __attribute__((warn_unused_result));
void processes_clear(struct processes *processes);

/* NULL: there is none. */
const struct process *processes_find(const struct processes *processes, pid_t pid);

/* Sends it the signal, unless it has ended since: never to another process that has its pid now.
 * True when it was sent. */
bool process_signal(const struct process *process, int number);

#endif
