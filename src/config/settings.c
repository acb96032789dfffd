#include "config/settings.h"

#include "base/hash.h"
#include "base/lower_case.h"
#include "base/region.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void admit_as_xinetd(struct admission_settings *admission)
{
	admission->instances = admission->per_source = UNLIMITED;
	admission->cps = (struct rate){ .rate = 50, .seconds = 1, .other = 10 };
}

struct service_settings *service_settings_new(void)
{
	struct whole_settings *whole = calloc(1, sizeof *whole);

	if (!whole)
		return NULL;
	whole->service = (struct service_settings){
		.references = 1,
		.program = &whole->program,
		.admission = &whole->admission,
		.wait = -1,
		.port = -1,
		.fold_failures = -1,
		.source_prefix = { .in4 = 32, .in6 = 64 },
	};
	admit_as_xinetd(&whole->admission);
	return &whole->service;
}

/* Settings in a generation are read-only, so references to their region are counted. */
struct service_settings *service_settings_keep(struct service_settings *service)
{
	struct region *region = region_of(service);

	if (region)
		region_keep(region);
	else
		service->references++;
	return service;
}

const char *service_banner(const struct service_settings *service, enum banner_kind which)
{
	const char *const paths[BANNER_KINDS] = {
		[BANNER_ALWAYS] = service->banner,
		[BANNER_SUCCESS] = service->banner_success,
		[BANNER_FAIL] = service->banner_fail,
	};

	return paths[which];
}

unsigned service_allowed_families(const struct service_settings *service)
{
	unsigned asked = service->flags & (FLAG_IPV4 | FLAG_IPV6);

	return asked ? asked : FLAG_IPV4 | FLAG_IPV6;
}

static unsigned families_without_bind(const struct service_settings *service)
{
	if (service_allowed_families(service) == FLAG_IPV4)
		return FLAG_IPV4;
	return service->v6only ? FLAG_IPV6 : FLAG_IPV4 | FLAG_IPV6;
}

unsigned service_families(const struct service_settings *service, size_t index)
{
	struct address address;

	if (service->bind.count == 0)
		return families_without_bind(service);
	if (address_parse(&address, service->bind.list[index], 0) < 0)
		return service_allowed_families(service);
	if (address.any.sa_family == AF_INET)
		return FLAG_IPV4;
	if (IN6_IS_ADDR_UNSPECIFIED(&address.in6.sin6_addr) && !service->v6only)
		return FLAG_IPV4 | FLAG_IPV6;
	return FLAG_IPV6;
}

const char *service_libwrap_name(const struct service_settings *service)
{
	const char *slash;

	if (service->admission->libwrap)
		return service->admission->libwrap;
	if (!service->argv)
		return service->name;
	slash = strrchr(service->argv[0], '/');
	return slash ? slash + 1 : service->argv[0];
}

void service_settings_release(struct service_settings *service)
{
	struct region *region = region_of(service);

	if (region)
		region_release(region);
	if (region || !service || --service->references > 0)
		return;
	if (!service->lines) { /* a copy has its lists in its arena */
		access_list_clear(&service->admission->only_from);
		access_list_clear(&service->admission->no_access);
		access_list_clear(&service->admission->proxy_from);
	}
	arena_free(&service->arena);
	free(service->canonical);
	free(service);
}

const char *inherited_from(const struct service_settings *service, size_t attribute,
			   char text[static ORIGIN_SIZE])
{
	const struct place *place = service->places ? &service->places[attribute] : NULL;

	text[0] = '\0';
	if (place && place->file && place->is_inherited)
		snprintf(text, ORIGIN_SIZE, " (set in defaults, %.400s:%d)", place->file,
			 place->line);
	return text;
}

/* In a hash, because many entries can have errors, for instance if a library is missing
 * in the build. */
struct broken_id {
	UT_hash_handle hh;
	char id[]; /* in lower case */
};

struct settings *settings_new(void)
{
	struct settings *settings = calloc(1, sizeof *settings);

	if (!settings)
		return NULL;
	STAILQ_INIT(&settings->left_out);
	STAILQ_INIT(&settings->sources);
	settings->daemon.status_mode = STATUS_MODE;
	settings->daemon.log_format = -1;
	settings->daemon.log_anonymize = (struct source_prefix){ .in4 = 32, .in6 = 128 };
	return settings;
}

static void broken_ids_free(struct broken_id *broken)
{
	struct broken_id *each, *next;

	HASH_ITER(hh, broken, each, next) {
		HASH_DEL(broken, each);
		free(each);
	}
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	for (size_t i = 0; i < settings->count; i++)
		service_settings_release(settings->services[i]);
	free(settings->services);
	broken_ids_free(settings->broken);
	arena_free(&settings->arena);
	free(settings);
}

/* To be freed; NULL when memory runs out. */
static struct broken_id *broken_id_new(const char *id)
{
	size_t size = strlen(id) + 1;
	struct broken_id *broken = calloc(1, sizeof *broken + size);

	if (!broken)
		return NULL;
	memcpy(broken->id, id, size);
	lower_case(broken->id);
	return broken;
}

void settings_add_broken(struct settings *settings, const char *id)
{
	struct broken_id *broken = broken_id_new(id), *known = NULL;

	if (!broken) {
		settings->lost_entries = true;
		return;
	}
	HASH_FIND_STR(settings->broken, broken->id, known);
	if (!known)
		HASH_ADD_KEYPTR(hh, settings->broken, broken->id, strlen(broken->id), broken);
	if (known || !broken->hh.tbl) {
		settings->lost_entries |= !known;
		free(broken);
	}
}

bool settings_has_broken(const struct settings *settings, const char *id)
{
	struct broken_id *probe = broken_id_new(id), *known = NULL;

	if (!probe)
		return true; /* running services are kept rather than ended by mistake */
	HASH_FIND_STR(settings->broken, probe->id, known);
	free(probe);
	return known != NULL;
}

void settings_leave_out(struct settings *settings, const struct left_out *entry)
{
	struct left_out *kept = arena_take(&settings->arena, sizeof *kept);

	if (!kept)
		return;
	*kept = *entry;
	kept->id = arena_string(&settings->arena, entry->id);
	kept->name = arena_string(&settings->arena, entry->name);
	kept->file = arena_string(&settings->arena, entry->file);
	if (entry->body)
		kept->body = arena_string(&settings->arena, entry->body);
	if (kept->id && kept->name && kept->file)
		STAILQ_INSERT_TAIL(&settings->left_out, kept, link);
}

void settings_add_source(struct settings *settings, const char *path, bool is_directory)
{
	struct source *source = arena_take(&settings->arena, sizeof *source);
	char *copy = arena_string(&settings->arena, path);

	if (!source || !copy)
		return;
	*source = (struct source){ .path = copy, .is_directory = is_directory };
	STAILQ_INSERT_TAIL(&settings->sources, source, link);
}

struct file_name {
	struct file_name *next;
	char text[];
};

static struct file_name *names;

void file_names_forget(void)
{
	while (names) {
		struct file_name *next = names->next;

		free(names);
		names = next;
	}
}

const char *file_name_keep(const char *file)
{
	size_t size = strlen(file) + 1;
	struct file_name *name = malloc(sizeof *name + size);

	if (!name)
		return NULL;
	memcpy(name->text, file, size);
	name->next = names;
	names = name;
	return name->text;
}
