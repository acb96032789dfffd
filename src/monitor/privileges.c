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
	const struct strings *words; /* of the service that it was made for; NULL: FILTER_FILES */
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

/* The filter for the words; NULL with errno. */
static const struct call_filter *filter_for(const struct strings *words)
{
	struct made *made = all_made;
	int result;

	while (made && !same_words(made->words, words))
		made = made->next;
	if (made)
		return &made->filter;
	made = calloc(1, sizeof *made);
	if (!made)
		return NULL;
	result = words ? syscall_filter_make(words, &made->filter)
		       : syscall_filter_make_for_files(&made->filter);
	if (result < 0) {
		free(made);
		return NULL;
	}
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
	const struct call_filter *filter = obstacle ? NULL : filter_for(words);

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
	return service_filters_calls(service)
		       ? give_filter(service, FILTER_CALLS, &service->program->syscalls)
		       : NULL;
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

/* Settings that were not prepared have no filter. */
IN_CHILD int privileges_filter_calls(const struct service_settings *service)
{
	if (service_filters_calls(service) && service->program->filters[FILTER_CALLS].count == 0) {
		errno = EINVAL;
		return -1;
	}
	for (int kind = 0; kind < CALL_FILTERS; kind++)
		if (service->program->filters[kind].count > 0 &&
		    syscall_filter_load(&service->program->filters[kind]) < 0)
			return -1;
	return 0;
}
