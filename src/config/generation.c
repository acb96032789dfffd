#include "config/generation.h"

#include "base/hash.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>

/* Texts of services that were kept lately, by their hash. Most texts are either those of the
 * service before or of no other service, so a text is rarely stored twice. */
enum { RECENT_TEXTS = 1024 };

struct recent {
	char *texts[RECENT_TEXTS];
};

/* Bytes that are in the region already. */
struct kept {
	UT_hash_handle hh;
	const void *source; /* the rule_set that was copied; bytes are found by themselves */
	void *place;
};

/* The state of copying. */
struct filling {
	struct region *region; /* the target; NULL: it is ... */
	struct arena *arena;
	struct kept *kept, *sets;
	struct arena notes;    /* of what is kept */
	struct recent *recent; /* NULL: there was no memory for it */
	/* The copy of the service before, of which much is the same; NULL: there is none. */
	const struct whole_settings *before;
	/* The last environment, and its copy. Most services have the same one. */
	char *const *environment, **kept_environment;
	size_t environment_count;
	/* The last filters, and their copies. */
	struct call_filter filters[CALL_FILTERS], kept_filters[CALL_FILTERS];
	bool failed;
};

static void *take(struct filling *filling, size_t size)
{
	void *place = filling->region ? region_take(filling->region, size)
				      : arena_take(filling->arena, size);

	filling->failed |= !place;
	return place;
}

/* The same for bytes that need no alignment. */
static char *take_bytes(struct filling *filling, size_t size)
{
	char *place = filling->region ? region_take_bytes(filling->region, size)
				      : arena_take(filling->arena, size);

	filling->failed |= !place;
	return place;
}

static void *remember(struct filling *filling, void *place, size_t size)
{
	struct kept *kept = arena_take(&filling->notes, sizeof *kept);

	if (!kept)
		return place; /* then it is only stored twice */
	kept->place = place;
	HASH_ADD_KEYPTR(hh, filling->kept, place, size, kept);
	return place;
}

/* A copy of the bytes; the same one for equal bytes. */
static void *keep(struct filling *filling, const void *bytes, size_t size)
{
	struct kept *kept;
	void *place;

	HASH_FIND(hh, filling->kept, bytes, size, kept);
	if (kept)
		return kept->place;
	place = take(filling, size);
	return place ? remember(filling, memcpy(place, bytes, size), size) : NULL;
}

static char *keep_text(struct filling *filling, const char *text)
{
	return text ? keep(filling, text, strlen(text) + 1) : NULL;
}

static bool is_text(const char *text, const char *bytes, size_t length)
{
	return text && strncmp(text, bytes, length) == 0 && text[length] == '\0';
}

/* Where a text with these bytes may be, or is to be noted. NULL: nowhere. */
static char **find_recent(const struct filling *filling, const char *bytes, size_t length)
{
	unsigned hash;

	if (!filling->recent)
		return NULL;
	HASH_VALUE(bytes, length, hash);
	return &filling->recent->texts[hash % RECENT_TEXTS];
}

/* Of a text or a part of one. near: a text that is kept and is often the same; NULL: there is
 * none. */
static char *keep_near(struct filling *filling, const char *bytes, size_t length, char *near)
{
	char **recent, *text;

	if (is_text(near, bytes, length))
		return near;
	recent = find_recent(filling, bytes, length);
	if (recent && is_text(*recent, bytes, length))
		return *recent;
	text = take_bytes(filling, length + 1);
	if (!text)
		return NULL;
	memcpy(text, bytes, length);
	text[length] = '\0';
	if (recent)
		*recent = text;
	return text;
}

static bool texts_equal(char *const one[], char *const other[])
{
	while (*one && *other && strcmp(*one, *other) == 0)
		one++, other++;
	return *one == *other;
}

/* A NULL-ended list of count texts. near: as for keep_near. */
static char **keep_texts(struct filling *filling, char *const list[], size_t count, char **near)
{
	char **copies, **kept;

	if (!list || (near && texts_equal(list, near)))
		return list ? near : NULL;
	copies = calloc(count + 1, sizeof *copies);
	filling->failed |= !copies;
	if (!copies)
		return NULL;
	for (size_t i = 0; i < count; i++)
		copies[i] = keep_text(filling, list[i]);
	kept = keep(filling, copies, (count + 1) * sizeof *copies);
	free(copies);
	return kept;
}

/* The same for an environment. Services without variables of their own share the texts, so it
 * is enough to compare pointers. */
static char **keep_environment(struct filling *filling, char *const list[], size_t count)
{
	if (!list || !filling->kept_environment || count != filling->environment_count ||
	    memcmp(list, filling->environment, count * sizeof *list) != 0) {
		filling->environment = list;
		filling->environment_count = count;
		filling->kept_environment = keep_texts(filling, list, count, NULL);
	}
	return filling->kept_environment;
}

static size_t list_length(char *const list[])
{
	size_t count = 0;

	while (list && list[count])
		count++;
	return count;
}

/* --- one service ----------------------------------------------------------------------- */

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (; (text = strchr(text, '\n')); text++)
		count++;
	return count;
}

/* Does not look for an equal list in the region: no other service has the same lines. */
static char **keep_lines(struct filling *filling, const char *canonical)
{
	static char *const none[] = { NULL };
	char *const *near = filling->before ? filling->before->service.lines : none;
	char **lines = take(filling, (count_lines(canonical) + 1) * sizeof *lines);
	const char *end;

	for (size_t i = 0; lines && (end = strchr(canonical, '\n')); canonical = end + 1, i++) {
		lines[i] = keep_near(filling, canonical, (size_t)(end - canonical), *near);
		near += *near != NULL;
	}
	return lines;
}

static void *keep_array(struct filling *filling, const void *array, size_t count, size_t size)
{
	return count > 0 ? keep(filling, array, count * size) : NULL;
}

static void copy_index(struct filling *filling, struct rule_index *index)
{
	index->prefixes =
		keep_array(filling, index->prefixes, index->prefix_count, sizeof *index->prefixes);
	index->slots = keep_array(filling, index->slots, index->slot_count, sizeof *index->slots);
	index->names = keep_array(filling, index->names, index->name_count, sizeof *index->names);
}

static struct access_rule *keep_rules(struct filling *filling, const struct access_rule *list,
				      size_t count)
{
	struct access_rule *rules = calloc(count + 1, sizeof *rules), *kept;

	filling->failed |= !rules;
	if (!rules)
		return NULL;
	if (count > 0)
		memcpy(rules, list, count * sizeof *rules);
	for (size_t i = 0; i < count; i++) {
		rules[i].text = keep_text(filling, rules[i].text);
		rules[i].file = keep_text(filling, rules[i].file);
	}
	kept = keep_array(filling, rules, count, sizeof *rules);
	free(rules);
	return kept;
}

/* Each set is copied once, for all lists that have it. */
static struct rule_set *keep_set(struct filling *filling, const struct rule_set *set)
{
	struct kept *kept;
	struct rule_set *copy;

	HASH_FIND_PTR(filling->sets, &set, kept);
	if (kept)
		return kept->place;
	copy = take(filling, sizeof *copy);
	kept = arena_take(&filling->notes, sizeof *kept);
	if (!copy || !kept)
		return copy;
	*copy = *set;
	copy->references = 0;
	copy->rules = keep_rules(filling, set->rules, set->count);
	copy_index(filling, &copy->index);
	kept->place = copy;
	kept->source = set;
	HASH_ADD_PTR(filling->sets, source, kept);
	return copy;
}

static struct named_set *keep_sets(struct filling *filling, const struct access_list *list)
{
	struct named_set sets[ACCESS_SETS_MAX];

	for (size_t i = 0; i < list->set_count; i++) {
		memset(&sets[i], 0, sizeof sets[i]);
		sets[i].set = keep_set(filling, list->sets[i].set);
		sets[i].file = keep_text(filling, list->sets[i].file);
		sets[i].line = list->sets[i].line;
	}
	return keep_array(filling, sets, list->set_count, sizeof *sets);
}

static void copy_access_list(struct filling *filling, struct access_list *list)
{
	list->rules = keep_rules(filling, list->rules, list->count);
	list->sets = keep_sets(filling, list);
	if (list->index) {
		struct rule_index index = *list->index;

		copy_index(filling, &index);
		list->index = keep(filling, &index, sizeof index);
	}
}

#define SERVICE(member) offsetof(struct whole_settings, service.member)
#define PROGRAM(member) offsetof(struct whole_settings, program.member)
#define ADMISSION(member) offsetof(struct whole_settings, admission.member)

/* Every member that is a text. */
static const size_t texts[] = {
	SERVICE(file),        SERVICE(name),        SERVICE(id),        SERVICE(protocol),
	SERVICE(user),        SERVICE(account),     SERVICE(server),    SERVICE(redirect_host),
	SERVICE(banner),      SERVICE(banner_fail), SERVICE(log.path),  SERVICE(banner_success),
	PROGRAM(stderr_path), PROGRAM(root),        PROGRAM(directory), PROGRAM(jail),
	ADMISSION(libwrap),
};

static const size_t lists[] = {
	SERVICE(bind),        SERVICE(server_args),   PROGRAM(env),      PROGRAM(passenv),
	PROGRAM(end_command), PROGRAM(syscalls),      PROGRAM(scratch),  PROGRAM(allow_read),
	PROGRAM(allow_write), PROGRAM(allow_execute), PROGRAM(writable), PROGRAM(devices),
};

/* The same member of the copy before; NULL: there is none. */
static const void *member_before(const struct filling *filling, size_t offset)
{
	return filling->before ? (const char *)filling->before + offset : NULL;
}

static void copy_members(struct filling *filling, struct whole_settings *copy)
{
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		char **text = (void *)((char *)copy + texts[i]);
		char *const *near = member_before(filling, texts[i]);

		if (*text)
			*text = keep_near(filling, *text, strlen(*text), near ? *near : NULL);
	}
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		struct strings *strings = (void *)((char *)copy + lists[i]);
		const struct strings *near = member_before(filling, lists[i]);

		strings->list = keep_texts(filling, strings->list, strings->count,
					   near ? near->list : NULL);
	}
}

/* Lists that end with NULL, and others without a member for their length. */
static void copy_arrays(struct filling *filling, struct whole_settings *copy)
{
	struct service_settings *service = &copy->service;
	struct program_settings *program = &copy->program;
	struct admission_settings *admission = &copy->admission;

	service->argv = keep_texts(filling, service->argv, list_length(service->argv),
				   filling->before ? filling->before->service.argv : NULL);
	program->end_argv =
		keep_texts(filling, program->end_argv, list_length(program->end_argv), NULL);
	program->environment =
		keep_environment(filling, program->environment, program->environment_count);
	admission->access_times =
		keep_array(filling, admission->access_times, admission->access_times_count,
			   sizeof *admission->access_times);
}

/* Services with the same settings have the same filters: most of them need not be compared. */
static void copy_filter(struct filling *filling, struct call_filter *filter, int kind)
{
	struct call_filter *last = &filling->filters[kind], *kept = &filling->kept_filters[kind];

	if (filter->count == 0)
		return;
	if (last->list != filter->list) {
		*last = *kept = *filter;
		kept->list = keep(filling, filter->list, filter->count * sizeof *filter->list);
	}
	*filter = *kept;
}

/* A copy is for sessions that have begun, so nobody is admitted by it any more, and it need not
 * have the lists, which may be long. */
static void refuse_everybody(struct admission_settings *admission)
{
	admission->only_from = admission->no_access = admission->proxy_from =
		(struct access_list){ .is_set = true };
}

/* Everything but the lists of access. */
static void copy_service(struct filling *filling, struct whole_settings *copy,
			 const struct service_settings *service)
{
	copy->service = *service;
	copy->program = *service->program;
	copy->admission = *service->admission;
	copy->service.program = &copy->program;
	copy->service.admission = &copy->admission;
	copy->service.references = 0;
	copy->service.arena = (struct arena){ 0 };
	copy->service.places = NULL;
	copy->service.lines = service->canonical ? keep_lines(filling, service->canonical)
						 : keep_texts(filling, service->lines,
							      list_length(service->lines), NULL);
	copy->service.canonical = NULL;
	copy_members(filling, copy);
	copy_arrays(filling, copy);
	for (int kind = 0; kind < CALL_FILTERS; kind++)
		copy_filter(filling, &copy->program.filters[kind], kind);
}

/* A part of a service's settings, whose own parts are kept already. near: as for keep_near. */
static void *keep_part(struct filling *filling, const void *part, size_t size, void *near)
{
	return near && memcmp(near, part, size) == 0 ? near : keep(filling, part, size);
}

/* Moves a copy into the region. NULL: there is no room. */
static struct service_settings *store(struct filling *filling, struct whole_settings *copy)
{
	const struct whole_settings *before = filling->before;
	struct service_settings *service = &copy->service, *stored;

	service->program = keep_part(filling, &copy->program, sizeof copy->program,
				     before ? before->service.program : NULL);
	service->admission = keep_part(filling, &copy->admission, sizeof copy->admission,
				       before ? before->service.admission : NULL);
	stored = take(filling, sizeof *stored);
	return stored && !filling->failed ? memcpy(stored, service, sizeof *stored) : NULL;
}

/* --- all of them ------------------------------------------------------------------------- */

static void filling_free(struct filling *filling)
{
	HASH_CLEAR(hh, filling->kept);
	HASH_CLEAR(hh, filling->sets);
	arena_free(&filling->notes);
	free(filling->recent);
}

struct service_settings *service_settings_copy(const struct service_settings *service)
{
	struct arena arena = { 0 };
	struct filling filling = { .arena = &arena };
	struct whole_settings *copy = calloc(1, sizeof *copy);

	if (!copy)
		return NULL;
	copy_service(&filling, copy, service);
	refuse_everybody(&copy->admission);
	filling_free(&filling);
	copy->service.references = 1;
	copy->service.arena = arena;
	if (!filling.failed)
		return &copy->service;
	arena_free(&arena);
	free(copy);
	errno = ENOMEM;
	return NULL;
}

static void fill(struct filling *filling, struct generation *generation,
		 struct service_settings *const services[], const uint32_t continues[])
{
	uint32_t count = generation->count;
	struct whole_settings copies[2];

	generation->services = take(filling, count * sizeof *generation->services);
	generation->continues = take(filling, count * sizeof *continues);
	if (filling->failed)
		return;
	memcpy(generation->continues, continues, count * sizeof *continues);
	for (uint32_t i = 0; i < count; i++) {
		struct whole_settings *copy = &copies[i % 2];

		copy_service(filling, copy, services[i]);
		copy_access_list(filling, &copy->admission.only_from);
		copy_access_list(filling, &copy->admission.no_access);
		copy_access_list(filling, &copy->admission.proxy_from);
		generation->services[i] = store(filling, copy);
		if (!generation->services[i])
			return;
		filling->before = copy;
	}
}

struct generation *generation_fill(struct region *region, uint32_t number,
				   struct service_settings *const services[],
				   const uint32_t continues[], uint32_t count)
{
	struct filling filling = { .region = region };
	struct generation *generation = region_take(region, sizeof *generation);

	if (generation) {
		filling.recent = calloc(1, sizeof *filling.recent);
		generation->number = number;
		generation->count = count;
		fill(&filling, generation, services, continues);
	}
	filling_free(&filling);
	if (!region->failed && !filling.failed)
		return generation;
	errno = ENOMEM;
	return NULL;
}

/* The next line at *text, without its newline; *text moves past it. */
static bool next_line_is(const char **text, const char *line)
{
	size_t length = strcspn(*text, "\n");

	if (strlen(line) != length || strncmp(*text, line, length) != 0)
		return false;
	*text += length + ((*text)[length] == '\n');
	return true;
}

static bool lines_equal_text(char *const lines[], const char *text)
{
	for (; *lines; lines++)
		if (!next_line_is(&text, *lines))
			return false;
	return *text == '\0';
}

static bool same_lines(const struct service_settings *one, const struct service_settings *other)
{
	if (one->lines && other->lines)
		return texts_equal(one->lines, other->lines);
	if (one->lines)
		return lines_equal_text(one->lines, other->canonical);
	if (other->lines)
		return lines_equal_text(other->lines, one->canonical);
	return strcmp(one->canonical, other->canonical) == 0;
}

bool generation_equal(const struct service_settings *one, const struct service_settings *other)
{
	return same_lines(one, other) &&
	       access_lists_same_versions(&one->admission->only_from,
					  &other->admission->only_from) &&
	       access_lists_same_versions(&one->admission->no_access,
					  &other->admission->no_access) &&
	       access_lists_same_versions(&one->admission->proxy_from,
					  &other->admission->proxy_from);
}
