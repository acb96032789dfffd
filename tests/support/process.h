/* What /proc says about processes and sockets. */
#ifndef USHERD_TESTS_PROCESS_H
#define USHERD_TESTS_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* 'R', 'S', 'Z' ...; 0 when there is no such process. */
char process_state(pid_t pid);

/* True while it is there and no zombie. */
bool process_runs(pid_t pid);

/* How many children pid has, zombies counted or only zombies. */
unsigned process_children(pid_t pid);
unsigned process_zombies(pid_t pid);

/* One of its children, or 0. */
pid_t process_child(pid_t pid);

/* The frontend of that daemon, which none of these count; 0: there is none now. */
pid_t process_frontend(pid_t pid);

/* The value of a line of /proc/PID/status, without the space around it. */
char *process_status(pid_t pid, const char *name);

/* Where /proc/PID/NAME points. */
char *process_link(pid_t pid, const char *name);

/* CPU time used so far, in milliseconds. */
long process_cpu_ms(pid_t pid);

unsigned process_descriptors(pid_t pid);
unsigned process_threads(pid_t pid);

/* True when a stream socket listens, or a datagram socket is bound, there, on
 * whatever address. */
bool port_is_served(const char *protocol, int port);

/* How many bytes the kernel still has to send for stream sockets on that local port. */
unsigned long port_unsent(int port);

/* Tells the listening stream socket on that port from any other. */
char *listener_inode(int port);

#endif
