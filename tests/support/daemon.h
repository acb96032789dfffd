/* The daemon under test: the program that the environment variable USHERD
 * names, started with a configuration of the test's own.
 *
 * Every test of a test case made by daemon_tcase has a fresh directory (place.h).
 * Whatever way the test ends, a supervisor then ends every process it left,
 * shows configuration and logs when it failed, and removes the directory. A test
 * also fails when the daemon it leaves running does not end at SIGTERM with
 * status 0, or when a sanitizer reported something.
 *
 * Everything here fails the test when it can't do what it says. */
#ifndef USHERD_TESTS_DAEMON_H
#define USHERD_TESTS_DAEMON_H

#include <check.h>
#include <stdbool.h>
#include <sys/types.h>

TCase *daemon_tcase(Suite *suite, const char *name);

/* The same, but each test may take so many seconds; for one test case in a run. */
TCase *daemon_tcase_lasting(Suite *suite, const char *name, int seconds);

/* For tests that only the superuser can run. */
bool is_superuser(void);

/* --- configuration: gathered here, written by daemon_start and daemon_reload --- */

/* A port that nothing else gets while the test runs: it stays reserved by a
 * socket that does not listen, beside which the daemon may bind. */
int port_take(void);

void configure(const char *format, ...) __attribute__((format(printf, 1, 2)));
void configuration_clear(void);

/* Attributes are lines. add_service adds what a service needs and the lines
 * don't mention: type UNLISTED, socket_type stream, the protocol and the wait
 * that go with the socket type, the current user and a port of port_take.
 * Returns the port it added, or -1 when the lines have one. */
void add_defaults(const char *format, ...) __attribute__((format(printf, 1, 2)));
int add_service(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "log_type = FILE ..." and log_on_success, log_on_failure with each flag that
 * needs no ident server. */
const char *log_everything(void);

/* "log_type = FILE ..." alone. */
const char *log_to_service_log(void);

const char *current_user(void);

/* The number of the first line of the configuration that matches, 0 when none does. */
int configuration_line(const char *pattern);

/* Attributes of a server that returns what it is sent, and of one that says hello. */
#define CAT "server = /bin/cat\n"
#define HELLO "server = /bin/echo\nserver_args = hello\n"

/* --- running --- */

struct daemon_options {
	const char *const *arguments;   /* after the usual ones; ends with NULL */
	const char *const *environment; /* besides the usual ones; ends with NULL; LISTEN_PID=
					 * gets the daemon's process id */
	const char *log_name;  /* where it logs, because of its arguments; NULL: daemon.log */
	void (*prepare)(void); /* called in the new process before it becomes the daemon */
};

/* An environment for where LeakSanitizer can't do what it does at the end: make a
 * process and stop all threads. */
extern const char *const without_leak_sanitizer[];

/* Starts the daemon in the foreground and waits until its services are up. */
void daemon_start(void);
void daemon_start_with(const struct daemon_options *options);

/* Starts the daemon's program with these arguments alone, which end with NULL,
 * and waits for it to say in daemon.log, or in that file of the directory, that
 * its services are up. */
void daemon_launch(const char *const *arguments);
void daemon_launch_logging_to(const char *log_name, const char *const *arguments);

/* From now on the daemon is started by that name, which is a link to it. */
void daemon_call_it(const char *name);

pid_t daemon_pid(void);
void daemon_signal(int number);

/* Writes the configuration, sends SIGHUP, waits until it has been taken. */
void daemon_reload(void);

/* Writes the configuration without telling the daemon. */
void configuration_write(void);

/* Waits for the end; returns the status as waitpid(2) has it. */
int daemon_wait_end(void);

/* SIGTERM, and status 0. After this the logs are complete. */
void daemon_stop(void);

bool daemon_is_running(void);

/* Fails the test when the daemon spins: it should use next to no CPU time while
 * the client fd hears nothing, which it must not. */
void daemon_check_calm(int fd);

/* Makes pid, a process below the test, the daemon that the other functions mean. */
void daemon_adopt(pid_t pid);

/* Runs the daemon's program with these arguments alone until it ends. */
struct outcome {
	int status; /* exit status, or 128 + the signal that ended it */
	const char *output, *errors;
};
struct outcome daemon_run(const char *const *arguments);

/* The same, but with the configuration, while the daemon runs: it is asked. */
struct outcome daemon_ask(const char *const *words);

const char *configuration_path(void);

/* --- logs --- */

const char *daemon_log(void);
const char *service_log(void);

/* Wait for a line that matches the extended regular expression. */
void daemon_wait_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
void service_wait_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Waits until so many lines of the service log match. */
void service_wait_lines(unsigned count, const char *pattern);

/* What every line of the service log begins with. */
#define LOG_TIME "^[0-9]{2}/[0-9]{1,2}/[0-9]{1,2}@[0-9]{2}:[0-9]{2}:[0-9]{2}: "

#endif
