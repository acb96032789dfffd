#include "admission/libwrap.h"

#include "base/clock.h"
#include "base/container_of.h"
#include "base/loop.h"
#include "base/timer.h"

#include <errno.h>
#include <stdlib.h>

static uint64_t answer_by_ms = LIBWRAP_DEADLINE_MS;

void libwrap_set_deadline(uint64_t deadline_ms)
{
	answer_by_ms = deadline_ms;
}

#ifdef HAVE_LIBWRAP

#include "base/library.h"
#include "base/log.h"
#include "base/resolver.h"
#include "base/own_name.h"
#include "base/worker.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <resolv.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <tcpd.h>
#include <time.h>
#include <unistd.h>

#define IMPORT(symbol) LIBRARY_IMPORT(symbol, wrap.symbol)

/* Loaded by the worker, used in its children. */
static struct {
	__typeof__(request_init) *request_init;
	__typeof__(request_set) *request_set;
	__typeof__(hosts_access) *hosts_access;
	__typeof__(sock_hostname) *sock_hostname;
	__typeof__(sock_hostaddr) *sock_hostaddr;
	char **hosts_allow_table, **hosts_deny_table;
	int *resident, *dry_run, *rfc931_timeout, *deny_severity;
} wrap;

static bool load_wrap(void)
{
	static const struct library_import imports[] = {
		IMPORT(request_init),     IMPORT(request_set),   IMPORT(hosts_access),
		IMPORT(sock_hostname),    IMPORT(sock_hostaddr), IMPORT(hosts_allow_table),
		IMPORT(hosts_deny_table), IMPORT(resident),      IMPORT(dry_run),
		IMPORT(rfc931_timeout),   IMPORT(deny_severity),
	};

	return library_load("libwrap.so.0", imports, sizeof imports / sizeof imports[0]);
}

static char default_allow[] = "/etc/hosts.allow", default_deny[] = "/etc/hosts.deny";
static char *allow_file = default_allow, *deny_file = default_deny;

enum {
	LOOK_AGAIN_MS = 1000,
	LINE_LENGTH_MAX = 2048, /* a longer line makes libwrap refuse everybody */
	LINES_MAX = 100000,     /* comment lines that are read in search of a rule */
	BEGUN_BY_MS = 250,      /* for the first child; doubled for each further one */
	TELL_AGAIN_MS = 3600 * 1000,
};

/* What the child writes. */
enum { SAYS_NO, SAYS_YES, HAS_BEGUN, CANT_READ_ALLOW, CANT_READ_DENY };

struct libwrap_query {
	struct turn turn;
	struct job job;
	bool is_with_worker;
	struct watch answer; /* the pipe from the child */
	struct timer deadline;
	struct timer begun_by;
	unsigned attempts;    /* children before the present one */
	libwrap_answer *done; /* NULL: cancelled */
	void *context;
	pid_t pid;
	int error; /* why there is no child */

	struct address peer, local;
	char daemon[STRING_LENGTH];
};

static struct worker_pool *pool;
static struct turns *turns; /* by service and source */
static bool runs_no_commands;

static struct {
	bool is_set;
	uid_t uid;
	gid_t gid;
} asking_user;

static struct {
	bool is_known, have_any;
	uint64_t looked;
} rules;

void libwrap_run_no_commands(void)
{
	runs_no_commands = true;
}

void libwrap_run_as(uid_t uid, gid_t gid)
{
	asking_user.is_set = true;
	asking_user.uid = uid;
	asking_user.gid = gid;
}

void libwrap_set_files(char *allow, char *deny)
{
	allow_file = allow;
	deny_file = deny;
	rules.is_known = false;
}

/* --- whether there are rules ------------------------------------------------------- */

/* A line without a newline counts, even a comment: libwrap then refuses everybody. */
static bool is_rule(const char *line)
{
	if (!strchr(line, '\n'))
		return true;
	return line[0] != '#' && line[strspn(line, " \t\r\n")] != '\0';
}

static bool stream_has_rules(FILE *stream)
{
	char line[LINE_LENGTH_MAX];

	for (int lines = 0; lines < LINES_MAX; lines++) {
		if (!fgets(line, sizeof line, stream))
			return ferror(stream);
		if (is_rule(line))
			return true;
	}
	return true;
}

/* A missing file has no rules. One that can't be read may have: libwrap decides. */
static bool file_has_rules(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "r");
	bool has_rules;

	if (!stream) {
		has_rules = errno != ENOENT;
		if (fd >= 0)
			close(fd);
		return has_rules;
	}
	has_rules = stream_has_rules(stream);
	fclose(stream);
	return has_rules;
}

bool libwrap_has_rules(void)
{
	if (!rules.is_known || clock_now() - rules.looked >= LOOK_AGAIN_MS) {
		rules.is_known = true;
		rules.looked = clock_now();
		rules.have_any = file_has_rules(allow_file) || file_has_rules(deny_file);
	}
	return rules.have_any;
}

/* --- in the child ------------------------------------------------------------------ */

static void leave(void)
{
	_exit(EXIT_FAILURE);
}

/* By syscall number: the C library may not have close_range. An older kernel leaves the
 * descriptors open, unused, until the child ends. */
static void close_descriptors_but(int kept)
{
	if (kept > 3)
		syscall(SYS_close_range, 3U, (unsigned)kept - 1, 0U);
	syscall(SYS_close_range, (unsigned)kept + 1, UINT_MAX, 0U);
}

static void accept_signals(void)
{
	sigset_t none;

	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A lock of the C library that another thread held at the fork stays locked in the child
 * for ever. So the child first takes the locks that it may need, then writes HAS_BEGUN.
 * The parent kills a child that does not get so far, and forks another. */
static void take_locks(void)
{
	void *self = dlopen(NULL, RTLD_LAZY);

	if (self)
		dlclose(self);
	tzset();
	res_init();
}

/* Root must not read what hosts on the network send. */
static void become_asking_user(void)
{
	if (!asking_user.is_set)
		return;
	if (setgroups(0, NULL) < 0 ||
	    setresgid(asking_user.gid, asking_user.gid, asking_user.gid) < 0 ||
	    setresuid(asking_user.uid, asking_user.uid, asking_user.uid) < 0)
		_exit(EXIT_FAILURE);
}

/* libwrap treats a file that it can't read as one without rules. */
static bool is_readable_or_absent(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT;
	close(fd);
	return true;
}

/* Lookups of names and users end early enough to try the rules that need none. */
static void limit_waiting(void)
{
	*wrap.rfc931_timeout = LIBWRAP_DEADLINE_MS / 2000;
	resolver_limit_waiting();
}

static bool is_allowed(struct libwrap_query *query)
{
	struct request_info request;

	wrap.request_init(&request, RQ_DAEMON, query->daemon, 0);
	request.hostname = wrap.sock_hostname;
	request.hostaddr = wrap.sock_hostaddr;
	if (address_is_known(&query->peer))
		wrap.request_set(&request, RQ_CLIENT_SIN, &query->peer.any, 0);
	if (address_is_known(&query->local))
		wrap.request_set(&request, RQ_SERVER_SIN, &query->local.any, 0);
	*wrap.hosts_allow_table = allow_file;
	*wrap.hosts_deny_table = deny_file;
	*wrap.deny_severity = LOG_INFO;
	*wrap.resident = 1; /* then twist does not replace the process */
	*wrap.dry_run = runs_no_commands;
	/* In a dry run, twist resets dry_run: then the answer is a refusal. */
	return wrap.hosts_access(&request) && *wrap.dry_run == runs_no_commands;
}

static unsigned char find_answer(struct libwrap_query *query)
{
	if (!is_readable_or_absent(allow_file))
		return CANT_READ_ALLOW;
	if (!is_readable_or_absent(deny_file))
		return CANT_READ_DENY;
	return is_allowed(query) ? SAYS_YES : SAYS_NO;
}

/* Some errors make libwrap call exit(3). It must not flush and clean up for the daemon,
 * so leave, called by atexit(3), ends the child first. No answer is a refusal. */
__attribute__((noreturn)) static void answer_in_child(struct libwrap_query *query, int pipe)
{
	unsigned char answer = HAS_BEGUN;

	accept_signals();
	close_descriptors_but(pipe);
	become_asking_user();
	atexit(leave);
	take_locks();
	if (write(pipe, &answer, sizeof answer) < 0)
		leave();
	openlog(own_tag(), LOG_PID, LOG_DAEMON);
	limit_waiting();
	answer = find_answer(query);
	_exit(write(pipe, &answer, sizeof answer) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* --- on the worker ------------------------------------------------------------------ */

/* fork(2) of a large process is too slow for the loop thread. */
static void start_child(struct job *job)
{
	struct libwrap_query *query = container_of(job, struct libwrap_query, job);
	int pipe[2];

	if (!load_wrap())
		query->error = ELIBACC;
	else
		query->error = pipe2(pipe, O_CLOEXEC | O_NONBLOCK) < 0 ? errno : 0;
	if (query->error)
		return;
	query->pid = fork();
	if (query->pid == 0)
		answer_in_child(query, pipe[1]);
	query->error = query->pid < 0 ? errno : 0;
	close(pipe[1]);
	if (query->error)
		close(pipe[0]);
	else
		query->answer.fd = pipe[0];
}

/* --- on the loop thread -------------------------------------------------------------- */

/* After the child has ended and was reaped, another process may have its pid. The child
 * alone has the other end of the pipe: while that is open the child lives, or only this
 * thread can reap it. */
static void end_child(const struct libwrap_query *query)
{
	struct pollfd pipe = { .fd = query->answer.fd };
	int ended;

	do /* EINTR is possible without a timeout, too */
		ended = pipe.fd < 0 ? 1 : poll(&pipe, 1, 0);
	while (ended < 0 && errno == EINTR);
	if (!ended)
		kill(query->pid, SIGKILL);
}

static void put_next(void);

static void close_answer(struct libwrap_query *query)
{
	timer_stop(&query->begun_by);
	watch_stop(&query->answer);
	if (query->answer.fd >= 0)
		close(query->answer.fd);
	query->answer.fd = -1;
}

static void query_free(struct libwrap_query *query)
{
	turns_leave(turns, &query->turn);
	timer_stop(&query->deadline);
	close_answer(query);
	free(query);
	put_next();
}

void libwrap_cancel(struct libwrap_query *query)
{
	query->done = NULL;
	timer_stop(&query->deadline);
	if (query->is_with_worker)
		return;
	end_child(query);
	query_free(query);
}

static void deadline_is_over(struct timer *timer)
{
	struct libwrap_query *query = container_of(timer, struct libwrap_query, deadline);
	libwrap_answer *done = query->done;
	void *context = query->context;

	libwrap_cancel(query);
	done(context, false);
}

static void query_answer(struct libwrap_query *query, bool allowed)
{
	libwrap_answer *done = query->done;
	void *context = query->context;

	query_free(query);
	done(context, allowed);
}

/* At most one line an hour, as any connection can cause it. */
static void tell_unreadable(const char *path)
{
	static uint64_t last;

	if (last && clock_now() - last < TELL_AGAIN_MS)
		return;
	last = clock_now();
	log_error("%s can't be read by the user %lu: every connection is refused; make it readable "
		  "to everybody",
		  path, (unsigned long)(asking_user.is_set ? asking_user.uid : geteuid()));
}

static void answer_is_ready(struct watch *watch, short events)
{
	struct libwrap_query *query = container_of(watch, struct libwrap_query, answer);
	/* The child has read bytes of other hosts and may write any byte. No byte is a
	 * refusal, too. */
	unsigned char answer = SAYS_NO;

	(void)events;
	if (read(watch->fd, &answer, sizeof answer) < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	timer_stop(&query->begun_by);
	if (answer == HAS_BEGUN) /* the answer comes later */
		return;
	if (answer == CANT_READ_ALLOW || answer == CANT_READ_DENY)
		tell_unreadable(answer == CANT_READ_ALLOW ? allow_file : deny_file);
	query_answer(query, answer == SAYS_YES);
}

static void child_is_started(struct job *job)
{
	struct libwrap_query *query = container_of(job, struct libwrap_query, job);

	query->is_with_worker = false;
	if (!query->done) {
		libwrap_cancel(query);
		return;
	}
	if (!query->error && watch_start(&query->answer, LOOP_READ) < 0)
		query->error = errno;
	timer_start(&query->begun_by, (uint64_t)BEGUN_BY_MS << query->attempts);
	if (query->error) {
		log_failure(query->error, "can't check hosts.allow and hosts.deny");
		query_answer(query, false);
	}
}

/* When the child can't be started, the deadline, set to now, answers the query. */
static void put(struct libwrap_query *query)
{
	query->is_with_worker = worker_submit(pool, &query->job) == 0;
	if (query->is_with_worker)
		return;
	log_failure(errno, "can't check hosts.allow and hosts.deny");
	timer_start(&query->deadline, 0);
}

/* The query's deadline limits the number of attempts. */
static void put_again(struct timer *timer)
{
	struct libwrap_query *query = container_of(timer, struct libwrap_query, begun_by);

	end_child(query);
	close_answer(query);
	query->attempts++;
	put(query);
}

/* Starts the queries whose turn it is. */
static void put_next(void)
{
	struct turn *turn;

	while ((turn = turns_next(turns)))
		put(container_of(turn, struct libwrap_query, turn));
}

/* One thread, so that no child inherits the pipe of another. */
static int open_queue(void)
{
	const unsigned most[] = { LIBWRAP_MAX, LIBWRAP_MAX / 2, LIBWRAP_MAX / 8 };

	if (!turns && (turns = turns_new(2, most)))
		turns_set_room(turns, LIBWRAP_WAITING_MAX);
	if (!pool)
		pool = worker_pool_new(1, 1);
	return turns && pool ? 0 : -1;
}

static struct libwrap_query *query_new(const struct turn_owner *owner, const struct address *peer)
{
	const struct turn_key keys[] = {
		turn_key_number(owner->service),
		turn_key_source(peer, owner->lengths),
	};
	struct libwrap_query *query = open_queue() < 0 ? NULL : calloc(1, sizeof *query);
	int error;

	if (!query)
		return NULL;
	if (turns_join(turns, &query->turn, keys) < 0) {
		error = errno;
		free(query);
		errno = error;
		return NULL;
	}
	query->peer = *peer;
	query->job = (struct job){ .run = start_child, .done = child_is_started };
	watch_init(&query->answer, -1, answer_is_ready);
	timer_init(&query->deadline, deadline_is_over);
	timer_init(&query->begun_by, put_again);
	return query;
}

struct libwrap_query *libwrap_ask(const struct turn_owner *owner, const char *daemon,
				  const struct address *peer, const struct address *local,
				  libwrap_answer *done, void *context)
{
	struct libwrap_query *query = query_new(owner, peer);

	if (!query)
		return NULL;
	query->local = *local;
	query->done = done;
	query->context = context;
	snprintf(query->daemon, sizeof query->daemon, "%s", daemon);
	timer_start(&query->deadline, answer_by_ms);
	put_next();
	return query;
}

#else

struct libwrap_query {
	struct timer soon;
	libwrap_answer *done;
	void *context;
};

void libwrap_run_no_commands(void)
{
}

void libwrap_run_as(uid_t uid, gid_t gid)
{
	(void)uid;
	(void)gid;
}

void libwrap_set_files(char *allow, char *deny)
{
	(void)allow;
	(void)deny;
}

bool libwrap_has_rules(void)
{
	return false;
}

static void answer_is_due(struct timer *timer)
{
	struct libwrap_query *query = container_of(timer, struct libwrap_query, soon);
	libwrap_answer *done = query->done;
	void *context = query->context;

	libwrap_cancel(query);
	done(context, true);
}

struct libwrap_query *libwrap_ask(const struct turn_owner *owner, const char *daemon,
				  const struct address *peer, const struct address *local,
				  libwrap_answer *done, void *context)
{
	struct libwrap_query *query = calloc(1, sizeof *query);

	(void)owner;
	(void)daemon;
	(void)peer;
	(void)local;
	if (!query)
		return NULL;
	query->done = done;
	query->context = context;
	timer_init(&query->soon, answer_is_due);
	timer_start(&query->soon, 0);
	return query;
}

void libwrap_cancel(struct libwrap_query *query)
{
	timer_stop(&query->soon);
	free(query);
}

#endif
