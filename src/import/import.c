#include "import/import.h"

#include "import/readers.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- kinds -------------------------------------------------------------------------------- */

/* In this order: a unit or a script may run socat, and a script have variables for a jail. */
static const struct import_kind kinds[] = {
	{ "a unit of systemd", systemd_has_socket, systemd_read, 0 },
	{ "a command line of socat", socat_is_used, socat_read, 0 },
	{ "variables of redpwn/jail", jail_is_used, jail_read, 0 },
	{ "a unit of systemd", systemd_is_unit, systemd_read, 1 },
	{ "a configuration of nsjail", nsjail_is_config, nsjail_read, 0 },
	{ "an inetd.conf", inetd_is_conf, inetd_read, 0 },
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

const struct import_kind *import_kind_of(const struct import_file *file)
{
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].is_it(file))
			return &kinds[i];
	return NULL;
}

static struct span last_part(struct span path)
{
	const char *slash = memrchr(path.start, '/', span_length(path));

	return (struct span){ slash ? slash + 1 : path.start, path.end };
}

static struct span without_suffix(struct span name)
{
	const char *dot =
		span_is_empty(name) ? NULL : memrchr(name.start + 1, '.', span_length(name) - 1);

	return (struct span){ name.start, dot ? dot : name.end };
}

struct span import_service_name(const struct import_file *file)
{
	static const char *const usual[] = { "Dockerfile", ".env", "nsjail",
					     "env",        "run",  "docker-compose" };
	static const char challenge[] = "challenge";
	struct span path = { file->name, file->name + strlen(file->name) };
	struct span name = without_suffix(last_part(path));

	for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
		if (!span_is(name, usual[i]))
			continue;
		path.end = last_part(path).start;
		path.end -= path.end > path.start;
		name = last_part(path);
		if (span_is_empty(name) || *name.start == '.')
			name = (struct span){ challenge, challenge + strlen(challenge) };
		break;
	}
	return name;
}

/* --- the conversion ------------------------------------------------------------------------ */

/* True for an entry of usherd's or xinetd's own language. */
static bool is_configuration(const struct import_file *file)
{
	struct lines lines;
	struct span line;

	lines_begin(&lines, file->text, file->length);
	while (lines_next(&lines, &line)) {
		struct span word = span_take_word(&line);

		if (span_is(word, "service") && !span_is_empty(line) &&
		    *span_trim(line).start != '=')
			return true;
	}
	return false;
}

static void convert_file(struct import *import, const struct import_file *file, int turn)
{
	const struct import_kind *kind = import_kind_of(file);

	import->file = file->name;
	import->line = 0;
	if (kind && kind->turn == turn)
		kind->read(import, file);
	if (kind || turn > 0)
		return;
	if (is_configuration(file))
		import_complain(import, "this is a configuration file already; read it with -f");
	else
		import_complain(import,
				"this is neither a .socket of systemd, nor a command line "
				"of socat, nor an nsjail.cfg, nor an inetd.conf, and has no "
				"JAIL_ variables");
}

static void put_together(struct import *import, struct text *out)
{
	if (import->count > 0)
		text_add_bytes(out, import->entries.bytes, import->entries.length);
	if (import->notes.length > 0) {
		text_add(out, import->count > 0 ? "\n# Without a counterpart, or to be decided:\n"
						: "# Without a counterpart, or to be decided:\n");
		text_add_bytes(out, import->notes.bytes, import->notes.length);
	}
	out->failed |= import->entries.failed || import->notes.failed;
}

char *import_convert(const struct import_file *files, size_t count, const char *directory,
		     struct problems *problems)
{
	struct import import = {
		.files = files,
		.files_count = count,
		.directory = directory,
		.problems = problems,
	};
	struct text out = { 0 };
	char *result;

	for (int turn = 0; turn < 2; turn++)
		for (size_t i = 0; i < count; i++)
			if (!files[i].is_companion)
				convert_file(&import, &files[i], turn);
	put_together(&import, &out);
	result = text_copy_out(&out);
	text_free(&out);
	text_free(&import.entries);
	text_free(&import.notes);
	return result;
}

/* --- files --------------------------------------------------------------------------------- */

struct files {
	struct import_file list[IMPORT_FILES_ALL];
	size_t count;
};

/* The text of a file, to be freed; NULL, with the reason in *why, when it can't be used. */
static char *read_text(const char *path, size_t *length, const char **why)
{
	char *text = malloc(IMPORT_SIZE_MAX + 1);
	FILE *in = fopen(path, "re");

	*why = NULL;
	if (!text || !in) {
		*why = strerror(errno);
	} else {
		*length = fread(text, 1, IMPORT_SIZE_MAX + 1, in);
		if (ferror(in))
			*why = "it can't be read";
		else if (*length > IMPORT_SIZE_MAX)
			*why = "it has more than 256 KiB";
	}
	if (in)
		fclose(in);
	if (!*why)
		return text;
	free(text);
	return NULL;
}

static void files_add(struct files *files, const char *path, bool is_companion,
		      struct problems *problems)
{
	const char *why = "out of memory";
	size_t length = 0;
	char *name = strdup(path), *text = name ? read_text(path, &length, &why) : NULL;

	if (text) {
		struct import_file *file = &files->list[files->count++];

		file->name = name;
		file->text = text;
		file->length = length;
		file->is_companion = is_companion;
		return;
	}
	free(name);
	if (!is_companion)
		problem_add(problems, ERROR, path, 0, "%s", why);
}

/* The units that a .socket can start, from its directory. */
static void add_services(struct files *files, const char *path, struct problems *problems)
{
	static const char socket_suffix[] = ".socket";
	static const char *const suffixes[] = { "@.service", ".service" };
	size_t length = strlen(path), suffix = strlen(socket_suffix);
	char service[PATH_MAX];

	if (length <= suffix || strcmp(path + length - suffix, socket_suffix) != 0)
		return;
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
		if (snprintf(service, sizeof service, "%.*s%s", (int)(length - suffix), path,
			     suffixes[i]) < (int)sizeof service)
			files_add(files, service, true, problems);
}

static void files_read(struct files *files, const char *const *paths, struct problems *problems)
{
	for (const char *const *path = paths; *path; path++)
		files_add(files, *path, false, problems);
	for (const char *const *path = paths; *path; path++)
		add_services(files, *path, problems);
}

static void files_free(struct files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		free((void *)(uintptr_t)files->list[i].name);
		free((void *)(uintptr_t)files->list[i].text);
	}
}

static void report(const struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->list[i];

		if (problem->line > 0)
			fprintf(stderr, "%s:%d: %s: %s\n", problem->file, problem->line,
				severity_name(problem->severity), problem->text);
		else
			fprintf(stderr, "%s: %s: %s\n", problem->file,
				severity_name(problem->severity), problem->text);
	}
}

int import_print(const char *const *paths)
{
	static struct files files;
	struct problems problems = { 0 };
	char directory[PATH_MAX], *text;
	bool is_complete;

	if (!getcwd(directory, sizeof directory))
		strcpy(directory, "/");
	files_read(&files, paths, &problems);
	text = import_convert(files.list, files.count, directory, &problems);
	report(&problems);
	is_complete = text && problems.errors == 0;
	if (text)
		fputs(text, stdout);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "usherd: can't write the entries: %s\n", strerror(errno));
		is_complete = false;
	}
	free(text);
	files_free(&files);
	problems_clear(&problems);
	return is_complete ? EXIT_SUCCESS : EXIT_FAILURE;
}
