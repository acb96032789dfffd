#include "monitor/privileges.h"

#include "base/region.h"
#include "monitor/capabilities.h"
#include "monitor/file_rules.h"
#include "monitor/in_child.h"
#include "monitor/syscall_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

/* --- filters that were made ----------------------------------------------------------------- */

/* Services with the same words share one. */
struct made {
	struct made *next;
	enum call_filter_kind kind;
	const struct strings *words; /* of the service that it was made for; NULL: none */
	struct call_filter filter;
};

static struct made *all_made;

void privileges_forget(void)
{
	struct made *made;

	while ((made = all_made)) {
		all_made = made->next;
		free(made->filter.list);
		free(made);
	}
}

static bool same_words(const struct strings *one, const struct strings *other)
{
	if (!one || !other || one->count != other->count)
		return one == other;
	for (size_t i = 0; i < one->count; i++)
		if (strcmp(one->list[i], other->list[i]) != 0)
			return false;
	return true;
}

static int make_for_files(const struct strings *words, struct call_filter *filter)
{
	(void)words;
	return syscall_filter_make_for_files(filter);
}

static int (*const makers[CALL_FILTERS])(const struct strings *words,
					 struct call_filter *filter) = {
	[FILTER_FILES] = make_for_files,
	[FILTER_CALLS] = syscall_filter_make,
	[FILTER_INHERITED] = syscall_filter_make_inherited,
	[FILTER_REST] = syscall_filter_make_rest,
};

/* The filter for the words; NULL with errno. */
static const struct call_filter *filter_for(enum call_filter_kind kind, const struct strings *words)
{
	struct made *made = all_made;

	while (made && !(made->kind == kind && same_words(made->words, words)))
		made = made->next;
	if (made)
		return &made->filter;
	made = calloc(1, sizeof *made);
	if (!made)
		return NULL;
	if (makers[kind](words, &made->filter) < 0) {
		free(made);
		return NULL;
	}
	made->kind = kind;
	made->words = words;
	made->next = all_made;
	all_made = made;
	return &made->filter;
}

/* --- what this kernel can refuse ------------------------------------------------------------ */

/* The reason why the service can't have that filter; NULL: it has it. */
static const char *give_filter(struct service_settings *service, enum call_filter_kind kind,
			       const struct strings *words)
{
	const char *obstacle = syscall_filter_obstacle();
	const struct call_filter *filter = obstacle ? NULL : filter_for(kind, words);

	if (filter)
		service->program->filters[kind] = *filter;
	return filter ? NULL : obstacle ? obstacle : strerror(errno);
}

static const char *capabilities_reason(struct service_settings *service)
{
	return capabilities_obstacle(service);
}

static const char *syscalls_reason(struct service_settings *service)
{
	const char *reason = NULL;

	if (!service_filters_calls(service))
		return NULL;
	for (enum call_filter_kind kind = FILTER_CALLS; kind <= FILTER_REST && !reason; kind++)
		reason = give_filter(service, kind, &service->program->syscalls);
	return reason;
}

static const char *files_reason(struct service_settings *service)
{
	const char *reason = NULL;
	int version;

	if (!service_file_rules(service))
		return NULL;
	version = file_rules_version(&reason);
	if (version > 0 && file_rules_lack_truncation(version))
		reason = give_filter(service, FILTER_FILES, NULL);
	return reason;
}

const char *privileges_prepare(struct service_settings *service, const char **reason)
{
	if (region_of(service))
		return NULL;
	if ((*reason = capabilities_reason(service)))
		return "capabilities";
	if ((*reason = syscalls_reason(service)))
		return "syscalls";
	return (*reason = files_reason(service)) ? service_file_rules(service) : NULL;
}

/* --- in the child -------------------------------------------------------------------------- */

IN_CHILD int privileges_end_new(const struct service_settings *service)
{
	return service_has_no_new_privs(service) ? prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) : 0;
}

IN_CHILD int privileges_restrict_files(const struct service_settings *service)
{
	return service_file_rules(service) ? file_rules_enter(service) : 0;
}

IN_CHILD static int load(const struct call_filter *filter)
{
	return filter->count > 0 ? syscall_filter_load(filter) : 0;
}

/* Settings that were not prepared have no filter. */
IN_CHILD int privileges_filter_calls(const struct service_settings *service, bool inherits)
{
	const struct call_filter *calls =
		&service->program->filters[inherits ? FILTER_REST : FILTER_CALLS];

	if (service_filters_calls(service) && calls->count == 0) {
		errno = EINVAL;
		return -1;
	}
	return load(&service->program->filters[FILTER_FILES]) < 0 ? -1 : load(calls);
}
