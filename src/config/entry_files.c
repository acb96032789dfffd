#include "config/entry_files.h"

#include "config/bounds.h"
#include "config/settings.h"
#include "config/source_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that is being read, and the one that includes it. */
struct open_file {
	struct source_file source;
	const struct open_file *includer;
	int include_line; /* of the includer */
	int depth;
	bool has_defaults;
};

static void read_file(struct entry_files *files, const char *path, const struct open_file *includer,
		      int line);

static void report_file(struct entry_files *files, enum severity severity, const char *path,
			const struct open_file *includer, int line, const char *what)
{
	if (severity == ERROR)
		files->lost_entries = true;
	if (severity == ERROR && !includer)
		files->refused = true;
	problem_add(files->problems, severity, includer ? includer->source.name : NULL, line,
		    "%s: %s", path, what);
}

/* The path in an include line, relative to the file with that line. */
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

static void advise_of_passed_over(struct entry_files *files, const struct open_file *file, int line,
				  const char *name)
{
	if (files->advise && name[0] != '.')
		problem_add(files->problems, ADVICE, file->source.name, line,
			    "%s is not read, as it %s; rename it if it should be", name,
			    passed_over(name));
}

/* For most files the directory says the type, and stat(2) is not needed. */
static bool is_irregular(const struct dirent *member, const char *path)
{
	struct stat status;

	return member->d_type != DT_REG && stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

static void include_member(struct entry_files *files, const struct open_file *file, int line,
			   const char *directory, const struct dirent *member)
{
	const char *name = member->d_name;
	char path[PATH_MAX];

	if (passed_over(name)) {
		advise_of_passed_over(files, file, line, name);
		return;
	}
	if (snprintf(path, sizeof path, "%s/%s", directory, name) >= PATH_MAX)
		return;
	if (is_irregular(member, path))
		report_file(files, WARNING, path, file, line,
			    "is not a regular file. It is being skipped.");
	else
		read_file(files, path, file, line);
}

static int compare_names(const struct dirent **one, const struct dirent **other)
{
	return strcmp((*one)->d_name, (*other)->d_name);
}

/* True, reported, when path must not be used because of fault; NULL or "": no fault. */
static bool is_distrusted(struct entry_files *files, const char *path,
			  const struct open_file *includer, int line, const char *fault)
{
	if (!fault || !*fault)
		return false;
	if (!trust_is_enforced()) {
		trust_advise(files->trust, includer ? includer->source.name : NULL, line, path,
			     fault);
		return false;
	}
	if (!files->is_in_distrusted)
		report_file(files, ERROR, path, includer, line, fault);
	return true;
}

/* Reads the files of the directory; if it is not trusted, only to find entries that all
 * services depend on. */
static void include_members(struct entry_files *files, const struct open_file *file, int line,
			    const char *directory)
{
	struct dirent **names;
	int count = scandir(directory, &names, NULL, compare_names);

	if (count < 0) {
		report_file(files, ERROR, directory, file, line, strerror(errno));
		return;
	}
	for (int i = 0; i < count; i++) {
		if (!files->is_full)
			include_member(files, file, line, directory, names[i]);
		free(names[i]);
	}
	free(names);
}

static void include_directory(struct entry_files *files, const struct open_file *file, int line,
			      const char *directory)
{
	char fault[TRUST_TEXT_SIZE];
	int fd = trust_open(files->trust, directory, O_DIRECTORY, fault);
	bool was_in_distrusted = files->is_in_distrusted;

	files->is_in_distrusted |= is_distrusted(files, directory, file, line, fault);
	/* Not if a link was refused: its target is unknown. */
	if (fd >= 0 || !*fault)
		include_members(files, file, line, directory);
	if (fd >= 0)
		close(fd);
	files->is_in_distrusted = was_in_distrusted;
}

static void include(struct entry_files *files, const struct open_file *file,
		    const struct raw_entry *raw, const char *path)
{
	settings_add_source(files->settings, path, raw->kind == ENTRY_INCLUDEDIR);
	if (raw->kind == ENTRY_INCLUDE)
		read_file(files, path, file, raw->line);
	else
		include_directory(files, file, raw->line, path);
}

static void follow_include(struct entry_files *files, const struct open_file *file,
			   const struct raw_entry *raw)
{
	char path[PATH_MAX];

	if (include_path(file, raw->name, path) < 0)
		report_file(files, ERROR, raw->name, file, raw->line, "the path is too long");
	else
		include(files, file, raw, path);
}

/* Errors of a disabled entry are reported as advice. Problems of lines before the entry
 * are not changed. */
static void demote_problems(struct problems *problems, size_t since, int first_line)
{
	for (size_t i = since; i < problems->count; i++)
		if (problems->list[i].severity == ERROR && problems->list[i].line >= first_line) {
			problems->list[i].severity = ADVICE;
			problems->errors--;
		}
}

/* Only one defaults entry is used in each file, as in xinetd. */
static bool is_second_defaults(struct entry_files *files, struct open_file *file,
			       const struct raw_entry *raw)
{
	if (raw->kind != ENTRY_DEFAULTS)
		return false;
	if (!file->has_defaults) {
		file->has_defaults = true;
		return false;
	}
	problem_add(files->problems, WARNING, file->source.name, raw->line,
		    "only one defaults entry counts in a file; this one is ignored");
	return true;
}

static void take_entry(struct entry_files *files, struct open_file *file,
		       const struct raw_entry *raw, size_t problems_before)
{
	struct entry *entry = entry_parse(raw, file->source.name, files->problems);

	if (!entry) {
		files->refused = true;
		return;
	}
	if (entry->disabled)
		demote_problems(files->problems, problems_before, raw->line);
	else if (entry->broken && entry->kind != ENTRY_SERVICE)
		files->refused = true;
	if (entry->kind == ENTRY_SERVICE)
		STAILQ_INSERT_TAIL(files->entries, entry, link);
	else
		STAILQ_INSERT_TAIL(files->common, entry, link);
}

/* Refuses the load, because the part that is not read may be needed by all services. */
static void refuse_more(struct entry_files *files, const char *file, int line, const char *what)
{
	problem_add(files->problems, ERROR, file, line,
		    "%s; nothing is loaded. Look for files that "
		    "include each other, or the same ones",
		    what);
	files->is_full = files->refused = true;
}

static bool takes_another_entry(struct entry_files *files, const char *file, int line)
{
	char what[80];

	if (files->entry_count++ < LOAD_ENTRIES_MAX)
		return true;
	snprintf(what, sizeof what, "there are more than %d entries", LOAD_ENTRIES_MAX);
	refuse_more(files, file, line, what);
	return false;
}

/* Counts a file. False, reported, when there are too many. */
static bool takes_another_file(struct entry_files *files, const struct open_file *file)
{
	char what[80];

	files->size += file->source.length;
	if (files->file_count++ >= LOAD_FILES_MAX)
		snprintf(what, sizeof what, "there are more than %d files", LOAD_FILES_MAX);
	else if (files->size > LOAD_SIZE_MAX)
		snprintf(what, sizeof what, "there are more than %d MiB of configuration",
			 LOAD_SIZE_MAX >> 20);
	else
		return true;
	refuse_more(files, file->includer ? file->includer->source.name : NULL, file->include_line,
		    what);
	return false;
}

static void read_entries(struct entry_files *files, struct open_file *file)
{
	const struct source_file *source = &file->source;
	struct syntax syntax;
	struct raw_entry raw;
	size_t before = files->problems->count;

	syntax_begin(&syntax, source->name, source->text, source->length, files->problems);
	for (; !files->is_full && syntax_next(&syntax, &raw); before = files->problems->count) {
		if (!takes_another_entry(files, source->name, raw.line))
			; /* reported already */
		else if (raw.kind >= ENTRY_INCLUDE)
			follow_include(files, file, &raw);
		else if (!is_second_defaults(files, file, &raw))
			take_entry(files, file, &raw, before);
		raw_entry_clear(&raw);
	}
	if (syntax.lost_entries)
		files->lost_entries = true;
}

/* True, reported, when this file is being read already or is too deep. */
static bool is_endless(struct entry_files *files, const struct open_file *file)
{
	const struct source_file *source = &file->source;
	const char *wrong = NULL;

	if (file->depth > INCLUDE_DEPTH_MAX)
		wrong = "is included too deeply; not read";
	for (const struct open_file *outer = file->includer; outer; outer = outer->includer)
		if (outer->source.device == source->device && outer->source.inode == source->inode)
			wrong = "includes itself; not read again";
	if (wrong)
		report_file(files, ERROR, source->name, file->includer, file->include_line, wrong);
	return wrong != NULL;
}

/* If a refused file has an entry that all services depend on, the load is refused. */
static void refuse_with(struct entry_files *files, const struct source_file *source)
{
	struct problems unheard = { 0 };
	struct syntax syntax;
	struct raw_entry raw;

	syntax_begin(&syntax, source->name, source->text, source->length, &unheard);
	for (; syntax_next(&syntax, &raw); raw_entry_clear(&raw)) {
		if (raw.kind == ENTRY_SERVICE)
			continue;
		problem_add(files->problems, ERROR, source->name, raw.line,
			    "all services may depend "
			    "on this %s, and the file is refused, so nothing is loaded",
			    entry_kind_name(raw.kind));
		files->refused = true;
	}
	problems_clear(&unheard);
}

static void read_file(struct entry_files *files, const char *path, const struct open_file *includer,
		      int line)
{
	struct open_file file = {
		.includer = includer,
		.include_line = line,
		.depth = includer ? includer->depth + 1 : 0,
	};
	const char *wrong;

	if (source_file_read(&file.source, path, files->trust, &wrong) < 0) {
		report_file(files, ERROR, path, includer, line, wrong);
		return;
	}
	if (is_distrusted(files, path, includer, line, file.source.fault)) {
		refuse_with(files, &file.source);
	} else {
		if (file.source.is_foreign)
			report_file(files, WARNING, path, includer, line, source_file_foreign);
		if (takes_another_file(files, &file) && !is_endless(files, &file))
			read_entries(files, &file);
	}
	source_file_clear(&file.source);
}

void entry_files_read(struct entry_files *files, const char *path)
{
	settings_add_source(files->settings, path, false);
	read_file(files, path, NULL, 0);
}

void entry_files_read_text(struct entry_files *files, const char *name, const char *text)
{
	struct open_file file = {
		.source = { .name = file_name_keep(name), .length = strlen(text) },
	};

	file.source.text = strdup(text);
	if (!file.source.name || !file.source.text)
		report_file(files, ERROR, name, NULL, 0, strerror(ENOMEM));
	else if (takes_another_file(files, &file))
		read_entries(files, &file);
	source_file_clear(&file.source);
}
