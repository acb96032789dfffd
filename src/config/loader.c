#include "config/loader.h"

#include "config/advice.h"
#include "config/attributes.h"
#include "config/bounds.h"
#include "config/canonical.h"
#include "config/check.h"
#include "config/check_root.h"
#include "config/entry_files.h"
#include "config/frontend_account.h"
#include "config/inetd_conf.h"
#include "config/networks.h"
#include "config/placeholders.h"
#include "config/preset.h"
#include "config/reading.h"
#include "config/rule_files.h"
#include "config/serve.h"
#include "config/trust.h"
#include "config/word_list.h"
#include "config/written_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define PORT_MAP_DEFAULT "/etc/services"

struct loader {
	const struct load_options *options;
	struct problems *problems;
	struct settings *settings;
	struct entry_queue entries; /* of services */
	struct entry_queue common;  /* of defaults and daemon; they are merged */
	size_t room;                /* for services in settings */
	struct accounts *accounts;
	struct port_map *ports;
	struct rule_files *rule_files;
	struct trust trust;
	struct root_check root_check;
	struct usable usable;
	/* By attribute: the words in defaults, and those in daemon. */
	struct word_list *defaults, *daemon;
	const char *common_log; /* the log file that defaults names; NULL: none */
	struct text canonical;  /* of the service that is being read */
	size_t values;          /* of all services so far */
	bool refused;           /* the load as a whole */
};

static void refuse_for_memory(struct loader *loader)
{
	if (!loader->refused)
		problem_add(loader->problems, ERROR, NULL, 0, "out of memory");
	loader->refused = true;
}

/* --- defaults and daemon -------------------------------------------------------------- */

/* Merges the lines of defaults, or daemon, for one attribute. */
static void merge_lines(struct loader *loader, struct word_list *list,
			const struct attribute *attribute, const struct assignment *line)
{
	for (; line; line = line->next) {
		/* As in xinetd, where `=` adds to earlier lines and files. */
		bool adds = attribute->shape == SHAPE_LIST && line->sign == ASSIGN_SET;

		if (attribute->shape == SHAPE_SCALAR && list->is_set)
			problem_add(loader->problems, WARNING, line->file, line->line,
				    "%s is already set on %s:%d; the first value counts",
				    attribute->name, list->file, list->line);
		else if (!word_list_apply(list, attribute, line, adds ? ASSIGN_ADD : line->sign,
					  loader->problems))
			loader->refused = true;
	}
}

static void merge_entries(struct loader *loader, enum entry_kind kind, struct word_list *lists)
{
	const struct entry *entry;

	STAILQ_FOREACH(entry, &loader->common, link)
		if (entry->kind == kind)
			for (size_t i = 0; i < attribute_count; i++)
				merge_lines(loader, &lists[i], &attributes[i],
					    entry_lines(entry, i));
	for (size_t i = 0; i < attribute_count; i++)
		if (!word_list_settle(&lists[i], loader->problems))
			loader->refused = true;
}

/* The names of variables are compared when the configuration is read, before a placeholder has a
 * value. */
static bool is_in_name(const struct attribute *attribute, const char *text)
{
	return (attribute->words & WORDS_VARIABLES) && text[strcspn(text, "%=")] == '%';
}

static void check_placeholders(struct reading *reading, const struct attribute *attribute)
{
	char fault[PLACEHOLDER_FAULT_SIZE];

	for (size_t i = 0; i < reading->count; i++)
		if (!placeholders_are_known(reading->words[i]->text, reading->service->wait != 1,
					    fault))
			reading_refuse(reading, reading->words[i], "%s", fault);
		else if (is_in_name(attribute, reading->words[i]->text))
			reading_refuse(reading, reading->words[i],
				       "the name of a variable can't have a placeholder");
		else if ((attribute->words & WORDS_FORESEEN) &&
			 !placeholders_are_foreseen(reading->words[i]->text))
			reading_refuse(
				reading, reading->words[i],
				"the directory must be there before the session; only %%user "
				"and %%slot can be in its path");
}

static bool read_attribute(struct loader *loader, size_t index, const struct word_list *list,
			   struct service_settings *service, struct problems *problems)
{
	const struct attribute *attribute = &attributes[index];
	struct daemon_settings *daemon = service ? NULL : &loader->settings->daemon;
	char *base = service ? (char *)service : (char *)daemon;
	struct reading reading = {
		.attribute = attribute->name,
		.words = list->words,
		.count = list->count,
		.file = service ? service->file : NULL,
		.line = service ? service->line : 0,
		.service = service,
		.daemon = daemon,
		.accounts = loader->accounts,
		.ports = loader->ports,
		.rule_files = loader->rule_files,
		.arena = service ? &service->arena : &loader->settings->arena,
		.start_directory = loader->options->start_directory,
		.usable = &loader->usable,
		.problems = problems,
	};

	attribute->read(&reading, base + attribute->offset);
	if (service && service->placeholders && (attribute->words & WORDS_EXPANDED))
		check_placeholders(&reading, attribute);
	return !reading.refused;
}

/* Reads defaults once by themselves, so that an error in them is reported only once, and
 * refuses the load. */
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
	if (scratch->log.kind == LOG_KIND_FILE && scratch->log.path)
		loader->common_log = arena_string(&loader->settings->arena, scratch->log.path);
	if (loader->options->advise) {
		access_lists_settle(&scratch->admission->only_from, &scratch->admission->no_access);
		advise_of_access(scratch, loader->problems);
	}
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

/* The user of a running frontend can't change. */
static void warn_of_other_user(struct loader *loader)
{
	const struct daemon_settings *daemon = &loader->settings->daemon;
	const struct word_list *list = &loader->daemon[ATTRIBUTE("user")];
	uid_t running = loader->options->frontend;

	if (running != 0 && frontend_account_differs(daemon, running))
		problem_add(loader->problems, WARNING, list->is_set ? list->file : NULL, list->line,
			    "user: the frontend runs as user %u until usherd is started again, "
			    "which a reload does not change",
			    (unsigned)running);
}

/* Reports a file of the daemon that would be used twice. */
static void check_written_files(struct loader *loader)
{
	const struct daemon_settings *daemon = &loader->settings->daemon;
	const struct word_list *log = &loader->defaults[ATTRIBUTE("log_type")];
	const char *attribute =
		loader->common_log ? written_files_find(daemon, loader->common_log) : NULL;

	written_files_differ(daemon, loader->daemon, loader->problems);
	if (attribute)
		problem_add(loader->problems, ERROR, log->file, log->line,
			    "log_type: %s is the %s of the daemon; name another file",
			    loader->common_log, attribute);
}

/* Reads the attributes of the daemon as a whole. */
static void read_daemon_attributes(struct loader *loader)
{
	struct daemon_settings *daemon = &loader->settings->daemon;

	for (size_t i = 0; i < attribute_count; i++) {
		if (loader->daemon[i].is_set)
			read_attribute(loader, i, &loader->daemon[i], NULL, loader->problems);
		if (!(attributes[i].places & IN_SERVICE) && loader->defaults[i].is_set)
			read_attribute(loader, i, &loader->defaults[i], NULL, loader->problems);
	}
	frontend_account_settle(daemon, loader->accounts, loader->problems);
	warn_of_other_user(loader);
	if (loader->settings->arena.failed)
		return;
	daemon->pid_file = loader->options->pid_file;
	daemon->log_file = loader->options->log_file;
	check_written_files(loader);
	strings_sort(&daemon->enabled);
	strings_sort(&daemon->disabled);
}

/* True, reported, when root must not use the map. Otherwise only trusted users can replace
 * it before it is read. */
static bool port_map_is_distrusted(struct loader *loader, const char *path)
{
	char fault[TRUST_TEXT_SIZE];
	int fd = trust_open(&loader->trust, path, 0, fault);

	if (fd >= 0)
		close(fd);
	if (!*fault)
		return false;
	if (trust_is_enforced())
		problem_add(loader->problems, ERROR, NULL, 0, "port map %s: %s", path, fault);
	else
		trust_advise(&loader->trust, NULL, 0, path, fault);
	return trust_is_enforced();
}

/* After a map that can't be used no other is read: the first map with a name is used, and
 * that might have been this one. */
static void load_port_map(struct loader *loader, const char *path, struct problems *problems)
{
	if (port_map_lost(loader->ports))
		return;
	if (port_map_is_distrusted(loader, path)) {
		port_map_lose(loader->ports, path);
		return;
	}
	if (port_map_read(loader->ports, path, problems) == 0)
		return;
	if (errno != ENOENT)
		port_map_lose(loader->ports, path);
	problem_add(loader->problems, WARNING, NULL, 0, "port map %s: %s", path, strerror(errno));
}

static void load_port_maps(struct loader *loader)
{
	const struct strings *files = &loader->settings->daemon.port_maps;
	struct problems of_the_system = { 0 }; /* problems of /etc/services, not reported */

	for (size_t i = 0; i < files->count; i++)
		load_port_map(loader, files->list[i], loader->problems);
	if (!files->is_set)
		load_port_map(loader, PORT_MAP_DEFAULT, &of_the_system);
	problems_clear(&of_the_system);
}

/* --- services --------------------------------------------------------------------------- */

/* The words of an attribute: those of defaults, changed by the service's lines. False,
 * reported, when a line can't be used. */
static bool gather_words(struct loader *loader, const struct entry *entry, size_t index,
			 struct word_list *list)
{
	static const struct word_list nothing = { .is_set = false };
	const struct assignment *line = entry_lines(entry, index);
	bool inherits = attributes[index].shape == SHAPE_LIST || !line;
	bool gathered = word_list_copy(list, inherits ? &loader->defaults[index] : &nothing,
				       loader->problems);

	for (; gathered && line; line = line->next)
		gathered = word_list_apply(list, &attributes[index], line, line->sign,
					   loader->problems);
	return gathered && word_list_settle(list, loader->problems);
}

static void note_place(struct service_settings *service, const struct entry *entry, size_t index,
		       const struct word_list *list)
{
	const struct assignment *line = entry_lines(entry, index);
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
	struct problems told_before = { 0 }; /* of defaults, reported already */
	struct word_list list = { 0 };
	bool fine = true;

	if (loader->options->advise)
		service->places =
			arena_take(&service->arena, attribute_count * sizeof *service->places);
	for (size_t i = 0; i < attribute_count; i++) {
		if (!entry_lines(entry, i) && !loader->defaults[i].is_set)
			continue;
		if (!(attributes[i].places & IN_SERVICE))
			continue;
		fine &= gather_words(loader, entry, i, &list);
		if (!list.is_set)
			continue;
		note_place(service, entry, i, &list);
		loader->values += list.count;
		fine &= read_attribute(loader, i, &list, service,
				       entry_lines(entry, i) ? loader->problems : &told_before);
		fine &= canonical_make_absolute(&list, &attributes[i],
						loader->options->start_directory, loader->problems);
		canonical_add(&loader->canonical, service, &attributes[i], &list);
	}
	problems_clear(&told_before);
	word_list_clear(&list);
	service->canonical = text_copy_out(&loader->canonical);
	return service->canonical && fine;
}

static const char *entry_id(const struct entry *entry)
{
	const struct assignment *id = entry_lines(entry, ATTRIBUTE("id"));

	return id && id->count == 1 ? id->words[0]->text : entry->name;
}

/* Looks text up in strings that are sorted. */
static bool strings_have(const struct strings *strings, const char *text)
{
	return strings->count > 0 &&
	       bsearch(&text, strings->list, strings->count, sizeof *strings->list, compare_ids);
}

/* Why the service is switched off; NULL: it is not. */
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
		      bool is_broken, const char *body)
{
	settings_leave_out(loader->settings, &(struct left_out){
						     .id = entry_id(entry),
						     .name = entry->name,
						     .file = entry->file,
						     .line = entry->line,
						     .why = why,
						     .is_broken = is_broken,
						     .body = body,
					     });
	if (is_broken)
		settings_add_broken(loader->settings, entry_id(entry));
}

static void leave_out_broken(struct loader *loader, const struct entry *entry,
			     const struct service_settings *service, size_t errors)
{
	if (service && service->lacks_program && errors == 1 && !entry->broken)
		leave_out(loader, entry, "its program is not there", true, service->canonical);
	else
		leave_out(loader, entry, "it has errors", true, NULL);
}

/* The service's settings, or NULL, reported and left out, when it can't be
 * started. */
static struct service_settings *build_service(struct loader *loader, struct entry *entry)
{
	struct service_settings *service = service_settings_new();
	size_t errors = loader->problems->errors;
	bool fine;

	if (!service) {
		refuse_for_memory(loader);
		leave_out_broken(loader, entry, NULL, 0);
		return NULL;
	}
	service->file = entry->file;
	service->line = entry->line;
	service->name = arena_string(&service->arena, entry->name);
	service->id = arena_string(&service->arena, entry_id(entry));
	service->log.is_common = !entry_lines(entry, ATTRIBUTE("log_type"));
	fine = preset_apply(entry, loader->defaults, loader->problems) &&
	       read_service(loader, entry, service) && !entry->broken;
	/* Also after an error, to report all errors at once. */
	if (!service->arena.failed)
		fine &= check_service(service, fine, loader->ports,
				      loader->options->internal_exists, loader->problems);
	fine = fine && check_root(&loader->root_check, service);
	if (fine && loader->options->advise && !service->arena.failed)
		advise_of_service(service, loader->problems);
	if (fine && !service->arena.failed)
		return service;
	leave_out_broken(loader, entry, service, loader->problems->errors - errors);
	if (service->arena.failed)
		refuse_for_memory(loader);
	service_settings_release(service);
	return NULL;
}

/* Reports too many values at the service that exceeds the limit, and refuses the load. */
static bool has_too_many_values(struct loader *loader, const struct entry *entry)
{
	if (loader->values <= LOAD_VALUES_MAX)
		return false;
	problem_add(
		loader->problems, ERROR, entry->file, entry->line,
		"the services have more than "
		"%d values, those of defaults counted in each; nothing is loaded. Set long lists "
		"in the services that need them, not in defaults",
		LOAD_VALUES_MAX);
	loader->refused = true;
	return true;
}

/* False, reported, when there is no memory for one more service. */
static bool has_room(struct loader *loader)
{
	struct settings *settings = loader->settings;
	size_t room = loader->room ? 2 * loader->room : 64;
	struct service_settings **services;

	if (settings->count < loader->room)
		return true;
	services = reallocarray(settings->services, room, sizeof *services);
	if (!services) {
		refuse_for_memory(loader);
		return false;
	}
	settings->services = services;
	loader->room = room;
	return true;
}

/* False when the load ends here. */
static bool take_service(struct loader *loader, struct entry *entry)
{
	struct settings *settings = loader->settings;
	const char *why = why_switched_off(loader, entry);
	struct service_settings *service;

	if (why)
		leave_out(loader, entry, why, false, NULL);
	else if (!has_room(loader))
		return false;
	else if ((service = build_service(loader, entry)))
		settings->services[settings->count++] = service;
	return !has_too_many_values(loader, entry);
}

/* Each entry of a service is freed as soon as it is built, so that the next service gets
 * its memory. */
static void build_services(struct loader *loader)
{
	struct entry *entry;
	bool goes_on = true;

	while (goes_on && (entry = STAILQ_FIRST(&loader->entries))) {
		STAILQ_REMOVE_HEAD(&loader->entries, link);
		goes_on = take_service(loader, entry);
		entry_free(entry);
	}
}

/* --- the whole ---------------------------------------------------------------------------- */

static bool loader_begin(struct loader *loader)
{
	STAILQ_INIT(&loader->entries);
	STAILQ_INIT(&loader->common);
	trust_begin(&loader->trust, loader->options->trusted, loader->options->advise,
		    loader->problems);
	loader->settings = settings_new();
	loader->root_check = (struct root_check){
		.trust = &loader->trust,
		.daemon = loader->settings ? &loader->settings->daemon : NULL,
		.frontend = loader->options->frontend,
	};
	loader->accounts = accounts_new();
	loader->ports = port_map_new();
	loader->rule_files =
		rule_files_new(&loader->trust, loader->problems, loader->options->advise);
	loader->defaults = calloc(attribute_count, sizeof *loader->defaults);
	loader->daemon = calloc(attribute_count, sizeof *loader->daemon);
	networks_forget();
	if (loader->settings && loader->accounts && loader->ports && loader->rule_files &&
	    loader->defaults && loader->daemon)
		return true;
	refuse_for_memory(loader);
	return false;
}

/* A list for each attribute; NULL is harmless. */
static void word_lists_free(struct word_list *lists)
{
	for (size_t i = 0; lists && i < attribute_count; i++)
		word_list_clear(&lists[i]);
	free(lists);
}

static void entries_free(struct entry_queue *entries)
{
	struct entry *entry;

	while ((entry = STAILQ_FIRST(entries))) {
		STAILQ_REMOVE_HEAD(entries, link);
		entry_free(entry);
	}
}

static void loader_end(struct loader *loader)
{
	entries_free(&loader->entries);
	entries_free(&loader->common);
	word_lists_free(loader->defaults);
	word_lists_free(loader->daemon);
	accounts_free(loader->accounts);
	port_map_free(loader->ports);
	rule_files_free(loader->rule_files);
	networks_forget();
	trust_end(&loader->trust);
	text_free(&loader->canonical);
}

/* Reads the main file, or the text in its place. */
static void read_config(struct loader *loader)
{
	struct entry_files files = {
		.entries = &loader->entries,
		.common = &loader->common,
		.problems = loader->problems,
		.trust = &loader->trust,
		.settings = loader->settings,
		.advise = loader->options->advise,
	};

	if (loader->options->serve)
		entry_files_read_text(&files, SERVE_NAME, loader->options->serve);
	else if (loader->options->config)
		entry_files_read(&files, loader->options->config);
	loader->settings->lost_entries |= files.lost_entries;
	loader->refused |= files.refused;
}

static void read_inetd_conf(struct loader *loader, const char *path)
{
	settings_add_source(loader->settings, path, false);
	if (inetd_conf_read(path, &loader->entries, &loader->trust, loader->problems) != 0)
		loader->settings->lost_entries = true;
}

static void load_everything(struct loader *loader)
{
	size_t errors;

	read_config(loader);
	if (loader->options->inetd_conf)
		read_inetd_conf(loader, loader->options->inetd_conf);
	/* Also after an error, to report all errors at once. */
	errors = loader->problems->errors;
	merge_entries(loader, ENTRY_DEFAULTS, loader->defaults);
	merge_entries(loader, ENTRY_DAEMON, loader->daemon);
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

uid_t config_owner(const char *config)
{
	struct stat status;

	return config && stat(config, &status) == 0 ? status.st_uid : 0;
}

/* Returns whether the settings are whole. They are the caller's either way; NULL: no memory. */
static bool load(const struct load_options *options, struct problems *problems,
		 struct settings **settings)
{
	struct loader loader = { .options = options, .problems = problems };

	if (loader_begin(&loader))
		load_everything(&loader);
	loader_end(&loader);
	*settings = loader.settings;
	return !loader.refused;
}

struct settings *settings_load(const struct load_options *options, struct problems *problems)
{
	struct settings *settings;

	if (load(options, problems, &settings))
		return settings;
	settings_free(settings);
	return NULL;
}

struct settings *settings_load_in_part(const struct load_options *options,
				       struct problems *problems)
{
	struct settings *settings;

	if (load(options, problems, &settings) || (settings && !settings->arena.failed))
		return settings;
	settings_free(settings);
	return NULL;
}
