#include "config/loader.h"

#include "config/advice.h"
#include "config/attributes.h"
#include "config/check.h"
#include "config/entry.h"
#include "config/inetd_conf.h"
#include "config/reading.h"
#include "config/source_file.h"
#include "config/word_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define PORT_MAP_DEFAULT "/etc/services"

/* A file that is being read, and the one that includes it. */
struct open_file {
	struct source_file source;
	const struct open_file *includer;
	int include_line; /* of the includer */
	int depth;
	bool has_defaults;
};

struct loader {
	const struct load_options *options;
	struct problems *problems;
	struct settings *settings;
	struct entry_queue entries;
	struct accounts *accounts;
	struct port_map *ports;
	/* What defaults assigns, by attribute. */
	struct word_list *defaults;
	bool refused; /* the load as a whole */
};

static void read_config_file(struct loader *loader, const char *path,
			     const struct open_file *includer, int line);

static void refuse_for_memory(struct loader *loader)
{
	if (!loader->refused)
		problem_add(loader->problems, ERROR, NULL, 0, "out of memory");
	loader->refused = true;
}

/* --- reading files ------------------------------------------------------------------ */

static void report_file(struct loader *loader, enum severity severity, const char *path,
			const struct open_file *includer, int line, const char *what)
{
	if (severity == ERROR)
		loader->settings->lost_entries = true;
	if (severity == ERROR && !includer)
		loader->refused = true;
	problem_add(loader->problems, severity, includer ? includer->source.name : NULL, line, "%s: %s",
		    path, what);
}

/* The path an include line names, relative to the file it stands in. */
static int include_path(const struct open_file *file, const char *path, char joined[PATH_MAX])
{
	const char *slash = strrchr(file->source.name, '/');
	int directory = path[0] == '/' || !slash ? 0 : (int)(slash - file->source.name) + 1;
	int length = snprintf(joined, PATH_MAX, "%.*s%s", directory, file->source.name, path);

	return length < PATH_MAX ? 0 : -1;
}

/* The rule of includedir: no dot anywhere, no `~` at the end. */
static const char *passed_over(const char *name)
{
	if (strchr(name, '.'))
		return "has a dot in its name";
	if (name[strlen(name) - 1] == '~')
		return "ends in ~";
	return NULL;
}

static void advise_of_passed_over(struct loader *loader, const struct open_file *file, int line,
				  const char *name)
{
	if (loader->options->advise && name[0] != '.')
		problem_add(loader->problems, ADVICE, file->source.name, line,
			    "%s is not read, as it %s; rename it if it should be", name,
			    passed_over(name));
}

static void include_member(struct loader *loader, const struct open_file *file, int line,
			   const char *directory, const char *name)
{
	char path[PATH_MAX];
	struct stat status;

	if (passed_over(name)) {
		advise_of_passed_over(loader, file, line, name);
		return;
	}
	if (snprintf(path, sizeof path, "%s/%s", directory, name) >= PATH_MAX)
		return;
	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		report_file(loader, WARNING, path, file, line,
			    "is not a regular file. It is being skipped.");
	else
		read_config_file(loader, path, file, line);
}

static int compare_names(const struct dirent **one, const struct dirent **other)
{
	return strcmp((*one)->d_name, (*other)->d_name);
}

static void include_directory(struct loader *loader, const struct open_file *file, int line,
			      const char *directory)
{
	struct dirent **names;
	int count = scandir(directory, &names, NULL, compare_names);

	if (count < 0) {
		report_file(loader, ERROR, directory, file, line, strerror(errno));
		return;
	}
	for (int i = 0; i < count; i++) {
		include_member(loader, file, line, directory, names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

static void follow_include(struct loader *loader, const struct open_file *file,
			   const struct raw_entry *raw)
{
	char path[PATH_MAX];

	if (include_path(file, raw->name, path) < 0)
		report_file(loader, ERROR, raw->name, file, raw->line, "the path is too long");
	else if (raw->kind == ENTRY_INCLUDE)
		read_config_file(loader, path, file, raw->line);
	else
		include_directory(loader, file, raw->line, path);
}

/* A disabled entry's faults are told, but they keep nothing from starting. What
 * was said of lines before it is not its own. */
static void demote_problems(struct problems *problems, size_t since, int first_line)
{
	for (size_t i = since; i < problems->count; i++)
		if (problems->list[i].severity == ERROR && problems->list[i].line >= first_line) {
			problems->list[i].severity = ADVICE;
			problems->errors--;
		}
}

/* One defaults entry counts in each file, as in xinetd. */
static bool is_second_defaults(struct loader *loader, struct open_file *file,
			       const struct raw_entry *raw)
{
	if (raw->kind != ENTRY_DEFAULTS)
		return false;
	if (!file->has_defaults) {
		file->has_defaults = true;
		return false;
	}
	problem_add(loader->problems, WARNING, file->source.name, raw->line,
		    "only one defaults entry counts in a file; this one is ignored");
	return true;
}

static void take_entry(struct loader *loader, struct open_file *file, const struct raw_entry *raw,
		       size_t problems_before)
{
	struct entry *entry = entry_parse(raw, file->source.name, loader->problems);

	if (!entry) {
		loader->refused = true;
		return;
	}
	if (entry->disabled)
		demote_problems(loader->problems, problems_before, raw->line);
	else if (entry->broken && entry->kind != ENTRY_SERVICE)
		loader->refused = true;
	STAILQ_INSERT_TAIL(&loader->entries, entry, link);
}

static void read_entries(struct loader *loader, struct open_file *file)
{
	const struct source_file *source = &file->source;
	struct syntax syntax;
	struct raw_entry raw;
	size_t before = loader->problems->count;

	syntax_begin(&syntax, source->name, source->text, source->length, loader->problems);
	for (; syntax_next(&syntax, &raw); before = loader->problems->count) {
		if (raw.kind >= ENTRY_INCLUDE)
			follow_include(loader, file, &raw);
		else if (!is_second_defaults(loader, file, &raw))
			take_entry(loader, file, &raw, before);
		raw_entry_clear(&raw);
	}
	if (syntax.lost_entries)
		loader->settings->lost_entries = true;
}

/* True, reported, when this file is being read already or is too deep. */
static bool is_endless(struct loader *loader, const struct open_file *file)
{
	const struct source_file *source = &file->source;
	const char *wrong = NULL;

	if (file->depth > INCLUDE_DEPTH_MOST)
		wrong = "is included too deeply; not read";
	for (const struct open_file *outer = file->includer; outer; outer = outer->includer)
		if (outer->source.device == source->device && outer->source.inode == source->inode)
			wrong = "includes itself; not read again";
	if (wrong)
		report_file(loader, ERROR, source->name, file->includer, file->include_line, wrong);
	return wrong != NULL;
}

static void read_config_file(struct loader *loader, const char *path,
			     const struct open_file *includer, int line)
{
	struct open_file file = {
		.includer = includer, .include_line = line,
		.depth = includer ? includer->depth + 1 : 0,
	};
	const char *wrong;

	if (source_file_read(&file.source, path, &wrong) < 0) {
		report_file(loader, ERROR, path, includer, line, wrong);
		return;
	}
	if (file.source.is_foreign)
		report_file(loader, WARNING, path, includer, line, source_file_foreign);
	if (!is_endless(loader, &file))
		read_entries(loader, &file);
	source_file_clear(&file.source);
}

/* --- defaults and daemon -------------------------------------------------------------- */

/* Merges what defaults, or daemon, assigns to one attribute. */
static void merge_lines(struct loader *loader, size_t index, const struct assignment *line)
{
	const struct attribute *attribute = &attributes[index];
	struct word_list *list = &loader->defaults[index];

	for (; line; line = line->next) {
		/* As in xinetd, where `=` adds to what an earlier line or file says. */
		bool adds = attribute->shape == SHAPE_LIST && line->operator == ASSIGN_SET;

		if (attribute->shape == SHAPE_SCALAR && list->is_set)
			problem_add(loader->problems, WARNING, line->file, line->line,
				    "%s is already set on %s:%d; the first value counts",
				    attribute->name, list->words[0]->file, list->words[0]->line);
		else if (!word_list_apply(list, attribute, line, adds ? ASSIGN_ADD : line->operator,
					  loader->problems))
			loader->refused = true;
	}
}

static void merge_defaults(struct loader *loader)
{
	const struct entry *entry;

	STAILQ_FOREACH(entry, &loader->entries, link)
		if (entry->kind != ENTRY_SERVICE)
			for (size_t i = 0; i < attribute_count; i++)
				merge_lines(loader, i, entry->assignments[i]);
}

static bool read_attribute(struct loader *loader, size_t index, const struct word_list *list,
			   struct service_settings *service, struct problems *problems)
{
	const struct attribute *attribute = &attributes[index];
	char *base = service ? (char *)service : (char *)&loader->settings->daemon;
	struct reading reading = {
		.attribute = attribute, .words = list->words, .count = list->count,
		.file = service ? service->file : NULL, .line = service ? service->line : 0,
		.service = service, .accounts = loader->accounts, .ports = loader->ports,
		.arena = service ? &service->arena : &loader->settings->arena,
		.start_directory = loader->options->start_directory,
		.problems = problems,
	};

	attribute->read(&reading, base + attribute->offset);
	return !reading.refused;
}

/* Reads defaults once on their own, so that a fault in them is told once, and
 * refuses the load, rather than once for each service. */
static void check_defaults(struct loader *loader)
{
	struct service_settings *scratch = service_settings_new();

	if (!scratch) {
		refuse_for_memory(loader);
		return;
	}
	scratch->id = scratch->name = arena_string(&scratch->arena, "defaults");
	for (size_t i = 0; i < attribute_count; i++)
		if ((attributes[i].places & IN_SERVICE) && loader->defaults[i].is_set)
			read_attribute(loader, i, &loader->defaults[i], scratch, loader->problems);
	if (loader->options->advise)
		advise_of_access(scratch, loader->problems);
	service_settings_release(scratch);
}

static int compare_ids(const void *one, const void *other)
{
	return strcasecmp(*(char *const *)one, *(char *const *)other);
}

static void strings_sort(struct strings *strings)
{
	if (strings->count > 0)
		qsort(strings->list, strings->count, sizeof *strings->list, compare_ids);
}

/* Reads what concerns the daemon as a whole. */
static void read_daemon_attributes(struct loader *loader)
{
	struct daemon_settings *daemon = &loader->settings->daemon;

	for (size_t i = 0; i < attribute_count; i++)
		if (!(attributes[i].places & IN_SERVICE) && loader->defaults[i].is_set)
			read_attribute(loader, i, &loader->defaults[i], NULL, loader->problems);
	if (loader->settings->arena.failed)
		return;
	strings_sort(&daemon->enabled);
	strings_sort(&daemon->disabled);
}

static void load_port_map(struct loader *loader, const char *path, struct problems *problems)
{
	if (port_map_read(loader->ports, path, problems) < 0)
		problem_add(loader->problems, WARNING, NULL, 0, "port map %s: %s", path,
			    strerror(errno));
}

static void load_port_maps(struct loader *loader)
{
	const struct strings *files = &loader->settings->daemon.port_maps;
	struct problems of_the_system = { 0 }; /* which are no business of ours */

	for (size_t i = 0; i < files->count; i++)
		load_port_map(loader, files->list[i], loader->problems);
	if (!files->is_set)
		load_port_map(loader, PORT_MAP_DEFAULT, &of_the_system);
	problems_clear(&of_the_system);
}

/* --- services --------------------------------------------------------------------------- */

/* What the service says of an attribute, on top of what defaults say. False,
 * reported, when a line can't be used. */
static bool gather_words(struct loader *loader, const struct entry *entry, size_t index,
			 struct word_list *list)
{
	static const struct word_list nothing = { .is_set = false };
	const struct assignment *line = entry->assignments[index];
	bool inherits = attributes[index].shape == SHAPE_LIST || !line;
	bool gathered = word_list_copy(list, inherits ? &loader->defaults[index] : &nothing,
				       loader->problems);

	for (; gathered && line; line = line->next)
		gathered = word_list_apply(list, &attributes[index], line, line->operator,
					   loader->problems);
	return gathered;
}

static void print_attribute(FILE *out, const struct attribute *attribute,
			    const struct word_list *list)
{
	fprintf(out, "\t%-15s =", attribute->name);
	word_list_print(list, out);
	putc('\n', out);
}

/* Which of an attribute's words is the path of a file; -1: none. */
static int path_word(const struct attribute *attribute, const struct word_list *list)
{
	if (attribute->read == read_path || attribute->read == read_server)
		return 0;
	if (attribute->read == read_log_type && list->count > 1 &&
	    strcasecmp(list->words[0]->text, "FILE") == 0)
		return 1;
	return -1;
}

/* What is printed is true wherever it is read again. */
static bool make_path_absolute(struct loader *loader, size_t index, struct word_list *list)
{
	int word = path_word(&attributes[index], list);

	return word < 0 || word_list_make_absolute(list, (size_t)word,
						   loader->options->start_directory,
						   loader->problems);
}

static void note_place(struct service_settings *service, const struct entry *entry, size_t index,
		       const struct word_list *list)
{
	const struct assignment *line = entry->assignments[index];
	const struct word *word = list->count > 0 ? list->words[0] : NULL;

	if (!service->places)
		return;
	if (line)
		service->places[index] = (struct place){ line->file, line->line, false };
	else if (word)
		service->places[index] = (struct place){ word->file, word->line, true };
}

/* Gives the service every attribute that it or defaults sets. */
static bool read_service(struct loader *loader, const struct entry *entry,
			 struct service_settings *service)
{
	struct problems told_before = { 0 }; /* of defaults, when they were read */
	struct word_list list = { 0 };
	size_t size;
	FILE *canonical = open_memstream(&service->canonical, &size);
	bool fine = canonical != NULL;

	if (loader->options->advise)
		service->places = arena_take(&service->arena,
					     attribute_count * sizeof *service->places);
	for (size_t i = 0; canonical && i < attribute_count; i++) {
		if (!(attributes[i].places & IN_SERVICE))
			continue;
		fine &= gather_words(loader, entry, i, &list);
		if (!list.is_set)
			continue;
		fine &= make_path_absolute(loader, i, &list);
		note_place(service, entry, i, &list);
		if (attributes[i].read != read_nothing)
			print_attribute(canonical, &attributes[i], &list);
		fine &= read_attribute(loader, i, &list, service,
				       entry->assignments[i] ? loader->problems : &told_before);
	}
	problems_clear(&told_before);
	word_list_clear(&list);
	return canonical && fclose(canonical) == 0 && fine;
}

static const char *entry_id(const struct entry *entry)
{
	const struct assignment *id = entry->assignments[ATTRIBUTE("id")];

	return id && id->count == 1 ? id->words[0]->text : entry->name;
}

/* Looks text up in strings that are sorted. */
static bool strings_have(const struct strings *strings, const char *text)
{
	return strings->count > 0 &&
	       bsearch(&text, strings->list, strings->count, sizeof *strings->list, compare_ids);
}

/* Why the entry is not wanted; NULL: it is. */
static const char *why_switched_off(const struct loader *loader, const struct entry *entry)
{
	const struct daemon_settings *daemon = &loader->settings->daemon;

	if (entry->disabled)
		return "disable = yes";
	if (strings_have(&daemon->disabled, entry_id(entry)))
		return "it is among the disabled of defaults";
	if (daemon->enabled.is_set && !strings_have(&daemon->enabled, entry_id(entry)))
		return "it is not among the enabled of defaults";
	return NULL;
}

static void leave_out(struct loader *loader, const struct entry *entry, const char *why,
		      bool is_broken)
{
	settings_leave_out(loader->settings, &(struct left_out){
		.id = entry_id(entry), .name = entry->name, .file = entry->file,
		.line = entry->line, .why = why, .is_broken = is_broken,
	});
	if (is_broken)
		settings_add_broken(loader->settings, entry_id(entry));
}

/* The service's settings, or NULL, reported, when it can't be started. */
static struct service_settings *build_service(struct loader *loader, const struct entry *entry)
{
	struct service_settings *service = service_settings_new();
	bool fine;

	if (!service) {
		refuse_for_memory(loader);
		return NULL;
	}
	service->file = entry->file;
	service->line = entry->line;
	service->name = arena_string(&service->arena, entry->name);
	service->id = arena_string(&service->arena, entry_id(entry));
	service->log.is_common = !entry->assignments[ATTRIBUTE("log_type")];
	fine = read_service(loader, entry, service) && !entry->broken;
	/* Also after an error: a person wants to hear of all of them at once. */
	if (!service->arena.failed)
		fine &= check_service(service, fine, loader->ports, loader->options,
				      loader->problems);
	if (fine && loader->options->advise && !service->arena.failed)
		advise_of_service(service, loader->problems);
	if (fine && !service->arena.failed)
		return service;
	if (service->arena.failed)
		refuse_for_memory(loader);
	service_settings_release(service);
	return NULL;
}

static void build_services(struct loader *loader)
{
	struct settings *settings = loader->settings;
	const struct entry *entry;
	size_t most = 0;

	STAILQ_FOREACH(entry, &loader->entries, link)
		most++;
	settings->services = calloc(most + 1, sizeof *settings->services);
	if (!settings->services) {
		refuse_for_memory(loader);
		return;
	}
	STAILQ_FOREACH(entry, &loader->entries, link) {
		const char *why = why_switched_off(loader, entry);
		struct service_settings *service;

		if (entry->kind != ENTRY_SERVICE)
			continue;
		service = why ? NULL : build_service(loader, entry);
		if (service)
			settings->services[settings->count++] = service;
		else
			leave_out(loader, entry, why ? why : "it has errors", !why);
	}
}

/* --- the whole ---------------------------------------------------------------------------- */

static bool loader_begin(struct loader *loader)
{
	STAILQ_INIT(&loader->entries);
	loader->settings = settings_new();
	loader->accounts = accounts_new();
	loader->ports = port_map_new();
	loader->defaults = calloc(attribute_count, sizeof *loader->defaults);
	if (loader->settings && loader->accounts && loader->ports && loader->defaults)
		return true;
	refuse_for_memory(loader);
	return false;
}

static void loader_end(struct loader *loader)
{
	while (!STAILQ_EMPTY(&loader->entries)) {
		struct entry *entry = STAILQ_FIRST(&loader->entries);

		STAILQ_REMOVE_HEAD(&loader->entries, link);
		entry_free(entry);
	}
	for (size_t i = 0; loader->defaults && i < attribute_count; i++)
		word_list_clear(&loader->defaults[i]);
	free(loader->defaults);
	accounts_free(loader->accounts);
	port_map_free(loader->ports);
}

static void read_inetd_conf(struct loader *loader, const char *path)
{
	if (inetd_conf_read(path, &loader->entries, loader->problems) != 0)
		loader->settings->lost_entries = true;
}

static void load_everything(struct loader *loader)
{
	size_t errors;

	if (loader->options->config)
		read_config_file(loader, loader->options->config, NULL, 0);
	if (loader->options->inetd_conf)
		read_inetd_conf(loader, loader->options->inetd_conf);
	errors = loader->problems->errors;
	merge_defaults(loader);
	check_defaults(loader);
	read_daemon_attributes(loader);
	if (loader->settings->arena.failed) {
		refuse_for_memory(loader);
		return;
	}
	if (loader->problems->errors > errors)
		loader->refused = true;
	load_port_maps(loader);
	build_services(loader);
	check_sockets(loader->settings, loader->problems);
	if (loader->options->advise)
		advise_of_settings(loader->settings, &loader->defaults[ATTRIBUTE("enabled")],
				   &loader->defaults[ATTRIBUTE("disabled")], loader->problems);
}

struct settings *settings_load(const struct load_options *options, struct problems *problems)
{
	struct loader loader = { .options = options, .problems = problems };

	if (loader_begin(&loader))
		load_everything(&loader);
	loader_end(&loader);
	if (!loader.refused)
		return loader.settings;
	settings_free(loader.settings);
	return NULL;
}
