#include "frontend/filter_hosts.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/resolver.h"
#include "base/timer.h"
#include "config/settings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FRESH_MS = 60 * 1000, RETRY_MS = 10 * 1000 };

struct filter_host {
	struct filter_hosts *hosts;
	const char *name; /* owned by the settings */
	struct lookup *lookup;
	struct timer again;
	struct address addresses[LOOKUP_ADDRESSES_MAX];
	size_t count;
	bool was_asked, is_missing; /* is_missing: not found, and logged */
};

struct filter_hosts {
	const struct service_settings *settings;
	filter_hosts_changed *changed;
	void *context;
	size_t count;
	struct filter_host list[];
};

static bool knows(const struct filter_host *host, const struct address *address)
{
	for (size_t i = 0; i < host->count; i++)
		if (address_same_host(&host->addresses[i], address))
			return true;
	return false;
}

static bool are_the_same(const struct filter_host *host, const struct address *addresses,
			 size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!knows(host, &addresses[i]))
			return false;
	return count == host->count;
}

/* Keeps the addresses that were found before. */
static void found_nothing(struct filter_host *host, const char *reason)
{
	if (!host->is_missing)
		log_error("service %s: INTERCEPT: can't find host %s: %s; trying again",
			  host->hosts->settings->id, host->name, reason);
	host->is_missing = true;
	timer_start(&host->again, RETRY_MS);
}

static void on_found(void *context, const struct address *addresses, size_t count,
		     const char *reason)
{
	struct filter_host *host = context;

	host->lookup = NULL;
	host->was_asked = true;
	if (count == 0) {
		found_nothing(host, reason);
		return;
	}
	host->is_missing = false;
	timer_start(&host->again, FRESH_MS);
	if (are_the_same(host, addresses, count))
		return;
	memcpy(host->addresses, addresses, count * sizeof *addresses);
	host->count = count;
	host->hosts->changed(host->hosts->context);
}

static void look_up(struct timer *timer)
{
	struct filter_host *host = container_of(timer, struct filter_host, again);

	host->lookup = lookup_addresses(host->name, AF_UNSPEC, on_found, host);
	if (!host->lookup)
		timer_start(timer, RETRY_MS);
}

static const struct filter_host *find(const struct filter_hosts *hosts, const char *name)
{
	for (size_t i = 0; hosts && i < hosts->count; i++)
		if (strcasecmp(hosts->list[i].name, name) == 0)
			return &hosts->list[i];
	return NULL;
}

static void add_hosts(struct filter_hosts *hosts, const struct access_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->rules[i].kind == RULE_HOST && !find(hosts, list->rules[i].text))
			hosts->list[hosts->count++] = (struct filter_host){
				.hosts = hosts,
				.name = list->rules[i].text,
			};
}

static size_t count_names(const struct access_list *list)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += list->rules[i].kind == RULE_HOST;
	return count;
}

struct filter_hosts *filter_hosts_new(const struct service_settings *settings,
				      filter_hosts_changed *changed, void *context)
{
	const struct admission_settings *admission = settings->admission;
	size_t most = count_names(&admission->only_from) + count_names(&admission->no_access);
	struct filter_hosts *hosts = NULL;

	if (most > 0)
		hosts = calloc(1, sizeof *hosts + most * sizeof hosts->list[0]);
	if (!hosts)
		return NULL;
	hosts->settings = settings;
	hosts->changed = changed;
	hosts->context = context;
	add_hosts(hosts, &admission->only_from);
	add_hosts(hosts, &admission->no_access);
	for (size_t i = 0; i < hosts->count; i++) {
		timer_init(&hosts->list[i].again, look_up);
		look_up(&hosts->list[i].again);
	}
	return hosts;
}

void filter_hosts_inherit(struct filter_hosts *hosts, const struct filter_hosts *old)
{
	for (size_t i = 0; hosts && i < hosts->count; i++) {
		struct filter_host *host = &hosts->list[i];
		const struct filter_host *known = find(old, host->name);

		if (!known)
			continue;
		memcpy(host->addresses, known->addresses, known->count * sizeof host->addresses[0]);
		host->count = known->count;
	}
}

void filter_hosts_free(struct filter_hosts *hosts)
{
	for (size_t i = 0; hosts && i < hosts->count; i++) {
		timer_stop(&hosts->list[i].again);
		if (hosts->list[i].lookup)
			lookup_cancel(hosts->list[i].lookup);
	}
	free(hosts);
}

bool filter_hosts_are_new(const struct filter_hosts *hosts)
{
	for (size_t i = 0; hosts && i < hosts->count; i++)
		if (!hosts->list[i].was_asked && hosts->list[i].lookup)
			return true;
	return false;
}

static void add_addresses(struct access_list *resolved, const struct access_rule *rule,
			  const struct filter_host *host)
{
	for (size_t i = 0; host && i < host->count; i++) {
		struct access_rule *added = &resolved->rules[resolved->count++];

		*added = *rule;
		added->kind = RULE_PREFIX;
		added->prefix = prefix_of(&host->addresses[i], 128);
	}
}

struct access_list filter_hosts_resolve(const struct filter_hosts *hosts,
					const struct access_list *list)
{
	size_t most = list->count + count_names(list) * LOOKUP_ADDRESSES_MAX;
	struct access_list resolved = { .is_set = list->is_set };

	resolved.rules = calloc(most + 1, sizeof *resolved.rules);
	for (size_t i = 0; resolved.rules && i < list->count; i++)
		if (list->rules[i].kind == RULE_HOST)
			add_addresses(&resolved, &list->rules[i], find(hosts, list->rules[i].text));
		else
			resolved.rules[resolved.count++] = list->rules[i];
	return resolved;
}
