#include "monitor/cgroups.h"

#include "base/container_of.h"
#include "base/hash.h"
#include "base/loop.h"
#include "base/timer.h"
#include "base/turns.h"
#include "base/worker.h"
#include "monitor/cgroup_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	NAME_SIZE = 24,
	KILL_ROUNDS = 32, /* on a kernel without cgroup.kill */
	REMOVERS_MAX = 2, /* threads */
	AGAIN_MS = 1000,
	CPU_PERIOD = 100000,    /* microseconds */
	KEPT_MAX = 64,          /* without a session */
	KEPT_MS = 10000,        /* the longest for which one is kept */
	MEMORY_LEFT_SHARE = 16, /* at most one of so many parts may be left in use then */
};

/* The workers' part of a hierarchy, which a reload may change. */
struct base {
	int directory; /* -1: the session does not need it */
	bool is_v2, has_directory;
};

/* Whose sessions may use it, and what it is made for. */
struct purpose {
	const char *service; /* its id; only in one that may be kept, which owns it */
	uid_t user;
	struct turn_key source;
	uint64_t limits[CGROUP_KINDS]; /* 0: none */
	int nice; /* of its programs: the kernel shares processors between cgroups */
	struct base bases[CGROUP_KINDS];
};

struct cgroup {
	char name[NAME_SIZE];
	struct purpose purpose;
	bool is_made, is_released, is_gone;
	bool is_limited;      /* all of its limits were set */
	bool is_busy, is_due; /* a worker tries to leave it, and is to try again */
	bool is_left;         /* the last job's result */
	bool may_be_kept;     /* its directories, for another session with the same limits */
	bool is_kept;         /* they are there, as the last session has left them */
	bool is_unused;       /* in the list */
	bool was_killed;      /* at once: some kernels then kill whatever enters it later, too */
	TAILQ_ENTRY(cgroup) link;
	unsigned long earlier_kills, memory_kills; /* of sessions before; of this one */
	struct job job;
	const struct cgroup_events *events; /* NULL: not to be removed yet */
	void *context;
	bool told_remains;
	int watch; /* inotify's, of cgroup.events; -1: none */
	UT_hash_handle by_watch;
	struct timer again; /* when there can be no watch */
};

static struct worker_pool *removers;
static struct watch notices = { .fd = -1 };
static struct cgroup *watched;

static struct {
	TAILQ_HEAD(cgroup_list, cgroup) list; /* the last one that was left first */
	unsigned count;
} unused = { .list = TAILQ_HEAD_INITIALIZER(unused.list) };

static int begin_watching(void);

static bool is_ready(enum cgroup_kind kind, const char **reason)
{
	*reason = "memory is short";
	if (begin_watching() < 0)
		return false;
	*reason = NULL;
	if (cgroup_hierarchy_open(kind))
		return true;
	*reason = cgroup_hierarchy(kind)->reason;
	return false;
}

bool cgroups_are_there(void)
{
	return cgroup_hierarchy(CGROUP_TREE)->directory >= 0;
}

static void limits_of(const struct service_settings *service, uint64_t limits[CGROUP_KINDS])
{
	limits[CGROUP_TREE] = 0;
	limits[CGROUP_MEMORY] = service->program->memory;
	limits[CGROUP_PROCESSES] = service->program->processes;
	limits[CGROUP_CPU] = service->program->cpu;
}

const char *cgroups_prepare(const struct service_settings *service, const char **reason)
{
	uint64_t limits[CGROUP_KINDS];

	limits_of(service, limits);
	if (service_is_tracked(service))
		is_ready(CGROUP_TREE, reason);
	for (int kind = CGROUP_TREE + 1; kind < CGROUP_KINDS; kind++)
		if (limits[kind] && !is_ready((enum cgroup_kind)kind, reason))
			return cgroup_hierarchy((enum cgroup_kind)kind)->attribute;
	return NULL;
}

static void on_again(struct timer *timer);

/* --- making one ------------------------------------------------------------------------------- */

/* In version 2 each cgroup has a share of the processors, once one has a limit of them. */
static struct base base_of(const struct purpose *purpose, enum cgroup_kind kind)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_hierarchy(kind);
	bool has_share = kind == CGROUP_CPU && hierarchy->is_v2 && purpose->nice;
	bool is_needed = hierarchy->directory >= 0 &&
			 (kind == CGROUP_TREE || purpose->limits[kind] || has_share);

	return (struct base){
		.directory = is_needed ? hierarchy->directory : -1,
		.is_v2 = hierarchy->is_v2,
		.has_directory = is_needed && (kind == CGROUP_TREE || !hierarchy->is_v2),
	};
}

static struct purpose purpose_of(const struct service_settings *service,
				 const struct address *client)
{
	struct purpose purpose = {
		.service = service->id,
		.user = service->uid,
		.source = turn_key_source(client, service->source_prefix),
		.nice = service->program->nice_is_set ? service->program->nice : 0,
	};

	limits_of(service, purpose.limits);
	for (int kind = 0; kind < CGROUP_KINDS; kind++)
		purpose.bases[kind] = base_of(&purpose, (enum cgroup_kind)kind);
	return purpose;
}

/* A controller may have come in between. */
static bool is_equal(const struct purpose *one, const struct purpose *other)
{
	for (int kind = 0; kind < CGROUP_KINDS; kind++)
		if (one->limits[kind] != other->limits[kind] ||
		    one->bases[kind].directory != other->bases[kind].directory)
			return false;
	return one->user == other->user && one->nice == other->nice &&
	       strcmp(one->service, other->service) == 0 &&
	       memcmp(&one->source, &other->source, sizeof one->source) == 0;
}

static bool needs_cgroup(const struct purpose *purpose)
{
	for (int kind = 0; kind < CGROUP_KINDS; kind++)
		if (purpose->bases[kind].has_directory)
			return true;
	return false;
}

/* True when no process of the service can leave it or change it, and all have been reaped when the
 * first one is: what one session leaves there then is the memory that is charged to it, and the
 * processor time that is used up. Memory can be charged later, too: a queue of inotify(7) counts
 * where it was made, and a session may have handed its descriptor to somebody outside. */
static bool may_be_kept(const struct service_settings *service)
{
	return geteuid() == 0 && service->uid != 0 && service->program->capabilities == 0 &&
	       service_has_no_new_privs(service) && service->program->proc && cgroups_are_there();
}

static void take_out(struct cgroup *cgroup)
{
	TAILQ_REMOVE(&unused.list, cgroup, link);
	unused.count--;
	cgroup->is_unused = false;
	timer_stop(&cgroup->again);
}

static struct cgroup *take_unused(const struct purpose *purpose)
{
	struct cgroup *cgroup;

	TAILQ_FOREACH(cgroup, &unused.list, link)
		if (is_equal(&cgroup->purpose, purpose))
			break;
	if (!cgroup)
		return NULL;
	take_out(cgroup);
	cgroup->is_made = cgroup->is_gone = cgroup->is_released = false;
	cgroup->told_remains = false;
	cgroup->earlier_kills += cgroup->memory_kills;
	cgroup->memory_kills = 0;
	return cgroup;
}

static void cgroup_free(struct cgroup *cgroup)
{
	free((char *)(uintptr_t)cgroup->purpose.service);
	free(cgroup);
}

struct cgroup *cgroup_new(const struct service_settings *service, const struct address *client)
{
	static uint64_t number; /* of no other one, whatever numbers sessions have */
	struct purpose purpose = purpose_of(service, client);
	struct cgroup *cgroup;
	bool is_for_more = may_be_kept(service);

	if (is_for_more && (cgroup = take_unused(&purpose)))
		return cgroup;
	errno = 0;
	cgroup = needs_cgroup(&purpose) ? calloc(1, sizeof *cgroup) : NULL;
	if (!cgroup)
		return NULL;
	snprintf(cgroup->name, sizeof cgroup->name, "%" PRIu64, ++number);
	cgroup->purpose = purpose;
	cgroup->purpose.service = is_for_more ? strdup(service->id) : NULL;
	cgroup->may_be_kept = cgroup->purpose.service != NULL;
	cgroup->watch = -1;
	timer_init(&cgroup->again, on_again);
	return cgroup;
}

bool cgroup_has_tree(const struct cgroup *cgroup)
{
	return cgroup && cgroup->purpose.bases[CGROUP_TREE].directory >= 0;
}

enum { V1 = 1, V2 = 2, MAY_BE_ABSENT = 4, REFILLS = 8, SHARES = 16 };

/* What is written where for a limit of that value; without a format nothing of it is used. REFILLS:
 * the kernel forgets then what has been used up. SHARES: for nice, not for a limit. */
static const struct {
	enum cgroup_kind kind;
	unsigned flags;
	const char *file, *format;
} limit_files[] = {
	{ CGROUP_MEMORY, V2, "memory.max", "%" PRId64 },
	{ CGROUP_MEMORY, V2 | MAY_BE_ABSENT, "memory.swap.max", "0" },
	{ CGROUP_MEMORY, V2 | MAY_BE_ABSENT, "memory.oom.group", "1" },
	{ CGROUP_MEMORY, V1, "memory.limit_in_bytes", "%" PRId64 },
	{ CGROUP_MEMORY, V1 | MAY_BE_ABSENT, "memory.memsw.limit_in_bytes", "%" PRId64 },
	{ CGROUP_PROCESSES, V1 | V2, "pids.max", "%" PRId64 },
	{ CGROUP_CPU, V2 | REFILLS, "cpu.max", "%" PRId64 " 100000" },
	{ CGROUP_CPU, V1, "cpu.cfs_period_us", "100000" },
	{ CGROUP_CPU, V1 | REFILLS, "cpu.cfs_quota_us", "%" PRId64 },
	{ CGROUP_CPU, V2 | SHARES | MAY_BE_ABSENT, "cpu.weight.nice", "%" PRId64 },
	{ CGROUP_CPU, V1 | SHARES | MAY_BE_ABSENT, "cpu.shares", "%" PRId64 },
};

/* The weight of a process with that priority, see sched(7): a fourth more or a fifth less for each
 * step. */
static int shares_for(int nice)
{
	int shares = 1024;

	for (; nice > 0; nice--)
		shares = shares * 4 / 5;
	for (; nice < 0; nice++)
		shares = shares * 5 / 4;
	return shares;
}

/* A percent of a processor is so many microseconds of each period. */
static int64_t value_of(const struct cgroup *cgroup, size_t i)
{
	enum cgroup_kind kind = limit_files[i].kind;

	if (limit_files[i].flags & SHARES)
		return limit_files[i].flags & V1 ? shares_for(cgroup->purpose.nice)
						 : cgroup->purpose.nice;
	return (int64_t)cgroup->purpose.limits[kind] * (kind == CGROUP_CPU ? CPU_PERIOD / 100 : 1);
}

static bool has_value(const struct cgroup *cgroup, size_t i)
{
	return limit_files[i].flags & SHARES ? cgroup->purpose.nice != 0
					     : cgroup->purpose.limits[limit_files[i].kind] != 0;
}

static int set_limit(const struct cgroup *cgroup, size_t i)
{
	enum cgroup_kind kind = limit_files[i].kind;
	char path[2 * NAME_SIZE + 24], text[48];

	snprintf(path, sizeof path, "%s/%s", cgroup->name, limit_files[i].file);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof text, limit_files[i].format, value_of(cgroup, i));
#pragma GCC diagnostic pop
	if (cgroup_file_write(cgroup->purpose.bases[kind].directory, path, text) == 0)
		return 0;
	return (limit_files[i].flags & MAY_BE_ABSENT) && errno == ENOENT ? 0 : -1;
}

/* Those that have all of the flags. */
static int set_limits(const struct cgroup *cgroup, unsigned flags)
{
	for (size_t i = 0; i < sizeof limit_files / sizeof limit_files[0]; i++) {
		const struct base *base = &cgroup->purpose.bases[limit_files[i].kind];
		unsigned version = base->is_v2 ? V2 : V1;

		if (base->directory < 0 || !(limit_files[i].flags & version) ||
		    (limit_files[i].flags & flags) != flags || !has_value(cgroup, i))
			continue;
		if (set_limit(cgroup, i) < 0)
			return -1;
	}
	return 0;
}

static int make_directories(const struct cgroup *cgroup)
{
	for (int kind = 0; kind < CGROUP_KINDS; kind++)
		if (cgroup->purpose.bases[kind].has_directory &&
		    mkdirat(cgroup->purpose.bases[kind].directory, cgroup->name, 0755) < 0 &&
		    errno != EEXIST)
			return -1;
	return 0;
}

/* Version 1 has a file for single threads. A process with one thread is moved by it just so, and
 * the kernel need not wait until no other process forks or ends. */
static int open_procs(const struct cgroup *cgroup, enum cgroup_kind kind)
{
	char path[NAME_SIZE + 16];

	snprintf(path, sizeof path, "%s/%s", cgroup->name,
		 kind == CGROUP_TREE ? "cgroup.procs" : "tasks");
	return openat(cgroup->purpose.bases[kind].directory, path, O_WRONLY | O_CLOEXEC);
}

int cgroup_enter_by_writing(struct cgroup *cgroup, struct cgroup_entrance *entrance)
{
	entrance->procs[CGROUP_TREE] = open_procs(cgroup, CGROUP_TREE);
	return entrance->procs[CGROUP_TREE] < 0 ? -1 : 0;
}

static int open_entrance(const struct cgroup *cgroup, struct cgroup_entrance *entrance)
{
	if (cgroup_has_tree(cgroup)) {
		entrance->directory = openat(cgroup->purpose.bases[CGROUP_TREE].directory,
					     cgroup->name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (entrance->directory < 0)
			return -1;
	}
	for (int kind = CGROUP_TREE + 1; kind < CGROUP_KINDS; kind++) {
		if (!cgroup->purpose.bases[kind].has_directory)
			continue;
		entrance->procs[kind] = open_procs(cgroup, (enum cgroup_kind)kind);
		if (entrance->procs[kind] < 0)
			return -1;
	}
	return 0;
}

void cgroup_entrance_close(struct cgroup_entrance *entrance)
{
	int error = errno;

	if (entrance->directory >= 0)
		close(entrance->directory);
	for (int kind = 0; kind < CGROUP_KINDS; kind++)
		if (entrance->procs[kind] >= 0)
			close(entrance->procs[kind]);
	*entrance = NO_CGROUP_ENTRANCE;
	errno = error;
}

static unsigned long count_memory_kills(const struct cgroup *cgroup)
{
	const struct base *memory = &cgroup->purpose.bases[CGROUP_MEMORY];
	char path[NAME_SIZE + 24], text[1024];
	const char *line;

	if (memory->directory < 0)
		return 0;
	snprintf(path, sizeof path, "%s/memory.%s", cgroup->name,
		 memory->is_v2 ? "events" : "oom_control");
	if (!cgroup_file_read(memory->directory, path, text, sizeof text))
		return 0;
	line = strstr(text, "oom_kill ");
	return line ? strtoul(line + sizeof "oom_kill", NULL, 10) : 0;
}

int cgroup_make(struct cgroup *cgroup, struct cgroup_entrance *entrance)
{
	*entrance = NO_CGROUP_ENTRANCE;
	cgroup->is_made = true;
	if (cgroup->is_kept && set_limits(cgroup, REFILLS) == 0 &&
	    open_entrance(cgroup, entrance) == 0)
		return 0;
	cgroup_entrance_close(entrance); /* somebody has removed what was kept */
	cgroup->is_limited = false;
	if (make_directories(cgroup) < 0 || set_limits(cgroup, 0) < 0)
		return -1;
	cgroup->is_limited = true;
	if (cgroup->is_kept) /* its counter may have begun anew */
		cgroup->earlier_kills = count_memory_kills(cgroup);
	return open_entrance(cgroup, entrance);
}

/* --- signals ---------------------------------------------------------------------------------- */

struct signal_sent {
	int number;
	pid_t process;
	bool has_reached; /* the process */
};

static void send_signal(pid_t pid, void *context)
{
	struct signal_sent *sent = context;

	kill(pid, sent->number);
	sent->has_reached |= pid == sent->process;
}

/* A process that forks while the list is read is caught in the next round. */
static void kill_in_rounds(int directory, const char *procs, struct signal_sent *sent)
{
	int round = 0;

	while (cgroup_each_process(directory, procs, send_signal, sent) > 0 && round < KILL_ROUNDS)
		round++;
}

bool cgroup_signal(struct cgroup *cgroup, int number, pid_t process)
{
	int directory = cgroup->purpose.bases[CGROUP_TREE].directory;
	struct signal_sent sent = { number, process, false };
	char path[NAME_SIZE + 16];

	if (cgroup->is_gone || !cgroup->is_made)
		return false;
	snprintf(path, sizeof path, "%s/cgroup.kill", cgroup->name);
	cgroup->was_killed |= number == SIGKILL;
	if (number == SIGKILL && cgroup_file_write(directory, path, "1") == 0)
		return false;
	snprintf(path, sizeof path, "%s/cgroup.procs", cgroup->name);
	if (number == SIGKILL)
		kill_in_rounds(directory, path, &sent);
	else
		cgroup_each_process(directory, path, send_signal, &sent);
	return sent.has_reached;
}

/* --- removing one ----------------------------------------------------------------------------- */

static bool is_empty(const struct cgroup *cgroup)
{
	char path[NAME_SIZE + 16], text[256];

	snprintf(path, sizeof path, "%s/cgroup.events", cgroup->name);
	return cgroup_has_tree(cgroup) &&
	       cgroup_file_read(cgroup->purpose.bases[CGROUP_TREE].directory, path, text,
				sizeof text) &&
	       strstr(text, "populated 0") != NULL;
}

/* The kernel may have kept something, for example the content of a file that it has read. */
static bool has_memory_left(const struct cgroup *cgroup)
{
	const struct base *memory = &cgroup->purpose.bases[CGROUP_MEMORY];
	char path[NAME_SIZE + 24], text[32];

	if (memory->directory < 0)
		return false;
	snprintf(path, sizeof path, "%s/memory.%s", cgroup->name,
		 memory->is_v2 ? "current" : "usage_in_bytes");
	return !cgroup_file_read(memory->directory, path, text, sizeof text) ||
	       strtoull(text, NULL, 10) > cgroup->purpose.limits[CGROUP_MEMORY] / MEMORY_LEFT_SHARE;
}

static bool remove_directories(const struct cgroup *cgroup)
{
	bool all = true;

	for (int kind = 0; kind < CGROUP_KINDS; kind++)
		if (cgroup->purpose.bases[kind].has_directory &&
		    cgroup_remove(cgroup->purpose.bases[kind].directory, cgroup->name) < 0)
			all = false;
	return all;
}

/* On a worker. */
static void on_leave(struct job *job)
{
	struct cgroup *cgroup = container_of(job, struct cgroup, job);
	bool is_over = is_empty(cgroup); /* before they are counted */
	unsigned long kills = count_memory_kills(cgroup);

	if (kills > cgroup->earlier_kills + cgroup->memory_kills)
		cgroup->memory_kills = kills - cgroup->earlier_kills;
	cgroup->is_kept =
		cgroup->may_be_kept && cgroup->is_limited && is_over && !has_memory_left(cgroup);
	cgroup->is_left = cgroup->is_kept || remove_directories(cgroup);
}

static void stop_watching(struct cgroup *cgroup)
{
	timer_stop(&cgroup->again);
	if (cgroup->watch < 0)
		return;
	HASH_DELETE(by_watch, watched, cgroup);
	inotify_rm_watch(notices.fd, cgroup->watch);
	cgroup->watch = -1;
}

static void try_leaving(struct cgroup *cgroup);

/* It is not kept any longer. */
static void leave_for_good(struct cgroup *cgroup)
{
	cgroup->may_be_kept = false;
	try_leaving(cgroup);
}

/* In the place of the oldest one, if there are many. */
static void put_by(struct cgroup *cgroup)
{
	struct cgroup *oldest = TAILQ_LAST(&unused.list, cgroup_list);

	if (unused.count == KEPT_MAX) {
		take_out(oldest);
		leave_for_good(oldest);
	}
	cgroup->is_unused = true;
	TAILQ_INSERT_HEAD(&unused.list, cgroup, link);
	unused.count++;
	timer_start(&cgroup->again, KEPT_MS);
}

/* Nobody has it any more, and no process is in it. */
static void cgroup_discard(struct cgroup *cgroup)
{
	stop_watching(cgroup);
	if (!cgroup->is_kept)
		cgroup_free(cgroup);
	else if (cgroup->was_killed)
		leave_for_good(cgroup);
	else
		put_by(cgroup);
}

/* Whether the kernel tells when the last process leaves from now on. */
static bool watch_populated(struct cgroup *cgroup)
{
	char path[PATH_MAX];

	if (!cgroup_has_tree(cgroup) ||
	    snprintf(path, sizeof path, "%s/%s/cgroup.events", cgroup_hierarchy(CGROUP_TREE)->path,
		     cgroup->name) >= (int)sizeof path)
		return false;
	cgroup->watch = inotify_add_watch(notices.fd, path, IN_MODIFY);
	if (cgroup->watch < 0)
		return false;
	HASH_ADD(by_watch, watched, watch, sizeof cgroup->watch, cgroup);
	return true;
}

static void tell_gone(struct cgroup *cgroup)
{
	const struct cgroup_events *events = cgroup->events;

	cgroup->is_gone = true;
	cgroup->events = NULL;
	if (events)
		events->gone(cgroup->context, cgroup->memory_kills);
}

/* The last process may have left before the watch began: one more try. A program that could not
 * be started may not be reaped yet. */
static void wait_until_empty(struct cgroup *cgroup)
{
	bool is_new = cgroup->watch < 0 && watch_populated(cgroup);

	if (!cgroup->told_remains && cgroup->events) {
		cgroup->told_remains = true;
		cgroup->events->remains(cgroup->context);
	}
	if (is_new || cgroup->is_due)
		try_leaving(cgroup);
	else if (cgroup->watch < 0)
		timer_start(&cgroup->again, AGAIN_MS);
}

static void on_again(struct timer *timer)
{
	struct cgroup *cgroup = container_of(timer, struct cgroup, again);

	if (cgroup->is_unused) {
		take_out(cgroup);
		leave_for_good(cgroup);
	} else {
		try_leaving(cgroup);
	}
}

static void on_tried(struct job *job)
{
	struct cgroup *cgroup = container_of(job, struct cgroup, job);

	cgroup->is_busy = false;
	if (!cgroup->is_left)
		wait_until_empty(cgroup);
	else if (cgroup->is_released)
		cgroup_discard(cgroup);
	else
		tell_gone(cgroup);
}

/* Without memory for a thread it happens later: the owner expects no event before this returns. */
static void try_leaving(struct cgroup *cgroup)
{
	cgroup->is_due = cgroup->is_busy;
	if (cgroup->is_busy)
		return;
	cgroup->is_busy = true;
	cgroup->job = (struct job){ .run = on_leave, .done = on_tried };
	if (worker_submit(removers, &cgroup->job) == 0)
		return;
	cgroup->is_busy = false;
	timer_start(&cgroup->again, AGAIN_MS);
}

/* After an overflow of the queue any of them may be empty. */
static void take_notice(const struct inotify_event *event)
{
	struct cgroup *cgroup, *next;

	if (event->mask & IN_Q_OVERFLOW) {
		HASH_ITER(by_watch, watched, cgroup, next)
			try_leaving(cgroup);
		return;
	}
	HASH_FIND(by_watch, watched, &event->wd, sizeof event->wd, cgroup);
	if (cgroup)
		try_leaving(cgroup);
}

static void on_notice(struct watch *watch, short events)
{
	_Alignas(struct inotify_event) char buffer[4096];
	ssize_t length = read(watch->fd, buffer, sizeof buffer), at = 0;

	(void)events;
	while (at < length) {
		const struct inotify_event *event = (const void *)(buffer + at);

		take_notice(event);
		at += (ssize_t)(sizeof *event + event->len);
	}
}

static int begin_watching(void)
{
	int fd;

	if (!removers)
		removers = worker_pool_new(1, REMOVERS_MAX);
	if (!removers)
		return -1;
	if (notices.fd >= 0)
		return 0;
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd < 0)
		return -1;
	watch_init(&notices, fd, on_notice);
	return watch_start(&notices, LOOP_READ);
}

void cgroup_remove_when_empty(struct cgroup *cgroup, const struct cgroup_events *events,
			      void *context)
{
	cgroup->events = events;
	cgroup->context = context;
	try_leaving(cgroup);
}

void cgroup_release(struct cgroup *cgroup)
{
	if (!cgroup)
		return;
	cgroup->events = NULL;
	cgroup->is_released = true;
	if (cgroup->is_busy)
		return;
	if (cgroup->is_gone || !cgroup->is_made)
		cgroup_discard(cgroup);
	else
		try_leaving(cgroup);
}
