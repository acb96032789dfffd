#include "config/loader.h"

#include "config/attributes.h"
#include "config/check.h"
#include "config/entry.h"
#include "config/inetd_conf.h"
#include "config/reading.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define PORT_MAP_DEFAULT "/etc/services"

/* A file that is being read, and the one that includes it. */
struct open_file {
	const char *name; /* kept for good */
	dev_t device;
	ino_t inode;
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

/* Words gathered from several lines; borrowed from their entries. */
struct word_list {
	const struct word **words;
	size_t count, capacity;
	bool is_set;
};

static void read_config_file(struct loader *loader, const char *path,
			     const struct open_file *includer, int line);

/* --- lists of words --------------------------------------------------------------- */

static bool word_list_add(struct word_list *list, const struct word *word)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 8;
		const struct word **words = realloc(list->words, capacity * sizeof *words);

		if (!words)
			return false;
		list->words = words;
		list->capacity = capacity;
	}
	list->words[list->count++] = word;
	return true;
}

static void word_list_remove(struct word_list *list, const char *text)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (strcasecmp(list->words[i]->text, text) != 0)
			list->words[kept++] = list->words[i];
	list->count = kept;
}

static bool word_list_apply(struct word_list *list, const struct assignment *assignment,
			    enum assign_operator operator)
{
	list->is_set = true;
	if (operator == ASSIGN_SET)
		list->count = 0;
	for (size_t i = 0; i < assignment->count; i++) {
		if (operator == ASSIGN_REMOVE)
			word_list_remove(list, assignment->words[i]->text);
		else if (!word_list_add(list, assignment->words[i]))
			return false;
	}
	return true;
}

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
	problem_add(loader->problems, severity, includer ? includer->name : NULL, line, "%s: %s",
		    path, what);
}

/* Why a file may not be trusted with what root will run; NULL: it may. */
static const char *distrust(const struct stat *status)
{
	if (geteuid() == 0 && (status->st_mode & S_IWOTH))
		return "is writable by everybody, so anybody could run programs as root; not read "
		       "(chmod o-w)";
	return NULL;
}

static const char *unfit_file(const struct stat *status)
{
	if (!S_ISREG(status->st_mode))
		return "is not a regular file";
	if (status->st_size > CONFIG_SIZE_MOST)
		return "is too large for a configuration file";
	return distrust(status);
}

/* Opens path if it may be read as configuration; -1, reported, otherwise. */
static int open_config(struct loader *loader, const char *path, const struct open_file *includer,
		       int line, struct stat *status)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *wrong;

	if (fd < 0 || fstat(fd, status) < 0) {
		report_file(loader, ERROR, path, includer, line, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	wrong = unfit_file(status);
	if (wrong) {
		report_file(loader, ERROR, path, includer, line, wrong);
		close(fd);
		return -1;
	}
	if (geteuid() == 0 && status->st_uid != 0)
		report_file(loader, WARNING, path, includer, line,
			    "is not owned by root; its owner can run programs as root");
	return fd;
}

/* The whole file, to be freed; NULL with errno. */
static char *read_all(int fd, size_t size, size_t *length)
{
	char *text = malloc(size + 1);
	ssize_t got = 1;

	*length = 0;
	while (text && *length < size && (got = read(fd, text + *length, size - *length)) > 0)
		*length += (size_t)got;
	if (text && got < 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* The path an include line names, relative to the file it stands in. */
static int include_path(const struct open_file *file, const char *path, char joined[PATH_MAX])
{
	const char *slash = strrchr(file->name, '/');
	int directory = path[0] == '/' || !slash ? 0 : (int)(slash - file->name) + 1;
	int length = snprintf(joined, PATH_MAX, "%.*s%s", directory, file->name, path);

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
		problem_add(loader->problems, ADVICE, file->name, line,
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

/* A disabled entry's faults are told, but they keep nothing from starting. */
static void demote_problems(struct problems *problems, size_t since)
{
	for (size_t i = since; i < problems->count; i++)
		if (problems->list[i].severity == ERROR) {
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
	problem_add(loader->problems, WARNING, file->name, raw->line,
		    "only one defaults entry counts in a file; this one is ignored");
	return true;
}

static void take_entry(struct loader *loader, struct open_file *file, const struct raw_entry *raw,
		       size_t problems_before)
{
	struct entry *entry = entry_parse(raw, file->name, loader->problems);

	if (!entry) {
		loader->refused = true;
		return;
	}
	if (entry->disabled)
		demote_problems(loader->problems, problems_before);
	else if (entry->broken && entry->kind != ENTRY_SERVICE)
		loader->refused = true;
	STAILQ_INSERT_TAIL(&loader->entries, entry, link);
}

static void read_entries(struct loader *loader, struct open_file *file, const char *text,
			 size_t length)
{
	struct syntax syntax;
	struct raw_entry raw;
	size_t before = loader->problems->count;

	syntax_begin(&syntax, file->name, text, length, loader->problems);
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
	const char *wrong = NULL;

	if (file->depth > INCLUDE_DEPTH_MOST)
		wrong = "is included too deeply; not read";
	for (const struct open_file *outer = file->includer; outer; outer = outer->includer)
		if (outer->device == file->device && outer->inode == file->inode)
			wrong = "includes itself; not read again";
	if (wrong)
		report_file(loader, ERROR, file->name, file->includer, file->include_line, wrong);
	return wrong != NULL;
}

static void read_config_file(struct loader *loader, const char *path,
			     const struct open_file *includer, int line)
{
	struct stat status;
	int fd = open_config(loader, path, includer, line, &status);
	struct open_file file = {
		.name = file_name_keep(path), .includer = includer, .include_line = line,
		.depth = includer ? includer->depth + 1 : 0,
	};
	size_t length;
	char *text;

	if (fd < 0)
		return;
	file.device = status.st_dev;
	file.inode = status.st_ino;
	text = file.name ? read_all(fd, (size_t)status.st_size, &length) : NULL;
	if (!text)
		report_file(loader, ERROR, path, includer, line, strerror(errno));
	else if (!is_endless(loader, &file))
		read_entries(loader, &file, text, length);
	free(text);
	close(fd);
}

/* --- defaults and daemon -------------------------------------------------------------- */

static void merge_default(struct loader *loader, size_t index, const struct assignment *assignment)
{
	struct word_list *list = &loader->defaults[index];
	bool grows = attributes[index].shape == SHAPE_LIST;

	for (; assignment; assignment = assignment->next) {
		enum assign_operator operator = assignment->operator;

		if (list->is_set && !grows) {
			problem_add(loader->problems, WARNING, assignment->file, assignment->line,
				    "%s is already set in defaults; the first value counts",
				    attributes[index].name);
			return;
		}
		if (grows && operator == ASSIGN_SET)
			operator = ASSIGN_ADD;
		if (!word_list_apply(list, assignment, operator))
			refuse_for_memory(loader);
	}
}

static void merge_defaults(struct loader *loader)
{
	const struct entry *entry;

	STAILQ_FOREACH(entry, &loader->entries, link)
		if (entry->kind == ENTRY_DEFAULTS)
			for (size_t i = 0; i < attribute_count; i++)
				merge_default(loader, i, entry->assignments[i]);
}

static bool read_attribute(struct loader *loader, size_t index, const struct word_list *list,
			   struct service_settings *service, struct problems *problems)
{
	const struct attribute *attribute = &attributes[index];
	char *base = service ? (char *)service : (char *)&loader->settings->daemon;
	struct reading reading = {
		.attribute = attribute, .words = list->words, .count = list->count,
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
	service_settings_release(scratch);
}

/* Reads what daemon entries say, and enabled and disabled of defaults. */
static void read_daemon_attributes(struct loader *loader)
{
	for (size_t i = 0; i < attribute_count; i++) {
		struct word_list list = { 0 };
		const struct entry *entry;

		if (attributes[i].places & IN_SERVICE)
			continue;
		STAILQ_FOREACH(entry, &loader->entries, link)
			if (entry->kind == ENTRY_DAEMON)
				for (const struct assignment *each = entry->assignments[i]; each;
				     each = each->next)
					if (!word_list_apply(&list, each, each->operator))
						refuse_for_memory(loader);
		if (loader->defaults[i].is_set)
			read_attribute(loader, i, &loader->defaults[i], NULL, loader->problems);
		else if (list.is_set)
			read_attribute(loader, i, &list, NULL, loader->problems);
		free(list.words);
	}
}

static void load_port_map(struct loader *loader, const char *path)
{
	if (port_map_read(loader->ports, path, loader->problems) < 0)
		problem_add(loader->problems, WARNING, NULL, 0, "port map %s: %s", path,
			    strerror(errno));
}

static void load_port_maps(struct loader *loader)
{
	const struct strings *files = &loader->settings->daemon.port_maps;

	for (size_t i = 0; i < files->count; i++)
		load_port_map(loader, files->list[i]);
	if (!files->is_set)
		load_port_map(loader, PORT_MAP_DEFAULT);
}

/* --- services --------------------------------------------------------------------------- */

/* What the service says of an attribute, on top of what defaults say. */
static bool gather_words(struct loader *loader, const struct entry *entry, size_t index,
			 struct word_list *list)
{
	const struct assignment *each = entry->assignments[index];
	const struct word_list *inherited = &loader->defaults[index];
	bool builds_on = attributes[index].shape == SHAPE_LIST || !each;

	list->count = 0;
	list->is_set = inherited->is_set || each;
	for (size_t i = 0; builds_on && i < inherited->count; i++)
		if (!word_list_add(list, inherited->words[i]))
			return false;
	for (; each; each = each->next)
		if (!word_list_apply(list, each, each->operator))
			return false;
	return true;
}

static bool needs_quotes(const char *text)
{
	return text[0] == '\0' || text[0] == '"' || text[0] == '#' ||
	       strpbrk(text, " \t\r\v\f") != NULL;
}

static void print_word(FILE *out, const char *text)
{
	if (!needs_quotes(text)) {
		fprintf(out, " %s", text);
		return;
	}
	fputs(" \"", out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		putc(*text, out);
	}
	putc('"', out);
}

static void print_attribute(FILE *out, const struct attribute *attribute,
			    const struct word_list *list)
{
	fprintf(out, "\t%-15s =", attribute->name);
	for (size_t i = 0; i < list->count; i++)
		print_word(out, list->words[i]->text);
	putc('\n', out);
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

	for (size_t i = 0; canonical && i < attribute_count; i++) {
		if (!(attributes[i].places & IN_SERVICE))
			continue;
		if (!gather_words(loader, entry, i, &list)) {
			fine = false;
			break;
		}
		if (!list.is_set)
			continue;
		print_attribute(canonical, &attributes[i], &list);
		fine &= read_attribute(loader, i, &list, service,
				       entry->assignments[i] ? loader->problems : &told_before);
	}
	problems_clear(&told_before);
	free(list.words);
	return canonical && fclose(canonical) == 0 && fine;
}

static const char *entry_id(const struct entry *entry)
{
	const struct assignment *id = entry->assignments[ATTRIBUTE("id")];

	return id && id->count == 1 ? id->words[0]->text : entry->name;
}

static bool strings_have(const struct strings *strings, const char *text)
{
	for (size_t i = 0; i < strings->count; i++)
		if (strcasecmp(strings->list[i], text) == 0)
			return true;
	return false;
}

static bool is_switched_off(const struct loader *loader, const struct entry *entry)
{
	const struct daemon_settings *daemon = &loader->settings->daemon;

	return entry->disabled || strings_have(&daemon->disabled, entry_id(entry)) ||
	       (daemon->enabled.is_set && !strings_have(&daemon->enabled, entry_id(entry)));
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
	fine = read_service(loader, entry, service) && service->name && service->id;
	/* Also after an error: a person wants to hear of all of them at once. */
	if (service->name && service->id)
		fine &= check_service(service, loader->ports, loader->options, loader->problems);
	if (fine && !entry->broken)
		return service;
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
		struct service_settings *service;

		if (entry->kind != ENTRY_SERVICE || is_switched_off(loader, entry))
			continue;
		service = build_service(loader, entry);
		if (service)
			settings->services[settings->count++] = service;
		else
			settings_add_broken(settings, entry_id(entry));
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
		free(loader->defaults[i].words);
	free(loader->defaults);
	accounts_free(loader->accounts);
	port_map_free(loader->ports);
}

static void read_inetd_conf(struct loader *loader, const char *path)
{
	if (inetd_conf_read(path, &loader->entries, loader->problems) == 0)
		return;
	loader->settings->lost_entries = true;
	problem_add(loader->problems, WARNING, NULL, 0, "%s: %s", path, strerror(errno));
}

static void load_everything(struct loader *loader)
{
	size_t errors;

	if (loader->options->config)
		read_config_file(loader, loader->options->config, NULL, 0);
	if (loader->options->inetd_conf)
		read_inetd_conf(loader, loader->options->inetd_conf);
	if (loader->refused)
		return;
	errors = loader->problems->errors;
	merge_defaults(loader);
	check_defaults(loader);
	read_daemon_attributes(loader);
	if (loader->problems->errors > errors)
		loader->refused = true;
	load_port_maps(loader);
	build_services(loader);
	check_sockets(loader->settings, loader->problems);
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
