#include "config/settings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) ((element)->hh.tbl = NULL)
#include <uthash.h>

struct service_settings *service_settings_new(void)
{
	struct service_settings *service = calloc(1, sizeof *service);

	if (!service)
		return NULL;
	service->references = 1;
	service->wait = -1;
	service->port = -1;
	service->instances = service->per_source = UNLIMITED;
	service->cps = (struct rate){ .is_set = true, .rate = 50, .other = 10 };
	service->source_prefix = (struct source_prefix){ .in4 = 32, .in6 = 64 };
	return service;
}

struct service_settings *service_settings_keep(struct service_settings *service)
{
	service->references++;
	return service;
}

void service_settings_release(struct service_settings *service)
{
	if (!service || --service->references > 0)
		return;
	access_list_clear(&service->only_from);
	access_list_clear(&service->no_access);
	arena_free(&service->arena);
	free(service->canonical);
	free(service);
}

struct settings *settings_new(void)
{
	return calloc(1, sizeof(struct settings));
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	for (size_t i = 0; i < settings->count; i++)
		service_settings_release(settings->services[i]);
	free(settings->services);
	arena_free(&settings->arena);
	free(settings);
}

void settings_add_broken(struct settings *settings, const char *id)
{
	struct broken_id *broken = arena_take(&settings->arena, sizeof *broken);

	if (!broken)
		return;
	broken->id = arena_string(&settings->arena, id);
	broken->next = settings->broken;
	if (broken->id)
		settings->broken = broken;
}

bool settings_has_broken(const struct settings *settings, const char *id)
{
	for (const struct broken_id *broken = settings->broken; broken; broken = broken->next)
		if (strcasecmp(broken->id, id) == 0)
			return true;
	return false;
}

struct file_name {
	UT_hash_handle hh;
	char text[];
};

const char *file_name_keep(const char *file)
{
	static struct file_name *names;
	size_t size = strlen(file) + 1;
	struct file_name *name;

	HASH_FIND_STR(names, file, name);
	if (name)
		return name->text;
	name = calloc(1, sizeof *name + size);
	if (!name)
		return NULL;
	memcpy(name->text, file, size);
	HASH_ADD_KEYPTR(hh, names, name->text, strlen(name->text), name);
	if (name->hh.tbl)
		return name->text;
	free(name);
	return NULL;
}
