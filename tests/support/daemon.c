#include "support/daemon.h"

#include "support/client.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PORTS_MAX = 512, ARGUMENTS_MAX = 64 };

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { IS_SANITIZED = true };
#else
enum { IS_SANITIZED = false };
#endif

static const char configuration_name[] = "usherd.conf";
static const char daemon_log_name[] = "daemon.log";
static const char service_log_name[] = "service.log";

static pid_t pid;
static const char *other_name; /* of the daemon's program; NULL: its own */
static char *configuration;
static int reserved[PORTS_MAX];
static unsigned reserved_count;
static int long_ms; /* what a test of daemon_tcase_lasting may take */

bool is_superuser(void)
{
	return geteuid() == 0;
}

const char *current_user(void)
{
	const struct passwd *user = getpwuid(geteuid());

	return user ? user->pw_name : textf("%d", (int)geteuid());
}

/* Binds a socket to port on all addresses of host's family; -1 with errno. */
static int bind_on_all(int type, const char *host, int port)
{
	struct endpoint any = endpoint_of(host, port);
	int fd = socket(any.address.ss_family, type | SOCK_CLOEXEC, 0), yes = 1;

	if (fd < 0)
		return -1;
	if (any.address.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (bind(fd, (struct sockaddr *)&any.address, any.length) == 0)
		return fd;
	close(fd);
	errno = EADDRINUSE;
	return -1;
}

/* Datagram sockets are not kept open: they could get the daemon's datagrams. */
static bool is_free_for_datagrams(const char *host, int port)
{
	int fd = bind_on_all(SOCK_DGRAM, host, port);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno != EADDRINUSE;
}

/* Reserves port for the other family, too, if the machine has it. */
static bool reserve_in_other_family(int port)
{
	int fd = bind_on_all(SOCK_STREAM, "::", port);

	if (fd >= 0)
		reserved[reserved_count++] = fd;
	return fd >= 0 || errno != EADDRINUSE;
}

int port_take(void)
{
	for (int attempt = 0; attempt < 100; attempt++) {
		int fd = bind_on_all(SOCK_STREAM, "0.0.0.0", 0), port;

		ck_assert_msg(fd >= 0 && reserved_count + 2 <= PORTS_MAX, "too many ports");
		reserved[reserved_count++] = fd;
		port = client_port(fd);
		if (reserve_in_other_family(port) && is_free_for_datagrams("0.0.0.0", port) &&
		    is_free_for_datagrams("::", port))
			return port;
	}
	ck_abort_msg("no free port");
	return -1;
}

void configure(const char *format, ...)
{
	char *addition;
	va_list values;

	va_start(values, format);
	addition = textv(format, values);
	va_end(values);
	configuration = textf("%s%s", configuration ? configuration : "", addition);
}

void configuration_clear(void)
{
	configuration = NULL;
}

int configuration_line(const char *pattern)
{
	const char *line = configuration, *end;
	int number = 1;

	for (; line && *line; number++) {
		end = strchrnul(line, '\n');
		if (text_matches(textf("%.*s", (int)(end - line), line), pattern))
			return number;
		line = *end ? end + 1 : end;
	}
	return 0;
}

static bool mentions(const char *lines, const char *attribute)
{
	return text_matches(lines, textf("^[ \t]*%s[ \t]*[-+]?=", attribute));
}

static void add_unless_mentioned(const char *lines, const char *attribute, const char *value)
{
	if (!mentions(lines, attribute))
		configure("\t%s = %s\n", attribute, value);
}

void add_defaults(const char *format, ...)
{
	char *lines;
	va_list values;

	va_start(values, format);
	lines = textv(format, values);
	va_end(values);
	configure("defaults\n{\n%s\n}\n", lines);
}

static int add_service_lines(const char *name, const char *lines)
{
	bool is_datagram = text_matches(lines, "socket_type[ \t]*=[ \t]*dgram");
	int port = mentions(lines, "port") ? -1 : port_take();

	configure("service %s\n{\n", name);
	add_unless_mentioned(lines, "type", "UNLISTED");
	add_unless_mentioned(lines, "socket_type", "stream");
	add_unless_mentioned(lines, "protocol", is_datagram ? "udp" : "tcp");
	add_unless_mentioned(lines, "wait", is_datagram ? "yes" : "no");
	add_unless_mentioned(lines, "user", current_user());
	add_unless_mentioned(lines, "port", textf("%d", port));
	configure("%s\n}\n", lines);
	return port;
}

int add_service(const char *name, const char *format, ...)
{
	char *lines;
	va_list values;

	va_start(values, format);
	lines = textv(format, values);
	va_end(values);
	return add_service_lines(name, lines);
}

const char *log_to_service_log(void)
{
	return textf("log_type = FILE %s", place_path(service_log_name));
}

const char *log_everything(void)
{
	return textf("%s\nlog_on_success = PID HOST EXIT DURATION\nlog_on_failure = HOST\n",
		     log_to_service_log());
}

const char *configuration_path(void)
{
	return place_path(configuration_name);
}

void configuration_write(void)
{
	place_write(configuration_name, "%s", configuration ? configuration : "");
}

const char *daemon_log(void)
{
	return place_read(daemon_log_name);
}

const char *service_log(void)
{
	return place_read(service_log_name);
}

static void wait_for_lines(const char *name, unsigned count, const char *pattern)
{
	struct deadline deadline = deadline_in(DEADLINE_MS);

	while (text_count(place_read(name), pattern) < count)
		deadline_pause(&deadline, textf("%u lines like /%s/ in %s", count, pattern, name),
			       __FILE__, __LINE__);
}

void daemon_wait_log(const char *format, ...)
{
	char *pattern;
	va_list values;

	va_start(values, format);
	pattern = textv(format, values);
	va_end(values);
	wait_for_lines(daemon_log_name, 1, pattern);
}

void service_wait_log(const char *format, ...)
{
	char *pattern;
	va_list values;

	va_start(values, format);
	pattern = textv(format, values);
	va_end(values);
	wait_for_lines(service_log_name, 1, pattern);
}

void service_wait_lines(unsigned count, const char *pattern)
{
	wait_for_lines(service_log_name, count, pattern);
}

/* --- the process --- */

struct list {
	char *items[ARGUMENTS_MAX];
	unsigned count;
};

static void list_add(struct list *list, const char *item)
{
	ck_assert_uint_lt(list->count + 1, ARGUMENTS_MAX);
	list->items[list->count++] = textf("%s", item);
}

static void list_add_all(struct list *list, const char *const *items)
{
	for (; items && *items; items++)
		list_add(list, *items);
}

static const char *daemon_program(void)
{
	const char *program = getenv("USHERD");

	ck_assert_msg(program != NULL, "USHERD must name the daemon to test");
	return other_name ? other_name : program;
}

void daemon_call_it(const char *name)
{
	const char *link = place_path(name);

	ck_assert_msg(symlink(daemon_program(), link) == 0, "%s: %s", link, strerror(errno));
	other_name = link;
}

/* Where sanitizers write: the daemon has other users too. */
static const char *reports_path(void)
{
	return place_path("reports/usherd");
}

static void make_reports(void)
{
	const char *directory = place_path("reports");

	ck_assert_int_eq(mkdir(directory, 0777), 0);
	ck_assert_int_eq(chmod(directory, 01777), 0);
}

static struct list environment_with(const char *const *additions)
{
	static const char *const passed[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",
					      "LSAN_OPTIONS", "TZ" };
	struct list environment = { .count = 0 };

	list_add(&environment, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	list_add(&environment, "LANG=C");
	if (IS_SANITIZED)
		list_add(&environment, textf("SANITIZER_REPORTS=%s", reports_path()));
	for (unsigned i = 0; i < sizeof passed / sizeof passed[0]; i++)
		if (getenv(passed[i]))
			list_add(&environment, textf("%s=%s", passed[i], getenv(passed[i])));
	list_add_all(&environment, additions);
	return environment;
}

const char *const without_leak_sanitizer[] = { "ASAN_OPTIONS=detect_leaks=0", NULL };

static void redirect(const char *path, int flags, int fd)
{
	int opened = open(path, flags | O_CLOEXEC, 0644);

	if (opened < 0 || dup2(opened, fd) < 0)
		_exit(126);
}

/* LISTEN_PID= gets the daemon's own process id. Check's descriptor may be in use already. */
static void complete_pid(struct list *environment)
{
	static char variable[32];

	snprintf(variable, sizeof variable, "LISTEN_PID=%d", (int)getpid());
	for (unsigned i = 0; i < environment->count; i++)
		if (strcmp(environment->items[i], "LISTEN_PID=") == 0)
			environment->items[i] = variable;
}

static void become_daemon(struct list *arguments, struct list *environment, void (*prepare)(void),
			  pid_t parent)
{
	int program;

	/* Should the test be killed, it takes the daemon with it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	setpgid(0, 0);
	redirect("/dev/null", O_RDONLY, 0);
	redirect("daemon.out", O_WRONLY | O_CREAT | O_APPEND, 1);
	redirect("daemon.err", O_WRONLY | O_CREAT | O_APPEND, 2);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	program = open(arguments->items[0], O_PATH | O_CLOEXEC);
	if (prepare)
		prepare();
	complete_pid(environment);
	execve(arguments->items[0], arguments->items, environment->items);
	/* prepare may have changed to a user who can't open the program's path. */
	fexecve(program, arguments->items, environment->items);
	_exit(127);
}

static void daemon_spawn(struct list *arguments, const struct daemon_options *options)
{
	struct list environment = environment_with(options->environment);
	const char *directory = place_path("");
	pid_t parent = getpid();

	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0 && chdir(directory) == 0)
		become_daemon(arguments, &environment, options->prepare, parent);
}

bool daemon_is_running(void)
{
	siginfo_t end = { 0 };

	return pid > 0 && waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       end.si_pid == 0;
}

static bool has_started(const char *log_name)
{
	ck_assert_msg(daemon_is_running(), "the daemon ended instead of starting: %s%s",
		      daemon_log(), place_read("daemon.err"));
	return text_matches(place_read(log_name), "Started working");
}

void daemon_start_with(const struct daemon_options *options)
{
	struct list arguments = { .count = 0 };

	configuration_write();
	list_add(&arguments, daemon_program());
	list_add(&arguments, "-dontfork");
	list_add(&arguments, "-f");
	list_add(&arguments, configuration_path());
	list_add(&arguments, "-filelog");
	list_add(&arguments, place_path(daemon_log_name));
	list_add(&arguments, "-pidfile");
	list_add(&arguments, place_path("daemon.pid"));
	list_add_all(&arguments, options->arguments);
	/* Of a daemon that ran before. */
	unlink(place_path(daemon_log_name));
	daemon_spawn(&arguments, options);
	wait_until(has_started(options->log_name ? options->log_name : daemon_log_name));
}

void daemon_launch_logging_to(const char *log_name, const char *const *arguments)
{
	struct list list = { .count = 0 };

	list_add(&list, daemon_program());
	list_add_all(&list, arguments);
	unlink(place_path(log_name));
	daemon_spawn(&list, &(struct daemon_options){ 0 });
	wait_until(has_started(log_name));
}

void daemon_launch(const char *const *arguments)
{
	daemon_launch_logging_to(daemon_log_name, arguments);
}

void daemon_start(void)
{
	daemon_start_with(&(struct daemon_options){ 0 });
}

pid_t daemon_pid(void)
{
	return pid;
}

void daemon_adopt(pid_t adopted)
{
	pid = adopted;
}

void daemon_signal(int number)
{
	ck_assert_msg(daemon_is_running(), "there is no daemon to signal");
	ck_assert_int_eq(kill(pid, number), 0);
}

void daemon_reload(void)
{
	static const char done[] = "Reconfigured: |[Rr]econfiguration failed";
	unsigned before = text_count(daemon_log(), done);

	configuration_write();
	daemon_signal(SIGHUP);
	wait_for_lines(daemon_log_name, before + 1, done);
}

void daemon_check_calm(int fd)
{
	/* client_hears_nothing waits for 200 ms. A loop that spins uses the CPU all the
	 * time. The first looks may still meet work of before. */
	for (int look = 0; look < 5; look++) {
		long used = process_cpu_ms(pid);

		ck_assert(client_hears_nothing(fd));
		if (process_cpu_ms(pid) - used <= 60)
			return;
	}
	ck_abort_msg("the daemon spins");
}

int daemon_wait_end(void)
{
	int status;

	wait_until(!daemon_is_running());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	pid = 0;
	return status;
}

void daemon_stop(void)
{
	int status;

	daemon_signal(SIGTERM);
	status = daemon_wait_end();
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		      "the daemon ended with %s %d: %s", WIFEXITED(status) ? "status" : "signal",
		      WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
		      place_read("daemon.err"));
}

struct outcome daemon_run(const char *const *arguments)
{
	struct list list = { .count = 0 };
	int status;

	list_add(&list, daemon_program());
	list_add_all(&list, arguments);
	unlink(place_path("daemon.out"));
	unlink(place_path("daemon.err"));
	daemon_spawn(&list, &(struct daemon_options){ 0 });
	status = daemon_wait_end();
	return (struct outcome){
		.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
		.output = place_read("daemon.out"),
		.errors = place_read("daemon.err"),
	};
}

struct outcome daemon_ask(const char *const *words)
{
	const char *arguments[ARGUMENTS_MAX] = { "-f", configuration_path() };
	pid_t running = pid;
	struct outcome outcome;

	for (unsigned i = 0; words[i]; i++)
		arguments[2 + i] = words[i];
	outcome = daemon_run(arguments);
	pid = running;
	return outcome;
}

/* --- the fixture --- */

static void show_file(const char *name)
{
	enum { SHOWN_MAX = 6000 };
	const char *text = place_read(name);
	size_t length = strlen(text);

	if (length == 0)
		return;
	if (length > SHOWN_MAX)
		text += length - SHOWN_MAX;
	fprintf(stderr, "--- %s\n%s", name, text);
}

static const char *read_reports(void)
{
	const char *text = "";
	glob_t found;

	if (glob(textf("%s.*", reports_path()), 0, NULL, &found) != 0)
		return text;
	for (size_t i = 0; i < found.gl_pathc; i++)
		text = textf("%s%s", text, file_read(found.gl_pathv[i]));
	globfree(&found);
	return text;
}

static void show_files(void)
{
	show_file(configuration_name);
	show_file(daemon_log_name);
	show_file(service_log_name);
	show_file("daemon.out");
	show_file("daemon.err");
	fprintf(stderr, "%s---\n", read_reports());
}

/* Ends every child, and the orphans that become children by that, until none
 * is left. */
static void end_everything(void)
{
	struct deadline deadline = deadline_in(DEADLINE_MS);

	while (deadline_left(&deadline) > 0) {
		pid_t child = process_child(getpid());

		if (child == 0)
			return;
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
}

static void fail_upon_sanitizer_report(void)
{
	const char *errors = textf("%s%s", read_reports(), place_read("daemon.err"));

	if (text_matches(errors, "Sanitizer|runtime error:"))
		ck_abort_msg("a sanitizer reports: %.4000s", errors);
}

static bool tests_fork(void)
{
	const char *fork_setting = getenv("CK_FORK");

	return !fork_setting || strcmp(fork_setting, "no") != 0;
}

/* Waits for the test, then ends in the same way. */
static void supervise(pid_t test, int milliseconds)
{
	struct pollfd end = { .fd = pidfd_open(test, 0), .events = POLLIN };
	int status;

	if (poll(&end, 1, milliseconds) == 0) {
		fprintf(stderr, "a test takes too long and is killed\n");
		kill(test, SIGKILL);
	}
	waitpid(test, &status, 0);
	if (status != 0)
		show_files();
	end_everything();
	place_remove();
	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	signal(WTERMSIG(status), SIG_DFL);
	kill(getpid(), WTERMSIG(status));
	_exit(EXIT_FAILURE);
}

static void set_up_for(int milliseconds)
{
	pid_t test;

	pid = 0;
	configuration = NULL;
	other_name = NULL;
	reserved_count = 0;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	place_make();
	if (IS_SANITIZED)
		make_reports();
	if (!tests_fork())
		return;
	fflush(NULL);
	test = fork();
	ck_assert_int_ge(test, 0);
	if (test > 0)
		supervise(test, milliseconds);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void set_up(void)
{
	set_up_for(4 * DEADLINE_MS);
}

static void set_up_long(void)
{
	set_up_for(long_ms);
}

static void tear_down(void)
{
	if (pid > 0)
		daemon_stop();
	fail_upon_sanitizer_report();
	while (reserved_count > 0)
		close(reserved[--reserved_count]);
	if (!tests_fork()) {
		end_everything();
		place_remove();
	}
}

static TCase *make_tcase(Suite *suite, const char *name, void (*begin)(void), int milliseconds)
{
	TCase *tcase = tcase_create(name);

	/* Room for a log in the message; one that is too long ends the runner. Check moves
	 * twice as much for each assertion. */
	check_set_max_msg_size(1 << 17);
	tcase_set_timeout(tcase, milliseconds / 1000);
	tcase_add_checked_fixture(tcase, begin, tear_down);
	suite_add_tcase(suite, tcase);
	return tcase;
}

TCase *daemon_tcase(Suite *suite, const char *name)
{
	return make_tcase(suite, name, set_up, 6 * DEADLINE_MS);
}

TCase *daemon_tcase_lasting(Suite *suite, const char *name, int seconds)
{
	long_ms = 1000 * seconds;
	return make_tcase(suite, name, set_up_long, long_ms + 2 * DEADLINE_MS);
}
