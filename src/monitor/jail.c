#include "monitor/jail.h"

#include "base/arena.h"
#include "base/descriptors.h"
#include "base/hash.h"
#include "config/placeholders.h"
#include "monitor/connection_lock.h"
#include "monitor/jail_hidden.h"
#include "monitor/jail_trial.h"
#include "monitor/network_pool.h"
#include "monitor/program_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct jail {
	UT_hash_handle hh; /* by key */
	unsigned references;
	unsigned round; /* the last one that had it */
	char *key;
	struct arena arena;
	struct jail_plan plan;
	int template; /* -1: none */
	bool shares_networks;
};

static struct jail *jails;
static unsigned current_round;

static struct jail *find(const struct service_settings *service)
{
	struct jail *jail = NULL;

	if (service->program->jail)
		HASH_FIND_STR(jails, service->program->jail, jail);
	return jail;
}

struct jail *jail_of(const struct service_settings *service)
{
	struct jail *jail = find(service);

	if (jail)
		jail->references++;
	return jail;
}

static void drop_template(struct jail *jail)
{
	if (jail->template <0)
		return;
	close(jail->template);
	descriptors_regain();
	jail->template = -1;
}

void jail_release(struct jail *jail)
{
	if (!jail || --jail->references > 0)
		return;
	drop_template(jail);
	arena_free(&jail->arena);
	free(jail);
}

const struct jail_plan *jail_plan(const struct jail *jail)
{
	return &jail->plan;
}

int jail_template(const struct jail *jail)
{
	return jail->template;
}

bool jail_shares_networks(const struct jail *jail)
{
	return jail->shares_networks;
}

/* --- the plan ------------------------------------------------------------------------------- */

enum { BYTES_OF_INODE = 4096, INODES_MIN = 64, INODES_MAX = 65536 };

static uint64_t inodes_for(uint64_t size)
{
	uint64_t count = size / BYTES_OF_INODE;

	return count < INODES_MIN ? INODES_MIN : count > INODES_MAX ? INODES_MAX : count;
}

/* With placeholders, that of the first session; the others have plans of their own. */
static const char *scratch_path(struct jail *jail, const struct service_settings *service,
				const char *path)
{
	char first[PATH_MAX];

	if (!service->placeholders)
		return arena_string(&jail->arena, path);
	placeholders_expand_first(first, sizeof first, path, service->account);
	return arena_string(&jail->arena, first);
}

static void plan_scratch(struct jail *jail, const struct service_settings *service)
{
	char *const *words = service->program->scratch.list; /* a path and its bytes ... */
	size_t count = service->program->scratch.count / 2;
	struct jail_scratch *scratch = arena_take(&jail->arena, (count + 1) * sizeof *scratch);
	bool changes_user = jail->plan.is_privileged;
	unsigned uid = (unsigned)(changes_user ? service->uid : geteuid());
	unsigned gid = (unsigned)(changes_user ? service->gid : getegid());

	jail->plan.scratch = scratch;
	for (size_t i = 0; scratch && i < count; i++) {
		uint64_t size = strtoull(words[2 * i + 1], NULL, 10);

		scratch[i].path = scratch_path(jail, service, words[2 * i]);
		snprintf(scratch[i].options, sizeof scratch[i].options,
			 "size=%" PRIu64 ",nr_inodes=%" PRIu64 ",mode=0700,uid=%u,gid=%u", size,
			 inodes_for(size), uid, gid);
	}
	jail->plan.scratch_count = count;
}

static char **copy_list(struct jail *jail, const struct strings *strings)
{
	char **list = arena_take(&jail->arena, (strings->count + 1) * sizeof *list);

	for (size_t i = 0; list && i < strings->count; i++)
		list[i] = arena_string(&jail->arena, strings->list[i]);
	return list;
}

static void plan_identity(struct jail_plan *plan)
{
	unsigned uid = (unsigned)geteuid(), gid = (unsigned)getegid();

	plan->clone_flags |= CLONE_NEWUSER;
	snprintf(plan->uid_map, sizeof plan->uid_map, "%u %u 1\n", uid, uid);
	snprintf(plan->gid_map, sizeof plan->gid_map, "%u %u 1\n", gid, gid);
}

static void fill_plan(struct jail *jail, const struct service_settings *service)
{
	const struct program_settings *program = service->program;
	struct jail_plan *plan = &jail->plan;

	*plan = (struct jail_plan){
		.root = program->root ? arena_string(&jail->arena, program->root) : NULL,
		.is_privileged = program_steps_change_user(),
		.has_devices = program->devices.is_set,
		.has_proc = program->proc,
		.has_no_network = program->network == NETWORK_NONE,
		.writable = copy_list(jail, &program->writable),
		.writable_count = program->writable.count,
		.devices = copy_list(jail, &program->devices),
		.device_count = program->devices.count,
		.clone_flags = program->proc ? CLONE_NEWPID : 0,
	};
	plan_scratch(jail, service);
	if (!plan->is_privileged) {
		plan_identity(plan);
		jail_hidden_plan(plan, &jail->arena);
	}
	jail->shares_networks = plan->is_privileged && plan->has_no_network && plan->root &&
				plan->has_proc && service->uid != 0;
}

static struct jail *jail_new(const struct service_settings *service)
{
	struct jail *jail = calloc(1, sizeof *jail);

	if (!jail)
		return NULL;
	jail->references = 1;
	jail->template = -1;
	jail->key = arena_string(&jail->arena, service->program->jail);
	fill_plan(jail, service);
	if (!jail->arena.failed)
		return jail;
	jail_release(jail);
	return NULL;
}

/* --- making them ---------------------------------------------------------------------------- */

static void make_template(struct jail *jail)
{
	struct jail_report report;

	if (!jail->plan.is_privileged || !descriptors_spend())
		return;
	jail->template = jail_trial_template(&jail->plan, &report);
	if (jail->template <0)
		descriptors_regain();
	jail->plan.device = report.device;
	jail->plan.inode = report.inode;
}

/* 0: sessions with the template work. */
static int try_template(struct jail *jail, struct jail_report *report)
{
	make_template(jail);
	if (jail->template >= 0 && jail_trial(&jail->plan, jail->template, report) == 0)
		return 0;
	drop_template(jail);
	return -1;
}

static bool has_failed_at(const struct jail_report *report, const char *attribute)
{
	return report->attribute && strcmp(report->attribute, attribute) == 0;
}

/* Without a template sessions may still work, only more slowly. */
static int make(struct jail *jail, struct jail_report *report)
{
	*report = (struct jail_report){ .attribute = NULL };
	if (try_template(jail, report) == 0)
		return 0;
	if (has_failed_at(report, "proc")) {
		jail->plan.keeps_host_proc = true;
		if (try_template(jail, report) == 0)
			return 0;
	}
	return jail_trial(&jail->plan, -1, report);
}

static void forget(struct jail *jail)
{
	HASH_DEL(jails, jail);
	jail_release(jail);
}

/* In the place of an older one. */
static bool put(struct jail *jail, struct jail *older)
{
	if (older)
		forget(older);
	jail->round = current_round;
	HASH_ADD_KEYPTR(hh, jails, jail->key, strlen(jail->key), jail);
	return jail->hh.tbl != NULL;
}

static const char *first_attribute(const struct jail_plan *plan)
{
	return plan->root                ? "root"
	       : plan->scratch_count > 0 ? "scratch"
	       : plan->has_proc          ? "proc"
	       : plan->has_devices       ? "devices"
					 : "network";
}

static const char *fail(struct jail *jail, const struct jail_report *report, const char **reason)
{
	const char *attribute = first_attribute(&jail->plan);

	*reason = jail_trial_reason(&jail->plan, report);
	if (report->attribute && !has_failed_at(report, "root"))
		attribute = report->attribute;
	jail_release(jail);
	return attribute;
}

void jails_begin(const struct daemon_settings *daemon)
{
	current_round++;
	jail_hidden_find(daemon);
}

/* NULL: there is none. Otherwise the attribute that can't be had. */
static const char *obstacle_to_hiding(const struct jail *jail,
				      const struct service_settings *service, const char **reason)
{
	static char text[PATH_MAX + 256];
	const char *hidden = jail_hidden_around(&jail->plan, service->server);

	*reason = text;
	if (hidden) { /* no session could find it */
		snprintf(text, sizeof text,
			 "the server is in %s, which is hidden as sockets of the daemon's user are "
			 "there; move one of them",
			 hidden);
		return "root";
	}
	hidden = jail_hidden_movable(&jail->plan);
	if (hidden) {
		snprintf(text, sizeof text,
			 "a program could give another name to a directory above %s, which is "
			 "hidden as sockets of the daemon's user are there; name other "
			 "directories",
			 hidden);
		return "writable";
	}
	return NULL;
}

const char *jail_prepare(const struct service_settings *service, const char **reason)
{
	struct jail *older = find(service), *jail;
	struct jail_report report = { .error = ENOMEM };
	const char *attribute;

	if (!service->program->jail)
		return NULL;
	if (older && older->round == current_round)
		return obstacle_to_hiding(older, service, reason);
	if (service->program->network == NETWORK_NONE && !service_waits(service) &&
	    (*reason = connection_lock_obstacle()))
		return "network";
	*reason = "it needs close_range(2) (Linux 5.9), which a container may forbid";
	if (!program_steps_copy_descriptors())
		return "root";
	*reason = "memory is short";
	jail = jail_new(service);
	if (!jail)
		return "root";
	if ((attribute = obstacle_to_hiding(jail, service, reason))) {
		jail_release(jail);
		return attribute;
	}
	if (make(jail, &report) < 0)
		return fail(jail, &report, reason);
	if (jail->shares_networks)
		network_pool_open();
	if (put(jail, older))
		return NULL;
	jail_release(jail);
	return "root";
}

void jail_keep(const struct service_settings *service)
{
	struct jail *jail = find(service);

	if (jail)
		jail->round = current_round;
}

void jails_adopted(void)
{
	struct jail *jail, *next;

	HASH_ITER(hh, jails, jail, next)
		if (jail->round != current_round)
			forget(jail);
}
